"""Watermarks: merged windows, the start of the next window, and resources that are not offered."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from etl.ledger import watermarks
from etl.window import FIRST_INSTANT, Window

TENANT = "t"


def hours(first: int, last: int) -> Window:
    """Return a window between two hours after the first instant."""
    return Window(FIRST_INSTANT + timedelta(hours=first), FIRST_INSTANT + timedelta(hours=last))


def advanced(engine: Engine, windows: list[Window]) -> list[Window]:
    """Add windows without a commit, and return the complete windows."""
    with engine.connect() as connection:
        for window in windows:
            watermarks.advance_watermark(connection, TENANT, "contacts", window)
        return watermarks.read_complete_windows(connection, TENANT, "contacts")


@pytest.mark.parametrize(
    ("windows", "complete"),
    [
        ([], []),
        ([(0, 1)], [(0, 1)]),
        ([(0, 1), (1, 2)], [(0, 2)]),
        ([(1, 2), (0, 1)], [(0, 2)]),
        ([(0, 1), (2, 3)], [(0, 1), (2, 3)]),
        ([(0, 1), (2, 3), (1, 2)], [(0, 3)]),
        ([(0, 5), (2, 3)], [(0, 5)]),
        ([(2, 3), (0, 5)], [(0, 5)]),
        ([(0, 1), (0, 1)], [(0, 1)]),
        ([(0, 2), (3, 5), (7, 9), (1, 8)], [(0, 9)]),
    ],
)
def test_adjacent_windows_are_merged(
    engine: Engine, windows: list[tuple[int, int]], complete: list[tuple[int, int]]
) -> None:
    assert advanced(engine, [hours(*span) for span in windows]) == [hours(*span) for span in complete]


spans = st.tuples(st.integers(0, 12), st.integers(1, 4)).map(lambda span: (span[0], span[0] + span[1]))


@given(some=st.lists(spans, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
def test_the_complete_windows_cover_exactly_the_added_windows(engine: Engine, some: list[tuple[int, int]]) -> None:
    complete = advanced(engine, [hours(*span) for span in some])
    covered = {hour for first, last in some for hour in range(first, last)}
    assert {hour for hour in range(20) if any(hours(hour, hour + 1).start in window for window in complete)} == covered
    assert all(before.end < after.start for before, after in pairwise(complete))


def test_tenants_and_resources_have_separate_watermarks(engine: Engine) -> None:
    with engine.begin() as connection:
        watermarks.advance_watermark(connection, TENANT, "contacts", hours(0, 1))
        watermarks.advance_watermark(connection, "another", "contacts", hours(1, 2))
        watermarks.advance_watermark(connection, TENANT, "policies", hours(1, 2))
        assert watermarks.read_complete_windows(connection, TENANT, "contacts") == [hours(0, 1)]
        assert watermarks.read_complete_windows(connection, TENANT, "claims") == []


@pytest.mark.parametrize(
    ("intervals", "start"),
    [
        ([], FIRST_INSTANT),
        ([hours(0, 5)], hours(0, 5).end),
        ([hours(0, 5), hours(7, 9)], hours(0, 5).end),  # the gap is read first
        ([hours(7, 9)], FIRST_INSTANT),
    ],
)
def test_the_next_window_starts_at_the_end_of_the_first_complete_window(
    intervals: list[Window], start: datetime
) -> None:
    assert watermarks.find_next_start(intervals) == start


def test_resources_that_are_not_offered_are_stored_for_a_week(engine: Engine) -> None:
    with engine.begin() as connection:
        watermarks.write_offer(connection, TENANT, "claims", offered=False, reason="403")
        watermarks.write_offer(connection, TENANT, "quotes", offered=True)
        watermarks.write_offer(connection, "another", "departments", offered=False, reason="404")
        assert watermarks.read_not_offered(connection, TENANT) == {"claims": "403"}
        connection.execute(text("UPDATE etl.offers SET asked_at = now() - interval '8 days'"))
        assert watermarks.read_not_offered(connection, TENANT) == {}
        assert watermarks.read_not_offered(connection, TENANT, within=None) == {"claims": "403"}


def test_a_later_answer_replaces_an_earlier_one(engine: Engine) -> None:
    with engine.begin() as connection:
        watermarks.write_offer(connection, TENANT, "claims", offered=False, reason="403")
        watermarks.write_offer(connection, TENANT, "claims", offered=True)
        assert watermarks.read_not_offered(connection, TENANT, within=None) == {}


def test_watermarks_are_read_in_utc(engine: Engine) -> None:
    assert [(window.start.tzinfo, window.end.tzinfo) for window in advanced(engine, [hours(0, 1)])] == [(UTC, UTC)]
