"""The balance: a resource is done only when every fetched record is accounted for."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from etl.ledger import batches, commit_outcome, watermarks
from etl.ledger.batches import Batch, BatchResource
from etl.models.states import ENDED, BatchState, IncidentKind, Outcome, ResourceState

#: Fewer refused records than this never fail a resource: single bad records must not stop the others.
MANY_REFUSED = 20


def describe_difference(batch_resource: BatchResource) -> str | None:
    """Return a message when the counts of a resource do not balance, None when they do."""
    accounted = sum(batch_resource.counts[outcome] for outcome in Outcome)
    fetched = batch_resource.counts["fetched"]
    if fetched == accounted:
        return None
    return f"{fetched} records were fetched but {accounted} are accounted for; run `qqetl retry` to check again"


def describe_refusals(batch_resource: BatchResource, limit: float) -> str | None:
    """Return a message when more than a share of a resource's records, and many, were refused; None otherwise."""
    refused, fetched = batch_resource.counts[Outcome.REFUSED], batch_resource.counts["fetched"]
    if refused < MANY_REFUSED or refused <= limit * fetched:
        return None
    name = batch_resource.resource
    amount = f"all {fetched}" if refused == fetched else f"{refused} of {fetched}"
    return (
        f"{amount} records were refused, more than {limit:.0%} (ETL_REFUSED_LIMIT). The rows of earlier runs stay, and "
        f"the next run reads these records again. `qqetl findings --resource {name} --open` shows why. If the format "
        "changed, `qqetl doctor` shows how; if the records are bad, fix them in QQCatalyst or raise ETL_REFUSED_LIMIT"
    )


def close_resource(
    connection: Connection,
    batch: Batch,
    batch_resource: BatchResource,
    *,
    refused_limit: float,
    moves_watermark: bool = True,
) -> BatchResource:
    """Finish a resource that was fully read, and return it as it ended.

    It is done if its counts balance and no more than a share of its records was refused, and failed otherwise. The
    watermark advances only for a resource that is done, and only with `moves_watermark`.
    """
    difference = describe_difference(batch_resource)
    problem = difference or describe_refusals(batch_resource, refused_limit)
    state = ResourceState.FAILED if problem else ResourceState.DONE
    ended = batches.set_resource_state(
        connection,
        batch.id,
        batch_resource.resource,
        state,
        problem,
        IncidentKind.BALANCE_OFF if difference else None,
    )
    if state is ResourceState.DONE and moves_watermark:
        watermarks.advance_watermark(connection, batch.tenant, batch_resource.resource, batch_resource.window)
    return ended


def close_batch(connection: Connection, batch_id: UUID) -> BatchState:
    """Finish a batch: completed if every offered resource is done, failed and resumable otherwise.

    This also removes expired commit evidence.
    """
    commit_outcome.remove_expired(connection)
    batch_resources = batches.read_batch_resources(connection, batch_id)
    unfinished = [batch_resource for batch_resource in batch_resources if batch_resource.status not in ENDED]
    if unfinished:
        batches.mark_batch_failed(connection, batch_id, describe_failures(unfinished))
        return BatchState.FAILED
    batches.advance_batch(connection, batch_id, BatchState.COMPLETED)
    return BatchState.COMPLETED


def describe_failures(unfinished: Sequence[BatchResource]) -> str:
    """Return one line that names the unfinished resources and the reason for each."""
    reasons = (f"{failure.resource}: {failure.error or failure.status}" for failure in unfinished)
    return f"{len(unfinished)} resource(s) failed. " + "; ".join(reasons)
