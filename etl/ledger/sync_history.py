"""The sync history: the rows that a batch wrote, by table."""

from uuid import UUID

from sqlalchemy import Connection, select, text

from etl.models.bookkeeping import sync_history
from etl.models.states import DRY_RECONCILE

COUNT_COLUMNS = ("inserted", "updated", "unchanged", "deleted", "revived")


def read_history(connection: Connection, batch_id: UUID) -> dict[str, dict[str, int]]:
    """Return the number of rows by table and action."""
    query = select(sync_history).where(sync_history.c.batch_id == batch_id).order_by(sync_history.c.table_name)
    return {row.table_name: {name: getattr(row, name) for name in COUNT_COLUMNS} for row in connection.execute(query)}


#: Batches that were interrupted and that wrote rows after the last completed batch.
INTERRUPTED = text("""
    SELECT batch.id FROM etl.batches AS batch
    WHERE batch.tenant = :tenant AND batch.id <> :batch_id AND batch.status <> 'completed'
      AND (batch.status <> 'failed' OR EXISTS (
          SELECT FROM etl.batch_resources AS part
          WHERE part.batch_id = batch.id AND part.status IN ('pending', 'running')
      ))
      AND EXISTS (
          SELECT FROM etl.sync_history AS wrote
          WHERE wrote.batch_id = batch.id AND wrote.synced_at > COALESCE(
              (SELECT max(finished_at) FROM etl.batches
               WHERE tenant = :tenant AND status = 'completed' AND command <> :dry_run), '-infinity')
      )
    ORDER BY batch.started_at
""")


def find_interrupted_batches(connection: Connection, tenant: str, batch_id: UUID) -> list[UUID]:
    """Return the other batches that wrote rows but were interrupted before the follow-up work for those rows."""
    return list(
        connection.execute(INTERRUPTED, {"tenant": tenant, "batch_id": batch_id, "dry_run": DRY_RECONCILE}).scalars()
    )
