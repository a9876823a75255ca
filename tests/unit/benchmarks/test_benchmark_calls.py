"""The book, the figures and the targets of the benchmark of calls."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.calls_agency import is_current
from benchmarks.calls_book import BookSize, fit_world
from benchmarks.calls_figures import Life, Period, Useful
from benchmarks.calls_report import format_forecasts, format_periods, format_targets
from benchmarks.pacing import Outcome
from etl.call_estimate import Estimate
from etl.simulator.routes import find
from etl.simulator.world import World

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def rows_of(table: str) -> dict[str, list[str]]:
    """Return the cells of a table by their label."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {label: cells for label, *cells in lines}


def test_a_period_shows_its_calls_and_the_share_of_the_limit() -> None:
    first = Period("first sync", Counter(policy_info=500, contacts=80), 3, minutes=12.5)
    day = Period("day 1", Counter(contacts=24, ping=24), changed=170)
    shown = rows_of(format_periods([first, day]))
    assert shown[""] == ["first sync", "day 1"]
    assert shown["contacts"] == ["80", "24"]
    assert shown["policy_info"] == ["500", "0"]
    assert shown["**calls**"] == ["580", "48"]
    assert shown["refused"] == ["3", "0"]
    assert shown["changed records"] == ["0", "170"]
    assert shown["at the limit"] == ["10 min", "49.7 s"] or shown["at the limit"] == ["10 min", "50 s"]
    assert shown["as measured"] == ["12 min 30 s", ""]
    assert shown["limit used"] == ["80.0%", ""], "580 of 58 calls in each of 12.5 minutes"


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_book_has_its_size_and_its_share_of_changed_policies(share: float) -> None:
    world = World.make(1, 200, NOW)
    fit_world(world, BookSize(100, 240, share))
    policies = list(world.policies.values())
    kinds = Counter(world.contact_types[int(key)] for key in world.contacts)
    assert (kinds["C"], kinds["P"], kinds["H"], len(policies)) == (100, 0, 0, 240)
    assert sum(policy["HasBeenModified"] for policy in policies) == share * 240
    assert all((policy["DateLastModified"] is not None) == policy["HasBeenModified"] for policy in policies)
    assert {policy["CustomerId"] for policy in policies} <= set(world.contacts), "no policy lost its customer"
    assert {int(row["PolicyIds"]) for row in world.billing.values()} <= {policy["PolicyId"] for policy in policies}
    never = [policy["PolicyId"] for policy in policies if not policy["HasBeenModified"]]
    assert not any(world.adjustments.get(key) for key in never), "what has adjustments was changed"


@pytest.mark.parametrize(
    ("path", "fields", "current"),
    [
        ("Contacts/41001/AccountInfo", {}, True),
        ("Documents/Images", {}, True),
        ("Contacts/LastModifiedCreated", {}, False),
        ("Policies/LastModifiedCreated", {}, False),
        ("Policies/#/PolicyInfo", {"Status": "A", "ExpirationDate": "2027-01-01T00:00:00"}, True),
        ("Policies/#/PolicyInfo", {"Status": "E", "ExpirationDate": "2025-06-01T00:00:00"}, True),
        ("Policies/#/Adjustments", {"Status": "C", "ExpirationDate": "2025-04-01T00:00:00"}, False),
        ("Policies/#/Quotes", {"Status": "P", "EffectiveDate": "2020-01-01", "ExpirationDate": None}, True),
        ("Policies/#/Quotes", {"Status": "C", "EffectiveDate": "2020-01-01", "ExpirationDate": None}, False),
    ],
)
def test_a_call_for_a_policy_that_ended_more_than_13_months_ago_is_not_current(
    path: str, fields: dict[str, Any], current: bool
) -> None:
    world = World.make(1, 10, NOW)
    key = next(iter(world.policies))
    world.policies.change(key, None, **fields)
    match = find(path.replace("#", str(key)))
    assert match is not None
    assert is_current(world, *match, NOW.date()) is current


def life(calls: dict[str, int], due: dict[str, int], days: Sequence[int], idle: int = 4, current: int = 100) -> Life:
    first = Period("first sync", Counter(calls), current_calls=current)
    periods = [Period(f"day {number}", Counter(ping=number_of)) for number, number_of in enumerate(days)]
    before = {"contacts": Estimate(13, 13), "policy_details": Estimate(900, 1_100)}
    return Life(BookSize(10, 20, 0.5), "", first, periods, Period("idle", Counter(ping=idle)), before, due)


def test_a_forecast_is_printed_next_to_the_calls_then_made() -> None:
    calls = {"contacts": 12, "ping": 3, "policy_info": 1_000}
    shown = rows_of(format_forecasts(life(calls, {"policy_details": 1_050}, [])))
    assert shown["policy_details"] == ["900 to 1,100", "1,050", "1,000", "+5.0%"]
    assert shown["**all details**"] == ["900 to 1,100", "1,050", "1,000", "+5.0%"]
    assert shown["lists"] == ["13", "", "15", ""]


def test_each_target_has_a_verdict() -> None:
    """The targets: 5 minutes, 25,000, 35,000, 1,500 and 8 calls, and a tenth."""
    useful = [Useful(500, 160, 4.9, 2.0), Useful(100, 800, 14.0, 5.1)]
    paces = [Outcome(570, 0, 60.0, 0), Outcome(300, 0, 60.0, 20, 200)]
    good = life({"policy_info": 35_000}, {"policy_details": 38_000}, [1_400, 1_500], current=25_000)
    bad = life({"policy_info": 35_001}, {"policy_details": 39_000}, [1_501, 1_400], idle=9, current=25_001)
    verdicts = {label: cells[-1] for label, cells in rows_of(format_targets([good], useful, paces)).items()}
    assert verdicts["useful database, pages of 500"] == "met"
    assert verdicts["useful without billing, pages of 100"] == "**not met**"
    assert verdicts["limit used, only our workers"] == "met"
    assert verdicts["limit used, with another integration"] == "**not met**"
    of_book = [
        "current", "complete", "a quiet day", "a run without changes", "forecast, lists read"
    ]  # fmt: skip
    assert [verdicts[f"{what}, 50% changed"] for what in of_book] == ["met"] * 5
    verdicts = {label: cells[-1] for label, cells in rows_of(format_targets([bad], useful, paces)).items()}
    assert [verdicts[f"{what}, 50% changed"] for what in of_book] == ["**not met**"] * 5
