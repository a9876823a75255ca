"""Resuming batches: which batch to resume, and which of its slices to read again."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from etl.errors import UsageError
from etl.ledger import batches
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.children import queue as children
from etl.models.states import DRY_RECONCILE, EXTRACT, NOT_READING, BatchState, ResourceState
from etl.queries import Queries

SQL = Queries(__file__)

#: Commands whose batches are not extracted, transformed and loaded as one stream.
NOT_STREAMED = (EXTRACT, *NOT_READING)

#: Maximum reads of a slice in one run.
READS_PER_RUN = 3


def find_interrupted(connection: Connection, tenant: str, names: Sequence[str]) -> Batch | None:
    """Return the newest batch of a sync if it was interrupted and contains only the named resources.

    Batches of other commands do not hide it.
    """
    batch = batches.read_newest_batch(connection, tenant, without=NOT_STREAMED)
    if batch is None or batch.status is BatchState.COMPLETED:
        return None
    batch_resources = batches.read_batch_resources(connection, batch.id)
    return (
        batch
        if is_interrupted(batch, batch_resources)
        and {batch_resource.resource for batch_resource in batch_resources} <= set(names)
        else None
    )


def is_interrupted(batch: Batch, batch_resources: Sequence[BatchResource]) -> bool:
    """Return whether a batch was never closed: it has resources left to read, or is still open without any.

    A batch that was closed with failed resources is not interrupted; the next sync reads them.
    """
    if any(
        batch_resource.status in (ResourceState.PENDING, ResourceState.RUNNING) for batch_resource in batch_resources
    ):
        return True
    return batch.status is not BatchState.FAILED or all(
        batch_resource.status is not ResourceState.FAILED for batch_resource in batch_resources
    )


def batch_to_resume(connection: Connection, tenant: str, batch_id: UUID | None) -> Batch:
    """Return the batch to resume; raise UsageError if there is none, or it is completed.

    Without an id it is the newest one. A completed dry run does not hide a failed batch before it.
    """
    batch = find_newest(connection, tenant) if batch_id is None else batches.read_batch(connection, batch_id)
    if batch is None:
        raise UsageError("There is no batch yet. Run `qqetl sync` to create the first.")
    if batch.status is BatchState.COMPLETED:
        raise UsageError(f"Batch {batch.id} is completed; nothing to resume. `qqetl runs` lists all batches.")
    if batch.command == "replay":
        raise UsageError(f"Batch {batch.id} is a replay, which cannot be resumed. Run `qqetl replay --apply` again.")
    return batch


def find_newest(connection: Connection, tenant: str) -> Batch | None:
    """Return the newest batch that is no completed dry run."""
    newest = batches.read_newest_batch(connection, tenant)
    if newest is not None and newest.command == DRY_RECONCILE and newest.status is BatchState.COMPLETED:
        return batches.read_newest_batch(connection, tenant, without=[DRY_RECONCILE])
    return newest


def reset_failed(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Reset failed resources: reopen their slices, and retry their postponed calls at once."""
    connection.execute(SQL["reopen_slices"], {"batch_id": batch_id, "readings": READS_PER_RUN})
    for batch_resource in batches.read_batch_resources(connection, batch_id):
        if batch_resource.status is ResourceState.FAILED:
            children.retry_postponed(connection, batch_resource.resource, tenant)
