"""The rate limiter: makes callers wait for a permit of the window that all workers of the account share."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from etl.api.rate_limit.stores import WindowStore
from etl.api.rate_limit.window import (
    Event,
    Taken,
    WindowRules,
    WindowState,
    accepted,
    begun,
    ended,
    held,
    refused,
    take,
    unused,
)
from etl.config.logs import get_logger
from etl.errors import EtlError, QuotaSpent

log = get_logger(__name__)


class Outcome(Enum):
    """What became of the call for which a permit was taken."""

    NEVER_SENT = auto()
    ENDED = auto()  #: without a word about the limit: cut off, failed, or not understood
    ACCEPTED = auto()
    REFUSED = auto()


@dataclass(slots=True)
class Permit:
    """The right to send one call. Times are seconds of the store's clock."""

    serial: int  #: grows with each permit of this client
    free_at: float  #: when it is free again if nobody says that its call has ended
    taken_at: float
    asked_at: float  #: by the limiter's own clock, a moment before it was taken
    outcome: Outcome = Outcome.NEVER_SENT
    retry_after: float = 0.0  #: what a refusal asked for


class RateLimiter:
    """The permits of one client. Use it from one event loop, and close it at the end.

    One exchange with the store at a time reports the calls that have ended and takes permits for all who wait.
    """

    def __init__(
        self,
        rules: WindowRules,
        store: WindowStore,
        sleep: Callable[[float], Awaitable[object]],
        clock: Callable[[], float],
    ) -> None:
        self.window = rules.window
        self._rules = rules
        self._store = store
        self._sleep = sleep
        self._clock = clock
        self._waiting: deque[asyncio.Future[Permit]] = deque()
        self._events: list[Event] = [partial(begun, rules=rules)]
        self._news = asyncio.Event()
        self._serial = 0
        self._exchanging: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[Permit]:
        """Wait for a permit, and hold it while the block runs, which sets its outcome.

        Raises QuotaSpent where the API wants no call for longer than a run waits.
        """
        permit = await self._acquire()
        try:
            yield permit
        finally:
            self._report(self._event_of(permit))

    def hold(self, permit: Permit) -> None:
        """Hold all workers for a window after a call that was perhaps refused for the limit."""
        log.info("call limit perhaps reached", window_seconds=self.window)
        self._report(partial(held, rules=self._rules, taken_at=permit.taken_at, least=self.window))

    def _event_of(self, permit: Permit) -> Event:
        """Return what the end of a call means for the window."""
        if permit.outcome is Outcome.NEVER_SENT:
            return partial(unused, permit=permit.free_at)
        at = permit.taken_at + self._clock() - permit.asked_at
        if permit.outcome is Outcome.ENDED:
            return partial(ended, rules=self._rules, permit=permit.free_at, at=at)
        if permit.outcome is Outcome.ACCEPTED:
            return partial(accepted, rules=self._rules, permit=permit.free_at, at=at, taken_at=permit.taken_at)
        asked = permit.retry_after
        log.info("call limit reached", limit=self._rules.calls, window_seconds=self.window, retry_after=asked)
        return partial(refused, rules=self._rules, permit=permit.free_at, at=at, taken_at=permit.taken_at, asked=asked)

    async def close(self) -> None:
        """Report the calls that have ended, so that other workers need not wait for them."""
        if self._exchanging is not None:
            self._exchanging.cancel()
            with suppress(asyncio.CancelledError):
                await self._exchanging
        with suppress(EtlError):
            await self._exchange(0)

    async def _acquire(self) -> Permit:
        """Wait for a permit."""
        place: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._wake()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._report(partial(unused, permit=place.result().free_at))
            raise

    def _report(self, event: Event) -> None:
        """Have an event applied at the next exchange, which is now."""
        self._events.append(event)
        self._wake()

    def _wake(self) -> None:
        """Begin to exchange with the store, or cut a pause short."""
        self._news.set()
        if self._exchanging is None or self._exchanging.done():
            self._exchanging = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Exchange with the store until nobody waits and nothing is to be reported."""
        while self._events or self._waiting:
            self._news.clear()
            self._waiting = deque(place for place in self._waiting if not place.done())
            try:
                asked_at = self._clock()
                taken, now = await self._exchange(len(self._waiting))
            except Exception as error:  # noqa: BLE001 (raised by those who wait)
                self._fail(error)
                return
            if taken.used_up is not None:
                self._fail(QuotaSpent(taken.used_up))
            for _ in range(taken.granted):
                self._serial += 1
                self._grant(Permit(self._serial, taken.permit, now, asked_at))
            if self._waiting and not self._events:
                await self._pause(taken.wait)

    async def _exchange(self, wanted: int) -> tuple[Taken, float]:
        """Report what has happened, take permits, and return them with the store's time."""
        events, self._events = self._events, []

        def change(state: WindowState, now: float) -> tuple[WindowState, tuple[Taken, float]]:
            for event in events:
                state = event(state, now)
            taken = take(state, self._rules, now, wanted)
            return taken.state, (taken, now)

        return await self._store.change(change)

    def _grant(self, permit: Permit) -> None:
        """Hand a permit to whoever has waited longest, or back where nobody does any more."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(permit)
                return
        self._events.append(partial(unused, permit=permit.free_at))

    def _fail(self, error: Exception) -> None:
        """Let all who wait fail."""
        for place in self._waiting:
            if not place.done():
                place.set_exception(error)
        self._waiting.clear()

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until there is news."""
        waits = {asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._news.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
