"""An explanation as it may leave the database: personal values as their shape, unless somebody asks for them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from etl.config.redaction import redact_text
from etl.status.column_trace import ColumnTrace
from etl.status.explain import Explanation, SourceTrace
from etl.status.findings import mask

#: The longest value that is shown to a person.
MAX_VALUE_LENGTH = 200

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


def format_value(story: ColumnTrace, value: Any, *, personal: bool) -> str:
    """Return a value of a column as text: personal ones as their shape, in others what looks like a secret hidden."""
    text = value if isinstance(value, str) else to_text(value)
    if story.personal and not personal:
        return mask(text)
    return text if personal else redact_text(text, MAX_VALUE_LENGTH)


def to_text(value: Any) -> str:
    """Return a value that is no text as text."""
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date | datetime) else _encode(value).decode()


def explanation_to_json(told: Explanation, *, personal: bool) -> dict[str, Any]:
    """Return an explanation for JSON."""
    row = told.row or {}
    return {
        "table": told.table,
        "source_id": told.source_id,
        "row": {name: row.get(name) for name in ("id", "is_placeholder", "deleted_at", "updated_at", "etl_batch_id")},
        "in_production": told.row is not None,
        "roads": [source_to_json(road, personal=personal) for road in told.sources],
        "computed": told.computed,
        "known_from": [
            {"table": one.table, "column": one.column, "rows": one.number, "source_ids": one.source_ids}
            for one in told.referrers
        ],
        "findings": [
            {"field": one.field, "rule": one.rule, "severity": one.severity, "state": one.state, "message": one.message}
            for one in told.findings
        ],
    }


def source_to_json(road: SourceTrace, *, personal: bool) -> dict[str, Any]:
    """Return one road for JSON."""
    staged = road.origin
    origin = staged and {
        "raw_id": staged.raw_id,
        "status": staged.status,
        "error": staged.error,
        "version_at": staged.version_at,
        "staged_at": staged.staged_at,
        "loaded_at": staged.loaded_at,
        "gone": staged.is_gone,
        "versions": staged.versions,
        "batch": staged.batch and {"id": staged.batch.id, "command": staged.batch.command},
        "call": staged.request and {"path": staged.request.path, "at": staged.request.requested_at},
        "with": staged.parent and {"resource": staged.parent.resource, "source_id": staged.parent.source_id},
    }
    columns = [column_to_json(one, personal=personal) for one in road.columns]
    return {"resource": road.resource, "origin": origin, "columns": columns}


def column_to_json(one: ColumnTrace, *, personal: bool) -> dict[str, Any]:
    """Return the story of a column for JSON."""
    values = {"raw": one.raw, "clean": one.clean, "stored": one.stored}
    return {
        "column": one.column,
        "source": one.source,
        "kind": one.kind,
        "did": one.result.value,
        "points_to": one.table,
        "rule": one.rule,
        "words": one.words,
        "personal": one.personal,
        "differs": one.differs,
        **{name: None if value is None else format_value(one, value, personal=personal) for name, value in values.items()},
    }
