"""Batches that did not end: which one to take up, and where its failed resources begin again."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, text

from etl.errors import UsageError
from etl.ledger import batches, children
from etl.ledger.batches import Batch, BatchResource
from etl.models.states import BatchState, ResourceState

#: Slices that were read to the end of their readings, or whose resource did not balance, are read once more.
REOPEN_SLICES = text("""
    UPDATE etl.slices AS slice SET status = 'pending', reading = slice.reading + 1
    FROM etl.batch_resources AS part
    WHERE part.batch_id = :batch_id AND part.status = 'failed' AND slice.batch_id = part.batch_id
      AND slice.resource = part.resource
      AND (slice.status = 'pending' AND slice.reading % :readings = 0
           OR NOT EXISTS (
               SELECT FROM etl.slices AS other
               WHERE other.batch_id = part.batch_id AND other.resource = part.resource AND other.status = 'pending'
           ))
""")

#: Commands whose batches are not read, cleaned and loaded as one stream.
NOT_STREAMED = ("extract", "replay")

#: How often a slice is read in one run.
READS_PER_RUN = 3


def find_interrupted(connection: Connection, tenant: str, names: Sequence[str]) -> Batch | None:
    """Return the newest batch when it was cut off in the middle, and only concerns resources of these names."""
    batch = batches.read_newest_batch(connection, tenant)
    if batch is None or batch.status is BatchState.COMPLETED or batch.command in NOT_STREAMED:
        return None
    parts = batches.read_batch_resources(connection, batch.id)
    return batch if is_interrupted(batch, parts) and {part.resource for part in parts} <= set(names) else None


def is_interrupted(batch: Batch, parts: Sequence[BatchResource]) -> bool:
    """Tell whether a batch never came to its close: it has resources left, or stands open though it has none.

    One that was closed with failed resources among others is no such batch; its next window brings them.
    """
    if any(part.status in (ResourceState.PENDING, ResourceState.RUNNING) for part in parts):
        return True
    return batch.status is not BatchState.FAILED or all(part.status is not ResourceState.FAILED for part in parts)


def batch_to_resume(connection: Connection, tenant: str, batch_id: UUID | None) -> Batch:
    """Return the batch to take up; raise UsageError when there is none, or it has ended well."""
    batch = batches.read_newest_batch(connection, tenant) if batch_id is None else batches.read_batch(connection, batch_id)
    if batch is None:
        raise UsageError("There is no batch yet. `qqetl sync` makes the first.")
    if batch.status is BatchState.COMPLETED:
        raise UsageError(f"Batch {batch.id} is completed; there is nothing to take up. `qqetl runs` lists all batches.")
    if batch.command == "replay":
        raise UsageError(f"Batch {batch.id} is a replay, which reads nothing: run `qqetl replay --apply` again.")
    return batch


def reset_failed(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Let slices be read once more whose totals never agreed, or whose resource did not balance, and failed calls."""
    connection.execute(REOPEN_SLICES, {"batch_id": batch_id, "readings": READS_PER_RUN})
    for part in batches.read_batch_resources(connection, batch_id):
        if part.status is ResourceState.FAILED:
            children.retry_postponed(connection, part.resource, tenant)
