"""The arithmetic of calls: the order of reading, budgets, and counts from sampled records."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as some

from etl.catalogue.detail_rules import Priority
from etl.extract.details.plan_calls import CallBudgets, count_calls_of_records, plan_calls
from etl.ledger.children.child_counts import DueCalls
from etl.resources import find_resource

TODAY = date(2026, 3, 1)
DUE = some.lists(
    some.builds(
        DueCalls,
        some.sampled_from(["policy_details", "adjustments", "documents"]),
        some.sampled_from(Priority),
        some.booleans(),
        some.integers(0, 1000),
    ),
    max_size=12,
)


def test_calls_are_planned_by_value_over_all_resources_and_refreshes_come_last() -> None:
    due = [
        DueCalls("policy_details", Priority.LONG_ENDED, True, 400),
        DueCalls("documents", Priority.CUSTOMER, True, 300),
        DueCalls("policy_details", Priority.IN_FORCE, True, 200),
        DueCalls("adjustments", Priority.IN_FORCE, True, 100),
        DueCalls("policy_details", Priority.EXPIRING, True, 50),
        DueCalls("documents", Priority.CUSTOMER, False, 70),
    ]
    assert [(each.resource, each.priority, each.calls, each.before) for each in plan_calls(due)] == [
        ("policy_details", Priority.EXPIRING, 50, 0),
        ("policy_details", Priority.IN_FORCE, 200, 50),
        ("adjustments", Priority.IN_FORCE, 100, 50),
        ("documents", Priority.CUSTOMER, 300, 350),
        ("policy_details", Priority.LONG_ENDED, 400, 650),
        ("documents", Priority.CUSTOMER, 70, 1050),
    ]


def test_a_budget_that_ends_among_the_calls_of_one_value_is_shared() -> None:
    due = [
        DueCalls("policy_details", Priority.IN_FORCE, True, 200),
        DueCalls("adjustments", Priority.IN_FORCE, True, 100),
        DueCalls("documents", Priority.CUSTOMER, True, 10),
    ]
    planned = plan_calls(due, CallBudgets(run=30))
    assert [(each.calls, each.deferred) for each in planned] == [(20, 180), (10, 90), (0, 10)]


def test_the_daily_budget_bounds_refreshes_only() -> None:
    due = [
        DueCalls("policy_details", Priority.IN_FORCE, True, 200),
        DueCalls("policy_details", Priority.IN_FORCE, False, 100),
    ]
    assert [each.calls for each in plan_calls(due, CallBudgets(refreshes=40))] == [200, 40]
    assert [each.calls for each in plan_calls(due, CallBudgets(refreshes=0))] == [200, 0]


@given(due=DUE, run=some.none() | some.integers(0, 3000), refreshes=some.none() | some.integers(0, 3000))
def test_no_call_is_lost_or_made_twice(due: list[DueCalls], run: int | None, refreshes: int | None) -> None:
    planned = plan_calls(due, CallBudgets(run, refreshes))
    total_calls = sum(each.calls for each in planned)
    assert total_calls + sum(each.deferred for each in planned) == sum(each.calls for each in due)
    assert all(each.calls >= 0 and each.deferred >= 0 for each in planned)
    changed = sum(each.calls for each in due if each.changed)
    aged = sum(each.calls for each in due if not each.changed)
    allowed = changed + min(aged, aged if refreshes is None else refreshes)
    assert total_calls == min(allowed, allowed if run is None else run)


def test_sampled_records_are_counted_by_the_rules_of_the_queue() -> None:
    policies = find_resource("policies")
    term: dict[str, object] = {
        "EffectiveDate": "2025-06-01T00:00:00",
        "ExpirationDate": "2026-06-01T00:00:00",
        "Status": "A",
    }
    records: list[dict[str, object]] = [
        term | {"HasBeenModified": True},
        term | {"HasBeenModified": False, "ExpirationDate": "2026-05-01T00:00:00"},
        term | {"Status": "D"},
        {"Status": "P", "EffectiveDate": "2026-02-01T00:00:00", "HasBeenModified": False},
    ]
    counts = {
        name: {
            each.priority: each.calls for each in count_calls_of_records(find_resource(name), policies, records, TODAY)
        }
        for name in ("policy_details", "adjustments", "quotes")
    }
    assert counts == {
        "policy_details": {Priority.EXPIRING: 1, Priority.IN_FORCE: 2},
        "adjustments": {Priority.SAMPLE: 2, Priority.IN_FORCE: 1},
        "quotes": {Priority.IN_FORCE: 1},
    }


def test_carriers_staff_and_prospects_cost_no_call() -> None:
    people = [{"ContactType": code, "Status": "A"} for code in ("C", "R", "M", "E", "P", "H")]
    (due,) = count_calls_of_records(find_resource("documents"), find_resource("contacts"), people, TODAY)
    assert (due.priority, due.calls) == (Priority.CUSTOMER, 2)
