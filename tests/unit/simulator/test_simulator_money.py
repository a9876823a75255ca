"""The money of the made-up agency adds up to the cent."""

from collections import defaultdict
from datetime import UTC, datetime

import pytest

from etl.simulator.book import money, policies, sums
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
        assert rule["BusinessType"] == policies.business_type(policy)
        assert rule["ExpiresOn"] is None


def test_the_commissioned_premiums_of_a_term_make_its_premium(world: World) -> None:
    written: dict[int, float] = defaultdict(float)
    kinds: dict[int, set[str]] = defaultdict(set)
    for item in world.commissions.values():
        kinds[item["PolicyID"]].add(item["TransactionType"])
        if item["TransactionType"] != "C":
            written[item["PolicyID"]] += item["Premium"]
    whole = [key for key, found in kinds.items() if found & {"N", "R"}]
    assert len(whole) > 400
    for key in whole:
        endorsed = world.detail("adjustments", key)
        if "E" in kinds[key] or not any(one["AdjustmentType"] == "E" for one in endorsed):
            assert written[key] == pytest.approx(world.policies[key]["TotalPremium"], abs=HALF_A_CENT)
    assert any("E" in found for found in kinds.values())


def test_what_goes_back_after_a_cancellation_is_in_the_commission(world: World) -> None:
    returned = [one for one in world.commissions.values() if one["TransactionType"] == "C"]
    assert returned
    for item in returned:
        (change,) = world.detail("adjustments", item["PolicyID"])
        assert item["Premium"] == -change["ReturnPremium"]
        assert 0 <= change["ReturnPremium"] <= world.policies[item["PolicyID"]]["TotalPremium"]


def test_an_invoice_is_premium_fees_and_taxes_and_payments_settle_it(world: World) -> None:
    invoices = {one["PolicyIds"]: one for one in world.billing.values() if one["PaymentType"] == "Invoice"}
    paid: dict[str, float] = defaultdict(float)
    for row in world.billing.values():
        if row["IsPayment"]:
            paid[row["PolicyIds"]] += row["Amount"]
    assert len(invoices) > 200
    for key, invoice in invoices.items():
        policy = world.policies[int(key)]
        owed = policies.total_fees(policy)
        if policies.is_agency_billed(policy):
            owed += policy["TotalPremium"] + (policies.taxes(policy) or 0)
        assert invoice["Amount"] == pytest.approx(owed, abs=HALF_A_CENT)
        assert invoice["Paid"] == pytest.approx(paid[key], abs=HALF_A_CENT)
        assert invoice["Due"] == pytest.approx(invoice["Amount"] - invoice["Paid"], abs=HALF_A_CENT)
    assert any(one["Due"] > 0 for one in invoices.values())
    assert any(one["Due"] == 0 for one in invoices.values())


def test_policy_info_repeats_the_fees_of_the_policy(world: World) -> None:
    with_fees = 0
    for policy in world.policies.values():
        (info,) = world.detail("info", policy["PolicyId"])
        fees = sum(fee["CalculatedAmount"] for fee in policy["PolicyAgencyFees"])
        assert info["PolicyFees"] == pytest.approx(fees, abs=HALF_A_CENT)
        terms = 2 if policy["Term"] == "S" else 1
        assert info["AnnualizedPremium"] == pytest.approx(policy["TotalPremium"] * terms, abs=HALF_A_CENT)
        with_fees += fees > 0
    assert with_fees > 300


def test_a_fee_is_its_amount_or_its_percentage(world: World) -> None:
    fees = [(fee, one["TotalPremium"]) for one in world.policies.values() for fee in one["PolicyAgencyFees"]]
    assert {fee["AmountIsPercent"] for fee, _ in fees} == {"True", "False"}
    for fee, premium in fees:
        due = premium * fee["Amount"] / 100 if fee["AmountIsPercent"] == "True" else fee["Amount"]
        assert abs(fee["CalculatedAmount"] - due) < HALF_A_CENT


def test_coverages_cost_what_the_policy_costs(world: World) -> None:
    for policy in world.policies.values():
        costs = sum(one["Premium"] for one in world.detail("coverages", policy["PolicyId"]))
        assert costs == pytest.approx(policy["TotalPremium"], abs=HALF_A_CENT)


def test_the_quote_that_was_taken_has_the_premium_of_the_policy(world: World) -> None:
    taken = [quote for key in world.policies for quote in world.detail("quotes", int(key)) if quote["Preferred"]]
    assert len(taken) > 150
    for quote in taken:
        assert quote["BasePremium"] == world.policies[quote["PolicyID"]]["TotalPremium"]


def test_a_closed_claim_paid_what_was_reserved(world: World) -> None:
    closed = [one for one in world.claims.values() if one["Status"] == "C"]
    assert closed
    assert all(one["AmountPaid"] == one["AmountReserved"] for one in closed)
    for one in world.claims.values():
        assert (one["DateClosed"] is None) == (one["Status"] != "C")
        assert one["DateOfLoss"] <= one["DateReported"]


@pytest.mark.parametrize(
    ("amount", "shares"), [(100.0, [1, 1, 1]), (0.01, [1, 2]), (99.99, [25, 25, 25, 25]), (5.0, [3])]
)
def test_parts_add_up_to_the_whole(amount: float, shares: list[int]) -> None:
    parts = sums.split(amount, shares)
    assert len(parts) == len(shares)
    assert sums.cents(sum(parts)) == amount


def test_a_billing_row_keeps_its_guid() -> None:
    assert money.record_id(80001, 0) == money.record_id(80001, 0)
    assert money.record_id(80001, 0) != money.record_id(80001, 1)


def test_nothing_is_booked_before_its_time(world: World) -> None:
    booked = [one["RecordId"] for one in world.billing.values()]
    assert len(booked) > 1000
    assert [key for key in booked if world.billing.created(key) > NOW] == []
