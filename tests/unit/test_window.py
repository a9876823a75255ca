"""Windows: accepted forms, bounds and errors."""

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
    "value",
    [
        JANUARY,
        {"start_date": date(2026, 1, 1), "end_date": date(2026, 2, 1)},
        {"start_date": "2026-01-01", "end_date": " 2026-02-01T00:00:00Z "},
        {"start_date": datetime(2026, 1, 1), "end_date": datetime(2026, 2, 1)},  # noqa: DTZ001 (naive means UTC)
        {"start_date": datetime(2026, 1, 1, 2, tzinfo=EAST), "end_date": "2026-02-01T02:00:00+02:00"},
    ],
)
def test_a_window_accepts_all_forms_of_its_bounds(value: Any) -> None:
    window = Window.of(value)
    assert window == JANUARY
    assert (window.start.tzinfo, window.end.tzinfo) == (UTC, UTC)


@pytest.mark.parametrize(
    ("value", "words"),
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
def test_an_invalid_window_raises_an_error_with_a_reason(value: Any, words: str) -> None:
    with pytest.raises(WindowError, match=words) as refused:
        Window.of(value)
    assert refused.value.exit_status == 2


def test_the_start_is_inclusive_and_the_end_exclusive() -> None:
    assert JANUARY.start in JANUARY
    assert JANUARY.end not in JANUARY
    assert JANUARY.end - timedelta(microseconds=1) in JANUARY


def test_a_window_is_clipped_to_now_and_rejected_when_in_the_future() -> None:
    now = datetime(2026, 1, 20, 12, tzinfo=UTC)
    assert JANUARY.clipped_to(now) == Window(JANUARY.start, now)
    assert JANUARY.clipped_to(datetime(2026, 3, 1, tzinfo=UTC)) == JANUARY
    with pytest.raises(WindowError, match="is in the future"):
        JANUARY.clipped_to(JANUARY.start)


def test_the_overlap_moves_only_the_start() -> None:
    assert JANUARY.widened(timedelta(days=1)) == Window(datetime(2025, 12, 31, tzinfo=UTC), JANUARY.end)


def test_a_window_is_shown_half_open_and_in_utc() -> None:
    assert str(JANUARY) == "[2026-01-01T00:00:00Z, 2026-02-01T00:00:00Z)"


@given(window=windows, moment=moments)
def test_adjacent_windows_neither_overlap_nor_leave_a_gap(window: Window, moment: datetime) -> None:
    middle = window.start + (window.end - window.start) / 2
    if window.start < middle < window.end:
        halves = (Window(window.start, middle), Window(middle, window.end))
        assert sum(moment in half for half in halves) == (moment in window)


@given(moment=moments)
def test_an_instant_survives_a_round_trip_through_text(moment: datetime) -> None:
    assert parse_instant(moment.isoformat()) == moment
