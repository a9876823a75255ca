"""Reads slices of a feed or list: many calls at once, answers passed on in page order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from etl.api.event_loop import Put
from etl.api.protocol import Answer, Call, page_call, whole_call
from etl.catalogue.resource import Resource
from etl.engine.answers import FetchedPage, to_fetched_page
from etl.errors import ApiUnavailable, CallFailed, EndpointRefused, PageSizeRefused, RangeTooLong
from etl.extract.date_ranges import (
    MAX_FIRST_PAGES,
    SHORTEST_SPLIT_DAYS,
    DateRange,
    RangeLimits,
    is_short,
    is_too_long,
    split_by_quarter,
    split_by_total,
)
from etl.extract.id_check import IdCheck
from etl.extract.page_size import PageSource
from etl.extract.source_tenant import check_source_tenant, is_shared
from etl.ledger.slices import Slice

T = TypeVar("T")

#: Slices read in parallel, so that many short slices are as fast as one long slice.
PARALLEL_SLICES = 4
#: Pages read beyond the announced ones before a list is considered endless. The announced number may grow during the
#: reading: up to double, plus this number.
MAX_EXTRA_PAGES = 1000
#: Consecutive empty pages after which the remaining announced pages are skipped; a single one may be a fault.
MAX_EMPTY_PAGES = 10


#: Attempts at a call for a shorter date range, once the server has failed at a longer one.
ATTEMPTS_AFTER_FAILURE = 2


#: Returns how many calls of one list or queue may be in progress, or answered and waiting for earlier ones, right now.
PrefetchLimit = Callable[[], int]


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

    def next_pages(self, page: int, end: int) -> list[int]:
        """Return the numbers of the pages to read after `page`: the announced ones, or one more that may have records.

        None is beyond `end`.
        """
        announced = min(self.last_page, end, page + MAX_EXTRA_PAGES)
        if page < announced and not self.is_over:
            return list(range(page + 1, announced + 1))
        return [page + 1] if self.may_have_more and page < end else []

    @property
    def is_over(self) -> bool:
        """Whether further pages are expected to be empty, regardless of the announced total."""
        return self.is_repeated or self.empty_pages >= MAX_EMPTY_PAGES


async def run_in_order(calls: Iterable[Coroutine[Any, Any, T]], prefetch: PrefetchLimit) -> AsyncGenerator[T, None]:
    """Yield the results of `calls` in order, with up to `prefetch()` of them in progress; the limit may change."""
    tasks: deque[asyncio.Task[T]] = deque()
    try:
        for call in calls:
            tasks.append(asyncio.create_task(call))
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


def as_key(call: Call) -> Call:
    """Return a call as it is for any number of attempts: its answer is the same."""
    return replace(call, divisible=False, attempts=None)


class ResourceReader:
    """Reads the slices of one resource."""

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
        self.limits = RangeLimits()
        self.parallel_slices = 1
        self.first_pages: dict[Call, Answer] = {}  #: answers with a total, and serve as the first page
        self.is_shared = is_shared(resource)
        self.ids = IdCheck(resource)
        self.source_tenant: str | None = None  #: the agency that a shared feed has spoken of so far

    def page_size_of(self, date_slice: Slice) -> int:
        """Return how many items a full page of a slice holds."""
        paging = self.resource.endpoints[date_slice.endpoint].paging
        return min(date_slice.page_size or self.page_size, paging.largest) if paging else 0

    def call_for(self, date_slice: Slice, page: int) -> Call:
        """Return the call for one page of a slice."""
        endpoint = self.resource.endpoints[date_slice.endpoint]
        if endpoint.paging is None and endpoint.dates is None:
            return whole_call(self.resource, endpoint)
        size = date_slice.page_size or self.page_size
        call = page_call(self.resource, endpoint, date_slice.first_day, date_slice.last_day, page, size)
        return self.divisible(call, date_slice.days)

    def divisible(self, call: Call, days: int) -> Call:
        """Return a call for this many days, which is replaced by calls for fewer days where the server fails at it."""
        attempts = None if self.limits.failed is None else ATTEMPTS_AFTER_FAILURE
        return replace(call, divisible=True, attempts=attempts) if days > SHORTEST_SPLIT_DAYS else call

    @contextmanager
    def naming_what_to_shorten(self, call: Call, days: int, size: int) -> Iterator[None]:
        """Raise an error of a call for this many days and pages of this size as what may help; 0: without them.

        Raises PageSizeRefused where smaller pages may be accepted, RangeTooLong where fewer days may be answered.
        """
        try:
            yield
        except EndpointRefused as refusal:
            if refusal.may_concern_size and size:
                raise PageSizeRefused(size, refusal) from refusal
            raise
        except ApiUnavailable as error:
            is_absence = isinstance(error, CallFailed) and not self.resource.is_documented
            if call.divisible and error.is_overload and not is_absence:
                raise RangeTooLong(days, error) from error
            raise
        self.limits.record_answer(days)

    async def fetch_page(self, date_slice: Slice, page: int) -> FetchedPage:
        """Fetch one page of a slice."""
        call = self.call_for(date_slice, page)
        answer = self.first_pages.pop(as_key(call), None)
        if answer is None:
            with self.naming_what_to_shorten(call, date_slice.days, self.page_size_of(date_slice)):
                answer = await self.api.fetch(call)
        self.ids.check(call, answer)
        if self.is_shared:
            self.source_tenant = check_source_tenant(self.resource.name, answer.page.items, self.source_tenant)
        return to_fetched_page(call, answer, date_slice, None)

    async def read_slices(
        self, put: Put[FetchedPage], date_slices: Sequence[Slice], read: Mapping[int, Mapping[int, int]]
    ) -> None:
        """Read slices, skipping the pages that `read` names by slice, and put every answer."""
        self.parallel_slices = min(PARALLEL_SLICES, max(1, len(date_slices)))
        turns = asyncio.Semaphore(PARALLEL_SLICES)
        try:
            async with asyncio.TaskGroup() as group:
                for date_slice in date_slices:
                    await turns.acquire()
                    task = group.create_task(self.read_slice(put, date_slice, read.get(date_slice.number, {})))
                    task.add_done_callback(lambda _: turns.release())
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
        numbers, announced = [page], 0
        while numbers:
            missing = (self.fetch_page(date_slice, number) for number in numbers if number not in read)
            async with aclosing(run_in_order(missing, self.prefetch_per_slice)) as answers:
                async for answer in answers:
                    progress.update(answer)
                    await put(answer)
                    if progress.is_over:
                        break
            announced = announced or progress.last_page  # by the first answer; the number may grow
            end = self.max_pages or 2 * announced + MAX_EXTRA_PAGES
            numbers = progress.next_pages(numbers[-1], end)
        if progress.may_have_more and self.max_pages is None:
            name = self.resource.name
            raise ApiUnavailable(
                f"{name} does not end: the API announced {announced} pages, but page {end} still has new records."
            )

    async def plan_date_ranges(self, endpoint_index: int, date_range: DateRange) -> list[DateRange]:
        """Return a date range split so that each part can be paged, by the total that its first page names.

        The first page of a part that is not split is kept, so that the total costs no call. Where the API reports no
        total, no part is longer than a quarter. Where the server fails at a part, its halves are asked for. Raises
        PageSizeRefused.
        """
        parts = self.limits.split(date_range)
        if len(parts) > 1:
            # The first part shows whether its length is answered, before the others are asked for.
            first = await self.plan_date_ranges(endpoint_index, parts[0])
            return [*first, *await self.plan_parts(endpoint_index, parts[1:])]
        if self.limits.failed is not None and self.limits.answered is not None and is_short(date_range):
            return [date_range]
        endpoint = self.resource.endpoints[endpoint_index]
        size = min(self.page_size, endpoint.paging.largest) if endpoint.paging else self.page_size
        call = page_call(self.resource, endpoint, date_range.first, date_range.last, 1, size)
        try:
            divisible = self.divisible(call, len(date_range))
            with self.naming_what_to_shorten(divisible, len(date_range), size if endpoint.paging else 0):
                answer = await self.api.fetch(divisible)
        except RangeTooLong as failure:
            self.limits.record_failure(failure.days)
            return await self.plan_date_ranges(endpoint_index, date_range)
        total = answer.page.total
        if total is None:
            return split_by_quarter(date_range)
        if not is_too_long(date_range, total, size):
            if len(self.first_pages) < MAX_FIRST_PAGES:
                self.first_pages[as_key(call)] = answer
            return [date_range]
        return await self.plan_parts(endpoint_index, split_by_total(date_range, total, size))

    async def plan_parts(self, endpoint_index: int, parts: Sequence[DateRange]) -> list[DateRange]:
        """Return date ranges split so that each part can be paged."""
        planned = await asyncio.gather(*(self.plan_date_ranges(endpoint_index, part) for part in parts))
        return [part for ranges in planned for part in ranges]
