"""Reads slices and child records from the API: many calls at once, answers passed on in page order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from etl.api.event_loop import Put
from etl.api.protocol import Answer, Call, CallFailed, NotFound, make_records, page_call, parent_call, whole_call
from etl.catalogue import Resource
from etl.engine.answers import FetchedPage, FetchFailed, to_fetched_page
from etl.errors import ApiUnavailable, UnexpectedResponse
from etl.extract.date_ranges import DateRange, is_too_long, split_by_quarter, split_by_total
from etl.extract.source_tenant import check_source_tenant, is_shared
from etl.ledger.children import ChildRequest
from etl.ledger.slices import Slice
from etl.models.sources import in_words as describe_source
from etl.models.states import CallOutcome

#: Slices read in parallel, so that many short slices are as fast as one long slice.
PARALLEL_SLICES = 4
#: Pages read beyond the announced ones before a list is considered endless. The announced number may grow during the
#: reading: up to double, plus this number.
MAX_EXTRA_PAGES = 1000
#: Consecutive empty pages after which the remaining announced pages are skipped; a single one may be an accident.
MAX_EMPTY_PAGES = 10
#: Items of a page of an undocumented resource that are looked at for the declared id.
ID_SAMPLE = 10


#: Returns how many calls of one list or queue may be in progress, or answered and waiting for earlier ones, right now.
PrefetchLimit = Callable[[], int]


class PageSource(Protocol):
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
        """Whether further pages are expected to be empty, regardless of the announced total."""
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
        api: PageSource,
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
        self.is_shared = is_shared(resource)
        self.source_tenant: str | None = None  #: the agency that a shared feed has spoken of so far

    def page_size_of(self, date_slice: Slice) -> int:
        """Return how many items a full page of a slice holds."""
        paging = self.resource.endpoints[date_slice.endpoint].paging
        return min(self.page_size, paging.largest) if paging else 0

    def call_for(self, date_slice: Slice, page: int) -> Call:
        """Return the call for one page of a slice."""
        endpoint = self.resource.endpoints[date_slice.endpoint]
        if endpoint.paging is None and endpoint.dates is None:
            return whole_call(self.resource, endpoint)
        return page_call(self.resource, endpoint, date_slice.first_day, date_slice.last_day, page, self.page_size)

    def example_call(self) -> Call:
        """Return a call for a parent that does not exist, to name the resource in a message."""
        return parent_call(self.resource, self.resource.endpoints[0], "0")

    async def fetch_page(self, date_slice: Slice, page: int) -> FetchedPage:
        """Fetch one page of a slice."""
        call = self.call_for(date_slice, page)
        answer = await self.api.fetch(call)
        self.check_ids(call, answer, None)
        if self.is_shared:
            self.source_tenant = check_source_tenant(self.resource.name, answer.page.items, self.source_tenant)
        return to_fetched_page(call, answer, date_slice, None)

    def check_ids(self, call: Call, answer: Answer, child: ChildRequest | None) -> None:
        """Raise UnexpectedResponse when an undocumented call answers with items of which none has the declared id."""
        if self.resource.documented or not answer.page.items:
            return
        sample = replace(answer.page, items=answer.page.items[:ID_SAMPLE])
        endpoint = self.resource.endpoints[call.endpoint]
        if not make_records(self.resource, endpoint, sample, requested_at=answer.requested_at, parent=child).item_ids:
            raise UnexpectedResponse(f"{call}: the items have no {describe_source(self.resource.id)}.")

    async def read_slices(
        self, put: Put[FetchedPage], date_slices: Sequence[Slice], read: Mapping[int, Mapping[int, int]]
    ) -> None:
        """Read slices, skipping the pages that `read` names by slice, and put every answer."""
        limit = asyncio.Semaphore(PARALLEL_SLICES)
        self.parallel_slices = min(PARALLEL_SLICES, max(1, len(date_slices)))

        async def read_when_free(date_slice: Slice) -> None:
            async with limit:
                await self.read_slice(put, date_slice, read.get(date_slice.number, {}))

        try:
            async with asyncio.TaskGroup() as group:
                for date_slice in date_slices:
                    group.create_task(read_when_free(date_slice))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    def prefetch_per_slice(self) -> int:
        """Return how many pages of one slice may be in progress.

        Answers wait for the pages before them: together the slices hold little more than the calls in progress.
        """
        return share_of_calls(self.prefetch(), self.parallel_slices)

    async def read_slice(self, put: Put[FetchedPage], date_slice: Slice, read: Mapping[int, int]) -> None:
        """Read one slice: its first missing page, the announced pages, and more while full pages bring new records."""
        if self.resource.endpoints[date_slice.endpoint].paging is None:
            if not read:
                await put(await self.fetch_page(date_slice, 1))
            return
        size = self.page_size_of(date_slice)
        progress = SliceProgress(size)
        page = next(number for number in range(1, len(read) + 2) if number not in read)
        if page > 1 and read[page - 1] < size and len(read) == page - 1:
            return
        await self.read_page(put, date_slice, page, progress)
        announced = progress.last_page
        end = self.max_pages or 2 * announced + MAX_EXTRA_PAGES
        page = await self.read_announced_pages(put, date_slice, page, progress, read, end)
        while progress.may_have_more and page < end:
            page += 1
            await self.read_page(put, date_slice, page, progress)
        if progress.may_have_more and self.max_pages is None:
            name = self.resource.name
            raise ApiUnavailable(
                f"{name} does not end: the API announced {announced} pages, but page {page} still has new records."
            )

    async def read_announced_pages(
        self,
        put: Put[FetchedPage],
        date_slice: Slice,
        page: int,
        progress: SliceProgress,
        read: Mapping[int, int],
        end: int,
    ) -> int:
        """Read the announced pages after `page`, up to `end` and while they hold records; return the last number."""
        while page < min(progress.last_page, end) and not progress.is_over:
            last = min(progress.last_page, end, page + MAX_EXTRA_PAGES)
            calls = [
                partial(self.fetch_page, date_slice, number)
                for number in range(page + 1, last + 1)
                if number not in read
            ]
            page = last
            async with aclosing(run_in_order(calls, self.prefetch_per_slice)) as answers:
                async for answer in answers:
                    progress.update(answer)
                    await put(answer)
                    if progress.is_over:
                        break
        return page

    async def read_page(self, put: Put[FetchedPage], date_slice: Slice, page: int, progress: SliceProgress) -> None:
        """Fetch and put one page."""
        answer = await self.fetch_page(date_slice, page)
        progress.update(answer)
        await put(answer)

    async def plan_date_ranges(self, endpoint_index: int, date_range: DateRange) -> list[DateRange]:
        """Return a date range split so that each part can be paged, asking the API for the total of each part.

        Where the API reports no total, no part is longer than a quarter.
        """
        endpoint = self.resource.endpoints[endpoint_index]
        answer = await self.api.fetch(page_call(self.resource, endpoint, date_range.first, date_range.last, 1, 1))
        total = answer.page.total
        if total is None:
            return split_by_quarter(date_range)
        size = min(self.page_size, endpoint.paging.largest) if endpoint.paging else self.page_size
        if not is_too_long(date_range, total, size):
            return [date_range]
        parts = await asyncio.gather(
            *(self.plan_date_ranges(endpoint_index, part) for part in split_by_total(date_range, total, size))
        )
        return [part for ranges in parts for part in ranges]

    async def read_children(self, put: Put[FetchedPage | FetchFailed], children: Sequence[ChildRequest]) -> None:
        """Fetch the child records of each parent and put every answer or failure."""
        calls = [lambda child=child: self.read_child(child) for child in children]
        async for result in run_in_order(calls, lambda: 4 * self.prefetch()):
            await put(result)

    async def read_child(self, child: ChildRequest) -> FetchedPage | FetchFailed:
        """Fetch the child records of one parent."""
        call = parent_call(self.resource, self.resource.endpoints[0], child.parent_id)
        try:
            answer = await self.api.fetch(call)
            self.check_ids(call, answer, child)
        except NotFound as error:
            return FetchFailed(child, str(error), CallOutcome.NOT_FOUND)
        except ApiUnavailable as error:
            return FetchFailed(child, str(error), is_call_failure=isinstance(error, CallFailed))
        if answer.page.says_nothing and child.has_answered:
            reason = f"{call}: QQCatalyst answered without a list or an object, although it gave one before."
            return FetchFailed(child, reason, CallOutcome.NO_ANSWER)
        return to_fetched_page(call, answer, None, child)
