"""Runs the API's event loop in a separate thread, for blocking code."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from etl.api.byte_budget import ByteBudget, Reservation
from etl.errors import Interrupted

T = TypeVar("T")
Put = Callable[[T], Awaitable[None]]

#: How often a waiting thread checks for signals, in seconds.
PULSE = 0.5

#: How long the end waits for canceled tasks, in seconds.
CANCEL_SECONDS = 5.0

#: Bytes of answers that wait to be written to the database, of all streams together.
BYTES_IN_MEMORY = 24 * 2**20


async def cancel_others() -> None:
    """Cancel all other tasks of the running loop, and wait until they have ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        if not task.cancelling():  # a second cancellation would interrupt what it does at its end
            task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class _End:
    """The last item of a stream."""


class EventLoopThread:
    """Runs coroutines in a separate thread, and streams their items through a bounded buffer."""

    def __init__(self, stop: threading.Event | None = None, bytes_in_memory: int = BYTES_IN_MEMORY) -> None:
        """Keep at most `bytes_in_memory` bytes of all streams in memory."""
        self.budget = ByteBudget(bytes_in_memory)
        self.halted = False  #: whether waiting threads are interrupted
        self._stop = stop or threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="event loop", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A task that was canceled needs further turns of the loop; left pending, it would be destroyed later.
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(cancel_others(), self._loop).result(timeout=CANCEL_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return its result.

        An interrupted wait cancels it. Raises Interrupted soon after a request to stop or halt.
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
        """Yield a stream's reservation of the byte budget, released after the block; `weight` is in bytes."""
        held = Reservation(self.budget, weight)
        try:
            yield held
        finally:
            self._loop.call_soon_threadsafe(held.leave)

    def release(self, held: Reservation[T], size: int, _done: object = None) -> None:
        """Release the bytes of a stream's processed items."""
        self._loop.call_soon_threadsafe(held.give, size)

    def stream(
        self, produce: Callable[[Put[T]], Coroutine[Any, Any, None]], most: int, held: Reservation[T] | None = None
    ) -> Generator[list[T], None, None]:
        """Yield the items that `produce` puts, in lists of all waiting items, from 1 to `most`.

        So items of a slow producer come one by one and items of a fast one in bulk. With a reservation in `held`, each
        item waits for the byte budget. The producer's error is raised here; closing the iterator cancels it.
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
    """Return all items in a queue; wait for the first."""
    items = [await queue.get()]
    while not queue.empty():
        items.append(queue.get_nowait())
    return items


async def drain(queue: "asyncio.Queue[Any]") -> None:
    """Empty a queue, so that a waiting producer can put its last item."""
    while not queue.empty():
        queue.get_nowait()
    await asyncio.sleep(0)
    while not queue.empty():
        queue.get_nowait()
