"""Plans and reads the chunks of one dependency level, with the readers of a sync in one process."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import ceil

from sqlalchemy import Connection

from etl.events import Started
from etl.extract.details.call_budget import CallBudget
from etl.extract.details.detail_reader import DetailReader
from etl.extract.list_reader import ListReader
from etl.extract.read_resource import mark_unreadable, read_list, record_drift
from etl.extract.run import RESOURCE_ERRORS, ExtractRun
from etl.extract.scheduler import is_child
from etl.ledger import batches, slices
from etl.ledger.batches import BatchResource, BatchResourceKey
from etl.ledger.children import queue as children
from etl.ledger.children.queue import QueueChunk
from etl.ledger.slices import Slice
from etl.models.states import ENDED
from etl.pipeline.task_chunks import Chunk, ResourceSlices, calls_weight, pack, queue_slice_count, slice_weight
from etl.resources import find_resource


def plan_chunks(run: ExtractRun, batch_resources: Iterable[BatchResource]) -> list[Chunk]:
    """Return the chunks that are left to read of some resources; mark a resource failed that cannot be planned."""
    unfinished = [batch_resource for batch_resource in batch_resources if batch_resource.status not in ENDED]
    names = [batch_resource.resource for batch_resource in unfinished]
    run.ledger.commit(partial(batches.mark_running, batch_id=run.batch.id, resources=names))
    items: list[ResourceSlices] = []
    for batch_resource in unfinished:
        run.watch(Started(run.step, batch_resource.resource))
        if not is_child(batch_resource):
            try:
                items += plan_list_slices(run, batch_resource)
            except RESOURCE_ERRORS as error:
                mark_unreadable(run, find_resource(batch_resource.resource), error)
    return [*pack(items), *plan_detail_chunks(run, list(filter(is_child, unfinished)))]


def plan_list_slices(run: ExtractRun, batch_resource: BatchResource) -> Iterator[ResourceSlices]:
    """Yield the slices of a resource that are left to read."""
    for slice_ in ListReader(run, batch_resource).slices_to_read():
        yield ResourceSlices(batch_resource.resource, (slice_.number,), slice_weight(slice_))


def plan_detail_chunks(run: ExtractRun, batch_resources: Sequence[BatchResource]) -> list[Chunk]:
    """Return the chunks of the queue of details, each with a part of the parents and all their resources.

    So a parent's details are read by one task, and each task reads in the order of value.
    """
    if not batch_resources:
        return []
    reader = DetailReader(run, batch_resources)
    run.ledger.commit(reader.refresh_queue)
    due = sum(reader.count_outstanding().get(name, 0) for name in reader.readings)
    budget = remaining_budget(run)
    calls = due if budget is None else min(due, budget)
    names = [batch_resource.resource for batch_resource in batch_resources]
    remaining = {
        name: run.ledger.commit(partial(remaining_slices, run=run, resource=name, calls=calls)) for name in names
    }
    numbers = sorted({slice_.number for open_slices in remaining.values() for slice_ in open_slices})
    share = None if budget is None else ceil(calls / max(1, len(numbers)))
    weight = calls_weight(ceil(calls / max(1, len(numbers))))
    return [
        Chunk(
            tuple(
                ResourceSlices(name, (number,), weight, share)
                for name, open_slices in remaining.items()
                if any(slice_.number == number for slice_ in open_slices)
            )
        )
        for number in numbers
    ]


def remaining_budget(run: ExtractRun) -> int | None:
    """Return how many calls for details are left of the run's budget; None: no limit."""
    calls = run.options.child_budget
    if calls is None:
        return None
    batch_resources = run.ledger.read(partial(batches.read_batch_resources, batch_id=run.batch.id))
    made = sum(batch_resource.counts["pages"] for batch_resource in batch_resources if is_child(batch_resource))
    return max(0, calls - made)


def remaining_slices(connection: Connection, run: ExtractRun, resource: str, calls: int) -> list[Slice]:
    """Return the slices of a queue that are left to read, creating them when the resource starts."""
    key = BatchResourceKey(batch_id=run.batch.id, resource=resource)
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


def read_list_slices(run: ExtractRun, batch_resource: BatchResource, item: ResourceSlices) -> None:
    """Read some slices of a list; store an error that concerns only this resource with the batch."""
    try:
        read_list(run, ListReader(run, batch_resource), item.numbers)
    except RESOURCE_ERRORS as error:
        mark_unreadable(run, find_resource(batch_resource.resource), error)
    else:
        record_drift(run, find_resource(batch_resource.resource))


def read_detail_slices(
    run: ExtractRun, batch_resources: Mapping[str, BatchResource], items: Sequence[ResourceSlices]
) -> None:
    """Make the calls of some chunks of the queue of details, within their budget."""
    for number in sorted({number for item in items for number in item.numbers}):
        names = [item.resource for item in items if number in item.numbers and is_open(run, item.resource, number)]
        if not names:
            continue
        of = run.ledger.read(partial(slices.count_slices, batch_id=run.batch.id, resource=names[0]))
        reader = DetailReader(
            run, [batch_resources[name] for name in names], QueueChunk(number, of), CallBudget(items[0].budget)
        )
        reader.write_rounds(reader.rounds_due(run.ledger.read(children.read_database_time)))
        end_detail_slices(run, reader, number)


def is_open(run: ExtractRun, resource: str, number: int) -> bool:
    """Return whether a slice of a resource is left to read."""
    remaining = run.ledger.read(partial(slices.read_open_slices, batch_id=run.batch.id, resource=resource))
    return any(slice_.number == number for slice_ in remaining or ())


def end_detail_slices(run: ExtractRun, reader: DetailReader, number: int) -> None:
    """Finish the slices of a chunk, and store the errors that concern only one resource with the batch."""
    for name, reading in reader.readings.items():
        if reading.error is not None:
            mark_unreadable(run, reading.resource, reading.error)
        else:
            record_drift(run, reading.resource)
            key = BatchResourceKey(batch_id=run.batch.id, resource=name)
            run.ledger.commit(partial(slices.finish_slice, number=number, **key))
