"""One record into one row, the rows it refers to, and findings. Pure; made once for each resource.

Most records hold nothing to complain of: those take the quick way of `etl.reshape.fast_path`. The careful way here is
the reference, and takes whatever the quick way is not sure of.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, cached_property
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.dialects.postgresql import JSONB

from etl.catalogue import Resource
from etl.copy_text import joined
from etl.models import PRODUCTION
from etl.models.base import Field, Model, Source, fields_of, row_id_text
from etl.record import Candidate
from etl.reshape.fast_path import NotPlain, Plain, compiled
from etl.values import Complaint, Kind, Reference, Severity, Text, Timestamp

#: How many computed ids a reference remembers; carriers and offices recur, and memory stays small.
MOST_KNOWN = 4096

#: What every row brings besides its fields, before and behind them.
BEFORE = ("id", "source_id")
BEHIND = ("source_created_at", "source_modified_at", "version_at", "deleted_at", "content_hash", "raw_id")

TABLES: Mapping[str, type[Model]] = {model.__tablename__: model for model in PRODUCTION}

#: What looks like a social security number (three, two and four digits, set apart) or like a driver's licence number:
#: a letter with 7 to 14 digits, as most states write it.
IDENTIFYING = re.compile(r"(?<![\d-])\d{3}([- ])\d{2}\1\d{4}(?![\d-])|(?<!\w)[A-Za-z]\d{7,14}(?!\w)")
#: Stands in their place.
MASK = "***"

encode_json = msgspec.json.Encoder(decimal_format="number").encode
clean_label = Text(placeholders=True).clean


class Finding(NamedTuple):
    """A value that a rule refused, dropped, repaired or noted."""

    table: str
    source_id: str
    field: str
    rule: str
    severity: Severity
    message: str
    raw_value: str | None


#: What a record knows of a row in another table: the table, the row's source id, perhaps its name.
StubRow = tuple[str, str, str | None]


class Row(msgspec.Struct, frozen=True, gc=False):
    """A row of production on its way there."""

    id: str
    raw_id: str
    text: str  #: its values in the order of `columns(...)`, as a line of COPY text without its end
    undated: bool  #: whether its version is the time of the request that read it
    deleted: bool  #: whether the source marks it deleted


class Reshaped(msgspec.Struct, frozen=True, gc=False):
    """What became of one record."""

    row: Row | None  #: None: refused, or of another kind
    stubs: list[StubRow]
    findings: list[Finding]
    refused: bool = False


class Careful(NamedTuple):
    """What the careful way makes of one record."""

    values: list[Any] | None  #: in the order of `columns(...)`
    stubs: list[StubRow]
    findings: list[Finding]
    refused: bool = False


class Cell(NamedTuple):
    """How one column gets its value."""

    column: str
    path: tuple[str | int, ...]  #: the keys and positions that lead to it; empty where a function reads it
    read: Callable[[Mapping[str, Any]], Any]
    clean: Callable[[Any], Any]
    target: "Target | None"
    watched: Severity | None  #: what its absence amounts to


NOTHING = Reshaped(None, [], [])


def columns(model: type[Model], road: str) -> tuple[str, ...]:
    """Return the columns of a reshaped row, in order."""
    return (*BEFORE, *fields_of(model, road), *BEHIND)


class Reshaper:
    """Reshapes the records of one resource for one tenant, under the settings that cleaning depends on."""

    def __init__(self, resource: Resource, tenant: str, *, zone: str, strict: bool) -> None:
        self.table = resource.model.__tablename__
        self.strict = strict
        self.prefix = id_prefix(tenant, self.table)
        fields = fields_of(resource.model, resource.road)
        self.cells = [cell(tenant, column, about, zone) for column, about in fields.items()]
        self.required = frozenset(column for column, about in fields.items() if about.required)
        self.takes = resource.takes
        self.others = [(stub.model.__tablename__, stub.make) for stub in resource.stubs]
        self.deletion_mark = resource.model.deletion_mark

    @cached_property
    def plain(self) -> Plain:
        """The quick way, written out when the first record asks for it: few runs meet records of every resource."""
        return compiled(self.cells, self.others, MOST_KNOWN, clean_label)

    def __call__(self, candidate: Candidate) -> Reshaped:
        """Return the row, stubs and findings of one record."""
        decoded = candidate.decoded
        if self.takes is not None and decoded.get(self.takes[0]) not in self.takes[1]:
            return NOTHING
        stubs: list[StubRow] = []
        try:
            values = self.plain(decoded, stubs)
        except NotPlain:
            found = self.careful(candidate.record.source_id, decoded)
            if found.values is None:
                return Reshaped(None, found.stubs, found.findings, found.refused)
            return Reshaped(self.row(candidate, decoded, joined(found.values)), found.stubs, found.findings)
        return Reshaped(self.row(candidate, decoded, values), stubs, [])

    def row(self, candidate: Candidate, decoded: Mapping[str, Any], values: str) -> Row:
        """Return the row whose fields hold these values, with what every row brings before and behind them."""
        record, raw_id = candidate.record, candidate.raw_id
        deleted = False
        for name, marks in self.deletion_mark:
            deleted = deleted or decoded.get(name) in marks
        key, source_id = row_id_text(self.prefix, record.source_id), record.source_id
        named = source_id if source_id.isalnum() else joined((source_id,))
        times = candidate.times
        gone = times[times.rindex("\t") + 1 :] if deleted else "\\N"
        text = f"{key}\t{named}\t{values}\t{times}\t{gone}\t{record.content_hash.hex()}\t{raw_id}"
        return Row(key, raw_id, text, record.undated, deleted)

    def careful(self, source_id: str, decoded: Mapping[str, Any]) -> Careful:
        """Return the values of a record's fields, its stubs and its findings."""
        values: list[Any] = []
        findings: list[Finding] = []
        stubs: list[StubRow] = []
        get: Callable[[Any], Any] = decoded.get
        for column, path, read, clean, target, watched in self.cells:
            raw = get(path[0]) if len(path) == 1 else read(decoded)
            value = None if raw is None else clean(raw)
            if value is None:
                if watched is not None:
                    findings.append(self.miss(source_id, column, watched))
            elif value.__class__ is Complaint:
                findings.append(self.complain(source_id, column, value, raw))
                value = value.value
            if target is not None and value is not None:
                value = target.point(value, decoded, stubs)
            values.append(value)
        if findings and any(finding.severity is Severity.REFUSED for finding in findings):
            return Careful(None, [], findings, refused=True)
        for table, make in self.others:
            stubs += [(table, source_id, name) for source_id, name in make(decoded)]
        return Careful(values, stubs, findings)

    def complain(self, source_id: str, column: str, complaint: Complaint, raw: Any) -> Finding:
        """Return the finding that a kind's complaint amounts to here."""
        severity = complaint.severity
        strictly = self.strict and (severity is Severity.DROPPED or complaint.rule == "code-unknown")
        if strictly or (column in self.required and complaint.value is None):
            severity = Severity.REFUSED
        words = f"{column} {complaint.words}"
        return Finding(self.table, source_id, column, complaint.rule, severity, words, shown(raw))

    def miss(self, source_id: str, column: str, severity: Severity) -> Finding:
        """Return the finding for a value that should be there."""
        return Finding(self.table, source_id, column, "missing", severity, f"{column} is missing", None)


class Target:
    """What a reference points to: computes the id there, and the stub that stands in until the record arrives."""

    def __init__(self, tenant: str, kind: Reference) -> None:
        self.table = kind.table
        self.prefix = id_prefix(tenant, kind.table)
        self.name = path_reader(kind.label) if kind.label else None
        self.known: dict[str, str] = {}

    def point(self, source_id: str, decoded: Mapping[str, Any], stubs: list[StubRow]) -> str:
        """Return the id of the row pointed to, and add its stub."""
        name = None if self.name is None else self.name(decoded)
        label = None if name is None else clean_label(name)
        stubs.append((self.table, source_id, None if isinstance(label, Complaint) else label))
        return self.id_of(source_id)

    def id_of(self, source_id: str) -> str:
        """Return the id of the row of a source id."""
        found = self.known.get(source_id)
        if found is None:
            if len(self.known) > MOST_KNOWN:
                self.known.clear()
            found = self.known[source_id] = row_id_text(self.prefix, source_id)
        return found


def id_prefix(tenant: str, table: str) -> str:
    """Return what ids of a tenant's table are computed from, besides the source id."""
    return f"{tenant}\x1f{table}\x1f"


def cell(tenant: str, column: str, about: Field, zone: str) -> Cell:
    """Compile one field."""
    kind: Kind = replace(about.kind, zone=zone) if isinstance(about.kind, Timestamp) else about.kind
    return Cell(
        column,
        steps(about.source) if isinstance(about.source, str) else (),
        reader(about.source),
        as_json(kind.clean) if isinstance(kind.column_type, JSONB) else kind.clean,
        Target(tenant, kind) if isinstance(kind, Reference) else None,
        Severity.REFUSED if about.required else Severity.NOTED if about.expected else None,
    )


def as_json(clean: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Wrap the cleaning of a JSON value so that it ends as text.

    Objects and lists of a staged record were stored as jsonb once and can be again: only a NUL, which an escape may
    still spell, and what cannot be encoded go through the kind.
    """

    def cleaned(raw: Any) -> Any:
        if raw and raw.__class__ in (dict, list):
            try:
                text = encode_json(raw).decode()
            except (UnicodeError, TypeError, ValueError):
                text = "\\u0000"
            if "\\u0000" not in text:
                return text
        value = clean(raw)
        if value is None or value.__class__ is Complaint:
            return value
        return encode_json(value).decode()

    return cleaned


def reader(source: Source) -> Callable[[Mapping[str, Any]], Any]:
    """Return the function that reads a field's raw value from a record."""
    return source if callable(source) else path_reader(source)


def steps(path: str) -> tuple[str | int, ...]:
    """Return the keys of objects and positions of lists that a path joins by dots."""
    first, *rest = path.split(".")
    return (first, *(int(step) if step.isdigit() else step for step in rest))


@cache
def path_reader(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return the function that follows a path: keys of objects and positions of lists, joined by dots."""
    if "." not in path:
        return lambda record: record.get(path)
    path_steps = steps(path)

    def follow(record: Mapping[str, Any]) -> Any:
        value: Any = record
        for step in path_steps:
            if isinstance(step, int):
                value = value[step] if isinstance(value, list) and step < len(value) else None
            else:
                value = value.get(step) if isinstance(value, dict) else None
        return value

    return follow


def shown(raw: Any) -> str:
    """Return a raw value as the text that a finding keeps: bounded, on one line, without SSN and licence numbers."""
    text = raw if isinstance(raw, str) else encode_json(raw).decode()
    return IDENTIFYING.sub(MASK, " ".join(text.replace("\x00", "\N{REPLACEMENT CHARACTER}").split()))[:200]
