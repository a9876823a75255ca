"""Plans and reads the chunks of one dependency level, with the readers of a sync in one process."""

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
from etl.resources import resource as resource_named


def plan_chunks(run: ExtractRun, batch_resources: Iterable[BatchResource]) -> list[Chunk]:
    """Return the chunks that are left to read of some resources; mark a resource failed that cannot be planned."""
    items: list[ResourceSlices] = []
    batch_resources = list(batch_resources)
    budget = remaining_budget(run, {batch_resource.resource for batch_resource in batch_resources})
    for batch_resource in batch_resources:
        if batch_resource.status not in ENDED:
            run.ledger.commit(
                partial(
                    batches.set_resource_state,
                    batch_id=run.batch.id,
                    resource=batch_resource.resource,
                    status=ResourceState.RUNNING,
                )
            )
            run.watch(Started(run.step, batch_resource.resource))
            try:
                items += (
                    plan_child_slices(run, batch_resource, budget)
                    if is_child(batch_resource)
                    else plan_list_slices(run, batch_resource)
                )
            except RESOURCE_ERRORS as error:
                mark_unreadable(run, resource_named(batch_resource.resource), error)
    return pack(items)


def plan_list_slices(run: ExtractRun, batch_resource: BatchResource) -> Iterator[ResourceSlices]:
    """Yield the slices of a resource that are left to read."""
    for slice_ in ListReader(run, batch_resource).slices_to_read():
        yield ResourceSlices(batch_resource.resource, (slice_.number,), slice_weight(slice_))


def plan_child_slices(run: ExtractRun, batch_resource: BatchResource, budget: CallBudget) -> Iterator[ResourceSlices]:
    """Yield the slices of a queue of calls per parent, within the remaining budget."""
    reader = ChildReader(run, batch_resource)
    run.ledger.commit(reader.refresh_queue)
    calls = budget.acquire(batch_resource.resource, reader.count_due())
    budget.release(batch_resource.resource)
    remaining = run.ledger.commit(partial(remaining_slices, run=run, resource=batch_resource.resource, calls=calls))
    limited = run.settings.etl_child_budget is not None
    for slice_ in remaining:
        most = ceil(calls / len(remaining))
        yield ResourceSlices(batch_resource.resource, (slice_.number,), calls_weight(most), most if limited else None)


def remaining_budget(run: ExtractRun, level: Collection[str]) -> CallBudget:
    """Return what is left of the run's call budget, for resources of this dependency level and of later ones."""
    calls = run.settings.etl_child_budget
    if calls is None:
        return CallBudget()
    child_resources = run.ledger.read(partial(batches.read_batch_resources, batch_id=run.batch.id))
    made = sum(batch_resource.counts["pages"] for batch_resource in child_resources if is_child(batch_resource))
    sharing = [
        batch_resource
        for batch_resource in child_resources
        if is_child(batch_resource) and batch_resource.status not in ENDED
    ]
    unfinished = [
        batch_resource.resource
        for batch_resource in sharing
        if batch_resource.resource in level or batch_resource.status is ResourceState.PENDING
    ]
    return CallBudget(calls - made, unfinished)


def remaining_slices(connection: Connection, run: ExtractRun, resource: str, calls: int) -> list[Slice]:
    """Return the slices of a queue that are left to read, creating them when the resource starts."""
    key: dict[str, Any] = {"batch_id": run.batch.id, "resource": resource}
    remaining = slices.read_open_slices(connection, **key)
    if remaining is None:
        slices.write_slices(
            connection, planned_slices=[Slice(number, 0) for number in range(queue_slice_count(calls))], **key
        )
        remaining = slices.read_open_slices(connection, **key) or []
    if not calls:
        for slice_ in remaining:
            slices.finish_slice(connection, number=slice_.number, **key)
        remaining = []
    return remaining


def read_slices(run: ExtractRun, batch_resource: BatchResource, item: ResourceSlices) -> None:
    """Read some slices of one resource; store an error that concerns only this resource with the batch."""
    try:
        if is_child(batch_resource):
            read_child_slices(run, batch_resource, item)
        else:
            ListReader(run, batch_resource).read(item.numbers)
    except RESOURCE_ERRORS as error:
        mark_unreadable(run, resource_named(batch_resource.resource), error)
    record_drift(run, resource_named(batch_resource.resource))


def read_child_slices(run: ExtractRun, batch_resource: BatchResource, item: ResourceSlices) -> None:
    """Make the calls per parent of some slices of a queue, within their budget."""
    key: dict[str, Any] = {"batch_id": run.batch.id, "resource": batch_resource.resource}
    remaining = {number.number for number in run.ledger.read(partial(slices.read_open_slices, **key)) or ()}
    slice_count = run.ledger.read(partial(slices.count_slices, **key))
    budget = CallBudget(item.budget, [batch_resource.resource])
    for number in remaining.intersection(item.numbers):
        reader = ChildReader(run, batch_resource, QueueChunk(number, slice_count), budget)
        reader.read_due(run.ledger.read(children.read_database_time))
        run.ledger.commit(partial(slices.finish_slice, number=number, **key))
