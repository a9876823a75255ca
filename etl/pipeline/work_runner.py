"""The pieces of one wave: planned once a batch, each share read by the code that reads a whole resource."""

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from math import ceil
from typing import Any

from sqlalchemy import Connection

from etl.events import Started
from etl.extract.call_budget import CallBudget
from etl.extract.child_reader import ChildReader
from etl.extract.list_reader import ListReader
from etl.extract.read_resource import RESOURCE_ERRORS, mark_unreadable, record_drift
from etl.extract.run import ExtractRun
from etl.extract.scheduler import is_child
from etl.ledger import batches, children, slices
from etl.ledger.batches import BatchResource
from etl.ledger.children import QueueChunk
from etl.ledger.slices import Slice
from etl.models.states import ENDED, ResourceState
from etl.pipeline.task_chunks import Chunk, ResourceSlices, calls_weight, pack, queue_slice_count, slice_weight
from etl.resources import resource as named


def plan_chunks(run: ExtractRun, parts: Iterable[BatchResource]) -> list[Chunk]:
    """Return the pieces in which resources are read as far as they are not yet; those that cannot be planned fail."""
    shares: list[ResourceSlices] = []
    parts = list(parts)
    budget = remaining_budget(run, {part.resource for part in parts})
    for part in parts:
        if part.status not in ENDED:
            run.ledger.commit(
                partial(batches.set_resource_state, batch_id=run.batch.id, resource=part.resource, status=ResourceState.RUNNING)
            )
            run.watch(Started(run.step, part.resource))
            try:
                shares += plan_child_slices(run, part, budget) if is_child(part) else plan_list_slices(run, part)
            except RESOURCE_ERRORS as error:
                mark_unreadable(run, named(part.resource), error)
    return pack(shares)


def plan_list_slices(run: ExtractRun, part: BatchResource) -> Iterator[ResourceSlices]:
    """Yield a share for each slice of a resource that is still to be read."""
    for one in ListReader(run, part).slices_to_read():
        yield ResourceSlices(part.resource, (one.number,), slice_weight(one))


def plan_child_slices(run: ExtractRun, part: BatchResource, budget: CallBudget) -> Iterator[ResourceSlices]:
    """Yield shares of what is to be asked for once per parent, within what is left of the budget."""
    reading = ChildReader(run, part)
    run.ledger.commit(reading.refresh_queue)
    calls = budget.acquire(part.resource, reading.count_due())
    budget.release(part.resource)
    left = run.ledger.commit(partial(remaining_slices, run=run, resource=part.resource, calls=calls))
    limited = run.settings.etl_child_budget is not None
    for one in left:
        most = ceil(calls / len(left))
        yield ResourceSlices(part.resource, (one.number,), calls_weight(most), most if limited else None)


def remaining_budget(run: ExtractRun, wave: Collection[str]) -> CallBudget:
    """Return what is left of the run's budget for the resources of a wave, and for those whose wave is to come."""
    calls = run.settings.etl_child_budget
    if calls is None:
        return CallBudget()
    every = run.ledger.read(partial(batches.read_batch_resources, batch_id=run.batch.id))
    made = sum(part.counts["pages"] for part in every if is_child(part))
    sharing = [part for part in every if is_child(part) and part.status not in ENDED]
    to_come = [part.resource for part in sharing if part.resource in wave or part.status is ResourceState.PENDING]
    return CallBudget(calls - made, to_come)


def remaining_slices(connection: Connection, run: ExtractRun, resource: str, calls: int) -> list[Slice]:
    """Return the portions of a queue that are still to be read, made when the resource is begun."""
    place: dict[str, Any] = {"batch_id": run.batch.id, "resource": resource}
    known = slices.read_open_slices(connection, **place)
    if known is None:
        slices.write_slices(connection, planned=[Slice(number, 0) for number in range(queue_slice_count(calls))], **place)
        known = slices.read_open_slices(connection, **place) or []
    if not calls:
        for one in known:
            slices.finish_slice(connection, number=one.number, **place)
        known = []
    return known


def read_slices(run: ExtractRun, part: BatchResource, share: ResourceSlices) -> None:
    """Read the slices of one share; what only its resource fails at is kept with the batch."""
    try:
        if is_child(part):
            read_child_slices(run, part, share)
        else:
            ListReader(run, part).read(share.numbers)
    except RESOURCE_ERRORS as error:
        mark_unreadable(run, named(part.resource), error)
    record_drift(run, named(part.resource))


def read_child_slices(run: ExtractRun, part: BatchResource, share: ResourceSlices) -> None:
    """Ask for the details of the parents in some portions of a queue, as many as the share's budget allows."""
    place: dict[str, Any] = {"batch_id": run.batch.id, "resource": part.resource}
    left = {one.number for one in run.ledger.read(partial(slices.read_open_slices, **place)) or ()}
    number = run.ledger.read(partial(slices.count_slices, **place))
    budget = CallBudget(share.budget, [part.resource])
    for one in left.intersection(share.numbers):
        reading = ChildReader(run, part, QueueChunk(one, number), budget)
        reading.read_due(run.ledger.read(children.read_database_time))
        run.ledger.commit(partial(slices.finish_slice, number=one, **place))
