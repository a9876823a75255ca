"""The event loop: coroutines end in a thread of their own, streams come in groups, and nothing is left behind."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from etl.api.event_loop import EventLoopThread, Put
from etl.errors import ApiUnavailable, Interrupted


@pytest.fixture
def event_loop() -> Iterator[EventLoopThread]:
    """Give an open event loop; at the end, no task of it may be left."""
    with EventLoopThread() as opened:
        yield opened
        assert opened.run(tasks_left()) == []


async def tasks_left() -> list[str]:
    """Return what still runs in the loop, after everything that can end has had its turns."""
    for _ in range(20):
        await asyncio.sleep(0)
    current = asyncio.current_task()
    return [str(task.get_coro()) for task in asyncio.all_tasks() if task is not current]


async def numbers(put: Put[int], up_to: int) -> None:
    """Put the numbers from zero."""
    for number in range(up_to):
        await put(number)


async def forever() -> None:
    """Never come to an end."""
    await asyncio.Event().wait()


def test_it_returns_what_a_coroutine_returns_and_raises_what_it_raises(event_loop: EventLoopThread) -> None:
    async def add(number: int, other: int) -> int:
        return number + other

    async def fail() -> None:
        raise ApiUnavailable("nobody there")

    assert event_loop.run(add(1, 2)) == 3
    with pytest.raises(ApiUnavailable, match="nobody there"):
        event_loop.run(fail())


def test_a_timeout_of_the_coroutine_is_no_pulse_of_the_event_loop(event_loop: EventLoopThread) -> None:
    async def too_late() -> None:
        raise TimeoutError("the API was too slow")

    with pytest.raises(TimeoutError, match="too slow"):
        event_loop.run(too_late())


def test_coroutines_run_in_the_thread_of_the_event_loop(event_loop: EventLoopThread) -> None:
    async def name() -> str:
        return threading.current_thread().name

    assert event_loop.run(name()) == "event loop"


def test_a_stop_ends_a_wait_and_cancels_what_was_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.api.event_loop.PULSE", 0.01)
    stop = threading.Event()
    with EventLoopThread(stop) as event_loop:
        stop.set()
        with pytest.raises(Interrupted):
            event_loop.run(forever())
        assert event_loop.run(tasks_left()) == []


def test_a_stream_brings_everything_in_order_in_groups_of_bounded_size(event_loop: EventLoopThread) -> None:
    groups = list(event_loop.stream(partial(numbers, up_to=100), most=7))
    assert [number for group in groups for number in group] == list(range(100))
    assert all(1 <= len(group) <= 7 + 1 for group in groups)
    assert max(len(group) for group in groups) > 1


def test_a_stream_of_nothing_is_empty(event_loop: EventLoopThread) -> None:
    assert list(event_loop.stream(partial(numbers, up_to=0), most=3)) == []


def test_what_came_before_an_error_is_handed_on_and_then_the_error(event_loop: EventLoopThread) -> None:
    async def fail_after(put: Put[int]) -> None:
        await numbers(put, 5)
        raise ApiUnavailable("page 6 stays away")

    came: list[int] = []

    def consume() -> None:
        for group in event_loop.stream(fail_after, most=2):
            came.extend(group)

    with pytest.raises(ApiUnavailable, match="page 6"):
        consume()
    assert came == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("most", [1, 2, 10])
def test_closing_a_stream_early_cancels_its_producers(event_loop: EventLoopThread, most: int) -> None:
    cancelled = threading.Event()

    async def produce(put: Put[int]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(numbers(put, 1000))
        except asyncio.CancelledError:
            cancelled.set()
            raise

    stream = event_loop.stream(produce, most)
    assert next(stream)
    stream.close()
    assert event_loop.run(tasks_left()) == []
    assert cancelled.is_set()


def test_an_error_of_the_consumer_ends_the_stream_too(event_loop: EventLoopThread) -> None:
    def consume() -> None:
        for _ in event_loop.stream(partial(numbers, up_to=10**9), most=3):
            raise ValueError("the database is gone")

    with pytest.raises(ValueError, match="the database is gone"):
        consume()


def test_a_canceled_coroutine_ends_before_the_loop_does() -> None:
    ended: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            ended.append(True)

    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted), EventLoopThread(stop) as loop:
        loop.run(work())
    assert ended == [True]
