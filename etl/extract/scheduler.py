"""Reads the resources of a batch: feeds and lists in parallel, in the order of their dependencies, then details."""

from collections.abc import Collection, Iterable, Iterator, Sequence
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


def read_all(run: ExtractRun, batch_resources: Iterable[BatchResource]) -> None:
    """Read every unfinished resource of a batch: lists before details, which need their parents; derived ones last.

    An error of a single resource stops no other. An error that concerns all resources stops all of them and is raised
    when they have ended; everything committed before is kept.
    """
    batch_resources = list(batch_resources)
    end_states: EndStates = {
        batch_resource.resource: batch_resource.status
        for batch_resource in batch_resources
        if batch_resource.status in ENDED
    }
    unread = [batch_resource for batch_resource in batch_resources if batch_resource.resource not in end_states]
    from_api = [batch_resource for batch_resource in unread if find_resource(batch_resource.resource).endpoints]
    details = [batch_resource for batch_resource in from_api if is_child(batch_resource)]
    lists = [batch_resource for batch_resource in from_api if not is_child(batch_resource)]
    read_in_parallel(run, lists, end_states)
    run.raise_if_stopped()
    end_states |= read_details(run, details)
    for batch_resource in unread:
        if batch_resource not in from_api:
            run.raise_if_stopped()
            end_states[batch_resource.resource] = read_resource(run, batch_resource, end_states)


def read_in_parallel(run: ExtractRun, batch_resources: Sequence[BatchResource], end_states: EndStates) -> None:
    """Read resources in threads; each thread mostly waits for the API or for a commit."""
    waiting = {batch_resource.resource: batch_resource for batch_resource in sorted(batch_resources, key=is_optional)}
    max_readers = run.settings.etl_concurrency  # with one call at a time, one resource at a time
    reading: dict[Future[ResourceState], str] = {}
    with ThreadPoolExecutor(max_readers, thread_name_prefix="reader") as threads, stop_all_on_error(run, reading):
        while waiting or reading:
            run.raise_if_stopped()
            for batch_resource in ready_resources(waiting.values(), {*waiting, *reading.values()})[
                : max_readers - len(reading)
            ]:
                del waiting[batch_resource.resource]
                future = threads.submit(copy_context().run, read_resource, run, batch_resource, end_states)
                reading[future] = batch_resource.resource
            run.active_readers = len(reading)
            for future in wait(reading, PULSE, FIRST_COMPLETED).done:
                end_states[reading[future]] = future.result()
                del reading[future]


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
