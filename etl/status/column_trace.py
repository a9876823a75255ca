"""The story of a column: its raw value, its kind, what the kind did with it, and whether the row still has that."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB

from etl.catalogue import Resource
from etl.config.settings import Settings
from etl.models.base import Field, fields_of
from etl.models.sources import in_words
from etl.record import decode
from etl.reshape.clean import make_reshaper
from etl.reshape.reshaper import ColumnReader, Reshaper
from etl.values import Kind, Reference, Violation


class ColumnResult(StrEnum):
    """What the rules did with a raw value."""

    KEPT = "kept"  #: it stands in the row as it came
    NORMALIZED = "normalized"  #: written in the column's form, with nothing lost
    POINTS = "points to"  #: it became the id of a row
    ABSENT = "absent"  #: the record says nothing, which is in order
    MISSING = "missing"  #: the record says nothing, and it is expected or required to
    NOTED = "noted"
    REPAIRED = "repaired"
    DROPPED = "dropped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ColumnTrace:
    """What became of one raw value."""

    column: str
    source: str  #: where the record keeps it, in words
    kind: str
    raw: Any
    result: ColumnResult
    clean: Any  #: what today's rules make of it; of a reference the source id that it points to
    table: str | None = None  #: of a reference
    rule: str | None = None
    words: str | None = None
    personal: bool = False
    stored: Any = None
    differs: bool = False  #: the row has another value: a replay would change it


def trace_columns(
    resource: Resource, settings: Settings, record: Mapping[str, Any], row: Mapping[str, Any] | None
) -> list[ColumnTrace]:
    """Return the story of every column that a resource brings, under today's rules."""
    rules = make_reshaper(resource, settings)
    fields = fields_of(resource.model, resource.data_source)
    return [trace_column(rules, cell, fields[cell.column], record, row) for cell in rules.column_readers]


def trace_column(rules: Reshaper, cell: ColumnReader, about: Field, record: Mapping[str, Any], row: Mapping[str, Any] | None) -> ColumnTrace:
    """Return the story of one column."""
    raw = cell.read(record)
    value = None if raw is None else cell.clean(raw)
    rule = words = None
    if isinstance(value, Violation):
        finding = rules.violation_finding("", cell.column, value, raw)
        did, rule, words, value = ColumnResult(finding.severity.value), finding.rule, value.message, value.value
    elif value is None:
        did = ColumnResult.ABSENT if cell.severity_if_missing is None else ColumnResult.MISSING
    elif cell.target is not None:
        did = ColumnResult.POINTS
    else:
        did = ColumnResult.KEPT if is_equal(raw, decode_json(about.kind, value)) else ColumnResult.NORMALIZED
    clean, stored = decode_json(about.kind, value), None if row is None else decode_json(about.kind, row[cell.column])
    expected = clean if cell.target is None or value is None else UUID(cell.target.resolve(value, record, []))
    return ColumnTrace(
        cell.column,
        in_words(about.source),
        about.kind.name,
        raw,
        did,
        clean,
        about.kind.table if isinstance(about.kind, Reference) else None,
        rule,
        words,
        about.personal,
        stored,
        row is not None and not is_equal(stored, expected),
    )


def is_equal(one: Any, other: Any) -> bool:
    """Tell whether two values are one, whatever decimal places a number has; true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def decode_json(kind: Kind, value: Any) -> Any:
    """Return a clean or stored value as it is meant: of a column of JSON what its text says."""
    if isinstance(kind.column_type, JSONB) and isinstance(value, str):
        return decode(b'{"value":' + value.encode() + b"}")["value"]
    return value
