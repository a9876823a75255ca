"""The rate limiter: callers wait for a permit of the window that all workers of the account share."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from etl.api.rate_limit.stores import WindowStore
from etl.api.rate_limit.window import (
    PermitResult,
    WindowChange,
    WindowRules,
    WindowState,
    hold,
    is_limit_unlikely,
    record_accepted,
    record_ended,
    record_refused,
    record_start,
    return_unused,
    take,
)
from etl.config.logs import get_logger
from etl.errors import EtlError, QuotaSpent

log = get_logger(__name__)


class PermitOutcome(Enum):
    """What happened to the call for which a permit was taken."""

    NEVER_SENT = auto()
    ENDED = auto()  #: without information about the limit: cut, failed, or unreadable
    ACCEPTED = auto()
    REFUSED = auto()


@dataclass(slots=True)
class Permit:
    """The right to send one call. Times are seconds of the store's clock."""

    serial: int  #: grows with each permit of this client
    free_at: float  #: when it is free again if the end of its call is never reported
    taken_at: float
    asked_at: float  #: by the limiter's clock, shortly before it was taken
    outcome: PermitOutcome = PermitOutcome.NEVER_SENT
    retry_after: float = 0.0  #: the wait that a refusal asked for


class RateLimiter:
    """The permits of one client. Use it from one event loop, and close it at the end.

    One exchange with the store at a time reports ended calls and takes permits for all waiting callers.
    """

    def __init__(
        self,
        rules: WindowRules,
        store: WindowStore,
        sleep: Callable[[float], Awaitable[object]],
        clock: Callable[[], float],
    ) -> None:
        self.window = rules.window
        self.is_limit_unlikely = False  #: as of the last exchange with the store
        self._rules = rules
        self._store = store
        self._sleep = sleep
        self._clock = clock
        self._waiting: deque[asyncio.Future[Permit]] = deque()
        self._events: list[WindowChange] = [partial(record_start, rules=rules)]
        self._news = asyncio.Event()
        self._serial = 0
        self._exchanging: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def permit(self, *, is_first: bool = False) -> AsyncIterator[Permit]:
        """Wait for a permit, and hold it during the block, which sets its outcome; `is_first`: before all that wait.

        Raises QuotaSpent if the call limit is used up for longer than a run waits.
        """
        permit = await self._acquire(is_first=is_first)
        try:
            yield permit
        finally:
            self._report(self._event_of(permit))

    @property
    def newest_serial(self) -> int:
        """The serial of the permit that was granted last."""
        return self._serial

    def hold(self, permit: Permit) -> None:
        """Hold all workers for a window after a call that the limit may have refused."""
        log.info("call limit perhaps reached", window_seconds=self.window)
        self._report(partial(hold, rules=self._rules, taken_at=permit.taken_at, least=self.window))

    def _event_of(self, permit: Permit) -> WindowChange:
        """Return the event that the end of a call is for the window."""
        if permit.outcome is PermitOutcome.NEVER_SENT:
            return partial(return_unused, permit=permit.free_at)
        at = permit.taken_at + self._clock() - permit.asked_at
        if permit.outcome is PermitOutcome.ENDED:
            return partial(record_ended, rules=self._rules, permit=permit.free_at, at=at)
        if permit.outcome is PermitOutcome.ACCEPTED:
            return partial(record_accepted, rules=self._rules, permit=permit.free_at, at=at, taken_at=permit.taken_at)
        asked = permit.retry_after
        log.info("call limit reached", limit=self._rules.calls, window_seconds=self.window, retry_after=asked)
        return partial(
            record_refused, rules=self._rules, permit=permit.free_at, at=at, taken_at=permit.taken_at, asked=asked
        )

    async def close(self) -> None:
        """Report ended calls, so that other workers need not wait for them."""
        if self._exchanging is not None:
            self._exchanging.cancel()
            with suppress(asyncio.CancelledError):
                await self._exchanging
        with suppress(EtlError):
            await self._exchange(0)

    async def _acquire(self, *, is_first: bool) -> Permit:
        """Wait for a permit."""
        turn: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if is_first else self._waiting.append)(turn)
        self._wake()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._report(partial(return_unused, permit=turn.result().free_at))
            raise

    def _report(self, event: WindowChange) -> None:
        """Apply an event at the next exchange, and start it."""
        self._events.append(event)
        self._wake()

    def _wake(self) -> None:
        """Start exchanging with the store, or end a pause early."""
        self._news.set()
        if self._exchanging is None or self._exchanging.done():
            self._exchanging = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Exchange with the store until no caller waits and no event is left."""
        while self._events or self._waiting:
            self._news.clear()
            self._waiting = deque(turn for turn in self._waiting if not turn.done())
            try:
                asked_at = self._clock()
                taken, now = await self._exchange(len(self._waiting))
            except Exception as error:  # noqa: BLE001 (raised in the waiting callers)
                self._fail(error)
                return
            if taken.used_up is not None:
                self._fail(QuotaSpent(taken.used_up))
            for _ in range(taken.granted):
                self._serial += 1
                self._grant(Permit(self._serial, taken.permit, now, asked_at))
            if self._waiting and not self._events:
                await self._pause(taken.wait)

    async def _exchange(self, wanted: int) -> tuple[PermitResult, float]:
        """Report events, take permits, and return them with the store's time."""
        events, self._events = self._events, []

        def change(state: WindowState, now: float) -> tuple[WindowState, tuple[PermitResult, float]]:
            for event in events:
                state = event(state, now)
            taken = take(state, self._rules, now, wanted)
            self.is_limit_unlikely = is_limit_unlikely(taken.state, self._rules, now)
            return taken.state, (taken, now)

        return await self._store.change(change)

    def _grant(self, permit: Permit) -> None:
        """Give a permit to the first waiting caller; give it back if there is none."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(permit)
                return
        self._events.append(partial(return_unused, permit=permit.free_at))

    def _fail(self, error: Exception) -> None:
        """Raise an error in all waiting callers."""
        for turn in self._waiting:
            if not turn.done():
                turn.set_exception(error)
        self._waiting.clear()

    async def _pause(self, seconds: float) -> None:
        """Wait for some seconds, or until there is news."""
        waits = {asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._news.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
