"""The resources of a batch, side by side: each begins when those that it waits for have ended."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from contextvars import copy_context

from etl.api.event_loop import PULSE
from etl.dependencies import waits_for
from etl.errors import Interrupted
from etl.extract.call_budget import Budget
from etl.extract.read_resource import Finish, read_one
from etl.extract.run import Run
from etl.ledger.batches import Part
from etl.models.states import ENDED, ResourceState
from etl.resources import resource as named

#: How the resources ended that have.
Ends = dict[str, ResourceState]


def read_all(run: Run, parts: Iterable[Part], finish: Finish) -> None:
    """Read every resource of a batch that is not done; those made from others end when their sources have ended.

    What only one resource fails at stops no other. What concerns all of them ends all, and is raised when they have
    ended; what they had committed stays.
    """
    parts = list(parts)
    ends: Ends = {part.resource: part.status for part in parts if part.status in ENDED}
    left = [part for part in parts if part.resource not in ends]
    asked = [part for part in left if named(part.resource).endpoints]
    run.budget = Budget(run.settings.etl_child_budget, [part.resource for part in asked if is_child(part)])
    read_asked(run, asked, finish, ends)
    for part in left:
        if part not in asked:
            run.check()
            ends[part.resource] = read_one(run, part, finish, ends)


def read_asked(run: Run, parts: Sequence[Part], finish: Finish, ends: Ends) -> None:
    """Read resources in threads, each of which mostly waits: for the API, and for its records to be taken."""
    waiting = {part.resource: part for part in sorted(parts, key=is_child)}
    most = run.settings.etl_concurrency  # with one call at a time, one resource is read after the other
    reading: dict[Future[ResourceState], str] = {}
    with ThreadPoolExecutor(most, thread_name_prefix="reader") as threads, ended_together(run, reading):
        while waiting or reading:
            run.check()
            for part in ready(waiting.values(), {*waiting, *reading.values()})[: most - len(reading)]:
                del waiting[part.resource]
                future = threads.submit(copy_context().run, read_one, run, part, finish, ends)
                reading[future] = part.resource
            run.beside = len(reading)
            for future in wait(reading, PULSE, FIRST_COMPLETED).done:
                ends[reading[future]] = future.result()
                del reading[future]


def ready(parts: Iterable[Part], unfinished: Collection[str]) -> list[Part]:
    """Return the resources among `parts` that wait for none of those which have not ended."""
    return [part for part in parts if waits_for(named(part.resource)).isdisjoint(unfinished)]


def is_child(part: Part) -> bool:
    """Tell whether a resource is asked for once per parent; the others go first, as they say who the parents are."""
    return named(part.resource).parent is not None


@contextmanager
def ended_together(run: Run, reading: Collection[Future[ResourceState]]) -> Iterator[None]:
    """Let all readers end when the block raises; the error that made one of them end outranks that they were asked."""
    try:
        yield
    except BaseException as error:
        run.halt()
        with suppress(Interrupted):
            wait(reading)
        wait(reading)  # once more where patience came to its end meanwhile: whatever they waited for was let go then
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
