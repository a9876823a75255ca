"""The figures of the benchmark of calls."""

from collections import Counter

from benchmarks.calls import Period, format_periods


def test_a_period_shows_its_calls_and_the_share_of_the_limit() -> None:
    first = Period("first sync", Counter(policy_info=500, contacts=80), 3, minutes=12.5, useful_minutes=2.0)
    day = Period("day 1", Counter(contacts=24, ping=24))
    shown = format_periods([first, day]).splitlines()
    assert shown[0] == "|  | first sync | day 1 |"
    assert "| contacts | 80 | 24 |" in shown
    assert "| policy_info | 500 | 0 |" in shown
    assert "| **calls** | 580 | 48 |" in shown
    assert "| refused | 3 | 0 |" in shown
    assert "| useful database | 2 min |  |" in shown
    assert "| complete | 12 min 30 s |  |" in shown
    assert "| limit used | 80.0% |  |" in shown, "580 of 58 calls in each of 12.5 minutes"
