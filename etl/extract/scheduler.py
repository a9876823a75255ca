"""Reads the resources of a batch in parallel; each starts when the resources it depends on have ended."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from contextvars import copy_context

from etl.api.event_loop import PULSE
from etl.dependencies import find_prerequisites
from etl.errors import Interrupted
from etl.extract.call_budget import CallBudget
from etl.extract.read_resource import FinishResource, read_resource
from etl.extract.run import ExtractRun
from etl.ledger.batches import BatchResource
from etl.models.states import ENDED, ResourceState
from etl.resources import resource as named

#: The final states of the resources that have ended.
EndStates = dict[str, ResourceState]


def read_all(run: ExtractRun, parts: Iterable[BatchResource], finish: FinishResource) -> None:
    """Read every unfinished resource of a batch; derived resources finish after their sources.

    An error of a single resource stops no other. An error that concerns all resources stops all of them and is raised
    when they have ended; everything committed before is kept.
    """
    parts = list(parts)
    end_states: EndStates = {part.resource: part.status for part in parts if part.status in ENDED}
    unread = [part for part in parts if part.resource not in end_states]
    from_api = [part for part in unread if named(part.resource).endpoints]
    run.budget = CallBudget(run.settings.etl_child_budget, [part.resource for part in from_api if is_child(part)])
    read_in_parallel(run, from_api, finish, end_states)
    for part in unread:
        if part not in from_api:
            run.raise_if_stopped()
            end_states[part.resource] = read_resource(run, part, finish, end_states)


def read_in_parallel(run: ExtractRun, parts: Sequence[BatchResource], finish: FinishResource, end_states: EndStates) -> None:
    """Read resources in threads; each thread mostly waits for the API or for a commit."""
    waiting = {part.resource: part for part in sorted(parts, key=is_child)}
    max_readers = run.settings.etl_concurrency  # with one call at a time, one resource at a time
    reading: dict[Future[ResourceState], str] = {}
    with ThreadPoolExecutor(max_readers, thread_name_prefix="reader") as threads, stop_all_on_error(run, reading):
        while waiting or reading:
            run.raise_if_stopped()
            for part in ready_resources(waiting.values(), {*waiting, *reading.values()})[: max_readers - len(reading)]:
                del waiting[part.resource]
                future = threads.submit(copy_context().run, read_resource, run, part, finish, end_states)
                reading[future] = part.resource
            run.active_readers = len(reading)
            for future in wait(reading, PULSE, FIRST_COMPLETED).done:
                end_states[reading[future]] = future.result()
                del reading[future]


def ready_resources(parts: Iterable[BatchResource], unfinished: Collection[str]) -> list[BatchResource]:
    """Return the resources that do not depend on an unfinished one."""
    return [part for part in parts if find_prerequisites(named(part.resource)).isdisjoint(unfinished)]


def is_child(part: BatchResource) -> bool:
    """Return whether a resource is read per parent; the other resources go first, since they bring the parents."""
    return named(part.resource).parent is not None


@contextmanager
def stop_all_on_error(run: ExtractRun, reading: Collection[Future[ResourceState]]) -> Iterator[None]:
    """Stop all readers when the block raises; an error of a reader takes precedence over the Interrupted of the others."""
    try:
        yield
    except BaseException as error:
        run.halt()
        with suppress(Interrupted):
            wait(reading)
        wait(reading)  # again after the grace period: it has canceled what the readers waited for
        if isinstance(error, Interrupted) and (reasons := list(reader_errors(reading))):
            raise reasons[0] from None
        raise
    finally:
        run.event_loop.halted = False


def reader_errors(reading: Iterable[Future[ResourceState]]) -> Iterator[BaseException]:
    """Yield the errors of readers that were not merely interrupted."""
    for future in reading:
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, Interrupted):
            yield error
