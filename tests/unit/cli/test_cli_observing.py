"""Pure parts of what status and findings show."""

from datetime import UTC, datetime, timedelta

import pytest

from etl.ledger.children import Coverage
from etl.observe.findings import LONGEST_SHAPE, is_personal, shape
from etl.observe.status import Facts, Freshness, freshness, gaps_between
from etl.resources import resource
from etl.window import FIRST_INSTANT, Window

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def facts(**known: object) -> Facts:
    empty = {"now": NOW, "complete": {}, "rows": {}, "findings": {}, "offered": {}, "latest": {}, "coverage": {}}
    return Facts(**{**empty, **known})  # type: ignore[arg-type]


def days(first: str, last: str) -> Window:
    return Window.of({"start_date": first, "end_date": last})


def test_gaps_lie_between_and_before_complete_windows() -> None:
    first, second = days("2026-01-01", "2026-01-02"), days("2026-01-05", "2026-01-06")
    assert gaps_between([]) == ()
    assert gaps_between([first, second]) == (Window(FIRST_INSTANT, first.start), Window(first.end, second.start))
    assert gaps_between([Window(FIRST_INSTANT, NOW)]) == ()


def test_lag_counts_from_the_unbroken_end() -> None:
    complete = {"contacts": [Window(FIRST_INSTANT, NOW - 3 * HOUR), Window(NOW - 2 * HOUR, NOW - HOUR)]}
    one = freshness(resource("contacts"), facts(complete=complete))
    assert one.lag == 3 * HOUR
    assert len(one.gaps) == 1
    assert one.is_late(2 * HOUR)
    assert not one.is_late(4 * HOUR)


def test_what_was_never_read_is_late_and_what_is_not_offered_is_not() -> None:
    assert freshness(resource("claims"), facts()).is_late(1000 * HOUR)
    assert not freshness(resource("claims"), facts(offered={"claims": False})).is_late(HOUR)


@pytest.mark.parametrize(("oldest", "lag"), [(None, HOUR), (NOW - 5 * HOUR, 5 * HOUR), (NOW, HOUR)])
def test_details_are_as_old_as_their_oldest_call_or_their_parent(oldest: datetime | None, lag: timedelta) -> None:
    known = facts(
        complete={"policies": [Window(FIRST_INSTANT, NOW - HOUR)]},
        coverage={"quotes": Coverage(10, 8, 2 if oldest else 0, oldest)},
        latest={"quotes": type("Row", (), {"status": "done", "error": None, "started_at": NOW})},
    )
    assert freshness(resource("quotes"), known).lag == lag


def test_an_error_is_shown_while_the_newest_run_has_it() -> None:
    row = {"status": "failed", "error": "away", "started_at": NOW}
    shown = freshness(resource("claims"), facts(latest={"claims": type("Row", (), row)}))
    assert (shown.error, shown.error_at) == ("away", NOW)
    mended = freshness(resource("claims"), facts(latest={"claims": type("Row", (), row | {"status": "done"})}))
    assert mended == Freshness("claims", None, None, rows=0)


@pytest.mark.parametrize(
    ("value", "seen"),
    [("jane@home", "••••@••••"), ("555-12", "•••-••"), ("", ""), ("a\x1bb", "•••"), ("Zoë Ä", "••• •")],
)
def test_a_shape_says_what_a_value_looks_like_and_not_what_it_is(value: str, seen: str) -> None:
    assert shape(value) == seen


def test_a_shape_is_short() -> None:
    assert len(shape("x" * 10_000)) == LONGEST_SHAPE


def test_what_no_column_is_known_for_counts_as_personal() -> None:
    assert is_personal("contacts", "email")
    assert is_personal("contacts", "")
    assert is_personal("nowhere", "status")
    assert not is_personal("policies", "status")
