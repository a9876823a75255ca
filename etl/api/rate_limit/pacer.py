"""Makes callers wait for their place: places are taken in small lots from the schedule that all workers share."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

from etl.api.rate_limit.buckets import Buckets
from etl.api.rate_limit.pace import ANSWERS, AT_MOST, HELD, Pace
from etl.api.rate_limit.strain import Strain
from etl.api.retry_policy import LONGEST_WAIT
from etl.errors import QuotaSpent
from etl.ledger.rates import Bucket

#: Seconds of the schedule that one lot holds at most; what another worker has found out is known as much later.
LOT = 0.5
#: A lot is taken so many seconds before the last place of the one before is due, as a statement takes its time.
LEAD = 0.1
#: A place that could not be used for so many seconds is given up: calls that were held up would come in a bunch.
LATE = 0.1
#: The window in which the API is taken to count calls, in seconds; and how much of it has to be known to be sure.
SECOND, SURE = 1.0, 0.85
#: Of a pace that was complained of soon: what the API is taken to have taken at least.
SOON = 0.7
#: A place within so many seconds was free.
AT_ONCE = 0.001
#: Seconds in which a slower pace takes effect on how long answers take.
SETTLED = 10.0
#: Late places that one caller gives up; on a machine that is always late it goes on then.
GIVEN_UP = 2

#: A law: from the pace known so far to the new one; None leaves it as it is.
Law = Callable[[Pace], Pace | None]


class Pacer:
    """The pace of one client. Times are seconds of its own monotonic clock."""

    def __init__(
        self,
        cap: float,
        buckets: Buckets,
        sleep: Callable[[float], Awaitable[object]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Give out `cap` places a second; 0 means as many as are wanted, until the API complains."""
        self._cap = cap
        self._buckets = buckets
        self._sleep = sleep
        self._clock = clock
        self._lock, self._changing = asyncio.Lock(), asyncio.Lock()
        self._waiting = 0
        self._places: deque[float] = deque()
        self._last = self._held_until = self._free_until = float("-inf")
        self._bucket: Bucket | None = None  # as it was last known, at _known_at
        self._known_at = 0.0
        self._told = 0  # places of this client that the bucket knows of
        self._free = 0  # and those without a cap that it does not know of yet
        self._seen: deque[tuple[Bucket, int]] = deque(maxlen=64)
        self._sent: deque[float] = deque(maxlen=1024)
        self._refused: deque[float] = deque(maxlen=1024)
        self._strain = Strain()
        self._answer = AT_MOST  # the shortest answer so far, in seconds
        self._gap = float("-inf")  # when a place was free that nobody had waited for

    async def begin(self) -> None:
        """Learn how things stand, and let a new run ask once more where the API wanted no call for a long time."""
        self._learn(await self._buckets.look())
        if self._wait() > LONGEST_WAIT:
            self._learn(await self._buckets.lift())

    async def turn(self) -> float:
        """Wait for the next place and return the seconds that took.

        Raises QuotaSpent where the API asked every worker to wait for longer than a run does.
        """
        waited, given_up = 0.0, 0
        while True:
            place = await self._place()
            wait = max(0.0, place - self._clock())
            if wait:
                await self._sleep(wait)
            waited += wait
            late = self._clock() - place > LATE and given_up < GIVEN_UP
            if place >= self._held_until and not late:
                self._sent.append(self._clock())
                return waited
            given_up += late

    async def took(self, resource: str, seconds: float) -> None:
        """Take in how long a good answer took; where answers have come to take far longer, all workers slow down."""
        self._answer = max(AT_ONCE, min(self._answer, seconds))
        if self._strain.note(resource, seconds):
            async with self._changing:
                await self._change(self._under_strain)

    async def complain(self, sent: float, retry_after: float | None) -> None:
        """Let all workers slow down, and hold them for as long as the API asked; it complained of a call sent then."""
        asked = retry_after or 0.0
        self._held_until = max(self._held_until, self._clock() + max(HELD, asked))
        self._refused.append(sent)
        self._places.clear()
        self._free_until = float("-inf")
        async with self._changing:
            await self._change(partial(self._after_complaint, sent=sent), max(HELD, asked), asked)

    def _after_complaint(self, pace: Pace, sent: float) -> Pace | None:
        """Return the pace after the API complained of a call sent then; None where its sender did not know of the last.

        In the second before, the API took what stood in the schedule, if the pace had been found out before and no
        place was left unused.
        """
        used = self._used() - (self._clock() - sent)
        if pace.ceiling and used < HELD:
            return None
        seconds = min(SECOND, used - HELD if pace.ceiling else used)
        places = self._rate(used - seconds / 2)
        found_out = places > 0 and (pace.ceiling > 0 or places == self._cap)
        all_used = found_out and self._gap < sent - seconds + LEAD
        took = places * max(seconds, SOON) if all_used else self._observed()
        return pace.after_complaint(self._rate(used), took, sure=all_used and seconds > SURE)

    def _under_strain(self, pace: Pace) -> Pace | None:
        """Return the pace after answers came to take far longer, but for the seconds in which a change takes effect."""
        settling = pace.ceiling and self._used() < SETTLED
        return None if settling else pace.under_strain(self._rate(), self._observed())

    async def _place(self) -> float:
        """Return the time of the next place that nobody else has."""
        self._waiting += 1
        try:
            async with self._lock:
                if not self._places and self._clock() >= self._free_until:
                    await self._refill()
                if self._places:
                    return self._places.popleft()
                self._free += 1
                return self._clock()
        finally:
            self._waiting -= 1

    async def _refill(self) -> None:
        """Take a lot from the schedule: a place for each caller that waits, or a stretch of time without a cap."""
        if (early := self._last - self._clock() - LEAD) > 0:
            await self._sleep(early)
        while True:
            if self._bucket is None:
                self._learn(await self._buckets.look())
            if (wait := self._wait()) > LONGEST_WAIT:
                raise QuotaSpent(wait)
            rate = self._rate(self._used() + max(0.0, wait))
            count = min(self._waiting, max(1, int(rate * self._lot()))) if rate else self._waiting
            spacing = 1 / rate if rate else 0.0
            if await self._take(count, spacing):
                return

    async def _take(self, count: int, spacing: float) -> bool:
        """Take some places; tell whether they were to be had at the pace as it was known."""
        changes = self._bucket.changes if self._bucket else 0
        told, self._free = self._free + (count if spacing else 0), 0
        taken = await self._buckets.take(changes, count * spacing, told)
        if taken is None:
            self._bucket = None
            return False
        self._told += told
        self._learn(taken)
        first = self._known_at + max(0.0, taken.wait - count * spacing)
        if first < self._known_at + AT_ONCE:
            self._gap = self._known_at
        if spacing or taken.wait > 0:
            self._places.extend(first + number * spacing for number in range(count))
            self._last = self._places[-1]
        else:
            self._free_until = self._known_at + LOT
        return True

    async def _change(self, law: Law, hold: float = 0.0, hold_anyhow: float = 0.0) -> None:
        """Change the pace by a law, however many workers do so at once; each begins from what the last one left.

        Everybody is held for `hold` seconds where it changes, for `hold_anyhow` where it does not.
        """
        while True:
            bucket = self._bucket
            if bucket is None:
                bucket = self._learn(await self._buckets.look())
            pace = law(pace_of(bucket))
            if pace is None:
                if hold_anyhow > self._wait():
                    self._learn(await self._buckets.hold(hold_anyhow))
                return
            changed = await self._buckets.change(bucket.changes, (pace.floor, pace.ceiling, pace.climb), hold)
            if changed is not None:
                self._learn(changed)
                return
            self._bucket = None

    def _learn(self, bucket: Bucket) -> Bucket:
        """Take in how things stand now."""
        self._bucket, self._known_at = bucket, self._clock()
        self._seen.append((bucket, self._told))
        return bucket

    def _rate(self, used: float | None = None) -> float:
        """Return the calls a second after so many seconds of use since the last complaint, or now; 0 means no cap."""
        used = self._used() if used is None else used
        return pace_of(self._bucket).rate(used, self._cap, self._answer) if self._bucket else self._cap

    def _lot(self) -> float:
        """Return the seconds of the schedule that a lot may hold now: few where the pace of an unknown API grows.

        The lots of all workers lie one behind the other, and together may not reach further than a complaint holds.
        """
        known = self._bucket is not None and self._bucket.ceiling
        return (LOT if known else min(LOT, ANSWERS * self._answer / 2)) / self._workers()

    def _used(self) -> float:
        """Return the seconds of use since the last complaint."""
        return self._bucket.used + self._clock() - self._known_at if self._bucket else 0.0

    def _wait(self) -> float:
        """Return the seconds until the next free place."""
        return self._bucket.wait - (self._clock() - self._known_at) if self._bucket else 0.0

    def _observed(self) -> float:
        """Return the calls that the API took in the second before it refused one, of all workers.

        What this client sent in that second it knows; the others are taken to have sent in proportion to their places.
        """
        end = self._refused[-1] if self._refused else self._clock()
        took, refused = (sum(end - SECOND < one <= end for one in some) for some in (self._sent, self._refused))
        return max(0, took - refused) * self._workers()

    def _workers(self) -> float:
        """Return how many clients as busy as this one share the places."""
        if not self._seen:
            return 1.0
        (last, told), (first, told_first) = self._seen[-1], self._seen[0]
        return max(1.0, (last.taken - first.taken) / max(1, told - told_first))


def pace_of(bucket: Bucket) -> Pace:
    """Return what a bucket says of the pace."""
    return Pace(bucket.floor, bucket.ceiling, bucket.climb)
