"""The forecast of a first sync and of later ones, against a made-up book whose calls are counted here by hand."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from etl.catalogue.detail_rules import Priority
from etl.config.settings import Settings
from etl.ledger.children.child_counts import DetailsLeft, DueCalls
from etl.ledger.children.queue import QueueCoverage
from etl.pipeline.forecast.estimate_details import AccountFacts
from etl.pipeline.forecast.feed_sample import FeedSample, choose_pages
from etl.pipeline.forecast.forecast import Forecast, SyncForecast, make_forecast
from etl.pipeline.options import Plan
from etl.window import FIRST_INSTANT, Window

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
SIZE = 100
RESOURCES = (
    "locations",
    "contacts",
    "policies",
    "account_info",
    "policy_details",
    "adjustments",
    "quotes",
    "documents",
)
SETTINGS = Settings.model_construct(**{name: field.default for name, field in Settings.model_fields.items()})

Record = Mapping[str, Any]


def make_contacts(dice: random.Random, number: int) -> list[Record]:
    """Return customers, and a few carriers and employees among them."""
    types = dice.choices(["C", "R", "E"], [90, 6, 4], k=number)
    return [
        {"EntityID": key, "ContactType": code, "Status": "A", "CreatedOn": "2020-01-01T00:00:00"}
        for key, code in enumerate(types)
    ]


def make_policies(dice: random.Random, number: int) -> list[Record]:
    """Return policies of ten years, every other one changed, some deleted, oldest first."""
    policies: list[Record] = []
    for key in range(number):
        begins = TODAY - timedelta(days=3_600 - 3_700 * key // number) + timedelta(days=dice.randrange(30))
        created = datetime.combine(min(begins, TODAY) - timedelta(days=20), datetime.min.time())
        changed = dice.random() < 0.5
        policies.append(
            {
                "PolicyId": key,
                "Status": dice.choices("ACED", [60, 8, 28, 4])[0],
                "HasBeenModified": changed,
                "EffectiveDate": f"{begins}T00:00:00",
                "ExpirationDate": f"{begins + timedelta(days=365)}T00:00:00",
                "CreatedOn": created.isoformat(),
                "DateLastModified": (created + timedelta(days=9)).isoformat() if changed else None,
            }
        )
    return policies


def sample(records: Sequence[Record], most: int = 10) -> FeedSample:
    """Return the pages of a list that a forecast reads."""
    numbers = choose_pages(len(records), SIZE, most)
    return FeedSample(len(records), SIZE, {number: records[(number - 1) * SIZE : number * SIZE] for number in numbers})


def forecast(facts: AccountFacts, *, limit: int | None = None, settings: Settings = SETTINGS) -> SyncForecast:
    windows = dict.fromkeys(RESOURCES, Window(FIRST_INSTANT, NOW))
    return make_forecast(Plan(windows, {}), facts, settings, limit)


def of(planned: SyncForecast, name: str) -> Forecast:
    return next(resource for resource in planned.resources if resource.resource == name)


def count_truth(contacts: Sequence[Record], policies: Sequence[Record]) -> dict[str, int]:
    """Return the calls by the rules as the documentation states them."""
    live = [policy for policy in policies if policy["Status"] != "D"]
    changed = [policy for policy in live if policy["HasBeenModified"] or policy["Status"] == "C"]
    near = [
        policy
        for policy in live
        if abs((date.fromisoformat(policy["EffectiveDate"][:10]) - TODAY).days) <= 120 or policy["Status"] == "P"
    ]
    customers = sum(contact["ContactType"] == "C" for contact in contacts)
    return {
        "account_info": customers,
        "documents": customers,
        "policy_details": len(live),
        "adjustments": len(changed) + min(20, len(live) - len(changed)),
        "quotes": len(near),
    }


def test_lists_that_were_read_to_their_end_give_exact_calls() -> None:
    dice = random.Random(5)
    contacts, policies = make_contacts(dice, 400), make_policies(dice, 900)
    facts = AccountFacts(
        {"contacts": [sample(contacts)], "policies": [sample(policies)], "locations": [FeedSample(None, 1)]}
    )
    planned = forecast(facts)
    for name, calls in count_truth(contacts, policies).items():
        assert (of(planned, name).range.low, of(planned, name).calls) == (calls, calls), name
    assert planned.complete.is_exact
    assert planned.useful.low == 1 + of(planned, "contacts").calls + of(planned, "policies").calls
    assert planned.useful.low < planned.current.low < planned.complete.low, "what ended long ago comes last"


@pytest.mark.parametrize("seed", range(6))
def test_a_sample_gives_a_range_that_contains_the_calls(seed: int) -> None:
    dice = random.Random(seed)
    contacts, policies = make_contacts(dice, 3_000), make_policies(dice, 7_000)
    planned = forecast(AccountFacts({"contacts": [sample(contacts)], "policies": [sample(policies)]}))
    truth = count_truth(contacts, policies)
    outside = {name: calls for name, calls in truth.items() if not in_range(of(planned, name), calls)}
    assert outside == {}
    assert not planned.complete.is_exact
    assert planned.complete.high < 1.6 * sum(truth.values()), "a range that is too wide says nothing"
    assert [(each.resource, each.records, each.total) for each in planned.sampled] == [
        ("contacts", 1_000, 3_000),
        ("policies", 1_000, 7_000),
    ]


def in_range(resource: Forecast, calls: int) -> bool:
    return resource.range.low <= calls <= resource.range.high


def left(name: str, *due: DueCalls) -> DetailsLeft:
    return DetailsLeft(name, QueueCoverage(0, 0, 0, None), due)


def test_once_the_lists_are_read_the_ledger_counts() -> None:
    due = (
        DueCalls("policy_details", Priority.IN_FORCE, True, 70),
        DueCalls("policy_details", Priority.ENDED, False, 5),
    )
    known = {"contacts": NOW - timedelta(hours=1), "policies": NOW - timedelta(hours=1)}
    overlap = [dict(policy) for policy in make_policies(random.Random(1), 40)]
    overlap[0]["DateLastModified"] = NOW.isoformat()
    overlap[0]["Status"] = "A"
    facts = AccountFacts(
        {"policies": [sample(overlap)]}, details={"policy_details": left("policy_details", *due)}, read_to=known
    )
    planned = forecast(facts)
    assert of(planned, "policy_details").calls == 75 + 1, "of the overlap, only what changed since gets calls"
    assert of(planned, "policy_details").range.is_exact
    assert planned.sampled == []


def test_parents_of_an_interrupted_first_sync_do_not_count_twice() -> None:
    policies = make_policies(random.Random(2), 300)
    live = sum(policy["Status"] != "D" for policy in policies)
    staged = left("policy_details", DueCalls("policy_details", Priority.IN_FORCE, True, 100))
    planned = forecast(AccountFacts({"policies": [sample(policies)]}, details={"policy_details": staged}))
    assert of(planned, "policy_details").calls == live


def test_a_budget_leaves_the_rest_for_later_runs() -> None:
    policies = make_policies(random.Random(3), 300)
    frugal = SETTINGS.model_copy(update={"etl_child_budget": 50})
    planned = forecast(AccountFacts({"policies": [sample(policies)]}), settings=frugal)
    details = [resource for resource in planned.resources if resource.details is not None or resource.deferred]
    counted = [resource for resource in planned.resources if resource.fewest is not None and not resource.is_added]
    assert sum(resource.calls for resource in counted) == 50
    assert sum(resource.deferred for resource in details) > 200


def test_a_limited_run_is_as_small_as_its_limit() -> None:
    policies = make_policies(random.Random(4), 300)
    planned = forecast(AccountFacts({"policies": [sample(policies)]}), limit=7)
    assert of(planned, "policy_details").calls == 7
    assert all(not resource.is_added for resource in planned.resources)


def test_resources_that_are_turned_off_show_what_they_would_add() -> None:
    contacts = make_contacts(random.Random(4), 80)
    customers = sum(contact["ContactType"] == "C" for contact in contacts)
    off = SETTINGS.model_copy(update={"etl_resources": "-documents"})
    windows = {name: Window(FIRST_INSTANT, NOW) for name in RESOURCES if name != "documents"}
    planned = make_forecast(Plan(windows, {}), AccountFacts({"contacts": [sample(contacts)]}), off)
    added = [(resource.resource, resource.calls) for resource in planned.resources if resource.is_added]
    assert ("documents", customers) in added
    assert planned.complete == planned.complete.__class__(
        *(
            sum(getattr(resource.range, end) for resource in planned.resources if not resource.is_added)
            for end in ("low", "high")
        )
    )
