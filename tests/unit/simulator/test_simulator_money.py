"""The money of the made-up agency adds up to the cent."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest

from etl.simulator.book import amounts, money
from etl.simulator.world import World

NOW = datetime(2026, 6, 15, 16, 30, tzinfo=UTC)
HALF_A_CENT = 0.0051


@pytest.fixture(scope="module")
def world() -> World:
    return World.make(11, 900, NOW)


def test_a_commission_is_the_rate_of_its_rule_on_the_premium(world: World) -> None:
    rules = {rule["CommissionRuleID"]: rule for rule in world.agency_rules}
    assert len(world.commissions) > 500
    for item in world.commissions.values():
        rule, policy = rules[item["CommissionRuleID"]], world.policies[item["PolicyID"]]
        assert abs(item["Amount"] - item["Premium"] * item["Rate"] / 100) < HALF_A_CENT
        assert item["Rate"] == rule["Rate"]
        assert (rule["CarrierId"], rule["LobId"]) == (policy["CarrierId"], policy["LOBId"])
        assert rule["BusinessType"] == ("N" if business(world, policy) == "N" else "R")
        assert rule["ExpiresOn"] is None


def business(world: World, policy: dict[str, Any]) -> str:
    letter: str = world.detail("info", policy["PolicyId"])[0]["BusinessType"]
    return letter


def test_the_commissioned_premiums_of_a_term_make_its_premium(world: World) -> None:
    booked: dict[int, list[float]] = defaultdict(list)
    for item in world.commissions.values():
        booked[item["PolicyID"]].append(item["Premium"])
    checked = 0
    for key, premiums in booked.items():
        changes = [change for change in world.detail("adjustments", key) if change["AdjustmentType"] != "N"]
        if len(premiums) == 1 + len(changes):  # adjustments of today are not booked before the afternoon
            returned = sum(change["PremiumChange"] for change in changes if change["AdjustmentType"] in "CR")
            assert sum(premiums) == pytest.approx(world.policies[key]["TotalPremium"] + returned, abs=HALF_A_CENT)
            checked += 1
    assert checked > 400


def test_the_premium_of_a_policy_is_its_base_and_its_endorsements(world: World) -> None:
    endorsed = 0
    for policy in world.policies.values():
        changes = world.detail("adjustments", policy["PolicyId"])
        added = sum(change["PremiumChange"] for change in changes if change["AdjustmentType"] == "E")
        (premium,) = world.detail("premium", policy["PolicyId"])
        assert premium["PremiumBase"] + added == pytest.approx(policy["TotalPremium"], abs=HALF_A_CENT)
        assert premium["PremiumChange"] == pytest.approx(added, abs=HALF_A_CENT)
        endorsed += bool(added)
    assert endorsed > 100


def test_a_cancellation_returns_premium_and_a_reinstatement_charges_it_again(world: World) -> None:
    pairs = 0
    for policy in world.policies.values():
        changes = world.detail("adjustments", policy["PolicyId"])
        for canceled, following in zip(changes, [*changes[1:], {}], strict=False):
            if canceled["AdjustmentType"] != "C":
                continue
            assert -policy["TotalPremium"] <= canceled["PremiumChange"] <= 0
            assert canceled["AdjustmentReasons"]
            if following:
                assert following["PremiumChange"] == -canceled["PremiumChange"]
                pairs += 1
    assert pairs > 5


def test_the_commission_change_is_the_rate_on_the_premium_change(world: World) -> None:
    for key in world.adjustments:
        rate = world.rate(world.policies[key]).percent
        for change in world.detail("adjustments", key):
            assert abs(change["CommissionChange"] - change["PremiumChange"] * rate / 100) < HALF_A_CENT
            assert change["PremiumDueToAgency"] in {0.0, change["PremiumChange"]}


def test_an_invoice_is_premium_fees_and_taxes_and_payments_settle_it(world: World) -> None:
    invoices = {record["PolicyIds"]: record for record in world.billing.values() if record["PaymentType"] == "Invoice"}
    paid: dict[str, float] = defaultdict(float)
    for row in world.billing.values():
        if row["IsPayment"]:
            paid[row["PolicyIds"]] += row["Amount"]
    assert len(invoices) > 200
    for key, invoice in invoices.items():
        policy = world.policies[int(key)]
        owed = money.total_fees(policy)
        if money.is_agency_billed(policy):
            owed += policy["TotalPremium"] + (money.taxes(policy) or 0)
        assert invoice["Amount"] == pytest.approx(owed, abs=HALF_A_CENT)
        assert invoice["Paid"] == pytest.approx(paid[key], abs=HALF_A_CENT)
        assert invoice["Due"] == pytest.approx(invoice["Amount"] - invoice["Paid"], abs=HALF_A_CENT)
    assert any(record["Due"] > 0 for record in invoices.values())
    assert any(record["Due"] == 0 for record in invoices.values())


def test_policy_info_repeats_the_fees_of_the_policy(world: World) -> None:
    with_fees = 0
    for policy in world.policies.values():
        (info,) = world.detail("info", policy["PolicyId"])
        assert info["PolicyAgencyFees"] == policy["PolicyAgencyFees"]
        with_fees += bool(info["PolicyAgencyFees"])
    assert with_fees > 300


def test_a_fee_is_its_amount_or_its_percentage(world: World) -> None:
    fees = [(fee, policy["TotalPremium"]) for policy in world.policies.values() for fee in policy["PolicyAgencyFees"]]
    assert {fee["AmountIsPercent"] for fee, _ in fees} == {"True", "False"}
    for fee, premium in fees:
        due = premium * fee["Amount"] / 100 if fee["AmountIsPercent"] == "True" else fee["Amount"]
        assert abs(fee["CalculatedAmount"] - due) < HALF_A_CENT


def test_coverages_cost_what_the_policy_costs(world: World) -> None:
    for policy in world.policies.values():
        costs = sum(coverage["Premium"] for coverage in world.detail("coverages", policy["PolicyId"]))
        assert costs == pytest.approx(policy["TotalPremium"], abs=HALF_A_CENT)


def test_the_quote_that_was_taken_has_the_premium_of_the_policy(world: World) -> None:
    taken = [quote for key in world.policies for quote in world.detail("quotes", int(key)) if quote["Preferred"]]
    assert len(taken) > 150
    for quote in taken:
        assert quote["BasePremium"] == world.policies[quote["PolicyID"]]["TotalPremium"]


def test_a_closed_claim_paid_what_was_reserved(world: World) -> None:
    closed = [claim for claim in world.claims.values() if claim["Status"] == "C"]
    assert closed
    assert all(claim["AmountPaid"] == claim["AmountReserved"] for claim in closed)
    for claim in world.claims.values():
        assert (claim["DateClosed"] is None) == (claim["Status"] != "C")
        assert claim["DateOfLoss"] <= claim["DateReported"]


@pytest.mark.parametrize(
    ("amount", "shares"), [(100.0, [1, 1, 1]), (0.01, [1, 2]), (99.99, [25, 25, 25, 25]), (5.0, [3])]
)
def test_parts_add_up_to_the_whole(amount: float, shares: list[int]) -> None:
    parts = amounts.split(amount, shares)
    assert len(parts) == len(shares)
    assert amounts.cents(sum(parts)) == amount


def test_a_billing_row_keeps_its_guid() -> None:
    assert money.record_id(80001, 0) == money.record_id(80001, 0)
    assert money.record_id(80001, 0) != money.record_id(80001, 1)


def test_nothing_is_booked_before_its_time(world: World) -> None:
    booked = [row["RecordId"] for row in world.billing.values()]
    assert len(booked) > 1000
    assert [key for key in booked if world.billing.created(key) > NOW] == []
