"""The batches of a tenant, newest first, each with its counts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from etl.ledger.batches import Batch, to_batch
from etl.models.bookkeeping import batch_resources, batches, sync_history


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A batch, its times and its counts."""

    batch: Batch
    started_at: datetime
    finished_at: datetime | None
    fetched: int
    rows_written: int  #: inserted or updated
    deleted: int  #: rows marked deleted, including those that the API marks deleted
    failed: int  #: failed resources


def list_runs(connection: Connection, tenant: str, most: int) -> list[RunSummary]:
    """Return the newest batches of a tenant, at most `most`."""
    batch_resource = batch_resources.c
    sums = (
        select(
            batch_resource.batch_id,
            func.sum(batch_resource.fetched).label("fetched"),
            func.sum(batch_resource.inserted + batch_resource.updated).label("written"),
            func.count().filter(batch_resource.status == "failed").label("failed"),
        )
        .group_by(batch_resource.batch_id)
        .subquery()
    )
    rows = sync_history.c
    deleted = select(func.sum(rows.deleted)).where(rows.batch_id == batches.c.id).scalar_subquery()
    query = (
        select(batches, sums.c.fetched, sums.c.written, sums.c.failed, deleted.label("deleted"))
        .outerjoin(sums, sums.c.batch_id == batches.c.id)
        .where(batches.c.tenant == tenant)
        .order_by(batches.c.started_at.desc())
        .limit(most)
    )
    return [
        RunSummary(
            to_batch(row),
            row.started_at,
            row.finished_at,
            int(row.fetched or 0),
            int(row.written or 0),
            int(row.deleted or 0),
            row.failed or 0,
        )
        for row in connection.execute(query)
    ]
