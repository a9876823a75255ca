"""The concurrency limiter: so many calls may be under way at once, over all resources that are read in parallel."""

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
    """The calls under way. Use it from one event loop.

    Lists and feeds go before what is asked for once per parent, as they say which parents there are. Among equals the
    next permit is for the resource that has the fewest: one whose answers are slow cannot take them all, and one whose
    answers are quick gets on at its own speed.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._under_way: Counter[str] = Counter()
        self._waiting: list[_Waiting] = []  # in order of arrival

    @asynccontextmanager
    async def permit(self, call: Call) -> AsyncIterator[None]:
        """Wait for a permit, and hold it as long as the block runs."""
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
        """Hand a permit on; a call that was cancelled and has not heard of it yet still stands in the line."""
        self._under_way[resource] -= 1
        pending = [other for other in self._waiting if not other.turn.done()]
        if not pending:
            self._free += 1
            return
        chosen = min(pending, key=lambda other: (other.is_detail, self._under_way[other.resource]))
        self._waiting.remove(chosen)
        self._under_way[chosen.resource] += 1
        chosen.turn.set_result(None)
