"""Days of an agency after its first sync: changed details at once, the others by age within the budget of a day."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from benchmarks.calls import measure_first_sync, open_agency
from benchmarks.calls_agency import Agency
from benchmarks.calls_book import BookSize, open_account
from benchmarks.calls_figures import Period
from etl.pipeline.watcher import Watcher

#: A minute of the limit takes a second; the clock skips the hours between the runs.
WINDOW = 1.0
BOOK = BookSize(customers=6, policies=15, changed=0.5)
#: The calls that read details, by what they are for, as the account offers them.
OF_CUSTOMERS, OF_POLICIES = ("account", "documents"), ("policy_info", "adjustments", "quotes")
BETWEEN = timedelta(hours=4)


@pytest.fixture
def agency(database_url: str) -> Iterator[Agency]:
    """Yield an agency at noon, after its first sync."""
    with open_account(BOOK, WINDOW) as simulator:
        opened = open_agency(simulator, database_url, WINDOW)
        tomorrow = opened.clock.now() + timedelta(days=1)
        opened.clock.skip(tomorrow.replace(hour=12, minute=0, second=0) - opened.clock.now())
        measure_first_sync(opened)
        yield opened


def calls_of_run(agency: Agency, pause: timedelta) -> Counter[str]:
    """Return the calls of a run after a pause, by kind."""
    agency.clock.skip(pause)
    period = Period("run")
    assert not agency.run(Watcher()).has_backlog
    agency.count(period)
    assert period.refused == 0
    return period.calls


def details_of(calls: Counter[str]) -> dict[str, int]:
    """Return the calls for details among the calls of a run."""
    return {kind: calls[kind] for kind in (*OF_CUSTOMERS, *OF_POLICIES) if calls[kind]}


def change_one_of_each(agency: Agency) -> None:
    """Change an active customer, and a policy that began long ago and is in force."""
    world, now = agency.simulator.world, agency.clock.now()
    customer = next(key for key in world.clients if world.contacts[key]["Status"] == "A")
    world.contacts.change(customer, now, City="Elsewhere")
    begun, today = f"{now - timedelta(days=130):%Y-%m-%d}", f"{now:%Y-%m-%d}"
    policies = [policy for policy in world.policies.values() if policy["EffectiveDate"] < begun]
    changed = next(
        policy for policy in policies if policy["Status"] == "A" and (policy["ExpirationDate"] or "9") > today
    )
    world.policies.change(changed["PolicyId"], now, Description="changed")


def test_a_day_reads_what_changed_at_once_and_each_list_once(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six runs from noon to noon. No refreshes by age: their budget is spent."""
    monkeypatch.setenv("ETL_DAILY_CALLS", "0")
    runs = [calls_of_run(agency, BETWEEN) for _ in range(2)]
    change_one_of_each(agency)
    runs += [calls_of_run(agency, BETWEEN) for _ in range(4)]
    changed = {"account": 1, "documents": 1, "policy_info": 1, "adjustments": 1}
    assert [details_of(calls) for calls in runs] == [{}, {}, changed, {}, {}, {}]
    day = sum(runs, Counter[str]())
    assert {kind: day[kind] for kind in ("locations", "carriers", "agency_rules")} == {
        "locations": 1, "carriers": 1, "agency_rules": 1
    }  # fmt: skip
    assert [calls["ping"] for calls in runs] == [1] * 6
    assert max(calls.total() for calls in (runs[0], runs[1], runs[5])) <= 8, "a run without changes"
    assert max(calls["coverages"] + calls["acord_forms"] for calls in runs) == 0, "what is not offered"


def test_details_are_read_again_by_age_within_the_calls_of_a_day(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 30 days all active customers were due, each on its day; what the budget leaves out is read later."""
    world = agency.simulator.world
    active = sum(world.contacts[key]["Status"] == "A" for key in world.clients)
    monkeypatch.setenv("ETL_DAILY_CALLS", "0")
    assert details_of(calls_of_run(agency, timedelta(days=30))) == {}, "no calls are left for refreshes"
    monkeypatch.setenv("ETL_DAILY_CALLS", "20")
    day = calls_of_run(agency, timedelta(hours=25))
    assert day.total() <= 20
    assert sum(details_of(day).values()) > 0
    monkeypatch.setenv("ETL_DAILY_CALLS", "20000")
    rest = calls_of_run(agency, timedelta(hours=1))
    assert {kind: day[kind] + rest[kind] for kind in OF_CUSTOMERS} == dict.fromkeys(OF_CUSTOMERS, active)
    assert details_of(calls_of_run(agency, timedelta(hours=1))) == {}, "what was read again is not due"
