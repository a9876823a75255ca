"""The byte budget: what arrives waits where too much is held already, and all is given back in the end."""

import asyncio
from collections.abc import Coroutine
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from etl.api.byte_budget import ByteBudget, Reservation
from etl.api.event_loop import EventLoopThread, Put


def run(scene: Coroutine[Any, Any, None]) -> None:
    """Play a scene, which must not hang."""
    asyncio.run(asyncio.wait_for(scene, 10))


@given(size=some.integers(1, 50), sizes=some.lists(some.integers(0, 100), max_size=30))
def test_no_more_is_held_than_the_room_and_one_item_and_all_get_in(size: int, sizes: list[int]) -> None:
    async def scene() -> None:
        room = ByteBudget(size)
        held: list[int] = []
        came: list[int] = []

        async def take(amount: int) -> None:
            await room.take(amount)
            held.append(amount)
            came.append(amount)
            assert sum(held[:-1]) < size or not amount

        tasks = [asyncio.create_task(take(amount)) for amount in sizes]
        while len(came) < len(sizes):
            await asyncio.sleep(0)
            if held:
                room.give(held.pop())
        await asyncio.gather(*tasks)
        assert came == sizes

    run(scene())


def test_a_caller_that_gives_up_leaves_its_place_to_the_next() -> None:
    async def scene() -> None:
        room = ByteBudget(1)
        await room.take(1)
        waiting = [asyncio.create_task(room.take(1)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        room.give(1)
        waiting[1].cancel()  # at the moment at which it was let in
        await asyncio.wait_for(waiting[2], 1)

    run(scene())


def test_room_is_not_given_to_a_caller_that_was_just_canceled() -> None:
    async def scene() -> None:
        room = ByteBudget(1)
        await room.take(1)
        waiting = [asyncio.create_task(room.take(1)) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        room.give(1)
        await asyncio.wait_for(waiting[1], 1)
        room.give(1)
        await asyncio.wait_for(room.take(1), 1)

    run(scene())


def test_a_hold_gives_back_what_it_was_not_asked_to() -> None:
    async def scene() -> None:
        room = ByteBudget(4)
        hold = Reservation[str](room, len)
        for word in ("ab", "cd"):
            await hold.take(word)
        hold.give(2)
        hold.leave()
        await room.take(4)

    run(scene())


def test_a_hold_that_was_left_keeps_nothing_that_comes_late() -> None:
    async def scene() -> None:
        room = ByteBudget(2)
        hold = Reservation[str](room, len)
        await hold.take("ab")
        late = asyncio.create_task(hold.take("cd"))
        await asyncio.sleep(0)
        hold.leave()
        await late
        await asyncio.wait_for(room.take(2), 1)

    run(scene())


def test_a_hold_that_was_left_gives_nothing_back_twice() -> None:
    async def scene() -> None:
        room = ByteBudget(2)
        hold = Reservation[str](room, len)
        await hold.take("ab")
        hold.leave()
        hold.give(2)  # the word of a group that was done with came after the end of its stream
        await room.take(2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(room.take(1), 0.01)

    run(scene())


def ten(_: int) -> int:
    """Return how many bytes a number is."""
    return 10


def twenty(_: int) -> int:
    """Return how many bytes a number is, where the room is for one."""
    return 20


async def numbers(put: Put[int], came: list[int]) -> None:
    """Put three numbers, noting each that found room."""
    for number in range(3):
        await put(number)
        came.append(number)


def test_a_stream_waits_until_what_it_returned_is_released() -> None:
    came: list[int] = []
    with EventLoopThread(bytes_in_memory=20) as event_loop, event_loop.holding(ten) as held:
        stream = event_loop.stream(partial(numbers, came=came), 9, held)
        first = next(stream)
        event_loop.run(asyncio.sleep(0.01))
        assert came == [0, 1]
        event_loop.release(held, 10)
        rest = [number for group in stream for number in group]
        assert first + rest == [0, 1, 2]


def test_streams_share_the_room_and_leave_it() -> None:
    with EventLoopThread(bytes_in_memory=20) as event_loop:
        with (
            event_loop.holding(twenty) as reservation,
            event_loop.holding(twenty) as other,
            closing(event_loop.stream(partial(numbers, came=[]), 9, reservation)) as first,
            closing(event_loop.stream(partial(numbers, came=[]), 9, other)) as second,
        ):
            for number in range(3):
                assert next(first) == [number]
                event_loop.release(reservation, 20)
            assert next(second) == [0]
        event_loop.run(asyncio.wait_for(event_loop.budget.take(20), 1))
