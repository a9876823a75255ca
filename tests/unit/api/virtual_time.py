"""Workers that call an API as fast as their permits allow, in a time that passes by itself while everybody waits."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from etl.api.rate_limit.limiter import PermitOutcome, RateLimiter
from etl.api.rate_limit.stores import Change, MemoryStore
from etl.api.rate_limit.window import WindowRules
from etl.errors import QuotaSpent

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next moment at which something is due."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0
        selector: Any = self._selector  # type: ignore[attr-defined]  # a loop's own
        look = selector.select

        def jump(timeout: float | None) -> Any:
            self._now += max(timeout or 0.0, 0.0)
            return look(0)

        selector.select = jump

    def time(self) -> float:
        """Return the virtual time."""
        return self._now


def play(scene: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Play a scene in virtual time and return what it returned."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(scene(loop))
    finally:
        loop.close()


class DistantStore:
    """A store that takes a few milliseconds to reach, and changes one state for all workers."""

    def __init__(self, store: MemoryStore, dice: random.Random) -> None:
        self._store = store
        self._dice = dice

    async def change(self, change: Change[T]) -> T:
        await asyncio.sleep(self._dice.uniform(0.001, 0.004))
        result = await self._store.change(change)
        await asyncio.sleep(self._dice.uniform(0.001, 0.004))
        return result


@dataclass
class LimitedApi:
    """An API that takes this many calls in a window, and refuses the others: a sliding window, or a fixed one."""

    calls: int
    window: float
    dice: random.Random
    latency: float = 0.1
    is_fixed: bool = False
    arrivals: list[float] = field(default_factory=list)  #: of all calls
    taken: list[float] = field(default_factory=list)  #: by anybody
    accepted: int = 0  #: of our own
    refused: int = 0

    async def call(self, clock: Callable[[], float]) -> bool:
        """Call it, and return whether it took the call."""
        await asyncio.sleep(self.latency * self.dice.uniform(0.1, 0.9))
        self.arrivals.append(clock())
        took = self.admit(clock())
        self.accepted += took
        self.refused += not took
        await asyncio.sleep(self.latency * self.dice.uniform(0.1, 0.9))
        return took

    def admit(self, now: float) -> bool:
        """Take a call where there is room in the window."""
        begin = now - now % self.window if self.is_fixed else now - self.window
        if (
            sum(begin < moment or (self.is_fixed and begin == moment) for moment in self.taken[-self.calls :])
            < self.calls
        ):
            self.taken.append(now)
            return True
        return False

    @property
    def refused_share(self) -> float:
        return self.refused / max(1, self.accepted + self.refused)


def most_in_a_window(arrivals: list[float], window: float) -> int:
    """Return the most arrivals that any window of that length held."""
    arrivals = sorted(arrivals)
    most = first = 0
    for last, moment in enumerate(arrivals):
        while moment - arrivals[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


async def other_integration(api: LimitedApi, loop: VirtualLoop, calls: int) -> None:
    """Use this many calls of each window, at moments of its own."""
    while True:
        await asyncio.sleep(api.dice.expovariate(calls / api.window))
        api.admit(loop.time())


def work(
    api: LimitedApi, *, calls: int | None, workers: int = 1, windows: float = 12, others: int = 0, callers: int = 8
) -> MemoryStore:
    """Let workers with eight calls under way each call for this many windows; return the store they shared."""

    async def scene(loop: VirtualLoop) -> MemoryStore:
        store = MemoryStore(loop.time)
        rules = WindowRules(calls, api.window, 60.0)

        async def caller(limiter: RateLimiter) -> None:
            while True:
                async with limiter.permit() as permit:
                    took = await api.call(loop.time)
                    permit.outcome = PermitOutcome.ACCEPTED if took else PermitOutcome.REFUSED

        async def worker() -> None:
            await asyncio.sleep(api.dice.uniform(0.0, api.window / 10))
            limiter = RateLimiter(rules, DistantStore(store, api.dice), asyncio.sleep, loop.time)
            with suppress(QuotaSpent):
                await asyncio.gather(*(caller(limiter) for _ in range(callers)))

        tasks = [asyncio.create_task(worker()) for _ in range(workers)]
        tasks += [asyncio.create_task(other_integration(api, loop, others))] if others else []
        await asyncio.sleep(windows * api.window)
        for task in [other for other in asyncio.all_tasks() if other is not asyncio.current_task()]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return store

    return play(scene)
