"""Reading slices and children from the API: many calls under way, answers handed on in the order of their pages."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from etl.api.event_loop import Put
from etl.api.protocol import Answer, Call, NotFound, page_call, parent_call, whole_call
from etl.catalogue import Resource
from etl.engine.answers import Fetched, Missed, fetched
from etl.errors import ApiUnavailable
from etl.extract.date_ranges import Days, cut, is_too_long, quarters
from etl.ledger.children import Child
from etl.ledger.slices import Slice

#: Slices read side by side, so that many short ones are as fast as one long one.
SIDE_BY_SIDE = 4
#: Pages beyond the announced ones that are asked for before a list is taken to be endless. An announcement that grows
#: while it is followed is one of those: it may double, and grow by this on top.
BEYOND = 1000
#: Empty pages in a row after which nothing is expected of those announced behind them; one alone may be a mishap.
EMPTY_IN_A_ROW = 10


#: Says how many calls of one list or queue may be under way, or answered and waiting for those before them, just now.
Ahead = Callable[[], int]


class Api(Protocol):
    """What reading needs of the client."""

    async def fetch(self, call: Call) -> Answer:
        """Return the answer to a call."""


@dataclass(slots=True)
class Progress:
    """What is known of a slice while it is read."""

    size: int  #: items of a full page
    last: int = 1  #: the last page announced
    seen: set[bytes] = field(default_factory=set)  #: digests of pages, to know one that repeats
    empty: int = 0  #: pages in a row
    repeats: bool = False  #: whether the newest page came before
    goes_on: bool = False  #: whether there may be a page behind the newest one: it is full and did not come before

    def learn(self, fetched: Fetched) -> None:
        """Take in what an answer says of the slice's length."""
        page = fetched.answer.page
        if page.total:
            self.last = max(self.last, -(-page.total // self.size))
        if page.pages:
            self.last = max(self.last, page.pages)
        self.empty = 0 if page.items else self.empty + 1
        self.repeats = bool(page.items) and fetched.digest in self.seen
        self.goes_on = len(page.items) >= self.size and not self.repeats
        self.seen.add(fetched.digest)

    @property
    def is_over(self) -> bool:
        """Whether nothing is to be expected of further pages, whatever was announced."""
        return self.repeats or self.empty >= EMPTY_IN_A_ROW


async def in_order(calls: Sequence[Callable[[], Coroutine[Any, Any, Any]]], ahead: Ahead) -> AsyncGenerator[Any, None]:
    """Yield the results of `calls` in their order, with `ahead` of them under way, which may change meanwhile."""
    waiting: deque[asyncio.Task[Any]] = deque()
    upcoming = iter(calls)
    try:
        for call in upcoming:
            waiting.append(asyncio.create_task(call()))
            while len(waiting) >= ahead():
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def share_of(calls: int, beside: int) -> int:
    """Return how many of the calls under way are for one of so many readers: one more than its share, as some wait."""
    return calls if beside <= 1 else calls // beside + 1


class Reader:
    """Reads one resource."""

    def __init__(
        self, api: Api, resource: Resource, page_size: int, ahead: Ahead, *, most_pages: int | None = None
    ) -> None:
        """Read pages of `page_size` with `ahead` calls under way; `most_pages` ends each slice early, for a look."""
        self.api = api
        self.resource = resource
        self.page_size = page_size
        self.ahead = ahead
        self.most_pages = most_pages
        self.slices_beside = 1

    def size_of(self, one: Slice) -> int:
        """Return how many items a full page of a slice holds."""
        paging = self.resource.endpoints[one.endpoint].paging
        return min(self.page_size, paging.largest) if paging else 0

    def call_for(self, one: Slice, page: int) -> Call:
        """Return the call for one page of a slice."""
        endpoint = self.resource.endpoints[one.endpoint]
        if endpoint.paging is None and endpoint.dates is None:
            return whole_call(self.resource, endpoint)
        return page_call(self.resource, endpoint, one.first_day, one.last_day, page, self.page_size)

    def example(self) -> Call:
        """Return a call for a parent that nobody has, to name the resource in a message."""
        return parent_call(self.resource, self.resource.endpoints[0], "0")

    async def fetch(self, one: Slice, page: int) -> Fetched:
        """Ask for one page of a slice."""
        call = self.call_for(one, page)
        return fetched(call, await self.api.fetch(call), one, None)

    async def slices(self, put: Put[Fetched], some: Sequence[Slice], read: Mapping[int, Mapping[int, int]]) -> None:
        """Read slices, leaving out the pages that `read` names by slice, and put every answer."""
        gate = asyncio.Semaphore(SIDE_BY_SIDE)
        self.slices_beside = min(SIDE_BY_SIDE, max(1, len(some)))

        async def one_slice(one: Slice) -> None:
            async with gate:
                await self.slice(put, one, read.get(one.number, {}))

        try:
            async with asyncio.TaskGroup() as group:
                for one in some:
                    group.create_task(one_slice(one))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    def apart(self) -> int:
        """Return how many pages of one slice are under way.

        Answers wait for those before them, page by page: together the slices hold little more than the calls do.
        """
        return share_of(self.ahead(), self.slices_beside)

    async def slice(self, put: Put[Fetched], one: Slice, read: Mapping[int, int]) -> None:
        """Read one slice: its first missing page, those announced, and on as long as full pages bring news."""
        if self.resource.endpoints[one.endpoint].paging is None:
            if not read:
                await put(await self.fetch(one, 1))
            return
        size = self.size_of(one)
        progress = Progress(size)
        page = next(number for number in range(1, len(read) + 2) if number not in read)
        if page > 1 and read[page - 1] < size and len(read) == page - 1:
            return
        await self.take(put, one, page, progress)
        announced = progress.last
        end = self.most_pages or 2 * announced + BEYOND
        page = await self.announced(put, one, page, progress, read, end)
        while progress.goes_on and page < end:
            page += 1
            await self.take(put, one, page, progress)
        if progress.goes_on and self.most_pages is None:
            name = self.resource.name
            raise ApiUnavailable(f"{name} has no end: {announced} pages were announced, and page {page} brings more.")

    async def announced(
        self, put: Put[Fetched], one: Slice, page: int, progress: Progress, read: Mapping[int, int], end: int
    ) -> int:
        """Read the announced pages behind one, as far as `end` and while they bring something, and return the last."""
        while page < min(progress.last, end) and not progress.is_over:
            last = min(progress.last, end, page + BEYOND)
            calls = [partial(self.fetch, one, number) for number in range(page + 1, last + 1) if number not in read]
            page = last
            async with aclosing(in_order(calls, self.apart)) as answers:
                async for answer in answers:
                    progress.learn(answer)
                    await put(answer)
                    if progress.is_over:
                        break
        return page

    async def take(self, put: Put[Fetched], one: Slice, page: int, progress: Progress) -> None:
        """Fetch and put one page."""
        answer = await self.fetch(one, page)
        progress.learn(answer)
        await put(answer)

    async def stretches(self, place: int, days: Days) -> list[Days]:
        """Return the days of a window in pieces short enough to be paged, asking the API how much each holds.

        Where it does not say, no piece is longer than a quarter.
        """
        endpoint = self.resource.endpoints[place]
        answer = await self.api.fetch(page_call(self.resource, endpoint, days.first, days.last, 1, 1))
        total = answer.page.total
        if total is None:
            return quarters(days)
        size = min(self.page_size, endpoint.paging.largest) if endpoint.paging else self.page_size
        if not is_too_long(days, total, size):
            return [days]
        pieces = await asyncio.gather(*(self.stretches(place, piece) for piece in cut(days, total, size)))
        return [piece for some in pieces for piece in some]

    async def children(self, put: Put[Fetched | Missed], some: Sequence[Child]) -> None:
        """Ask for the details of each parent and put every answer, or why there is none."""
        calls = [lambda child=child: self.child(child) for child in some]
        async for result in in_order(calls, lambda: 4 * self.ahead()):
            await put(result)

    async def child(self, child: Child) -> Fetched | Missed:
        """Ask for the details of one parent."""
        call = parent_call(self.resource, self.resource.endpoints[0], child.parent_id)
        try:
            return fetched(call, await self.api.fetch(call), None, child)
        except NotFound as gone:
            return Missed(child, vanished=True, reason=str(gone))
        except ApiUnavailable as failed:
            return Missed(child, vanished=False, reason=str(failed))
