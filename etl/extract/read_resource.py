"""Reads one resource of a batch from start to end, and records how it ended."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.config.logs import get_logger
from etl.drift.declared_fields import find_declared_fields
from etl.errors import ApiUnavailable, EtlError
from etl.events import Finished, Started
from etl.extract.list_reader import ListReader, TotalMismatch
from etl.extract.offers import counts_as_documented, is_absence
from etl.extract.run import RESOURCE_ERRORS, ExtractRun
from etl.ledger import batches, children, watermarks
from etl.ledger.batches import BatchResource
from etl.ledger.quality import drift
from etl.ledger.transaction import Ledger
from etl.models.states import IncidentKind, ResourceState
from etl.resources import find_resource

log = get_logger(__name__)

#: Finishes a resource that was read; `complete` means that nothing of it is left for another run.
FinishResource = Callable[[Connection, BatchResource, bool], ResourceState]


def read_resource(
    run: ExtractRun, batch_resource: BatchResource, finish: FinishResource, end_states: Mapping[str, ResourceState]
) -> ResourceState:
    """Read one resource, report its end, and return its final state."""
    state = read_and_finish(run, batch_resource, finish, end_states)
    report_end(run, batch_resource.resource)
    return state


def read_and_finish(
    run: ExtractRun, batch_resource: BatchResource, finish: FinishResource, end_states: Mapping[str, ResourceState]
) -> ResourceState:
    """Read one resource and return its final state."""
    resource = find_resource(batch_resource.resource)
    run.ledger.commit(partial(batches.mark_running, batch_id=run.batch.id, resources=[resource.name]))
    run.watch(Started(run.step, batch_resource.resource))
    try:
        complete = read_records(run, batch_resource, resource, end_states) and run.limit is None
    except RESOURCE_ERRORS as error:
        record_drift(run, resource)
        return mark_unreadable(run, resource, error)
    record_drift(run, resource)
    return finish_resource(run.ledger, run.batch.id, resource, finish, complete=complete)


def finish_resource(
    ledger: Ledger, batch_id: UUID, resource: Resource, finish: FinishResource, *, complete: bool = True
) -> ResourceState:
    """Finish a resource that was read as far as possible, in one transaction, and return its final state."""
    work = partial(
        close_reading,
        tenant=ledger.tenant,
        batch_id=batch_id,
        resource=resource,
        finish=finish,
        complete=complete,
    )
    return ledger.commit(work)


def read_records(
    run: ExtractRun, batch_resource: BatchResource, resource: Resource, end_states: Mapping[str, ResourceState]
) -> bool:
    """Read the feed or list of a resource, or check its sources; return whether nothing is left."""
    if not resource.endpoints:
        check_sources(resource, end_states)
        return True
    return ListReader(run, batch_resource).read()


def check_sources(resource: Resource, end_states: Mapping[str, ResourceState]) -> None:
    """Raise ApiUnavailable when a resource that this one is derived from has failed."""
    for source in sorted({derivation.resource for derivation in resource.derived}):
        if end_states.get(source) is ResourceState.FAILED:
            raise ApiUnavailable(f"the resource is derived from {source}, which failed")


def close_reading(
    connection: Connection, tenant: str, batch_id: UUID, resource: Resource, finish: FinishResource, *, complete: bool
) -> ResourceState:
    """Store that a resource was read and is offered, and call `finish` with its counts."""
    batches.mark_fully_read(connection, batch_id, resource.name, complete=complete)
    if not resource.documented:
        watermarks.write_offer(connection, tenant, resource.name, offered=True)
    batch_resources = batches.read_batch_resources(connection, batch_id)
    return finish(connection, batch_resource_of(batch_resources, resource.name), complete)


def record_drift(run: ExtractRun, resource: Resource) -> None:
    """Store the profile of a resource's answers, and what is new in it."""
    profile = run.profiler.pop_profile(resource)
    if profile is not None:
        profile_key: dict[str, Any] = {"tenant": run.ledger.tenant, "resource": resource.name, "batch_id": run.batch.id}
        run.ledger.commit(
            partial(
                drift.write_profile, profile=profile, is_declared=find_declared_fields(resource).is_known, **profile_key
            )
        )


def batch_resource_of(batch_resources: Iterable[BatchResource], resource: str) -> BatchResource:
    """Return the entry of a resource in a batch."""
    return next(batch_resource for batch_resource in batch_resources if batch_resource.resource == resource)


def mark_unreadable(run: ExtractRun, resource: Resource, error: EtlError) -> ResourceState:
    """Record an error: an undocumented resource that the account does not have is not offered, others have failed."""
    name, tenant = resource.name, run.ledger.tenant
    if is_absence(error, resource) and not run.ledger.read(
        partial(counts_as_documented, tenant=tenant, resource=resource)
    ):
        state = ResourceState.NOT_OFFERED
        run.not_offered[name] = str(error)
        run.ledger.commit(partial(record_not_offered, tenant=tenant, resource=resource, reason=str(error)))
    else:
        state = ResourceState.FAILED
        if is_absence(error, resource):
            run.ledger.commit(partial(watermarks.note_refusal, tenant=tenant, resource=name, reason=str(error)))
    kind = IncidentKind.BALANCE_OFF if isinstance(error, TotalMismatch) else None
    batch_key: dict[str, Any] = {"batch_id": run.batch.id, "resource": name}
    run.ledger.commit(partial(batches.set_resource_state, status=state, error=str(error), trouble=kind, **batch_key))
    return state


def record_not_offered(connection: Connection, tenant: str, resource: Resource, reason: str) -> None:
    """Remember that the account does not offer a resource; its parents are queued again if it ever does."""
    watermarks.write_offer(connection, tenant, resource.name, offered=False, reason=reason)
    children.mark_uncovered(connection, resource.name, tenant)


def report_end(run: ExtractRun, resource: str) -> None:
    """Log and report how a resource ended."""
    batch_resource = batch_resource_of(
        run.ledger.read(partial(batches.read_batch_resources, batch_id=run.batch.id)), resource
    )
    counts = {name: number for name, number in batch_resource.counts.items() if number}
    log.info(
        "resource finished",
        resource=resource,
        step=run.step,
        state=batch_resource.status.value,
        reason=batch_resource.error,
        **counts,
    )
    run.watch(Finished(run.step, resource, batch_resource.status, batch_resource.counts, batch_resource.error))
