"""How much of what has arrived may wait in memory, over all that is read side by side."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Room:
    """Room for so many bytes. Use it from one event loop.

    Whoever comes while some of it is left may come in, however large, so that the largest page finds its way; those
    behind it wait, in their order.
    """

    def __init__(self, size: int) -> None:
        self._left = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> None:
        """Wait until there is room, and take it."""
        if self._left > 0 and not self._waiting:
            self._left -= size
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append((size, place))
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._waiting = deque(one for one in self._waiting if one[1] is not place)
            else:
                self.give(size)
            raise

    def give(self, size: int) -> None:
        """Free room, and let in whoever waits for it and was not cancelled meanwhile."""
        self._left += size
        while self._left > 0 and self._waiting:
            wanted, place = self._waiting.popleft()
            if not place.done():
                self._left -= wanted
                place.set_result(None)


class Hold(Generic[T]):
    """What one stream holds of a room."""

    def __init__(self, room: Room, weight: Callable[[T], int]) -> None:
        """Give each item as many bytes as `weight` says."""
        self._room = room
        self._weight = weight
        self._held = 0
        self._left = False

    async def take(self, item: T) -> None:
        """Wait until there is room for an item, and take it."""
        size = self._weight(item)
        await self._room.take(size)
        if self._left:  # whoever brings the item was not quick enough to hear of it
            self._room.give(size)
        else:
            self._held += size

    def give(self, size: int) -> None:
        """Free some of it, unless all of it was freed before."""
        if not self._left:
            self._held -= size
            self._room.give(size)

    def leave(self) -> None:
        """Free all of it, for good."""
        self.give(self._held)
        self._left = True
