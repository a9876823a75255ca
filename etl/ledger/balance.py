"""The books: every fetched record is accounted for, or the resource is not done and says what is missing."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from etl.ledger import batches, commit_outcome, watermarks
from etl.ledger.batches import Batch, BatchResource
from etl.models.states import ENDED, BatchState, Outcome, ResourceState, TroubleKind


def describe_difference(part: BatchResource) -> str | None:
    """Return in words how a resource's counts disagree, None when they balance."""
    accounted = sum(part.counts[commit_outcome] for commit_outcome in Outcome)
    if part.counts["fetched"] == accounted:
        return None
    return f"{part.counts['fetched']} records were fetched and {accounted} accounted for; `qqetl retry` looks again"


def close_resource(
    connection: Connection, batch: Batch, part: BatchResource, *, moves_watermark: bool = True
) -> ResourceState:
    """End a resource that was read to its end: done with its mark moved when the books balance, failed otherwise."""
    wrong = describe_difference(part)
    state = ResourceState.FAILED if wrong else ResourceState.DONE
    batches.set_resource_state(
        connection, batch.id, part.resource, state, wrong, TroubleKind.BALANCE_OFF if wrong else None
    )
    if state is ResourceState.DONE and moves_watermark:
        watermarks.advance_watermark(connection, batch.tenant, part.resource, part.window)
    return state


def close_batch(connection: Connection, batch_id: UUID) -> BatchState:
    """End a batch: completed when every offered resource is done, failed and resumable otherwise.

    The evidence of old commits goes with it.
    """
    commit_outcome.remove_expired(connection)
    parts = batches.read_batch_resources(connection, batch_id)
    trouble = [part for part in parts if part.status not in ENDED]
    if trouble:
        batches.mark_batch_failed(connection, batch_id, describe_failures(trouble))
        return BatchState.FAILED
    batches.advance_batch(connection, batch_id, BatchState.COMPLETED)
    return BatchState.COMPLETED


def describe_failures(trouble: Sequence[BatchResource]) -> str:
    """Return one line that names the resources in trouble, and what is the matter with each."""
    named = (f"{part.resource}: {part.error or part.status}" for part in trouble)
    return f"{len(trouble)} resource(s) did not end well. " + "; ".join(named)
