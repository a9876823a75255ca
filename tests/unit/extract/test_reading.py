"""Reading: which pages are asked for, when a slice ends, and in which order answers are handed on."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID

import pytest

from etl.api.protocol import Answer, Call, NotFound, Page
from etl.engine.answers import Fetched, Missed
from etl.errors import ApiUnavailable
from etl.extract import reader
from etl.extract.date_ranges import MOST_PAGES, Days
from etl.extract.reader import Reader, in_order
from etl.ledger.children import Child
from etl.ledger.slices import Slice
from etl.resources import resource

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NO_ROW = UUID(int=0)
DAYS = Slice(0, 0, date(2026, 3, 1), date(2026, 3, 2))
SIZE = 2


def three() -> int:
    """Return how many calls are under way."""
    return 3


def answer(items: Sequence[str], total: int | None = None, pages: int | None = None) -> Answer:
    """Return an answer with these items."""
    return Answer(200, {}, b"", Page([item.encode() for item in items], total, pages), 1.0, 1, NOW, None)


@dataclass
class FakeApi:
    """An API that answers by page number, empty behind its last page, and remembers what it was asked."""

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
    """Return pages of these sizes, each item another."""
    return {
        number: answer([f"{number}.{item}" for item in range(size)], total, pages)
        for number, size in enumerate(sizes, start=1)
    }


def read(api: FakeApi, one: Slice = DAYS, known: Mapping[int, int] | None = None, name: str = "contacts") -> list[int]:
    """Read a slice and return the pages in the order in which they were handed on."""
    put: list[Fetched] = []

    async def keep(fetched: Fetched) -> None:
        put.append(fetched)

    asyncio.run(Reader(api, resource(name), SIZE, ahead=three).slices(keep, [one], {one.number: known or {}}))
    assert all(fetched.slice == one for fetched in put)
    return [fetched.call.page or 1 for fetched in put]


def test_one_page_that_is_not_full_is_all() -> None:
    api = FakeApi(numbered(1, total=1))
    assert read(api) == api.asked == [1]


def test_announced_pages_are_read_ahead_and_handed_on_in_order() -> None:
    api = FakeApi(numbered(2, 2, 2, 2, 2, 1, total=11))
    assert read(api) == [1, 2, 3, 4, 5, 6]
    assert sorted(api.asked) == [1, 2, 3, 4, 5, 6]
    assert api.most_under_way == 3


def test_pages_are_announced_by_their_own_number_too() -> None:
    api = FakeApi(numbered(2, 2, 1, pages=3))
    assert read(api) == [1, 2, 3]
    assert api.most_under_way == 2


def test_an_empty_page_in_the_middle_ends_nothing_that_was_announced() -> None:
    assert read(FakeApi(numbered(2, 0, 2, 1, total=7))) == [1, 2, 3, 4]


def test_without_a_total_pages_are_read_until_one_is_not_full() -> None:
    assert read(FakeApi(numbered(2, 2, 1))) == [1, 2, 3]
    assert read(FakeApi(numbered(2, 2))) == [1, 2, 3]


def test_a_total_that_is_too_low_hides_no_page() -> None:
    assert read(FakeApi(numbered(2, 2, 2, 1, total=3))) == [1, 2, 3, 4]


def test_a_total_that_is_too_high_costs_empty_pages_and_no_more() -> None:
    assert read(FakeApi(numbered(2, 1, total=7), behind=answer([], 7))) == [1, 2, 3, 4]


def test_a_total_that_grows_while_it_is_read_is_followed() -> None:
    pages = numbered(2, 2, 2, 2, 1) | {1: answer(["a", "b"], 4), 2: answer(["c", "d"], 9)}
    assert read(FakeApi(pages)) == [1, 2, 3, 4, 5]


def test_a_last_page_that_repeats_itself_for_ever_is_known_again() -> None:
    api = FakeApi(numbered(2, 2, total=4), behind=answer(["2.0", "2.1"], 4))
    assert read(api) == [1, 2, 3]


def test_a_feed_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "BEYOND", 5)
    endless = {number: answer([f"{number}a", f"{number}b"], 4) for number in range(1, 20)}
    with pytest.raises(ApiUnavailable, match="contacts has no end: 2 pages were announced, and page 9 brings more"):
        read(FakeApi(endless))


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ({1: 2}, [2, 3]),
        ({1: 2, 2: 2}, [3]),
        ({1: 2, 3: 1}, [2]),
        ({2: 2}, [1, 3]),
        ({1: 2, 2: 2, 3: 1}, []),
    ],
)
def test_pages_that_are_staged_are_not_asked_for_again(known: dict[int, int], asked: list[int]) -> None:
    api = FakeApi(numbered(2, 2, 1, total=5))
    assert [page for page in read(api, known=known) if page <= 3] == asked
    assert not set(api.asked) & set(known)


def test_a_list_without_pages_is_one_call_and_none_when_it_is_staged() -> None:
    api = FakeApi({1: answer(["a"] * 9)})
    assert read(api, Slice(0, 0), name="locations") == [1]
    assert read(api, Slice(0, 0), {1: 9}, name="locations") == []
    assert api.asked == [1]


def test_a_page_that_fails_ends_the_reading_and_every_call_under_way() -> None:
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
        return [result async for result in in_order([partial(call, number) for number in range(9)], ahead=lambda: 4)]

    assert asyncio.run(collect()) == list(range(9))


def test_long_stretches_are_cut_by_what_the_api_says_they_hold() -> None:
    per_day = SIZE * MOST_PAGES // 2

    class Busy(FakeApi):
        async def fetch(self, call: Call) -> Answer:
            asked = dict(call.query)
            days = (date.fromisoformat(asked["endDate"]) - date.fromisoformat(asked["startDate"])).days
            assert asked["pageSize"] == "1"
            return answer(["x"], per_day * days)

    month = Days(date(2026, 3, 1), date(2026, 3, 31))
    pieces = asyncio.run(Reader(Busy({}), resource("contacts"), SIZE, three).stretches(0, month))
    assert (pieces[0].first, pieces[-1].last) == (month.first, month.last)
    assert {len(piece) for piece in pieces} == {2}


def test_details_that_stay_away_say_why_and_cost_no_other() -> None:
    class Details(FakeApi):
        async def fetch(self, call: Call) -> Answer:
            if call.parent_id == "2":
                raise NotFound(str(call))
            if call.parent_id == "3":
                raise ApiUnavailable("no answer")
            return answer([str(call.parent_id)])

    wanted = [Child(str(number), NO_ROW, b"{}") for number in range(1, 5)]
    put: list[Fetched | Missed] = []

    async def keep(one: Fetched | Missed) -> None:
        put.append(one)

    asyncio.run(Reader(Details({}), resource("documents"), SIZE, three).children(keep, wanted))
    assert [one.child for one in put] == wanted
    assert [isinstance(one, Missed) and one.vanished for one in put] == [False, True, False, False]
    assert [isinstance(one, Missed) for one in put] == [False, True, True, False]


def test_a_page_is_never_larger_than_the_endpoint_grants() -> None:
    assert Reader(FakeApi({}), resource("contacts"), 1000, three).size_of(DAYS) == 500
    assert Reader(FakeApi({}), resource("drivers"), 1000, three).size_of(DAYS) == 1000


def test_days_and_pages_stand_in_the_call() -> None:
    call = Reader(FakeApi({}), resource("contacts"), SIZE, three).call_for(DAYS, 7)
    assert (call.page, dict(call.query)) == (
        7,
        {"startDate": "2026-03-01", "endDate": "2026-03-02", "pageNumber": "7", "pageSize": "2"},
    )


def test_slices_side_by_side_are_bounded() -> None:
    api = FakeApi(numbered(1, total=1))
    many = [replace(DAYS, number=number) for number in range(20)]

    async def drop(_: Fetched) -> None:
        await asyncio.sleep(0)

    asyncio.run(Reader(api, resource("contacts"), SIZE, three).slices(drop, many, {}))
    assert len(api.asked) == 20
    assert api.most_under_way == reader.SIDE_BY_SIDE


def test_an_announcement_that_grows_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "BEYOND", 5)
    growing = {number: answer([f"{number}a", f"{number}b"], 2 * number + 2) for number in range(1, 40)}
    with pytest.raises(ApiUnavailable, match="contacts has no end: 2 pages were announced, and page 9 brings more"):
        read(FakeApi(growing))


def test_a_list_that_always_announces_one_more_page_and_repeats_itself_ends() -> None:
    api = FakeApi({number: answer(["x", "y"], 2 * number + 2) for number in range(1, 50)})
    assert read(api)[:2] == [1, 2]
    assert max(api.asked) < 8


def test_a_total_beyond_all_measure_costs_a_few_empty_pages() -> None:
    api = FakeApi(numbered(2, 1, total=10**9), behind=answer([], 10**9))
    read(api)
    assert max(api.asked) <= 2 + reader.EMPTY_IN_A_ROW + 3


def test_a_first_look_ends_after_its_pages() -> None:
    api = FakeApi(numbered(2, 2, 2, 2, total=8))
    put: list[int] = []

    async def keep(fetched: Fetched) -> None:
        put.append(fetched.call.page or 1)

    asyncio.run(Reader(api, resource("contacts"), SIZE, three, most_pages=2).slices(keep, [DAYS], {}))
    assert put == api.asked == [1, 2]


def test_without_a_total_a_long_stretch_is_read_in_quarters() -> None:
    years = Days(date(2000, 1, 1), date(2026, 3, 1))
    pieces = asyncio.run(Reader(FakeApi({}), resource("contacts"), SIZE, three).stretches(0, years))
    assert (pieces[0].first, pieces[-1].last) == (years.first, years.last)
    assert max(map(len, pieces)) <= 91
