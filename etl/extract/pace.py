"""How fast the API is called: evenly spaced under a cap, half as fast when it complains, faster again by and by."""

import time
from collections import deque
from collections.abc import Awaitable, Callable

#: Seconds in which a halved pace grows back by what it lost.
RECOVERY = 60.0
#: Complaints that come together are one: calls under way could not know of the first.
TOGETHER = 1.0
#: The slowest pace, in calls a second.
SLOWEST = 0.1
_REMEMBERED = 64


class Pace:
    """A pure schedule of calls: `reserve` hands out the next place in it. Times are seconds of a monotonic clock."""

    def __init__(self, rate: float) -> None:
        """Space calls for `rate` a second; 0 means no cap until the API complains."""
        self.cap = rate
        self._next = 0.0
        self._halved_at = float("-inf")
        self._floor = rate  # the pace right after the last complaint
        self._before = rate  # the pace right before it
        self._starts: deque[float] = deque(maxlen=_REMEMBERED)

    def rate(self, now: float) -> float:
        """Return the pace at this moment, in calls a second; 0 means no cap."""
        if self._halved_at == float("-inf"):
            return self.cap
        grown = self._floor + (self._before - self._floor) * (now - self._halved_at) / RECOVERY
        if self.cap:
            return min(self.cap, grown)
        return grown if grown < 2 * self._before else 0.0

    def reserve(self, now: float) -> float:
        """Return how many seconds the next call has to wait for its place."""
        start = max(now, self._next)
        rate = self.rate(now)
        self._next = start + (1 / rate if rate else 0.0)
        self._starts.append(start)
        return start - now

    def slow_down(self, now: float) -> None:
        """Halve the pace: the API complained."""
        if now - self._halved_at < TOGETHER:
            return
        self._before = self.rate(now) or self._observed(now)
        self._floor = max(SLOWEST, self._before / 2)
        self._halved_at = now

    def hold(self, until: float) -> None:
        """Give out no place before this time: the API named it."""
        self._next = max(self._next, until)

    def _observed(self, now: float) -> float:
        """Return the calls a second of late."""
        recent = [start for start in self._starts if start > now - RECOVERY]
        return max(1.0, len(recent) / max(TOGETHER, now - recent[0])) if recent else 1.0


class Pacer:
    """Makes callers wait for their place in a pace."""

    def __init__(
        self, pace: Pace, sleep: Callable[[float], Awaitable[object]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pace = pace
        self._sleep = sleep
        self._clock = clock

    async def turn(self) -> float:
        """Wait for the next place and return the seconds that took."""
        wait = self.pace.reserve(self._clock())
        if wait > 0:
            await self._sleep(wait)
        return wait

    def complain(self, retry_after: float | None) -> None:
        """Halve the pace, and hold all calls for as long as the API asked."""
        now = self._clock()
        self.pace.slow_down(now)
        if retry_after:
            self.pace.hold(now + retry_after)
