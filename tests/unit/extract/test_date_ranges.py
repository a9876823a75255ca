"""Planning: from a window to days of the API's time zone, to ranges short enough to page, to numbered slices."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.extract.date_ranges import (
    DAY,
    MAX_PAGES,
    DateRange,
    date_range_of,
    has_unfinished_day,
    is_short,
    is_too_long,
    make_slices,
    split_by_quarter,
    split_by_total,
    split_ended_days,
)
from etl.ledger.slices import Slice
from etl.resources import find_resource
from etl.window import Window

FIRST = date(2026, 3, 1)

moments = st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (Hypothesis adds the zone)
lengths = st.timedeltas(timedelta(seconds=1), timedelta(days=400))


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Return a UTC instant."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "overlap", "zone", "days"),
    [
        (Window(at(2026, 3, 1), at(2026, 3, 2)), timedelta(0), "UTC", DateRange(FIRST, date(2026, 3, 2))),
        (Window(at(2026, 3, 1, 8), at(2026, 3, 1, 9)), timedelta(0), "UTC", DateRange(FIRST, date(2026, 3, 2))),
        (Window(at(2026, 3, 2), at(2026, 3, 2, 0, 1)), DAY, "UTC", DateRange(FIRST, date(2026, 3, 3))),
        # Midnight in New York is five hours after midnight UTC, so the day before is included.
        (Window(at(2026, 3, 2), at(2026, 3, 3)), timedelta(0), "America/New_York", DateRange(FIRST, date(2026, 3, 3))),
        (
            Window(at(2026, 3, 2, 5), at(2026, 3, 3, 5)),
            timedelta(0),
            "America/New_York",
            DateRange(date(2026, 3, 2), date(2026, 3, 3)),
        ),
    ],
)
def test_the_date_range_covers_the_days_of_the_window(
    window: Window, overlap: timedelta, zone: str, days: DateRange
) -> None:
    assert date_range_of(window, overlap, zone) == days


@given(start=moments, length=lengths, overlap=st.timedeltas(timedelta(0), timedelta(days=5)))
@pytest.mark.fact("end-date")
def test_the_date_range_covers_the_window_and_its_overlap(
    start: datetime, length: timedelta, overlap: timedelta
) -> None:
    window = Window(start, start + length)
    days = date_range_of(window, overlap, "UTC")
    assert datetime.combine(days.first, datetime.min.time(), UTC) <= start - overlap
    assert timedelta(0) <= datetime.combine(days.last, datetime.min.time(), UTC) - window.end < DAY


@given(length=st.integers(1, 900), total=st.integers(0, 10**6), size=st.integers(1, 1000))
def test_a_split_range_covers_every_day_once(length: int, total: int, size: int) -> None:
    pieces = split_by_total(DateRange(FIRST, FIRST + timedelta(days=length)), total, size)
    assert (pieces[0].first, pieces[-1].last) == (FIRST, FIRST + timedelta(days=length))
    assert all(before.last == after.first for before, after in pairwise(pieces))
    assert all(len(piece) >= 1 for piece in pieces)


def test_a_split_range_has_parts_with_few_enough_pages() -> None:
    month = DateRange(FIRST, FIRST + timedelta(days=30))
    assert len(split_by_total(month, 10 * MAX_PAGES * 3, 10)) == 3
    assert split_by_total(month, 10 * MAX_PAGES, 10) == [month]
    assert len(split_by_total(month, 10**9, 10)) == 30  # no part is shorter than a day


def test_a_single_day_is_never_too_long_and_three_days_are_short() -> None:
    day, month = DateRange(FIRST, FIRST + DAY), DateRange(FIRST, FIRST + timedelta(days=30))
    assert not is_too_long(day, 10**9, 10)
    assert is_too_long(month, 10 * MAX_PAGES + 1, 10)
    assert not is_too_long(month, 10 * MAX_PAGES, 10)
    assert is_short(DateRange(FIRST, FIRST + timedelta(days=3)))
    assert not is_short(month)


def test_slices_are_numbered_over_all_endpoints() -> None:
    days = [DateRange(FIRST, FIRST + DAY), DateRange(FIRST + DAY, FIRST + 2 * DAY)]
    dated = list(make_slices(find_resource("contacts"), {0: days}))
    assert dated == [Slice(0, 0, FIRST, FIRST + DAY), Slice(1, 0, FIRST + DAY, FIRST + 2 * DAY)]
    assert list(make_slices(find_resource("commission_rules"), {})) == [Slice(0, 0), Slice(1, 1)]


def test_an_unfinished_day_may_change_its_total() -> None:
    yesterday = Slice(0, 0, FIRST, FIRST + DAY)
    assert has_unfinished_day(yesterday, at(2026, 3, 2, 12))  # ended at midnight: the API's clock may be behind
    assert not has_unfinished_day(yesterday, at(2026, 3, 3))
    assert has_unfinished_day(Slice(0, 0), at(2026, 3, 3))  # a whole list has no end


@given(length=st.integers(1, 4000))
def test_quarters_cover_every_day_once(length: int) -> None:
    pieces = split_by_quarter(DateRange(FIRST, FIRST + timedelta(days=length)))
    assert (pieces[0].first, pieces[-1].last) == (FIRST, FIRST + timedelta(days=length))
    assert all(before.last == after.first for before, after in pairwise(pieces))
    assert all(1 <= len(piece) <= 91 for piece in pieces)


def test_ended_days_are_a_separate_range() -> None:
    month = DateRange(FIRST, FIRST + timedelta(days=30))
    ended, others = split_ended_days(month, at(2026, 3, 30, 12))
    assert (ended, others) == (DateRange(FIRST, date(2026, 3, 29)), DateRange(date(2026, 3, 29), month.last))
    assert not has_unfinished_day(Slice(0, 0, ended.first, ended.last), at(2026, 3, 30, 12))
    assert has_unfinished_day(Slice(1, 0, others.first, others.last), at(2026, 3, 30, 12))
    assert split_ended_days(month, at(2026, 6, 1)) == [month], "all of it has ended"
    short = DateRange(FIRST, FIRST + timedelta(days=3))
    assert split_ended_days(short, at(2026, 3, 3, 12)) == [short], "the overlap of the next window covers it"
