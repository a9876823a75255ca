"""An explanation as JSON or text; personal values are masked unless requested."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from etl.config.redaction import redact_text
from etl.status.column_trace import ColumnTrace
from etl.status.explain import Explanation, SourceTrace
from etl.status.findings import mask

#: Maximum length of a value shown to people.
MAX_VALUE_LENGTH = 200

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


def format_value(trace: ColumnTrace, value: Any, *, personal: bool) -> str:
    """Return a value of a column as text: personal values masked, and what looks like a secret hidden in others."""
    text = value if isinstance(value, str) else to_text(value)
    if trace.personal and not personal:
        return mask(text)
    return text if personal else redact_text(text, MAX_VALUE_LENGTH)


def to_text(value: Any) -> str:
    """Return a value of another type as text."""
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date | datetime) else _encode(value).decode()


def explanation_to_json(explanation: Explanation, *, personal: bool) -> dict[str, Any]:
    """Return an explanation as JSON."""
    row = explanation.row or {}
    return {
        "table": explanation.table,
        "source_id": explanation.source_id,
        "row": {name: row.get(name) for name in ("id", "is_placeholder", "deleted_at", "updated_at", "etl_batch_id")},
        "in_production": explanation.row is not None,
        "roads": [source_to_json(source, personal=personal) for source in explanation.sources],
        "computed": explanation.computed,
        "known_from": [
            {
                "table": referrer.table,
                "column": referrer.column,
                "rows": referrer.number,
                "source_ids": referrer.source_ids,
            }
            for referrer in explanation.referrers
        ],
        "findings": explanation.findings,
    }


def source_to_json(source: SourceTrace, *, personal: bool) -> dict[str, Any]:
    """Return one source as JSON."""
    staged = source.origin
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
    columns = [column_to_json(trace, personal=personal) for trace in source.columns]
    return {"resource": source.resource, "origin": origin, "columns": columns}


def column_to_json(trace: ColumnTrace, *, personal: bool) -> dict[str, Any]:
    """Return the trace of a column as JSON."""
    values = {"raw": trace.raw, "clean": trace.clean, "stored": trace.stored}
    return {
        "column": trace.column,
        "source": trace.source,
        "kind": trace.kind,
        "did": trace.result,
        "points_to": trace.table,
        "rule": trace.rule,
        "words": trace.message,
        "personal": trace.personal,
        "differs": trace.differs,
        **{
            name: None if value is None else format_value(trace, value, personal=personal)
            for name, value in values.items()
        },
    }
