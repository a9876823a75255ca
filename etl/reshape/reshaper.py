"""One record into one row, the rows it refers to, and findings. Pure; compiled once for each resource."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.dialects.postgresql import JSONB

from etl.catalogue import Resource
from etl.models import PRODUCTION
from etl.models.base import Field, Model, Source, fields_of, row_id_text
from etl.record import Record
from etl.values import Complaint, Kind, Reference, Severity, Text, Timestamp

#: How many computed ids a reference remembers; carriers and offices recur, and memory stays small.
MOST_KNOWN = 4096

#: What every row brings besides its fields, before and behind them.
BEFORE = ("id", "source_id")
BEHIND = ("source_created_at", "source_modified_at", "version_at", "undated", "deleted_at", "content_hash", "raw_id")

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


class StubRow(NamedTuple):
    """What a record knows of a row in another table: its id, perhaps its name."""

    table: str
    source_id: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Reshaped:
    """What became of one record."""

    row: list[Any] | None  #: in the order of `columns(...)`; None: refused, or of another kind
    stubs: list[StubRow]
    findings: list[Finding]
    refused: bool = False


class Cell(NamedTuple):
    """How one column gets its value."""

    column: str
    key: str | None  #: of the record, where nothing else has to be read
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

    def __call__(self, raw_id: str, record: Record, decoded: Mapping[str, Any]) -> Reshaped:
        """Return the row, stubs and findings of one record."""
        if self.takes is not None and decoded.get(self.takes[0]) not in self.takes[1]:
            return NOTHING
        values: list[Any] = [row_id_text(self.prefix, record.source_id), record.source_id]
        findings: list[Finding] = []
        stubs: list[StubRow] = []
        get = decoded.get
        for column, key, read, clean, target, watched in self.cells:
            raw = read(decoded) if key is None else get(key)
            value = None if raw is None else clean(raw)
            if value is None:
                if watched is not None:
                    findings.append(self.miss(record.source_id, column, watched))
            elif value.__class__ is Complaint:
                findings.append(self.complain(record.source_id, column, value, raw))
                value = value.value
            if target is not None and value is not None:
                value = target.point(value, decoded, stubs)
            values.append(value)
        if findings and any(finding.severity is Severity.REFUSED for finding in findings):
            return Reshaped(None, [], findings, refused=True)
        for table, make in self.others:
            stubs += [StubRow(table, source_id, name) for source_id, name in make(decoded)]
        values += self.behind(raw_id, record, decoded)
        return Reshaped(values, stubs, findings)

    def behind(self, raw_id: str, record: Record, decoded: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what every row brings behind its fields."""
        deleted = any(decoded.get(name) in marks for name, marks in self.deletion_mark)
        return (
            record.created_at,
            record.modified_at,
            record.version_at,
            record.undated,
            record.version_at if deleted else None,
            record.content_hash.hex(),
            raw_id,
        )

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
        stubs.append(StubRow(self.table, source_id, None if isinstance(label, Complaint) else label))
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
        about.source if isinstance(about.source, str) and "." not in about.source else None,
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


@cache
def path_reader(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return the function that follows a path: keys of objects and positions of lists, joined by dots."""
    if "." not in path:
        return lambda record: record.get(path)
    steps = tuple(int(step) if step.isdigit() else step for step in path.split("."))

    def follow(record: Mapping[str, Any]) -> Any:
        value: Any = record
        for step in steps:
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
