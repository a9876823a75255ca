"""The concurrency limiter: bounds the calls in flight, over all resources that are read in parallel."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from etl.api.protocol.calls import Call


@dataclass(slots=True)
class _Waiting:
    """A call that waits for a permit."""

    resource: str
    is_detail: bool
    turn: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class ConcurrencyLimiter:
    """Permits for calls in flight. Use it from one event loop.

    Lists and feeds go before calls per parent, because they name the parents. Among equals the next permit goes to the
    resource with the fewest calls in flight, so a slow resource cannot take them all.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._under_way: Counter[str] = Counter()
        self._waiting: list[_Waiting] = []  # in order of arrival

    @asynccontextmanager
    async def permit(self, call: Call) -> AsyncIterator[None]:
        """Wait for a permit, and hold it during the block."""
        await self._take(call)
        try:
            yield
        finally:
            self._give(call.resource)

    async def _take(self, call: Call) -> None:
        if self._free:
            self._free -= 1
            self._under_way[call.resource] += 1
            return
        waiting = _Waiting(call.resource, call.parent_id is not None)
        self._waiting.append(waiting)
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.cancelled():
                self._waiting.remove(waiting)
            else:
                self._give(call.resource)
            raise

    def _give(self, resource: str) -> None:
        """Pass a permit on. A canceled call that was not notified yet is still in the queue."""
        self._under_way[resource] -= 1
        pending = [other for other in self._waiting if not other.turn.done()]
        if not pending:
            self._free += 1
            return
        chosen = min(pending, key=lambda other: (other.is_detail, self._under_way[other.resource]))
        self._waiting.remove(chosen)
        self._under_way[chosen.resource] += 1
        chosen.turn.set_result(None)
