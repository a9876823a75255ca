"""Reads slices and child records from the API: many calls at once, answers passed on in page order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from etl.api.event_loop import Put
from etl.api.protocol import Answer, Call, Vanished, page_call, parent_call, whole_call
from etl.catalogue import Resource
from etl.engine.answers import FetchedPage, FetchFailed, to_fetched_page
from etl.errors import ApiUnavailable
from etl.extract.date_ranges import DateRange, is_too_long, split_by_quarter, split_by_total
from etl.ledger.children import Child
from etl.ledger.slices import Slice

#: Slices read in parallel, so that many short slices are as fast as one long slice.
PARALLEL_SLICES = 4
#: Pages read beyond the announced ones before a list is considered endless. The announced number may grow during the
#: reading: up to double, plus this number.
MAX_EXTRA_PAGES = 1000
#: Consecutive empty pages after which the remaining announced pages are skipped; a single one may be an accident.
MAX_EMPTY_PAGES = 10


#: Returns how many calls of one list or queue may be in progress, or answered and waiting for earlier ones, right now.
PrefetchLimit = Callable[[], int]


class ApiClient(Protocol):
    """The part of the API client that reading needs."""

    async def fetch(self, call: Call) -> Answer:
        """Return the answer to a call."""


@dataclass(slots=True)
class SliceProgress:
    """What is known of a slice while it is read."""

    page_size: int  #: items of a full page
    last_page: int = 1  #: the last announced page
    seen_digests: set[bytes] = field(default_factory=set)  #: digests of pages, to detect a repeated one
    empty_pages: int = 0  #: consecutive empty pages
    is_repeated: bool = False  #: whether the newest page was seen before
    may_have_more: bool = False  #: whether another page may follow: the newest one is full and was not seen before

    def update(self, fetched: FetchedPage) -> None:
        """Update from an answer what is known of the slice's length."""
        page = fetched.answer.page
        if page.total:
            self.last_page = max(self.last_page, -(-page.total // self.page_size))
        if page.pages:
            self.last_page = max(self.last_page, page.pages)
        self.empty_pages = 0 if page.items else self.empty_pages + 1
        self.is_repeated = bool(page.items) and fetched.digest in self.seen_digests
        self.may_have_more = len(page.items) >= self.page_size and not self.is_repeated
        self.seen_digests.add(fetched.digest)

    @property
    def is_over(self) -> bool:
        """Whether further pages are expected to hold nothing, whatever total was announced."""
        return self.is_repeated or self.empty_pages >= MAX_EMPTY_PAGES


async def run_in_order(
    calls: Sequence[Callable[[], Coroutine[Any, Any, Any]]], prefetch: PrefetchLimit
) -> AsyncGenerator[Any, None]:
    """Yield the results of `calls` in order, with up to `prefetch()` of them in progress; the limit may change."""
    tasks: deque[asyncio.Task[Any]] = deque()
    upcoming = iter(calls)
    try:
        for call in upcoming:
            tasks.append(asyncio.create_task(call()))
            while len(tasks) >= prefetch():
                yield await tasks.popleft()
        while tasks:
            yield await tasks.popleft()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def share_of_calls(calls: int, readers: int) -> int:
    """Return the concurrent calls of one of several readers: one more than an equal share, as some calls wait."""
    return calls if readers <= 1 else calls // readers + 1


class ResourceReader:
    """Reads one resource."""

    def __init__(
        self,
        api: ApiClient,
        resource: Resource,
        page_size: int,
        prefetch: PrefetchLimit,
        *,
        max_pages: int | None = None,
    ) -> None:
        """Read pages of `page_size` with `prefetch` calls in progress; `max_pages` ends each slice early."""
        self.api = api
        self.resource = resource
        self.page_size = page_size
        self.prefetch = prefetch
        self.max_pages = max_pages
        self.parallel_slices = 1

    def size_of(self, one: Slice) -> int:
        """Return how many items a full page of a slice holds."""
        paging = self.resource.endpoints[one.endpoint].paging
        return min(self.page_size, paging.largest) if paging else 0

    def call_for(self, date_slice: Slice, page: int) -> Call:
        """Return the call for one page of a slice."""
        endpoint = self.resource.endpoints[date_slice.endpoint]
        if endpoint.paging is None and endpoint.dates is None:
            return whole_call(self.resource, endpoint)
        return page_call(self.resource, endpoint, date_slice.first_day, date_slice.last_day, page, self.page_size)

    def example(self) -> Call:
        """Return a call for a parent that nobody has, to name the resource in a message."""
        return parent_call(self.resource, self.resource.endpoints[0], "0")

    async def fetch(self, one: Slice, page: int) -> FetchedPage:
        """Ask for one page of a slice."""
        call = self.call_for(one, page)
        return to_fetched_page(call, await self.api.fetch(call), one, None)

    async def slices(self, put: Put[FetchedPage], some: Sequence[Slice], read: Mapping[int, Mapping[int, int]]) -> None:
        """Read slices, leaving out the pages that `read` names by slice, and put every answer."""
        gate = asyncio.Semaphore(PARALLEL_SLICES)
        self.parallel_slices = min(PARALLEL_SLICES, max(1, len(some)))

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
        return share_of_calls(self.prefetch(), self.parallel_slices)

    async def slice(self, put: Put[FetchedPage], one: Slice, read: Mapping[int, int]) -> None:
        """Read one slice: its first missing page, those announced, and on as long as full pages bring news."""
        if self.resource.endpoints[one.endpoint].paging is None:
            if not read:
                await put(await self.fetch(one, 1))
            return
        size = self.size_of(one)
        progress = SliceProgress(size)
        page = next(number for number in range(1, len(read) + 2) if number not in read)
        if page > 1 and read[page - 1] < size and len(read) == page - 1:
            return
        await self.take(put, one, page, progress)
        announced = progress.last_page
        end = self.max_pages or 2 * announced + MAX_EXTRA_PAGES
        page = await self.announced(put, one, page, progress, read, end)
        while progress.may_have_more and page < end:
            page += 1
            await self.take(put, one, page, progress)
        if progress.may_have_more and self.max_pages is None:
            name = self.resource.name
            raise ApiUnavailable(f"{name} has no end: {announced} pages were announced, and page {page} brings more.")

    async def announced(
        self, put: Put[FetchedPage], one: Slice, page: int, progress: SliceProgress, read: Mapping[int, int], end: int
    ) -> int:
        """Read the announced pages behind one, as far as `end` and while they bring something, and return the last."""
        while page < min(progress.last_page, end) and not progress.is_over:
            last = min(progress.last_page, end, page + MAX_EXTRA_PAGES)
            calls = [partial(self.fetch, one, number) for number in range(page + 1, last + 1) if number not in read]
            page = last
            async with aclosing(run_in_order(calls, self.apart)) as answers:
                async for answer in answers:
                    progress.update(answer)
                    await put(answer)
                    if progress.is_over:
                        break
        return page

    async def take(self, put: Put[FetchedPage], one: Slice, page: int, progress: SliceProgress) -> None:
        """Fetch and put one page."""
        answer = await self.fetch(one, page)
        progress.update(answer)
        await put(answer)

    async def stretches(self, place: int, days: DateRange) -> list[DateRange]:
        """Return the days of a window in pieces short enough to be paged, asking the API how much each holds.

        Where it does not say, no piece is longer than a quarter.
        """
        endpoint = self.resource.endpoints[place]
        answer = await self.api.fetch(page_call(self.resource, endpoint, days.first, days.last, 1, 1))
        total = answer.page.total
        if total is None:
            return split_by_quarter(days)
        size = min(self.page_size, endpoint.paging.largest) if endpoint.paging else self.page_size
        if not is_too_long(days, total, size):
            return [days]
        pieces = await asyncio.gather(*(self.stretches(place, piece) for piece in split_by_total(days, total, size)))
        return [piece for some in pieces for piece in some]

    async def children(self, put: Put[FetchedPage | FetchFailed], some: Sequence[Child]) -> None:
        """Ask for the details of each parent and put every answer, or why there is none."""
        calls = [lambda child=child: self.child(child) for child in some]
        async for result in run_in_order(calls, lambda: 4 * self.prefetch()):
            await put(result)

    async def child(self, child: Child) -> FetchedPage | FetchFailed:
        """Ask for the details of one parent."""
        call = parent_call(self.resource, self.resource.endpoints[0], child.parent_id)
        try:
            return to_fetched_page(call, await self.api.fetch(call), None, child)
        except Vanished as gone:
            return FetchFailed(child, not_found=True, reason=str(gone))
        except ApiUnavailable as failed:
            return FetchFailed(child, not_found=False, reason=str(failed))
