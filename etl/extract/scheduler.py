"""Reads the resources of a batch: feeds and lists in parallel, in the order of their dependencies, then details."""

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from contextvars import copy_context

from etl.api.event_loop import PULSE
from etl.dependencies import find_prerequisites
from etl.errors import Interrupted
from etl.extract.details.read_details import read_details
from etl.extract.read_resource import read_resource
from etl.extract.run import ExtractRun
from etl.ledger.batches import BatchResource
from etl.models.states import ENDED, ResourceState
from etl.resources import find_resource

#: The final states of the resources that have ended.
EndStates = dict[str, ResourceState]


def read_all(run: ExtractRun, batch_resources: Collection[BatchResource]) -> None:
    """Read every unfinished resource of a batch: lists before details, which need their parents; derived ones last.

    Lists are read in threads; each thread mostly waits for the API or for a commit. An error of a single resource stops
    no other. An error that concerns all resources stops all of them and is raised when they have ended; everything
    committed before is kept.
    """
    end_states = EndStates((item.resource, item.status) for item in batch_resources if item.status in ENDED)
    lists, details, derived = by_source(item for item in batch_resources if item.resource not in end_states)
    waiting = {item.resource: item for item in sorted(lists, key=is_optional)}
    max_readers = run.options.concurrency  # with one call at a time, one resource at a time
    reading: dict[Future[ResourceState], str] = {}
    with ThreadPoolExecutor(max_readers, thread_name_prefix="reader") as threads, stop_all_on_error(run, reading):
        while waiting or reading:
            run.raise_if_stopped()
            ready = ready_resources(waiting.values(), {*waiting, *reading.values()})
            for batch_resource in ready[: max_readers - len(reading)]:
                del waiting[batch_resource.resource]
                future = threads.submit(copy_context().run, read_resource, run, batch_resource, end_states)
                reading[future] = batch_resource.resource
            run.active_readers = len(reading)
            for future in wait(reading, PULSE, FIRST_COMPLETED).done:
                end_states[reading.pop(future)] = future.result()
    run.raise_if_stopped()
    end_states |= read_details(run, details)
    for batch_resource in derived:
        run.raise_if_stopped()
        end_states[batch_resource.resource] = read_resource(run, batch_resource, end_states)


def by_source(
    batch_resources: Iterable[BatchResource],
) -> tuple[list[BatchResource], list[BatchResource], list[BatchResource]]:
    """Return the resources read as lists, those read per parent, and those made from the records of others."""
    lists, details, derived = [], [], []
    for batch_resource in batch_resources:
        if not find_resource(batch_resource.resource).endpoints:
            derived.append(batch_resource)
        elif is_child(batch_resource):
            details.append(batch_resource)
        else:
            lists.append(batch_resource)
    return lists, details, derived


def ready_resources(batch_resources: Iterable[BatchResource], unfinished: Collection[str]) -> list[BatchResource]:
    """Return the resources that do not depend on an unfinished one."""
    return [
        batch_resource
        for batch_resource in batch_resources
        if find_prerequisites(find_resource(batch_resource.resource)).isdisjoint(unfinished)
    ]


def is_child(batch_resource: BatchResource) -> bool:
    """Return whether a resource is read per parent."""
    return find_resource(batch_resource.resource).parent is not None


def is_optional(batch_resource: BatchResource) -> bool:
    """Return whether an account may lack a list; offices, contacts, policies and billing go first."""
    return not find_resource(batch_resource.resource).is_documented


@contextmanager
def stop_all_on_error(run: ExtractRun, reading: Collection[Future[ResourceState]]) -> Iterator[None]:
    """Stop all readers when the block raises; a reader's error takes precedence over an Interrupted."""
    try:
        yield
    except BaseException as error:
        run.halt()
        with suppress(Interrupted):
            wait(reading)
        wait(reading)  # again after the grace period: it has canceled what the readers waited for
        if isinstance(error, Interrupted) and (errors := list(reader_errors(reading))):
            raise errors[0] from None
        raise
    finally:
        run.event_loop.halted = False


def reader_errors(reading: Iterable[Future[ResourceState]]) -> Iterator[BaseException]:
    """Yield the errors of readers that were not merely interrupted."""
    for future in reading:
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, Interrupted):
            yield error
