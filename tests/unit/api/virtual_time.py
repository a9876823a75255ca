"""Workers that call an API as fast as their pace allows, in a time that passes by itself while everybody waits."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from etl.api.rate_limit.buckets import MemoryBucket
from etl.api.rate_limit.pacer import Pacer
from etl.ledger.rates import Bucket

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


def play(scene: Callable[[VirtualLoop], Coroutine[Any, Any, None]]) -> None:
    """Play a scene in virtual time."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(scene(loop))
    finally:
        loop.close()


class FarBucket:
    """A bucket that takes a few milliseconds to ask, as one in a database does."""

    def __init__(self, bucket: MemoryBucket, dice: random.Random) -> None:
        self._bucket = bucket
        self._dice = dice

    async def _after(self, answer: Callable[[], Coroutine[Any, Any, T]]) -> T:
        await asyncio.sleep(self._dice.uniform(0.001, 0.004))
        found = await answer()
        await asyncio.sleep(self._dice.uniform(0.001, 0.004))
        return found

    async def look(self) -> Bucket:
        return await self._after(self._bucket.look)

    async def take(self, changes: int, span: float, count: int) -> Bucket | None:
        return await self._after(lambda: self._bucket.take(changes, span, count))

    async def change(self, changes: int, pace: tuple[float, float, float], hold: float) -> Bucket | None:
        return await self._after(lambda: self._bucket.change(changes, pace, hold))

    async def hold(self, seconds: float) -> Bucket:
        return await self._after(lambda: self._bucket.hold(seconds))

    async def lift(self) -> Bucket:
        return await self._after(self._bucket.lift)


@dataclass
class Api:
    """An API that takes so many calls in any second, and refuses the others; each answer takes a while."""

    limit: int
    latency: float
    dice: random.Random
    granted: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self._admitted = deque[float]()

    async def call(self, clock: Callable[[], float]) -> bool:
        """Call it, and return whether it answered."""
        await asyncio.sleep(self.latency * self.dice.uniform(1.0, 1.1))
        while self._admitted and self._admitted[0] <= clock() - 1.0:
            self._admitted.popleft()
        if len(self._admitted) >= self.limit:
            self.refused += 1
            return False
        self._admitted.append(clock())
        self.granted += 1
        return True


@dataclass(frozen=True)
class Used:
    """What came of it: the share of the allowed calls that was used, and of the calls that were refused."""

    used: float
    refused: float


def work(*, cap: float, workers: int, limit: int, latency: float = 0.15, seconds: float = 60.0, seed: int = 1) -> Used:
    """Let workers with eight calls under way each call for so many seconds, and return what came of it."""
    dice = random.Random(seed)
    api = Api(limit, latency, dice)

    async def scene(loop: VirtualLoop) -> None:
        bucket = MemoryBucket(loop.time)

        async def caller(pacer: Pacer) -> None:
            while True:
                await pacer.turn()
                sent = loop.time()
                if await api.call(loop.time):
                    await pacer.took("contacts", loop.time() - sent)
                else:
                    await pacer.complain(sent, 1.0)
                    await asyncio.sleep(1.0 + dice.random())

        async def worker() -> None:
            await asyncio.sleep(dice.uniform(0.0, 0.5))
            pacer = Pacer(cap, FarBucket(bucket, dice), asyncio.sleep, loop.time)
            await pacer.begin()
            await asyncio.gather(*(caller(pacer) for _ in range(8)))

        tasks = [asyncio.create_task(worker()) for _ in range(workers)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    play(scene)
    return Used(api.granted / seconds / limit, api.refused / max(1, api.granted + api.refused))
