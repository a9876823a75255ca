"""Merges at the source: a record vanishes while another gains what was its own, as the history of rows shows."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.models import PAST, PRODUCTION
from etl.models.base import Model, references_of

#: Of a version that named the one that vanished, the row as it stands may name another.
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
    """Note of the rows that a batch marked deleted which ones seem merged into others; return how many."""
    bound = {"tenant": tenant, "batch_id": batch_id}
    found: set[str] = set()
    for statement in build_statements(model):
        found.update(connection.execute(statement, bound).scalars())
    return len(found)


def build_statements(model: type[Model]) -> Iterator[TextClause]:
    """Yield a statement for each reference to a table that comes from rows whose earlier versions are kept."""
    table = model.__tablename__
    for one in PRODUCTION:
        for column, kind in references_of(one).items():
            if one.keeps_history and kind.table == table:
                names = {"past": PAST[one].fullname, "pointing": one.__tablename__, "table": table, "column": column}
                yield text(DETECT.format(**names))


def undo_merges(connection: Connection, model: type[Model], tenant: str, batch_id: UUID) -> None:
    """Forget what a sweep noticed that is taken back."""
    connection.execute(UNDO, {"tenant": tenant, "table": model.__tablename__, "batch_id": batch_id})
