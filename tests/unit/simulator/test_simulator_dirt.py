"""The book is as dirty as a real one, and every quirk happens about as often as it says."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from etl.simulator import dirt
from etl.simulator.world import World

NOW = datetime(2026, 6, 15, 16, 30, tzinfo=UTC)
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?"


@pytest.fixture(scope="module")
def world() -> World:
    return World.make(5, 2500, NOW)


def share(items: list[dict[str, Any]], test: Callable[[dict[str, Any]], object]) -> float:
    return sum(bool(test(item)) for item in items) / len(items)


@pytest.mark.parametrize("quirk", [*dirt.CONTACT_QUIRKS, *dirt.POLICY_QUIRKS, dirt.DELETED_CONTACT])
def test_a_quirk_befalls_as_many_as_it_says(quirk: dirt.Quirk) -> None:
    dice = random.Random(1)
    always = dirt.Quirk(quirk.name, 100, lambda _dice, _item: {"hit": True})
    often = dirt.Quirk(quirk.name, quirk.percent, lambda _dice, _item: {"hit": True})
    assert dirt.with_quirks(dice, {}, (always,)) == {"hit": True}
    hits = sum("hit" in dirt.with_quirks(dice, {}, (often,)) for _ in range(20_000))
    assert hits / 200 == pytest.approx(quirk.percent, rel=0.35)


@pytest.mark.parametrize(
    ("low", "high", "test"),
    [
        (0.12, 0.22, lambda one: not (one["Email"] or "").strip()),
        (0.06, 0.13, lambda one: not one["Phone"]),
        (0.02, 0.07, lambda one: one["Line1"] is None),
        (0.3, 0.55, lambda one: re.fullmatch(r"\d{5}     ", one["Zip"] or "")),
        (0.1, 0.22, lambda one: re.fullmatch(r"\d{9} ", one["Zip"] or "")),
        (0.002, 0.02, lambda one: one["State"] == "  "),
        (0.06, 0.16, lambda one: one["County"] == ""),
        (0.3, 0.75, lambda one: one["Line2"] == ""),
        (0.3, 0.46, lambda one: one["DateLastModified"] is None),
        (0.004, 0.03, lambda one: one["Status"] == "D"),
        (0.005, 0.03, lambda one: one["Status"] == "I"),
        (0.003, 0.02, lambda one: one["LastName"] is None and one["BusinessName"] is None),
        (0.001, 0.02, lambda one: not one["DisplayName"]),
        (0.02, 0.07, lambda one: one["CustomerNo"] is None),
        (0.005, 0.03, lambda one: one["LocationID"] is None),
        (0.02, 0.09, lambda one: (one["City"] or "x").isupper()),
        (0.01, 0.06, lambda one: one["CreatedOn"].endswith("+00:00")),
    ],
)
def test_contacts_are_dirty(world: World, low: float, high: float, test: Callable[[dict[str, Any]], object]) -> None:
    assert low < share([world.contacts[key] for key in world.clients], test) < high


@pytest.mark.parametrize(
    ("low", "high", "test"),
    [
        (0.005, 0.06, lambda one: one["PolicyNumber"].lower().strip() in {"pending", "tba", "tbd"}),
        (0.01, 0.05, lambda one: one["PolicyNumber"].endswith(" ")),
        (0.01, 0.04, lambda one: "/" in one["CreatedOn"]),
        (0.005, 0.04, lambda one: "/" in (one["DateLastModified"] or "")),
        (0.01, 0.06, lambda one: (one["DateLastModified"] or "").endswith("+00:00")),
        (0.005, 0.04, lambda one: one["ProducerIDs"] == []),
        (0.001, 0.04, lambda one: one["ExpirationDate"] is None),
        (0.003, 0.03, lambda one: one["Status"] == "D"),
        (0.03, 0.15, lambda one: one["Status"] == "C"),
    ],
)
def test_policies_are_dirty(world: World, low: float, high: float, test: Callable[[dict[str, Any]], object]) -> None:
    assert low < share(list(world.policies.values()), test) < high


def test_policy_numbers_repeat(world: World) -> None:
    numbers = [one["PolicyNumber"].strip() for one in world.policies.values()]
    assert len(set(numbers)) < 0.9 * len(numbers)


def test_times_come_in_several_forms(world: World) -> None:
    stamps = [one["CreatedOn"] for feed in (world.policies, world.contacts) for one in feed.values()]
    fractions = {len(found[1] or "") for found in (re.fullmatch(ISO, one) for one in stamps) if found}
    assert fractions >= {2, 3, 4}  # the point counts
    row = next(world.billing.values())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00", row["TransactionDate"])


def test_bad_addresses_and_numbers_are_of_every_sort(world: World) -> None:
    emails = [one["Email"] for one in world.contacts.values() if one["Email"] and "@example." not in one["Email"]]
    bad = [one for one in emails if not one.strip().endswith(".example.com")]
    assert {"none", "n/a"} & set(bad)
    assert any(" at " in one for one in bad)
    phones = {re.sub(r"\d", "9", one["Phone"] or "") for one in world.contacts.values()}
    assert phones & {"call after 9", "unknown"}


def test_only_modified_contacts_are_deleted(world: World) -> None:
    for key in world.contacts:
        if world.contacts[key]["Status"] == "D":
            assert world.contacts.modified(key)


def test_a_record_without_quirks_stays_as_it_is() -> None:
    assert dirt.with_quirks(random.Random(1), {"a": 1}, ()) == {"a": 1}
