"""The window: what it is made from, what it holds, and what it refuses."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.errors import WindowError
from etl.window import Window, parse_instant

JANUARY = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
EAST = timezone(timedelta(hours=2))

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (Hypothesis adds the zone)
windows = st.tuples(moments, moments).filter(lambda ends: ends[0] < ends[1]).map(lambda ends: Window(*ends))


@pytest.mark.parametrize(
    "given_as",
    [
        JANUARY,
        {"start_date": date(2026, 1, 1), "end_date": date(2026, 2, 1)},
        {"start_date": "2026-01-01", "end_date": " 2026-02-01T00:00:00Z "},
        {"start_date": datetime(2026, 1, 1), "end_date": datetime(2026, 2, 1)},  # noqa: DTZ001 (naive means UTC)
        {"start_date": datetime(2026, 1, 1, 2, tzinfo=EAST), "end_date": "2026-02-01T02:00:00+02:00"},
    ],
)
def test_a_window_is_read_from_any_wording_of_it(given_as: Any) -> None:
    window = Window.of(given_as)
    assert window == JANUARY
    assert (window.start.tzinfo, window.end.tzinfo) == (UTC, UTC)


@pytest.mark.parametrize(
    ("given_as", "words"),
    [
        ({}, "start_date and end_date"),
        ({"start_date": "2026-01-01"}, "start_date and end_date"),
        (None, "start_date and end_date"),
        ({"start_date": "yesterday", "end_date": "2026-02-01"}, "start must be an ISO date"),
        ({"start_date": "2026-01-01", "end_date": 20260201}, "not int"),
        ({"start_date": "2026-01-01", "end_date": None}, "not NoneType"),
        ({"start_date": "2026-02-01", "end_date": "2026-02-01"}, "empty or reversed"),
        ({"start_date": "2026-02-02", "end_date": "2026-02-01"}, "empty or reversed"),
    ],
)
def test_what_is_no_window_is_refused_in_words(given_as: Any, words: str) -> None:
    with pytest.raises(WindowError, match=words) as refused:
        Window.of(given_as)
    assert refused.value.exit_status == 2


def test_the_start_belongs_to_it_and_the_end_does_not() -> None:
    assert JANUARY.start in JANUARY
    assert JANUARY.end not in JANUARY
    assert JANUARY.end - timedelta(microseconds=1) in JANUARY


def test_it_is_clipped_to_now_and_refused_when_it_lies_in_the_future() -> None:
    now = datetime(2026, 1, 20, 12, tzinfo=UTC)
    assert JANUARY.clipped_to(now) == Window(JANUARY.start, now)
    assert JANUARY.clipped_to(datetime(2026, 3, 1, tzinfo=UTC)) == JANUARY
    with pytest.raises(WindowError, match="is in the future"):
        JANUARY.clipped_to(JANUARY.start)


def test_the_overlap_moves_the_start_alone() -> None:
    assert JANUARY.widened(timedelta(days=1)) == Window(datetime(2025, 12, 31, tzinfo=UTC), JANUARY.end)


def test_it_is_shown_half_open_and_in_utc() -> None:
    assert str(JANUARY) == "[2026-01-01T00:00:00Z, 2026-02-01T00:00:00Z)"


@given(window=windows, moment=moments)
def test_windows_side_by_side_share_no_moment_and_lose_none(window: Window, moment: datetime) -> None:
    middle = window.start + (window.end - window.start) / 2
    if window.start < middle < window.end:
        halves = (Window(window.start, middle), Window(middle, window.end))
        assert sum(moment in half for half in halves) == (moment in window)


@given(moment=moments)
def test_an_instant_comes_back_from_its_own_text(moment: datetime) -> None:
    assert parse_instant(moment.isoformat()) == moment
