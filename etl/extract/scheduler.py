"""Reads the resources of a batch in parallel; each starts when the resources it depends on have ended."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from contextvars import copy_context

from etl.api.event_loop import PULSE
from etl.dependencies import waits_for
from etl.errors import Interrupted
from etl.extract.call_budget import CallBudget
from etl.extract.read_resource import FinishResource, read_resource
from etl.extract.run import ExtractRun
from etl.ledger.batches import Part
from etl.models.states import ENDED, ResourceState
from etl.resources import resource as named

#: The final states of the resources that have ended.
EndStates = dict[str, ResourceState]


def read_all(run: ExtractRun, parts: Iterable[Part], finish: FinishResource) -> None:
    """Read every unfinished resource of a batch; derived resources finish after their sources.

    An error of a single resource stops no other. An error that concerns all resources stops all of them and is raised
    when they have ended; everything committed before is kept.
    """
    parts = list(parts)
    end_states: EndStates = {part.resource: part.status for part in parts if part.status in ENDED}
    unread = [part for part in parts if part.resource not in end_states]
    from_api = [part for part in unread if named(part.resource).endpoints]
    run.budget = CallBudget(run.settings.etl_child_budget, [part.resource for part in from_api if is_child(part)])
    read_asked(run, from_api, finish, end_states)
    for part in unread:
        if part not in from_api:
            run.check()
            end_states[part.resource] = read_resource(run, part, finish, end_states)


def read_asked(run: ExtractRun, parts: Sequence[Part], finish: FinishResource, ends: EndStates) -> None:
    """Read resources in threads, each of which mostly waits: for the API, and for its records to be taken."""
    waiting = {part.resource: part for part in sorted(parts, key=is_child)}
    most = run.settings.etl_concurrency  # with one call at a time, one resource at a time
    reading: dict[Future[ResourceState], str] = {}
    with ThreadPoolExecutor(most, thread_name_prefix="reader") as threads, ended_together(run, reading):
        while waiting or reading:
            run.check()
            for part in ready(waiting.values(), {*waiting, *reading.values()})[: most - len(reading)]:
                del waiting[part.resource]
                future = threads.submit(copy_context().run, read_resource, run, part, finish, ends)
                reading[future] = part.resource
            run.beside = len(reading)
            for future in wait(reading, PULSE, FIRST_COMPLETED).done:
                ends[reading[future]] = future.result()
                del reading[future]


def ready(parts: Iterable[Part], unfinished: Collection[str]) -> list[Part]:
    """Return the resources among `parts` that wait for none of those which have not ended."""
    return [part for part in parts if waits_for(named(part.resource)).isdisjoint(unfinished)]


def is_child(part: Part) -> bool:
    """Return whether a resource is read per parent; the other resources go first, since they bring the parents."""
    return named(part.resource).parent is not None


@contextmanager
def ended_together(run: ExtractRun, reading: Collection[Future[ResourceState]]) -> Iterator[None]:
    """Let all readers end when the block raises; the error that made one of them end outranks that they were asked."""
    try:
        yield
    except BaseException as error:
        run.halt()
        with suppress(Interrupted):
            wait(reading)
        wait(reading)  # again after the grace period: it has canceled what the readers waited for
        if isinstance(error, Interrupted) and (reasons := list(errors_of(reading))):
            raise reasons[0] from None
        raise
    finally:
        run.wire.halted = False


def errors_of(reading: Iterable[Future[ResourceState]]) -> Iterator[BaseException]:
    """Yield why readers have ended that were not just asked to."""
    for future in reading:
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, Interrupted):
            yield error
