"""Gaps of the status, and shapes of personal values."""

from datetime import UTC, datetime

import pytest

from etl.status.findings import MAX_MASK_LENGTH, is_personal, mask
from etl.status.status import find_gaps
from etl.window import FIRST_INSTANT, Window

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def days(first: str, last: str) -> Window:
    return Window.of({"start_date": first, "end_date": last})


def test_gaps_lie_between_and_before_complete_windows() -> None:
    first, second = days("2026-01-01", "2026-01-02"), days("2026-01-05", "2026-01-06")
    assert find_gaps([]) == ()
    assert find_gaps([first, second]) == (Window(FIRST_INSTANT, first.start), Window(first.end, second.start))
    assert find_gaps([Window(FIRST_INSTANT, NOW)]) == ()


@pytest.mark.parametrize(
    ("value", "masked"),
    [("jane@home", "••••@••••"), ("555-12", "•••-••"), ("", ""), ("a\x1bb", "•••"), ("Zoë Ä", "••• •")],
)
def test_a_shape_masks_a_value(value: str, masked: str) -> None:
    assert mask(value) == masked


def test_a_shape_is_short() -> None:
    assert len(mask("x" * 10_000)) == MAX_MASK_LENGTH


def test_a_field_without_a_known_column_counts_as_personal() -> None:
    assert is_personal("contacts", "email")
    assert is_personal("contacts", "")
    assert is_personal("nowhere", "status")
    assert not is_personal("policies", "status")
