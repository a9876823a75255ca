"""The concurrency limiter: lists before details, and no resource that waits for a slow one."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from etl.api.concurrency import ConcurrencyLimiter
from etl.api.protocol import Call, page_call, parent_call
from etl.resources import find_resource


def call_of(name: str) -> Call:
    """Return a call of a resource."""
    resource = find_resource(name)
    if resource.parent is not None:
        return parent_call(resource, resource.endpoints[0], "1")
    return page_call(resource, resource.endpoints[0], None, None, 1, 100)


async def turns() -> None:
    """Let everything continue that can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Line:
    """Calls that wait for slots and hold them until they are released."""

    def __init__(self, number: int) -> None:
        self.slots = ConcurrencyLimiter(number)
        self.began: list[str] = []
        self.under_way: list[tuple[str, asyncio.Event]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def call(self, name: str) -> None:
        async with self.slots.permit(call_of(name)):
            end = asyncio.Event()
            self.began.append(name)
            self.under_way.append((name, end))
            await end.wait()

    async def come(self, *names: str) -> None:
        self.tasks += [asyncio.create_task(self.call(name)) for name in names]
        await turns()

    async def end(self, name: str) -> None:
        """Let the oldest call of a resource end."""
        entry = next(entry for entry in self.under_way if entry[0] == name)
        self.under_way.remove(entry)
        entry[1].set()
        await turns()

    async def end_all(self) -> None:
        while self.under_way:
            await self.end(self.under_way[0][0])
        await asyncio.gather(*self.tasks, return_exceptions=True)


def run(scene: Coroutine[Any, Any, None]) -> None:
    """Play a scene, which must not hang."""
    asyncio.run(asyncio.wait_for(scene, 10))


@given(number=some.integers(1, 5), names=some.lists(some.sampled_from(["contacts", "claims", "quotes"]), max_size=30))
def test_never_more_are_under_way_than_there_are_slots_and_everyone_has_a_turn(number: int, names: list[str]) -> None:
    async def scene() -> None:
        line = Line(number)
        await line.come(*names)
        while line.under_way:
            assert len(line.under_way) == min(number, len(names) - len(line.began) + len(line.under_way))
            await line.end(line.under_way[-1][0])
        assert sorted(line.began) == sorted(names)

    run(scene())


def test_lists_go_before_details_and_equals_in_their_order() -> None:
    async def scene() -> None:
        line = Line(1)
        await line.come("carrier_list", "quotes", "documents", "policies", "contacts")
        await line.end_all()
        assert line.began == ["carrier_list", "policies", "contacts", "quotes", "documents"]

    run(scene())


def test_a_slow_resource_leaves_a_quick_one_its_own_speed() -> None:
    async def scene() -> None:
        line = Line(4)
        await line.come(*["claims"] * 8)
        await line.come(*["contacts"] * 8)
        for _ in range(2):
            await line.end("claims")  # from now on no answer comes for two of its calls
        for _ in range(6):
            await line.end("contacts")
        assert line.began.count("contacts") == 8
        await line.end_all()

    run(scene())


@pytest.mark.parametrize("at_the_same_moment", [False, True])
def test_a_call_that_is_canceled_while_it_waits_takes_no_permit(at_the_same_moment: bool) -> None:
    async def scene() -> None:
        line = Line(1)
        await line.come("contacts", "claims", "drivers")
        if at_the_same_moment:
            line.under_way.pop()[1].set()
            await asyncio.sleep(0)
        line.tasks[1].cancel()
        await turns()
        if not at_the_same_moment:
            await line.end("contacts")
        assert line.began[-1] == "drivers"
        await line.end_all()

    run(scene())


def test_a_permit_is_not_given_to_a_call_that_was_just_canceled() -> None:
    async def scene() -> None:
        line = Line(1)
        await line.come("contacts", "claims", "drivers")
        line.under_way.pop()[1].set()  # ends in the same turn in which the first in the line is canceled
        line.tasks[1].cancel()
        await turns()
        assert line.tasks[0].exception() is None
        assert line.began[-1] == "drivers"
        await line.end_all()

    run(scene())
