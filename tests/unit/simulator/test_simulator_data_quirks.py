"""The book is as dirty as a real one, and every quirk happens about as often as it says."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from etl.simulator import data_quirks
from etl.simulator.world import World

NOW = datetime(2026, 6, 15, 16, 30, tzinfo=UTC)
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?"


@pytest.fixture(scope="module")
def world() -> World:
    return World.make(5, 2500, NOW)


def share(items: list[dict[str, Any]], test: Callable[[dict[str, Any]], object]) -> float:
    return sum(bool(test(item)) for item in items) / len(items)


@pytest.mark.parametrize(
    "quirk", [*data_quirks.CONTACT_QUIRKS, *data_quirks.POLICY_QUIRKS, data_quirks.DELETED_CONTACT]
)
def test_a_quirk_befalls_as_many_as_it_says(quirk: data_quirks.Quirk) -> None:
    dice = random.Random(1)
    always = data_quirks.Quirk(quirk.name, 100, lambda _dice, _item: {"hit": True})
    often = data_quirks.Quirk(quirk.name, quirk.percent, lambda _dice, _item: {"hit": True})
    assert data_quirks.with_quirks(dice, {}, (always,)) == {"hit": True}
    hits = sum("hit" in data_quirks.with_quirks(dice, {}, (often,)) for _ in range(20_000))
    assert hits / 200 == pytest.approx(quirk.percent, rel=0.35)


@pytest.mark.parametrize(
    ("low", "high", "test"),
    [
        (0.12, 0.22, lambda record: not (record["Email"] or "").strip()),
        (0.06, 0.13, lambda record: not record["Phone"]),
        (0.02, 0.07, lambda record: record["Line1"] is None),
        (0.3, 0.55, lambda record: re.fullmatch(r"\d{5}     ", record["Zip"] or "")),
        (0.1, 0.22, lambda record: re.fullmatch(r"\d{9} ", record["Zip"] or "")),
        (0.002, 0.02, lambda record: record["State"] == "  "),
        (0.06, 0.16, lambda record: record["County"] == ""),
        (0.3, 0.75, lambda record: record["Line2"] == ""),
        (0.3, 0.46, lambda record: record["DateLastModified"] is None),
        (0.004, 0.03, lambda record: record["Status"] == "D"),
        (0.005, 0.03, lambda record: record["Status"] == "I"),
        (0.003, 0.02, lambda record: record["LastName"] is None and record["BusinessName"] is None),
        (0.001, 0.02, lambda record: not record["DisplayName"]),
        (0.02, 0.07, lambda record: record["CustomerNo"] is None),
        (0.005, 0.03, lambda record: record["LocationID"] is None),
        (0.02, 0.09, lambda record: (record["City"] or "x").isupper()),
        (0.01, 0.06, lambda record: record["CreatedOn"].endswith("+00:00")),
    ],
)
def test_contacts_are_dirty(world: World, low: float, high: float, test: Callable[[dict[str, Any]], object]) -> None:
    assert low < share([world.contacts[key] for key in world.clients], test) < high


@pytest.mark.parametrize(
    ("low", "high", "test"),
    [
        (0.005, 0.06, lambda record: record["PolicyNumber"].lower().strip() in {"pending", "tba", "tbd"}),
        (0.01, 0.05, lambda record: record["PolicyNumber"].endswith(" ")),
        (0.01, 0.04, lambda record: "/" in record["CreatedOn"]),
        (0.005, 0.04, lambda record: "/" in (record["DateLastModified"] or "")),
        (0.01, 0.06, lambda record: (record["DateLastModified"] or "").endswith("+00:00")),
        (0.005, 0.04, lambda record: record["ProducerIDs"] == []),
        (0.001, 0.04, lambda record: record["ExpirationDate"] is None),
        (0.003, 0.03, lambda record: record["Status"] == "D"),
        (0.03, 0.15, lambda record: record["Status"] == "C"),
    ],
)
def test_policies_are_dirty(world: World, low: float, high: float, test: Callable[[dict[str, Any]], object]) -> None:
    assert low < share(list(world.policies.values()), test) < high


def test_policy_numbers_repeat(world: World) -> None:
    numbers = [policy["PolicyNumber"].strip() for policy in world.policies.values()]
    assert len(set(numbers)) < 0.9 * len(numbers)


def test_times_come_in_several_forms(world: World) -> None:
    stamps = [record["CreatedOn"] for feed in (world.policies, world.contacts) for record in feed.values()]
    fractions = {len(match[1] or "") for match in (re.fullmatch(ISO, stamp) for stamp in stamps) if match}
    assert fractions >= {2, 3, 4}  # the point counts
    row = next(world.billing.values())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00", row["TransactionDate"])


def test_bad_addresses_and_numbers_are_of_every_sort(world: World) -> None:
    emails = [
        contact["Email"]
        for contact in world.contacts.values()
        if contact["Email"] and "@example." not in contact["Email"]
    ]
    bad = [email for email in emails if not email.strip().endswith(".example.com")]
    assert {"none", "n/a"} & set(bad)
    assert any(" at " in email for email in bad)
    phones = {re.sub(r"\d", "9", contact["Phone"] or "") for contact in world.contacts.values()}
    assert phones & {"call after 9", "unknown"}


def test_only_modified_contacts_are_deleted(world: World) -> None:
    for key in world.contacts:
        if world.contacts[key]["Status"] == "D":
            assert world.contacts.modified(key)


def test_a_record_without_quirks_stays_as_it_is() -> None:
    assert data_quirks.with_quirks(random.Random(1), {"a": 1}, ()) == {"a": 1}
