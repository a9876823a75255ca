"""Where the pace of a tenant is kept: in the database, for all workers of all runs, or in memory, for one client."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from etl.api.rate_limit.pace import HELD
from etl.ledger import rates
from etl.ledger.executor import LedgerExecutor
from etl.ledger.rates import IDLE, Bucket


class Buckets(Protocol):
    """One schedule of places, and what is known of the pace."""

    async def look(self) -> Bucket:
        """Return how things stand."""

    async def take(self, changes: int, span: float, count: int) -> Bucket | None:
        """Take places for `span` seconds; None when the pace has changed since it was known."""

    async def change(self, changes: int, pace: tuple[float, float, float], hold: float) -> Bucket | None:
        """Set floor, ceiling and climb, and give no place for `hold` seconds; None when another worker was first.

        What waits is not used: when places are given again, HELD seconds count as used.
        """

    async def hold(self, seconds: float) -> Bucket:
        """Give no place for so many seconds."""

    async def lift(self) -> Bucket:
        """Give places again."""


class SharedBucket:
    """The pace of a tenant in the database: one short statement for a lot of calls."""

    def __init__(self, beside: LedgerExecutor) -> None:
        self._commit = beside.commit
        self._tenant = beside.tenant

    async def look(self) -> Bucket:
        """Return how things stand."""
        return await self._commit(partial(rates.look, tenant=self._tenant))

    async def take(self, changes: int, span: float, count: int) -> Bucket | None:
        """Take a stretch of the schedule."""
        return await self._commit(partial(rates.take, tenant=self._tenant, changes=changes, span=span, count=count))

    async def change(self, changes: int, pace: tuple[float, float, float], hold: float) -> Bucket | None:
        """Change the pace for all workers."""
        given: dict[str, Any] = {"changes": changes, "pace": pace, "hold": hold, "until_use": hold - HELD}
        return await self._commit(partial(rates.change, tenant=self._tenant, **given))

    async def hold(self, seconds: float) -> Bucket:
        """Hold all workers."""
        return await self._commit(partial(rates.hold, tenant=self._tenant, seconds=seconds))

    async def lift(self) -> Bucket:
        """Let all workers go on."""
        return await self._commit(partial(rates.lift, tenant=self._tenant))


class MemoryBucket:
    """The pace of one client alone, by its own clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = self._since = clock()
        self._bucket = Bucket(0.0, 0.0, 0.0)

    async def look(self) -> Bucket:
        """Return how things stand."""
        now = self._clock()
        return replace(self._bucket, wait=self._next - now, now=now, used=now - self._since)

    async def take(self, changes: int, span: float, count: int) -> Bucket | None:
        """Take a stretch of the schedule."""
        if changes != self._bucket.changes:
            return None
        now = self._clock()
        self._since += max(now - self._next - IDLE, 0.0)
        self._next = max(self._next, now) + span
        self._bucket = replace(self._bucket, taken=self._bucket.taken + count)
        return await self.look()

    async def change(self, changes: int, pace: tuple[float, float, float], hold: float) -> Bucket | None:
        """Change the pace."""
        if changes != self._bucket.changes:
            return None
        self._bucket = replace(self._bucket, floor=pace[0], ceiling=pace[1], climb=pace[2], changes=changes + 1)
        self._since = self._clock() + hold - HELD
        self._next = max(self._next, self._clock() + hold)
        return await self.look()

    async def hold(self, seconds: float) -> Bucket:
        """Hold the client."""
        longer = max(0.0, self._clock() + seconds - self._next)
        self._since += longer
        self._next += longer
        return await self.look()

    async def lift(self) -> Bucket:
        """Let the client go on."""
        self._next = self._clock()
        return await self.look()
