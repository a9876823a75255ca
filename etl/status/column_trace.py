"""The trace of a column: its raw value, what the rules make of it, and whether the stored row agrees."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB

from etl.catalogue.resource import Resource
from etl.config.options import CleaningOptions
from etl.models.base import Field, fields_of, own_columns
from etl.models.sources import describe_source
from etl.record import decode
from etl.reshape.clean import make_reshaper
from etl.reshape.reshaper import ColumnReader, Reshaper
from etl.values import Kind, Reference, Violation


class ColumnResult(StrEnum):
    """The result of the rules for a raw value."""

    KEPT = "kept"  #: stored unchanged
    NORMALIZED = "normalized"  #: converted to the column's format, without loss
    POINTS = "points to"  #: resolved to the id of a row
    ABSENT = "absent"  #: the record has no value, and none is expected
    MISSING = "missing"  #: the record has no value, and one is expected or required
    NOTED = "noted"
    REPAIRED = "repaired"
    DROPPED = "dropped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ColumnTrace:
    """One column of a row: its raw value and the result."""

    column: str
    source: str  #: the field of the record, as text
    kind: str
    raw: Any
    result: ColumnResult
    clean: Any  #: the value under the current rules; the source id for a reference
    table: str | None = None  #: the table of a reference
    rule: str | None = None
    message: str | None = None
    personal: bool = False
    stored: Any = None
    differs: bool = False  #: the row has another value, so a replay would change it


def trace_columns(
    resource: Resource, options: CleaningOptions, record: Mapping[str, Any], row: Mapping[str, Any] | None
) -> list[ColumnTrace]:
    """Return the trace of every column that a resource fills, under the current rules."""
    rules = make_reshaper(resource, options)
    fields = fields_of(resource.model, resource.data_source)
    own = own_columns(resource.model, resource.data_source)
    filled = fields if row is None or row["version_at"] is None else own  # the others are the primary source's
    return [
        trace_column(rules, reader, fields[reader.column], record, row if reader.column in filled else None)
        for reader in rules.column_readers
    ]


def trace_column(
    rules: Reshaper, reader: ColumnReader, field: Field, record: Mapping[str, Any], row: Mapping[str, Any] | None
) -> ColumnTrace:
    """Return the trace of one column."""
    raw = reader.read(record)
    value = None if raw is None else reader.clean(raw)
    rule = message = None
    if isinstance(value, Violation):
        finding = rules.violation_finding("", reader.column, value, raw)
        result, rule, message, value = ColumnResult(finding.severity.value), finding.rule, value.message, value.value
    elif value is None:
        result = ColumnResult.ABSENT if reader.severity_if_missing is None else ColumnResult.MISSING
    elif reader.target is not None:
        result = ColumnResult.POINTS
    else:
        result = ColumnResult.KEPT if is_equal(raw, decode_json(field.kind, value)) else ColumnResult.NORMALIZED
    clean, stored = decode_json(field.kind, value), None if row is None else decode_json(field.kind, row[reader.column])
    expected = clean if reader.target is None or value is None else UUID(reader.target.resolve(value, record, []))
    return ColumnTrace(
        reader.column,
        describe_source(field.source),
        field.kind.name,
        raw,
        result,
        clean,
        field.kind.table if isinstance(field.kind, Reference) else None,
        rule,
        message,
        field.personal,
        stored,
        row is not None and not is_equal(stored, expected),
    )


def is_equal(first: Any, second: Any) -> bool:
    """Return whether two values are equal, regardless of decimal places; true does not equal 1."""
    return isinstance(first, bool) == isinstance(second, bool) and bool(first == second)


def decode_json(kind: Kind, value: Any) -> Any:
    """Return a clean or stored value; decode the text of a JSON column."""
    if isinstance(kind.column_type, JSONB) and isinstance(value, str):
        return decode(b'{"value":' + value.encode() + b"}")["value"]
    return value
