"""Turns one record into one row, the stubs of the rows it refers to, and findings. Pure; created once per resource.

Most records have no violations: they take the fast path of `etl.reshape.fast_path`. The reference path in this file
defines the result, and handles all records that the fast path does not.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, cached_property
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.dialects.postgresql import JSONB

from etl.catalogue.resource import Resource
from etl.copy_text import format_row
from etl.errors import NeedsReferencePath
from etl.models import PRODUCTION
from etl.models.base import EXPECTED, REQUIRED, DataSource, Field, Model, Source, fields_of, id_prefix, row_id_text
from etl.models.sources import is_flagged
from etl.record import StagedRecord
from etl.reshape.fast_path import FastPath, compile_fast_path
from etl.sensitive import MASK, SSN, mask_secrets
from etl.spelling import spelling_of
from etl.values import Kind, Reference, Severity, Text, Timestamp, Violation
from etl.values.text import DAMAGED

#: How bad the absence of a value is; that of an optional value is no finding.
SEVERITY_IF_MISSING = {REQUIRED: Severity.REFUSED, EXPECTED: Severity.NOTED}
#: Maximum number of computed ids cached per reference; carriers and offices recur.
MAX_CACHED_IDS = 4096

#: The columns of every row before and after its fields.
LEADING_COLUMNS = ("id", "source_id")
TRAILING_COLUMNS = ("source_created_at", "source_modified_at", "version_at", "deleted_at", "content_hash", "raw_id")

TABLES: Mapping[str, type[Model]] = {model.__tablename__: model for model in PRODUCTION}

#: What looks like a driver's license number: a letter with 7 to 14 digits, as most states write it.
LICENSE = re.compile(r"(?<!\w)[A-Za-z]\d{7,14}(?!\w)")

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


#: A reference to a row in another table: the table, the row's source id, and its name if known.
StubRow = tuple[str, str, str | None]


class Row(msgspec.Struct, frozen=True, gc=False):
    """A production row before it is written."""

    id: str
    raw_id: str
    text: str  #: its values in the order of `row_columns(...)`, as a line of COPY text without its end
    undated: bool  #: whether it belongs to the batch that read it and not to a window: undated, or read per parent
    deleted: bool  #: whether the record is marked as deleted


class Reshaped(msgspec.Struct, frozen=True, gc=False):
    """The result of reshaping one record."""

    row: Row | None  #: None: refused, or without a production table
    stubs: list[StubRow]
    findings: list[Finding]
    refused: bool = False


class ReferenceResult(NamedTuple):
    """The result of the reference path for one record."""

    values: list[Any] | None  #: in the order of `row_columns(...)`
    stubs: list[StubRow]
    findings: list[Finding]
    refused: bool = False


class ColumnReader(NamedTuple):
    """How one column gets its value."""

    column: str
    path: tuple[str | int, ...]  #: the keys and positions that lead to it; empty where a function reads it
    read: Callable[[Mapping[str, Any]], Any]
    clean: Callable[[Any], Any]
    target: "ReferenceTarget | None"
    severity_if_missing: Severity | None  #: severity of a missing value


NO_ROW = Reshaped(None, [], [])


def row_columns(model: type[Model], source: DataSource) -> tuple[str, ...]:
    """Return the columns of a reshaped row, in order."""
    return (*LEADING_COLUMNS, *fields_of(model, source), *TRAILING_COLUMNS)


class Reshaper:
    """Reshapes the records of one resource for one tenant, under the settings that affect cleaning."""

    def __init__(self, resource: Resource, tenant: str, *, zone: str, strict: bool) -> None:
        self.table = resource.table
        self.has_table = resource.has_table
        self.is_child = resource.parent is not None
        self.strict = strict
        self.decode = spelling_of(resource).decode
        self.prefix = id_prefix(tenant, self.table)
        fields = fields_of(resource.model, resource.data_source)
        self.column_readers = [column_reader(tenant, column, field, zone) for column, field in fields.items()]
        self.required = frozenset(column for column, field in fields.items() if field.presence is REQUIRED)
        self.stub_makers = [(stub.model.__tablename__, stub.make) for stub in resource.stubs]
        self.deletion_mark = resource.model.deletion_mark

    @cached_property
    def fast_path(self) -> FastPath:
        """The fast path, compiled on first use: few runs read records of every resource."""
        return compile_fast_path(self.column_readers, self.stub_makers, MAX_CACHED_IDS, clean_label)

    def __call__(self, staged: StagedRecord) -> Reshaped:
        """Return the row, stubs and findings of one record."""
        if not self.has_table:
            return NO_ROW
        decoded = staged.decoded(self.decode)
        stubs: list[StubRow] = []
        try:
            values = self.fast_path(decoded, stubs)
        except NeedsReferencePath:
            reshaped = self.reference_path(staged.record.source_id, decoded)
            if reshaped.values is None:
                return Reshaped(None, reshaped.stubs, reshaped.findings, reshaped.refused)
            return Reshaped(self.row(staged, decoded, format_row(reshaped.values)), reshaped.stubs, reshaped.findings)
        return Reshaped(self.row(staged, decoded, values), stubs, [])

    def row(self, staged: StagedRecord, decoded: Mapping[str, Any], values: str) -> Row:
        """Return the row with these field values, and the leading and trailing columns that every row has."""
        record, raw_id = staged.record, staged.raw_id
        deleted = is_flagged(decoded, self.deletion_mark)
        key, source_id = row_id_text(self.prefix, record.source_id), record.source_id
        id_text = source_id if source_id.isalnum() else format_row((source_id,))
        times = staged.times
        deleted_at = times[times.rindex("\t") + 1 :] if deleted else "\\N"
        text = f"{key}\t{id_text}\t{values}\t{times}\t{deleted_at}\t{record.content_hash.hex()}\t{raw_id}"
        return Row(key, raw_id, text, record.undated or self.is_child, deleted)

    def reference_path(self, source_id: str, decoded: Mapping[str, Any]) -> ReferenceResult:
        """Return the values of a record's fields, its stubs and its findings.

        A deleted record lacks nothing: it may arrive with nothing but its mark, and its row keeps the last values.
        """
        is_deleted = is_flagged(decoded, self.deletion_mark)
        values: list[Any] = []
        findings: list[Finding] = []
        stubs: list[StubRow] = []
        get: Callable[[Any], Any] = decoded.get
        for column, path, read, clean, target, severity_if_missing in self.column_readers:
            raw = get(path[0]) if len(path) == 1 else read(decoded)
            value = None if raw is None else clean(raw)
            if value is None:
                if severity_if_missing is not None and not is_deleted:
                    findings.append(self.missing_finding(source_id, column, severity_if_missing))
            elif value.__class__ is Violation:
                findings.append(self.violation_finding(source_id, column, value, raw))
                value = value.value
            if target is not None and value is not None:
                value = target.resolve(value, decoded, stubs)
            values.append(value)
        if findings and any(finding.severity is Severity.REFUSED for finding in findings):
            return ReferenceResult(None, [], findings, refused=True)
        for table, make in self.stub_makers:
            stubs += [(table, source_id, name) for source_id, name in make(decoded)]
        return ReferenceResult(values, stubs, findings)

    def violation_finding(self, source_id: str, column: str, violation: Violation, raw: Any) -> Finding:
        """Return the finding for a violation, with the severity that applies here."""
        severity = violation.severity
        strictly = self.strict and (severity is Severity.DROPPED or violation.rule == "code-unknown")
        if strictly or (column in self.required and violation.value is None):
            severity = Severity.REFUSED
        message = f"{column} {violation.message}"
        return Finding(self.table, source_id, column, violation.rule, severity, message, masked_text(raw))

    def missing_finding(self, source_id: str, column: str, severity: Severity) -> Finding:
        """Return the finding for a missing value."""
        return Finding(self.table, source_id, column, "missing", severity, f"{column} is missing", None)


class ReferenceTarget:
    """The target of a reference: computes its id, and the stub that represents it until its record arrives."""

    def __init__(self, tenant: str, kind: Reference) -> None:
        self.table = kind.table
        self.prefix = id_prefix(tenant, kind.table)
        self.name = value_reader(kind.label) if kind.label else None
        self.cached_ids: dict[str, str] = {}

    def resolve(self, source_id: str, decoded: Mapping[str, Any], stubs: list[StubRow]) -> str:
        """Return the id of the target row, and add its stub."""
        name = None if self.name is None else self.name(decoded)
        label = None if name is None else clean_label(name)
        stubs.append((self.table, source_id, None if isinstance(label, Violation) else label))
        return self.id_of(source_id)

    def id_of(self, source_id: str) -> str:
        """Return the id of the row of a source id."""
        row_id = self.cached_ids.get(source_id)
        if row_id is None:
            if len(self.cached_ids) > MAX_CACHED_IDS:
                self.cached_ids.clear()
            row_id = self.cached_ids[source_id] = row_id_text(self.prefix, source_id)
        return row_id


def column_reader(tenant: str, column: str, field: Field, zone: str) -> ColumnReader:
    """Compile one field."""
    kind: Kind = replace(field.kind, zone=zone) if isinstance(field.kind, Timestamp) else field.kind
    return ColumnReader(
        column,
        path_steps(field.source) if isinstance(field.source, str) else (),
        value_reader(field.source),
        json_cleaner(kind.clean) if isinstance(kind.column_type, JSONB) else kind.clean,
        ReferenceTarget(tenant, kind) if isinstance(kind, Reference) else None,
        SEVERITY_IF_MISSING.get(field.presence),
    )


def json_cleaner(clean: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Wrap the cleaning of a JSON value so that it ends as text.

    Objects and lists of a staged record were stored as jsonb once and can be stored again. Only damaged characters and
    values that cannot be encoded go through the kind.
    """

    def cleaned(raw: Any) -> Any:
        if raw and raw.__class__ in (dict, list):
            try:
                text = encode_json(raw).decode()
            except (UnicodeError, TypeError, ValueError):
                text = "\\u0000"
            if "\\u0000" not in text and DAMAGED not in text:
                return text
        value = clean(raw)
        if value is None:
            return None
        if isinstance(value, Violation):
            return value if value.value is None else replace(value, value=encode_json(value.value).decode())
        return encode_json(value).decode()

    return cleaned


def value_reader(source: Source) -> Callable[[Mapping[str, Any]], Any]:
    """Return the function that reads a field's raw value from a record."""
    return source if callable(source) else path_reader(source)


def path_steps(path: str) -> tuple[str | int, ...]:
    """Return the keys of objects and positions of lists in a dotted path."""
    first, *others = path.split(".")
    return (first, *(int(step) if step.isdigit() else step for step in others))


@cache
def path_reader(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return the function that follows a dotted path of object keys and list positions."""
    if "." not in path:
        return lambda record: record.get(path)
    keys = path_steps(path)

    def follow(record: Mapping[str, Any]) -> Any:
        value: Any = record
        for step in keys:
            if isinstance(step, int):
                value = value[step] if isinstance(value, list) and step < len(value) else None
            else:
                value = value.get(step) if isinstance(value, dict) else None
        return value

    return follow


def masked_text(raw: Any) -> str:
    """Return a raw value as the text of a finding: shortened, on one line, SSN and driver's license numbers masked."""
    text = raw if isinstance(raw, str) else encode_json(raw).decode()
    line = " ".join(text.replace("\x00", "\N{REPLACEMENT CHARACTER}").split())
    return LICENSE.sub(MASK, SSN.sub(MASK, mask_secrets(line)))[:200]
