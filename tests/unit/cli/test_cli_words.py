"""Formatting of numbers, durations, times and spreadsheet cells."""

from datetime import UTC, datetime, timedelta

import pytest

from etl.cli.ui.format import format_count, format_duration, format_number, format_time, join_words
from etl.cli.ui.spreadsheet import safe_cell, safe_row


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
    assert format_time(datetime.fromisoformat("2026-01-31T23:30:00-05:00")) == "2026-02-01 04:30"
    assert format_time(None) == "-"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "  ="])  # noqa: RUF001
def test_formulas_are_escaped(first: str) -> None:
    assert safe_cell(f"{first}cmd|' /C calc'!A0") == f"'{first}cmd|' /C calc'!A0"


def test_other_cells_are_unchanged() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert safe_row(["a=b", 7, None, -7, now, ""]) == ["a=b", 7, None, -7, "2026-01-01T00:00:00+00:00", ""]
