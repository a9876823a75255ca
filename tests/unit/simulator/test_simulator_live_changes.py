"""What happens while time passes: deterministic, visible in the feeds, and adding up."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from etl.simulator import live_changes
from etl.simulator.world import World

NOW = datetime(2026, 6, 15, 16, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
DAY = (LATER - timedelta(hours=1), LATER + timedelta(hours=1))
NAMES = ("contacts", "policies", "claims", "applications", "commissions")

Change = Callable[[World, random.Random, datetime], str]


@pytest.fixture
def world() -> World:
    return World.make(9, 250, NOW)


def changes(world: World, change: Change, times: int = 20) -> Iterator[str]:
    """Yield what a change did, with each of some dice for which a record fits."""
    for number in range(times):
        with suppress(live_changes.NothingFits):
            yield change(world, random.Random(number), LATER)


def touched(world: World) -> dict[str, list[Any]]:
    return {name: list(getattr(world, name).within(*DAY)) for name in NAMES}


def test_life_is_the_same_for_the_same_seed() -> None:
    first, other = World.make(9, 60, NOW), World.make(9, 60, NOW)
    assert first.tick(LATER, 60) == other.tick(LATER, 60)
    assert first.book() == other.book()
    assert first.changes == 60


def test_changes_one_by_one_are_those_of_one_tick() -> None:
    first, other = World.make(9, 60, NOW), World.make(9, 60, NOW)
    words = [text for _ in range(10) for text in first.tick(LATER)]
    assert words == other.tick(LATER, 10)


#: What each change leaves behind in the feeds of its hour.
TRACES = {
    "_edit_contact": "contacts", "_new_client": "contacts", "_another_policy": "policies", "_renew": "policies",
    "_bind": "policies", "_rewrite": "policies", "_reinstate": "policies", "_cancel": "policies",
    "_endorse": "policies", "_delete_policy": "policies",
    "_delete_contact": "contacts", "_report_claim": "claims", "_settle_claim": "claims",
    "_receive_commission": "commissions", "_drop_coverage": "policies", "_void_payment": None,
}  # fmt: skip


@pytest.mark.parametrize("change", live_changes.CHANGES, ids=lambda record: record.__name__)
def test_every_change_shows_in_the_feed_that_it_concerns(world: World, change: Change) -> None:
    before = world.book()
    words = next(changes(world, change), None)
    trace = TRACES[change.__name__]
    assert words
    assert world.book() != before or change.__name__ == "_drop_coverage"
    assert bool(trace and touched(world)[trace]) == (trace is not None)


def test_what_comes_to_be_while_time_passes_is_dated_now(world: World) -> None:
    names = (*NAMES, "billing")
    before = {name: set(getattr(world, name)) for name in names}
    world.tick(LATER, 250)
    for name in names:
        collection = getattr(world, name)
        new = set(collection) - before[name]
        assert new
        assert {collection.created(key) for key in new} == {LATER}


def test_words_tell_no_names(world: World) -> None:
    words = " ".join(world.tick(LATER, 80))
    names = {contact["LastName"].strip() for contact in world.contacts.values() if contact["LastName"]}
    assert not {name for name in names if f" {name} " in words}


def test_a_voided_payment_does_not_come_back_through_the_feed(world: World) -> None:
    words = live_changes._void_payment(world, random.Random(1), LATER)
    assert words
    key = words.split()[2]
    assert world.billing[key]["IsVoided"]
    assert key not in world.billing.within(*DAY)


def test_a_cancellation_has_its_adjustment_and_gives_commission_back(world: World) -> None:
    words = live_changes._cancel(world, random.Random(3), LATER)
    assert words
    key = int(words.split()[1])
    assert world.policies[key]["Status"] == "C"
    change = world.detail("adjustments", key)[-1]
    assert (change["AdjustmentType"], change["AdjustmentDate"]) == ("C", "2026-06-18T00:00:00")
    returned = [row for row in world.commissions.values() if row["PolicyID"] == key and row["TransactionType"] == "C"]
    assert returned[-1]["Premium"] == change["PremiumChange"] <= 0
    assert returned[-1]["Amount"] == change["CommissionChange"]
    assert [reason["ReasonDescription"] for reason in change["AdjustmentReasons"]]


def test_a_reinstatement_charges_what_the_cancellation_returned(world: World) -> None:
    words = next(changes(world, live_changes._reinstate))
    key = int(words.split()[1])
    canceled, reinstated = world.detail("adjustments", key)[-2:]
    assert (canceled["AdjustmentType"], reinstated["AdjustmentType"]) == ("C", "R")
    assert reinstated["PremiumChange"] == -canceled["PremiumChange"]
    assert reinstated["DaysLapsed"] > 0
    assert world.policies[key]["Status"] == "A"
    assert world.detail("info", key)[0]["Reinstated"]


def test_a_rewrite_cancels_a_policy_and_replaces_it_with_another_carrier(world: World) -> None:
    words = next(changes(world, live_changes._rewrite))
    old, new = (world.policies[int(key)] for key in words.split()[1::3])
    assert (old["Status"], new["PriorPolicyID"]) == ("C", old["PolicyId"])
    assert world.detail("info", new["PolicyId"])[0]["BusinessType"] == "W"
    assert old["CarrierId"] != new["CarrierId"] or len(world.agency.carriers) == 1


def test_a_bound_policy_has_a_number_and_is_active(world: World) -> None:
    unbound = {key for key, facts in world.facts.items() if facts.bound is None}
    words = live_changes._bind(world, random.Random(1), LATER)
    assert words
    key = int(words.split()[1])
    policy = world.policies[key]
    assert key in unbound
    assert world.detail("info", key)[0]["BinderDate"] == "2026-06-18T00:00:00"
    assert policy["Status"] == "A"
    assert policy["PolicyNumber"].lower() not in {"pending", "tba", "tbd"}
    assert policy["HasBeenModified"]


def test_a_renewal_is_set_up_once(world: World) -> None:
    renewals = list(changes(world, live_changes._renew, 300))
    priors = [policy["PriorPolicyID"] for policy in world.policies.values() if policy["PriorPolicyID"]]
    assert renewals
    assert len(priors) == len(set(priors))


def test_a_removed_coverage_stays_away(world: World) -> None:
    words = next(changes(world, live_changes._drop_coverage))
    assert words
    key = int(words.split()[1].rstrip(":"))
    left = world.detail("coverages", key)
    fresh = World.make(9, 250, NOW).detail("coverages", key)
    assert left == fresh[:-1]


def test_an_endorsement_changes_the_premium_by_its_amount(world: World) -> None:
    before = {policy["PolicyId"]: policy["TotalPremium"] for policy in world.policies.values()}
    words = live_changes._endorse(world, random.Random(1), LATER)
    assert words
    key = int(words.split()[1])
    amount = world.detail("adjustments", key)[-1]["PremiumChange"]
    assert world.policies[key]["TotalPremium"] == pytest.approx(before[key] + amount, abs=0.0051)


def test_an_empty_agency_comes_to_life() -> None:
    world = World.make(1, 0, NOW)
    world.tick(LATER, 20)
    assert len(world.contacts) > 5
