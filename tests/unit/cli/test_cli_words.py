"""Formatting of numbers, durations, times and spreadsheet cells."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from etl.cli.ui.spreadsheet import safe_cell, safe_row
from etl.errors import QuotaSpent
from etl.local_time import format_ago, format_bound, format_moment, format_time, show_times_in, zone_label
from etl.notifications.templates import database_restored_message
from etl.status.format import format_count, format_duration, format_number, join_words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"), (9.96, "10.0 s"), (10.4, "10 s"), (59.6, "1 min"), (200, "3 min 20 s"), (3600, "1 h"),
        (7500, "2 h 5 min"), (86400, "1 d"), (timedelta(days=3, hours=4, minutes=9), "3 d 4 h"),
    ],
)  # fmt: skip
def test_duration_format(seconds: float | timedelta, text: str) -> None:
    assert format_duration(seconds) == text


def test_number_count_list_and_time_formats() -> None:
    assert format_number(1234567) == "1,234,567"
    assert [format_count(value, "call") for value in (0, 1, 2000)] == ["0 calls", "1 call", "2,000 calls"]
    assert format_count(2, "entry", "entries") == "2 entries"
    assert [join_words(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


WINTER, SUMMER = datetime(2026, 1, 31, 23, 30, tzinfo=UTC), datetime(2026, 7, 4, 1, 5, tzinfo=UTC)


@pytest.fixture
def in_new_york() -> Iterator[None]:
    show_times_in(ZoneInfo("America/New_York"))
    yield
    show_times_in(None)


@pytest.mark.usefixtures("in_new_york")
def test_times_are_shown_in_the_zone_of_people() -> None:
    assert format_moment(WINTER) == "2026-01-31 18:30 EST"
    assert format_moment(SUMMER) == "2026-07-03 21:05 EDT"
    assert format_moment(SUMMER, SUMMER + timedelta(minutes=2, seconds=40)) == "2026-07-03 21:05 EDT (2 min ago)"
    assert format_moment(None, SUMMER) == "-"


@pytest.mark.usefixtures("in_new_york")
def test_errors_and_emails_name_times_in_the_zone_of_people() -> None:
    assert re.search(r"used up until \d{4}-\d\d-\d\d \d\d:\d\d E[SD]T\.", str(QuotaSpent(3600.0)))
    (section,) = database_restored_message("acme", WINTER).sections
    assert "unavailable since 2026-01-31 18:30 EST" in section.heading


@pytest.mark.usefixtures("in_new_york")
def test_a_column_has_the_zone_in_its_head_and_labels_the_times_of_the_other_half_of_the_year() -> None:
    assert zone_label(WINTER) == "EST"
    assert [format_time(when, WINTER) for when in (WINTER, SUMMER, None)] == [
        "2026-01-31 18:30", "2026-07-03 21:05 EDT", "-"
    ]  # fmt: skip


@pytest.mark.usefixtures("in_new_york")
def test_a_day_of_the_api_keeps_its_date_in_every_zone() -> None:
    assert format_bound(datetime(2000, 1, 1, tzinfo=UTC)) == "2000-01-01"
    assert format_bound(WINTER) == "2026-01-31 18:30 EST"


@pytest.mark.parametrize(
    ("elapsed", "text"),
    [
        ({"seconds": 0}, "just now"), ({"seconds": 59}, "just now"), ({"seconds": 60}, "1 min ago"),
        ({"minutes": 59, "seconds": 59}, "59 min ago"), ({"hours": 47}, "1 d ago"), ({"hours": 23}, "23 h ago"),
        ({"minutes": -5}, "in 5 min"), ({"seconds": -20}, "just now"),
    ],
)  # fmt: skip
def test_how_long_ago_a_time_is(elapsed: dict[str, float], text: str) -> None:
    assert format_ago(timedelta(**elapsed)) == text


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "  ="])  # noqa: RUF001
def test_formulas_are_escaped(first: str) -> None:
    assert safe_cell(f"{first}cmd|' /C calc'!A0") == f"'{first}cmd|' /C calc'!A0"


def test_other_cells_are_unchanged() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert safe_row(["a=b", 7, None, -7, now, ""]) == ["a=b", 7, None, -7, "2026-01-01T00:00:00+00:00", ""]
