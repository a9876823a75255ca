"""The sync history: the rows that a batch wrote, by table."""

from uuid import UUID

from sqlalchemy import Connection, select

from etl.models.bookkeeping import sync_history
from etl.models.states import DRY_RECONCILE
from etl.queries import Queries

SQL = Queries(__file__)

COUNT_COLUMNS = ("inserted", "updated", "unchanged", "deleted", "revived")


def read_history(connection: Connection, batch_id: UUID) -> dict[str, dict[str, int]]:
    """Return the number of rows by table and action."""
    query = select(sync_history).where(sync_history.c.batch_id == batch_id).order_by(sync_history.c.table_name)
    return {row.table_name: {name: getattr(row, name) for name in COUNT_COLUMNS} for row in connection.execute(query)}


def find_interrupted_batches(connection: Connection, tenant: str, batch_id: UUID) -> list[UUID]:
    """Return the other batches that wrote rows but were interrupted before the follow-up work for those rows."""
    return list(
        connection.execute(
            SQL["interrupted_batches"], {"tenant": tenant, "batch_id": batch_id, "dry_run": DRY_RECONCILE}
        ).scalars()
    )
