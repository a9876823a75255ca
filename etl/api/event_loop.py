"""The bridge between blocking code and the event loop that talks to the API: a loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from etl.api.byte_budget import ByteBudget, Reservation
from etl.errors import Interrupted

T = TypeVar("T")
Put = Callable[[T], Awaitable[None]]

#: How often a waiting thread looks up, in seconds, so that signals are heard.
PULSE = 0.5

#: Bytes of answers that wait to be taken into the database, of all streams together.
BYTES_IN_MEMORY = 24 * 2**20


class _End:
    """The last item of a stream."""


class EventLoopThread:
    """Runs coroutines in a loop of its own thread, and streams what they produce through a bounded buffer."""

    def __init__(self, stop: threading.Event | None = None, bytes_in_memory: int = BYTES_IN_MEMORY) -> None:
        """Hold so many bytes of all streams in memory."""
        self.budget = ByteBudget(bytes_in_memory)
        self.halted = False  #: whether no thread is to wait any longer
        self._stop = stop or threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return what it returns.

        An interrupted wait cancels it; raises Interrupted soon after the run was asked to stop, or halted.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        while True:
            try:
                return future.result(timeout=PULSE)
            except TimeoutError:
                if future.done():
                    raise
                if self._stop.is_set() or self.halted:
                    future.cancel()
                    raise Interrupted from None
            except BaseException:
                future.cancel()
                raise

    @contextmanager
    def holding(self, weight: Callable[[T], int]) -> Iterator[Reservation[T]]:
        """Give a stream its part of the byte budget, for as long as the block runs; `weight` is in bytes."""
        held = Reservation(self.budget, weight)
        try:
            yield held
        finally:
            self._loop.call_soon_threadsafe(held.leave)

    def release(self, held: Reservation[T], size: int, _done: object = None) -> None:
        """Free some bytes of what a stream holds, whose items are done with."""
        self._loop.call_soon_threadsafe(held.give, size)

    def stream(
        self, produce: Callable[[Put[T]], Coroutine[Any, Any, None]], most: int, held: Reservation[T] | None = None
    ) -> Generator[list[T], None, None]:
        """Yield what `produce` puts, in lists of all that waits, at least one and at most `most` items.

        A slow producer is thus followed item by item, and a fast one in bulk; each item waits for the byte budget where
        it is to be `held`. Its error is raised here; closing the iterator cancels it.
        """
        queue: asyncio.Queue[T | type[_End]] = asyncio.Queue(maxsize=most)

        async def put(item: T) -> None:
            if held is not None:
                await held.take(item)
            await queue.put(item)

        async def work() -> None:
            try:
                await produce(put)
            finally:
                await queue.put(_End)

        task = asyncio.run_coroutine_threadsafe(work(), self._loop)
        try:
            ended = False
            while not ended:
                waiting = self.run(take_waiting(queue))
                ended = waiting[-1] is _End
                items = [item for item in waiting if item is not _End]
                if items:
                    yield items
            task.result()
        finally:
            if not task.done():
                task.cancel()
                self.run(drain(queue))


async def take_waiting(queue: "asyncio.Queue[Any]") -> list[Any]:
    """Return everything that waits in a queue, and at least one item."""
    items = [await queue.get()]
    while not queue.empty():
        items.append(queue.get_nowait())
    return items


async def drain(queue: "asyncio.Queue[Any]") -> None:
    """Empty a queue, so that a producer that waits to put its last item can."""
    while not queue.empty():
        queue.get_nowait()
    await asyncio.sleep(0)
    while not queue.empty():
        queue.get_nowait()
