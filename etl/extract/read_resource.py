"""Reads one resource of a batch from start to end, and records how it ended."""

from collections.abc import Collection, Mapping
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue.resource import Resource
from etl.config.logs import get_logger
from etl.drift.declared_fields import find_declared_fields
from etl.drift.shapes import Profile
from etl.errors import ApiUnavailable, EtlError, PageSizeRefused, RangeTooLong, TotalMismatch
from etl.events import Finished, Started
from etl.extract.list_reader import ListReader
from etl.extract.offers import counts_as_documented, is_absence
from etl.extract.run import RESOURCE_ERRORS, ExtractRun
from etl.ledger import balance, batches, watermarks
from etl.ledger.batches import Batch, BatchResource, BatchResourceKey
from etl.ledger.children import queue as children
from etl.ledger.quality import drift
from etl.ledger.transaction import Ledger
from etl.models.states import EXTRACT, IncidentKind, ResourceState
from etl.resources import find_resource

log = get_logger(__name__)

#: Pages written in one transaction, at most.
PAGES_PER_GROUP = 8


def read_resource(
    run: ExtractRun, batch_resource: BatchResource, end_states: Mapping[str, ResourceState]
) -> ResourceState:
    """Read one feed or list, or check the sources of a derived resource; report its end, and return its final state."""
    resource = find_resource(batch_resource.resource)
    run.ledger.commit(partial(batches.mark_running, batch_id=run.batch.id, resources=[resource.name]))
    run.watch(Started(run.step, resource.name))
    try:
        if resource.endpoints:
            read_list(run, ListReader(run, batch_resource))
        else:
            check_sources(resource, end_states)
    except RESOURCE_ERRORS as error:
        ended = mark_unreadable(run, resource, error)
    else:
        profile = run.profiler.pop_profile(resource)
        ended = finish_resource(
            run.ledger, run.batch, resource, run.options.refused_limit, complete=run.limit is None, profile=profile
        )
    report_end(run, ended)
    return ended.status


def read_list(run: ExtractRun, reader: ListReader, numbers: Collection[int] | None = None) -> None:
    """Read and write slices of a feed or list to their end: all that are left, or only those in `numbers`.

    Raises EndpointRefused when the API refuses the resource, ApiUnavailable when answers are missing or totals never
    agree.
    """
    unread = reader.start(numbers)
    while unread:
        reading = reader.begin_reading(unread)
        try:
            for _ in run.write_pages(reader.window, reading.fetch, PAGES_PER_GROUP):
                pass
        except (PageSizeRefused, RangeTooLong) as failure:
            unread = reader.adapt(reading, failure)
        else:
            unread = reader.end_reading(reading)


def finish_resource(
    ledger: Ledger,
    batch: Batch,
    resource: Resource,
    refused_limit: float,
    *,
    complete: bool = True,
    profile: Profile | None = None,
) -> BatchResource:
    """Finish a resource that was read as far as possible, in one transaction, and return it as it ended.

    `complete` means that nothing of it is left for another run: the watermark advances. In a batch of the extract
    service the resource stays open, for the load service to finish.
    """

    def close_reading(connection: Connection) -> BatchResource:
        if profile is not None:
            write_profile(connection, ledger.tenant, batch.id, resource, profile)
        read = batches.mark_fully_read(connection, batch.id, resource.name, complete=complete)
        if not resource.is_documented and read.counts["pages"]:
            watermarks.write_offer(connection, ledger.tenant, resource.name, offered=True)
        if batch.command == EXTRACT:
            return read
        return balance.close_resource(connection, batch, read, refused_limit=refused_limit, moves_watermark=complete)

    return ledger.commit(close_reading)


def check_sources(resource: Resource, end_states: Mapping[str, ResourceState]) -> None:
    """Raise ApiUnavailable when a resource that this one is derived from has failed."""
    for source in sorted({derivation.resource for derivation in resource.derived}):
        if end_states.get(source) is ResourceState.FAILED:
            raise ApiUnavailable(f"the resource is derived from {source}, which failed")


def record_drift(run: ExtractRun, resource: Resource) -> None:
    """Store the profile of a resource's answers, and what is new in it."""
    profile = run.profiler.pop_profile(resource)
    if profile is not None:
        run.ledger.commit(
            partial(write_profile, tenant=run.ledger.tenant, batch_id=run.batch.id, resource=resource, profile=profile)
        )


def write_profile(connection: Connection, tenant: str, batch_id: UUID, resource: Resource, profile: Profile) -> None:
    """Store the profile of a resource's answers, and what is new in it, in an open transaction."""
    is_declared = find_declared_fields(resource).is_known
    drift.write_profile(connection, tenant, resource.name, batch_id, profile, is_declared=is_declared)


def mark_unreadable(run: ExtractRun, resource: Resource, error: EtlError) -> BatchResource:
    """Record what was read and an error, and return the resource as it ended.

    An undocumented resource that the account does not have is not offered, others have failed.
    """
    record_drift(run, resource)
    name, tenant = resource.name, run.ledger.tenant
    # Of two calls of a resource one may return records before the other is refused: these prove nothing about that one.
    own_batch = run.batch.id if len(resource.endpoints) > 1 else None
    if is_absence(error, resource) and not run.ledger.read(
        partial(counts_as_documented, tenant=tenant, resource=resource, except_batch=own_batch)
    ):
        state = ResourceState.NOT_OFFERED
        run.not_offered.add(name)
        run.ledger.commit(partial(record_not_offered, tenant=tenant, resource=resource, reason=str(error)))
    else:
        state = ResourceState.FAILED
        if is_absence(error, resource):
            run.ledger.commit(partial(watermarks.note_refusal, tenant=tenant, resource=name, reason=str(error)))
    kind = IncidentKind.BALANCE_OFF if isinstance(error, TotalMismatch) else None
    batch_key = BatchResourceKey(batch_id=run.batch.id, resource=name)
    return run.ledger.commit(
        partial(batches.set_resource_state, status=state, error=str(error), trouble=kind, **batch_key)
    )


def record_not_offered(connection: Connection, tenant: str, resource: Resource, reason: str) -> None:
    """Remember that the account does not offer a resource; its parents are queued again if it ever does."""
    watermarks.write_offer(connection, tenant, resource.name, offered=False, reason=reason)
    children.mark_uncovered(connection, resource.name, tenant)


def report_end(run: ExtractRun, batch_resource: BatchResource) -> None:
    """Log and report how a resource ended."""
    resource = batch_resource.resource
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
