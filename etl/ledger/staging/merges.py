"""Merges at the source: a record is missing, and the rows that referred to it now refer to another record."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.models import PAST, PRODUCTION
from etl.models.base import Model, references_of

#: An earlier version of a row refers to the missing record, and the current row refers to another one.
DETECT = """
    INSERT INTO etl.aliases AS known (tenant, table_name, source_id, alias_of, moved, batch_id)
    SELECT :tenant, '{table}', gone.source_id, heir.source_id, count(DISTINCT stands.id), :batch_id
    FROM public.{table} AS gone
    JOIN {past} AS past ON past.tenant = :tenant AND past.{column} = gone.id
    JOIN public.{pointing} AS stands ON stands.id = past.id AND stands.deleted_at IS NULL
    JOIN public.{table} AS heir ON heir.id = stands.{column} AND heir.id <> gone.id AND heir.deleted_at IS NULL
    WHERE gone.tenant = :tenant AND gone.etl_batch_id = :batch_id AND gone.deleted_at IS NOT NULL
    GROUP BY gone.source_id, heir.source_id
    ON CONFLICT (tenant, table_name, source_id, alias_of) DO UPDATE
    SET moved = greatest(known.moved, excluded.moved), batch_id = excluded.batch_id, noticed_at = now()
    RETURNING source_id
"""

UNDO = text("DELETE FROM etl.aliases WHERE tenant = :tenant AND table_name = :table AND batch_id = :batch_id")


def detect_merges(connection: Connection, model: type[Model], tenant: str, batch_id: UUID) -> int:
    """Record which rows that a batch deleted seem to be merged into others; return their number."""
    parameters = {"tenant": tenant, "batch_id": batch_id}
    merged_ids: set[str] = set()
    for statement in build_statements(model):
        merged_ids.update(connection.execute(statement, parameters).scalars())
    return len(merged_ids)


def build_statements(model: type[Model]) -> Iterator[TextClause]:
    """Yield a statement for each reference to a table from a table with history."""
    table = model.__tablename__
    for referring_model in PRODUCTION:
        for column, kind in references_of(referring_model).items():
            if referring_model.keeps_history and kind.table == table:
                names = {
                    "past": PAST[referring_model].fullname,
                    "pointing": referring_model.__tablename__,
                    "table": table,
                    "column": column,
                }
                yield text(DETECT.format(**names))


def undo_merges(connection: Connection, model: type[Model], tenant: str, batch_id: UUID) -> None:
    """Delete the merges that a batch detected."""
    connection.execute(UNDO, {"tenant": tenant, "table": model.__tablename__, "batch_id": batch_id})
