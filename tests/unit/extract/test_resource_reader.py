"""Reading: which pages are requested, when a slice ends, and in which order answers are passed on."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from etl.api.protocol import Answer, Call, Page
from etl.engine.answers import FetchedPage, FetchFailed
from etl.errors import ApiUnavailable, EndpointRefused, NotFound, Refusal
from etl.extract import reader
from etl.extract.date_ranges import MAX_PAGES, DateRange
from etl.extract.details.child_reader import ChildReader
from etl.extract.reader import ResourceReader, run_in_order
from etl.ledger.children.queue import ChildRequest
from etl.ledger.slices import Slice
from etl.resources import find_resource

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NO_ROW = UUID(int=0)
DAYS = Slice(0, 0, date(2026, 3, 1), date(2026, 3, 2))
SIZE = 2


def three() -> int:
    """Return the number of concurrent calls."""
    return 3


def answer(items: Sequence[str], total: int | None = None, pages: int | None = None) -> Answer:
    """Return an answer with these items."""
    return Answer(200, {}, b"", Page([item.encode() for item in items], total, pages), 1.0, 1, NOW, None)


@dataclass
class FakeApi:
    """An API that answers by page number, with empty pages after the last one, and records the requested pages."""

    answers: Mapping[int, Answer]
    behind: Answer = field(default_factory=lambda: answer([]))
    asked: list[int] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    async def fetch(self, call: Call) -> Answer:
        page = call.page or 1
        self.asked.append(page)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        for _ in range(7 - page % 3):  # later pages may come before earlier ones
            await asyncio.sleep(0)
        self.under_way -= 1
        return self.answers.get(page, self.behind)


def numbered(*sizes: int, total: int | None = None, pages: int | None = None) -> dict[int, Answer]:
    """Return pages of these sizes with distinct items."""
    return {
        number: answer([f"{number}.{item}" for item in range(size)], total, pages)
        for number, size in enumerate(sizes, start=1)
    }


def read(
    api: FakeApi, date_slice: Slice = DAYS, staged_pages: Mapping[int, int] | None = None, name: str = "contacts"
) -> list[int]:
    """Read a slice and return the pages in the order in which they were passed on."""
    put: list[FetchedPage] = []

    async def keep(fetched: FetchedPage) -> None:
        put.append(fetched)

    asyncio.run(
        ResourceReader(api, find_resource(name), SIZE, prefetch=three).read_slices(
            keep, [date_slice], {date_slice.number: staged_pages or {}}
        )
    )
    assert all(fetched.slice == date_slice for fetched in put)
    return [fetched.call.page or 1 for fetched in put]


def test_a_single_partial_page_ends_the_slice() -> None:
    api = FakeApi(numbered(1, total=1))
    assert read(api) == api.asked == [1]


def test_announced_pages_are_prefetched_and_passed_on_in_order() -> None:
    api = FakeApi(numbered(2, 2, 2, 2, 2, 1, total=11))
    assert read(api) == [1, 2, 3, 4, 5, 6]
    assert sorted(api.asked) == [1, 2, 3, 4, 5, 6]
    assert api.most_under_way == 3


def test_pages_may_be_announced_by_a_page_count() -> None:
    api = FakeApi(numbered(2, 2, 1, pages=3))
    assert read(api) == [1, 2, 3]
    assert api.most_under_way == 2


def test_an_empty_page_in_the_middle_does_not_end_the_announced_pages() -> None:
    assert read(FakeApi(numbered(2, 0, 2, 1, total=7))) == [1, 2, 3, 4]


def test_without_a_total_pages_are_read_until_a_partial_one() -> None:
    assert read(FakeApi(numbered(2, 2, 1))) == [1, 2, 3]
    assert read(FakeApi(numbered(2, 2))) == [1, 2, 3]


def test_a_total_that_is_too_low_hides_no_page() -> None:
    assert read(FakeApi(numbered(2, 2, 2, 1, total=3))) == [1, 2, 3, 4]


def test_a_total_that_is_too_high_costs_only_empty_pages() -> None:
    assert read(FakeApi(numbered(2, 1, total=7), behind=answer([], 7))) == [1, 2, 3, 4]


@pytest.mark.fact("total-items")
def test_a_total_that_grows_while_it_is_read_is_followed() -> None:
    pages = numbered(2, 2, 2, 2, 1) | {1: answer(["a", "b"], 4), 2: answer(["c", "d"], 9)}
    assert read(FakeApi(pages)) == [1, 2, 3, 4, 5]


def test_a_last_page_that_repeats_forever_is_detected() -> None:
    api = FakeApi(numbered(2, 2, total=4), behind=answer(["2.0", "2.1"], 4))
    assert read(api) == [1, 2, 3]


def test_reading_an_endless_feed_stops_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_EXTRA_PAGES", 5)
    endless = {number: answer([f"{number}a", f"{number}b"], 4) for number in range(1, 20)}
    with pytest.raises(
        ApiUnavailable, match="contacts does not end: the API announced 2 pages, but page 9 still has new records"
    ):
        read(FakeApi(endless))


@pytest.mark.parametrize(
    ("staged_pages", "requested"),
    [
        ({1: 2}, [2, 3]),
        ({1: 2, 2: 2}, [3]),
        ({1: 2, 3: 1}, [2]),
        ({2: 2}, [1, 3]),
        ({1: 2, 2: 2, 3: 1}, []),
    ],
)
def test_staged_pages_are_not_requested_again(staged_pages: dict[int, int], requested: list[int]) -> None:
    api = FakeApi(numbered(2, 2, 1, total=5))
    assert [page for page in read(api, staged_pages=staged_pages) if page <= 3] == requested
    assert not set(api.asked) & set(staged_pages)


def test_a_list_without_pages_is_one_call_or_none_if_staged() -> None:
    api = FakeApi({1: answer(["a"] * 9)})
    assert read(api, Slice(0, 0), name="locations") == [1]
    assert read(api, Slice(0, 0), {1: 9}, name="locations") == []
    assert api.asked == [1]


def test_a_failing_page_ends_the_reading_and_all_pending_calls() -> None:
    class Failing(FakeApi):
        async def fetch(self, call: Call) -> Answer:
            if call.page == 4:
                raise ApiUnavailable("page 4 stays away")
            return await super().fetch(call)

    api = Failing(numbered(2, 2, 2, 2, 2, 2, total=12))
    with pytest.raises(ApiUnavailable, match="page 4 stays away"):
        read(api)
    assert max(api.asked) <= 6


def test_results_come_in_the_order_of_the_calls() -> None:
    async def call(number: int) -> int:
        for _ in range(5 * (number % 2)):
            await asyncio.sleep(0)
        return number

    async def collect() -> list[int]:
        return [result async for result in run_in_order((call(number) for number in range(9)), prefetch=lambda: 4)]

    assert asyncio.run(collect()) == list(range(9))


def test_long_ranges_are_split_by_the_totals_of_the_api() -> None:
    per_day = SIZE * MAX_PAGES // 2

    class Busy(FakeApi):
        async def fetch(self, call: Call) -> Answer:
            query = dict(call.query)
            days = (date.fromisoformat(query["endDate"]) - date.fromisoformat(query["startDate"])).days
            assert query["pageSize"] == str(SIZE)
            return answer(["x"], per_day * days)

    month = DateRange(date(2026, 3, 1), date(2026, 3, 31))
    pieces = asyncio.run(ResourceReader(Busy({}), find_resource("contacts"), SIZE, three).plan_date_ranges(0, month))
    assert (pieces[0].first, pieces[-1].last) == (month.first, month.last)
    assert {len(piece) for piece in pieces} == {2}


def test_failed_children_carry_the_reason_and_affect_no_others() -> None:
    class Details(FakeApi):
        async def fetch(self, call: Call) -> Answer:
            if call.parent_id == "2":
                raise NotFound(str(call))
            if call.parent_id == "3":
                raise ApiUnavailable("no answer")
            return answer([str(call.parent_id)])

    wanted = [ChildRequest(str(number), NO_ROW, b"{}", "documents") for number in range(1, 5)]
    reader = ChildReader(Details({}), find_resource("documents"), SIZE)
    put: list[FetchedPage | FetchFailed] = [asyncio.run(reader.read_child(child)) for child in wanted]
    assert [result.child for result in put] == wanted
    assert [isinstance(result, FetchFailed) and result.not_found for result in put] == [False, True, False, False]
    assert [isinstance(result, FetchFailed) for result in put] == [False, True, True, False]


def test_a_page_is_never_larger_than_the_endpoint_allows() -> None:
    assert ResourceReader(FakeApi({}), find_resource("contacts"), 1000, three).page_size_of(DAYS) == 500
    assert ResourceReader(FakeApi({}), find_resource("drivers"), 1000, three).page_size_of(DAYS) == 1000


def test_a_call_contains_dates_and_page() -> None:
    call = ResourceReader(FakeApi({}), find_resource("contacts"), SIZE, three).call_for(DAYS, 7)
    assert (call.page, dict(call.query)) == (
        7,
        {"startDate": "2026-03-01", "endDate": "2026-03-02", "pageNumber": "7", "pageSize": "2"},
    )


def test_parallel_slices_are_limited() -> None:
    api = FakeApi(numbered(1, total=1))
    many = [replace(DAYS, number=number) for number in range(20)]

    async def drop(_: FetchedPage) -> None:
        await asyncio.sleep(0)

    asyncio.run(ResourceReader(api, find_resource("contacts"), SIZE, three).read_slices(drop, many, {}))
    assert len(api.asked) == 20
    assert api.most_under_way == reader.PARALLEL_SLICES


def test_reading_stops_when_the_announced_total_grows_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_EXTRA_PAGES", 5)
    growing = {number: answer([f"{number}a", f"{number}b"], 2 * number + 2) for number in range(1, 40)}
    with pytest.raises(
        ApiUnavailable, match="contacts does not end: the API announced 2 pages, but page 9 still has new records"
    ):
        read(FakeApi(growing))


def test_a_repeating_list_ends_although_it_announces_another_page() -> None:
    api = FakeApi({number: answer(["x", "y"], 2 * number + 2) for number in range(1, 50)})
    assert read(api)[:2] == [1, 2]
    assert max(api.asked) < 8


def test_an_absurd_total_costs_a_few_empty_pages() -> None:
    api = FakeApi(numbered(2, 1, total=10**9), behind=answer([], 10**9))
    read(api)
    assert max(api.asked) <= 2 + reader.MAX_EMPTY_PAGES + 3


def test_a_limited_reading_ends_after_its_pages() -> None:
    api = FakeApi(numbered(2, 2, 2, 2, total=8))
    put: list[int] = []

    async def keep(fetched: FetchedPage) -> None:
        put.append(fetched.call.page or 1)

    asyncio.run(ResourceReader(api, find_resource("contacts"), SIZE, three, max_pages=2).read_slices(keep, [DAYS], {}))
    assert put == api.asked == [1, 2]


def test_without_a_total_a_long_range_is_read_in_quarters() -> None:
    years = DateRange(date(2000, 1, 1), date(2026, 3, 1))
    pieces = asyncio.run(ResourceReader(FakeApi({}), find_resource("contacts"), SIZE, three).plan_date_ranges(0, years))
    assert (pieces[0].first, pieces[-1].last) == (years.first, years.last)
    assert max(map(len, pieces)) <= 91


def test_details_in_pages_fall_back_to_a_size_that_is_accepted() -> None:
    class Small(FakeApi):
        async def fetch(self, call: Call) -> Answer:
            query = dict(call.query)
            self.asked.append(int(query["pageSize"]))
            if int(query["pageSize"]) > 100:
                raise EndpointRefused(call, 400, Refusal.REQUEST, may_concern_size=True)
            return answer(["x"] if query["pageNumber"] == "1" else [], 1)

    api = Small({})
    child = ChildRequest("1", NO_ROW, b"{}", "notes")
    assert isinstance(asyncio.run(ChildReader(api, find_resource("notes"), 500).read_child(child)), FetchedPage)
    assert api.asked == [500, 250, 100]
