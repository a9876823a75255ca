"""The sync history: what a batch wrote, table by table."""

from uuid import UUID

from sqlalchemy import Connection, select

from etl.models.bookkeeping import sync_history

COUNTS = ("inserted", "updated", "unchanged", "deleted", "revived")


def of_batch(connection: Connection, batch_id: UUID) -> dict[str, dict[str, int]]:
    """Return the numbers of rows by table and what was done to them."""
    query = select(sync_history).where(sync_history.c.batch_id == batch_id).order_by(sync_history.c.table_name)
    return {row.table_name: {name: getattr(row, name) for name in COUNTS} for row in connection.execute(query)}
