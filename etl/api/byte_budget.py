"""The byte budget: limits the answers in memory, of all resources that are read in parallel."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class ByteBudget:
    """A budget of bytes. Use it from one event loop.

    An item is admitted while any of the budget is left, even if it is larger, so that the largest page passes. Later
    items wait in order.
    """

    def __init__(self, size: int) -> None:
        self._left = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> None:
        """Wait until some of the budget is left, then take `size` bytes."""
        if self._left > 0 and not self._waiting:
            self._left -= size
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting = deque(waiting for waiting in self._waiting if waiting[1] is not turn)
            else:
                self.give(size)
            raise

    def give(self, size: int) -> None:
        """Return bytes, and admit waiting items that were not canceled."""
        self._left += size
        while self._left > 0 and self._waiting:
            wanted, turn = self._waiting.popleft()
            if not turn.done():
                self._left -= wanted
                turn.set_result(None)


class Reservation(Generic[T]):
    """The bytes that one stream has taken from a budget."""

    def __init__(self, budget: ByteBudget, weight: Callable[[T], int]) -> None:
        """Count the bytes of each item with `weight`."""
        self._budget = budget
        self._weight = weight
        self._taken = 0
        self._is_over = False

    async def take(self, item: T) -> None:
        """Wait until the budget has bytes for an item, and take them."""
        size = self._weight(item)
        await self._budget.take(size)
        if self._is_over:  # the stream ended before its producer was notified
            self._budget.give(size)
        else:
            self._taken += size

    def give(self, size: int) -> None:
        """Return some bytes, unless all were returned before."""
        if not self._is_over:
            self._taken -= size
            self._budget.give(size)

    def leave(self) -> None:
        """Return all bytes permanently."""
        self.give(self._taken)
        self._is_over = True
