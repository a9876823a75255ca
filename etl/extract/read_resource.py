"""One resource of a batch, from its beginning to its end; what a refusal or a failure means; and what is told of it."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from etl.api.protocol import EndpointRefused
from etl.catalogue import Resource
from etl.config.logs import logger
from etl.drift.declared_fields import declared
from etl.errors import ApiUnavailable, EtlError, RecordBad, ShapeChanged
from etl.events import Began, Ended
from etl.extract.child_reader import ByParents
from etl.extract.list_reader import BySlices, TotalsDisagree
from etl.extract.run import Run
from etl.ledger import batches, children, watermarks
from etl.ledger.batches import Part
from etl.ledger.quality import drift
from etl.ledger.transaction import Ledger
from etl.models.states import ResourceState, TroubleKind
from etl.resources import resource as named

log = logger(__name__)

#: What concerns one resource alone; everything else ends the run.
ITS_OWN = (ApiUnavailable, ShapeChanged, EndpointRefused, RecordBad)

#: Ends a resource that was read; `complete` says that nothing of it is left for another run.
Finish = Callable[[Connection, Part, bool], ResourceState]


def read_one(run: Run, part: Part, finish: Finish, ends: Mapping[str, ResourceState]) -> ResourceState:
    """Read one resource and return how it ended, which whoever watches is told."""
    state = brought_to_end(run, part, finish, ends)
    run.budget.end(part.resource)
    tell(run, part.resource)
    return state


def brought_to_end(run: Run, part: Part, finish: Finish, ends: Mapping[str, ResourceState]) -> ResourceState:
    """Read one resource and return how it ended."""
    resource = named(part.resource)
    place: dict[str, Any] = {"batch_id": run.batch.id, "resource": part.resource}
    run.ledger.commit(partial(batches.mark, status=ResourceState.RUNNING, **place))
    run.watch(Began(run.step, part.resource))
    try:
        complete = read(run, part, resource, ends) and run.limit is None
    except ITS_OWN as error:
        note_drift(run, resource)
        return settle(run, resource, error)
    note_drift(run, resource)
    return conclude(run.ledger, run.batch.id, resource, finish, complete=complete)


def conclude(
    ledger: Ledger, batch_id: UUID, resource: Resource, finish: Finish, *, complete: bool = True
) -> ResourceState:
    """End a resource that was read as far as it goes, and return how it ended."""
    place: dict[str, Any] = {"batch_id": batch_id, "resource": resource.name}
    ledger.commit(partial(batches.note_whole, complete=complete, **place))
    if not resource.proven:
        ledger.commit(partial(watermarks.note_offer, tenant=ledger.tenant, resource=resource.name, offered=True))
    return ledger.commit(partial(end, finish=finish, complete=complete, **place))


def read(run: Run, part: Part, resource: Resource, ends: Mapping[str, ResourceState]) -> bool:
    """Read a resource in the way that it is asked for; tell whether nothing is left."""
    if not resource.endpoints:
        look_at_sources(resource, ends)
        return True
    return ByParents(run, part).read() if resource.parent is not None else BySlices(run, part).read()


def look_at_sources(resource: Resource, ends: Mapping[str, ResourceState]) -> None:
    """Raise ApiUnavailable when a resource from which this one is made has failed."""
    for source in sorted({way.resource for way in resource.derived}):
        if ends.get(source) is ResourceState.FAILED:
            raise ApiUnavailable(f"{source}, from which it is made, failed")


def end(connection: Connection, batch_id: UUID, resource: str, finish: Finish, *, complete: bool) -> ResourceState:
    """Close a resource from the books as they stand now."""
    return finish(connection, part_of(batches.parts(connection, batch_id), resource), complete)


def note_drift(run: Run, resource: Resource) -> None:
    """Remember what the answers looked like that came of a resource, and what is new about them."""
    profile = run.radar.seen(resource)
    if profile is not None:
        place: dict[str, Any] = {"tenant": run.ledger.tenant, "resource": resource.name, "batch_id": run.batch.id}
        run.ledger.commit(partial(drift.note, profile=profile, knows=declared(resource).knows, **place))


def part_of(parts: Iterable[Part], resource: str) -> Part:
    """Return the part of a batch that is about a resource."""
    return next(part for part in parts if part.resource == resource)


def settle(run: Run, resource: Resource, error: EtlError) -> ResourceState:
    """Decide what an error makes of a resource: an unproven one may not be offered by this account."""
    name = resource.name
    if isinstance(error, EndpointRefused) and error.not_offered and not resource.proven:
        state = ResourceState.NOT_OFFERED
        run.not_offered[name] = str(error)
        run.ledger.commit(partial(note_absent, tenant=run.ledger.tenant, resource=resource, reason=str(error)))
    else:
        state = ResourceState.FAILED
    trouble = TroubleKind.BALANCE_OFF if isinstance(error, TotalsDisagree) else None
    place: dict[str, Any] = {"batch_id": run.batch.id, "resource": name}
    run.ledger.commit(partial(batches.mark, status=state, error=str(error), trouble=trouble, **place))
    return state


def note_absent(connection: Connection, tenant: str, resource: Resource, reason: str) -> None:
    """Remember that the account does not offer a resource; the parents that said so are asked again if it ever does."""
    watermarks.note_offer(connection, tenant, resource.name, offered=False, reason=reason)
    children.uncover(connection, resource.name, tenant)


def tell(run: Run, resource: str) -> None:
    """Tell whoever watches how a resource ended."""
    part = part_of(run.ledger.read(partial(batches.parts, batch_id=run.batch.id)), resource)
    counts = {name: number for name, number in part.counts.items() if number}
    log.info(
        "resource at its end", resource=resource, step=run.step, state=part.status.value, reason=part.error, **counts
    )
    run.watch(Ended(run.step, resource, part.status, part.counts, part.error))
