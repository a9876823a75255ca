"""From golden bodies of adjustments to their columns, and to those of terminations and commissions.

Every expectation is derived by hand from what is known of the API.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from golden_rows import Parent, derive, golden, part, read, reference, reshape

POLICY = Parent("88121", PolicyId=88121, CustomerId=41207)
RIVERA, POLICY_ROW, LOU = reference("contacts", 41207), reference("policies", 88121), reference("employees", 515)

ADJUSTMENTS = {
    "881211": {
        "policy_id": POLICY_ROW, "adjustment_type": "E", "adjusted_on": "2025-04-01", "premium_change": "120.50",
        "commission_change": "12.05", "premium_due_to_agency": "120.50", "carrier_fees_amount": "25.00",
        "carrier_fees_commission": "2.50", "csr_id": LOU, "endorsement_number": "1", "endorsement_status": "Issued",
        "days_lapsed": "0", "remarks": None,
    },
    "881212": {
        "policy_id": POLICY_ROW, "adjustment_type": "C", "adjusted_on": "2025-06-01",
        "reasons": '{"Non-payment of premium","Rewritten with another carrier"}', "reason_ids": '{"1","3"}',
        "premium_change": "-1232.04", "commission_change": "-123.20", "premium_due_to_agency": "0.00",
        "carrier_fees_amount": "0.00", "carrier_fees_commission": "0.00", "csr_id": LOU, "endorsement_number": None,
        "endorsement_status": None, "days_lapsed": "14", "remarks": "Cancellation notice received from the carrier",
    },
}  # fmt: skip

TERMINATION = {
    "source_id": "881212", "policy_id": POLICY_ROW, "contact_id": RIVERA,
    "adjustment_id": reference("adjustments", 881212), "adjustment_type": "C", "termination_date": "2025-06-01",
    "reason_id": "1", "reason": "Non-payment of premium; Rewritten with another carrier", "return_premium": "1232.04",
}  # fmt: skip

COMMISSIONS = {
    "adjustment:881211": {
        "policy_id": POLICY_ROW, "transaction_date": "2025-04-01", "premium": "120.50", "amount": "12.05",
        "origin": "adjustment",
    },
    "adjustment:881212": {
        "policy_id": POLICY_ROW, "transaction_date": "2025-06-01", "premium": "-1232.04", "amount": "-123.20",
        "origin": "adjustment",
    },
}  # fmt: skip


def test_adjustments_of_every_type_fill_their_columns() -> None:
    reshaped = reshape("adjustments", "adjustments", POLICY)
    assert {key: part(reshaped.rows[key], columns) for key, columns in ADJUSTMENTS.items()} == ADJUSTMENTS
    assert set(reshaped.rows) == set(ADJUSTMENTS)
    assert reshaped.findings == [("adjustment_type", "code-unknown")]  # only the meaning of C is known


def test_a_cancellation_is_a_termination_with_all_of_its_reasons() -> None:
    reshaped = derive("terminations", "adjustments", "adjustments", POLICY)
    assert set(reshaped.rows) == {"881212"}
    assert part(reshaped.rows["881212"], TERMINATION) == TERMINATION


def test_a_cancellation_without_reasons_is_a_termination_too() -> None:
    body = [{**golden("adjustments")[1], "AdjustmentReasons": []}]
    row = derive("terminations", "adjustments", body, POLICY).rows["881212"]
    assert (row["reason"], row["reason_id"], row["termination_date"]) == (None, None, "2025-06-01")


def test_what_adjustments_change_of_the_commission_are_commissions() -> None:
    reshaped = derive("commissions", "adjustments", "adjustments", POLICY)
    assert {key: part(reshaped.rows[key], columns) for key, columns in COMMISSIONS.items()} == COMMISSIONS
    assert set(reshaped.rows) == set(COMMISSIONS)


def without_ids(*changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return cancellations of one day without ids of their own, each changed."""
    (_, cancellation) = golden("adjustments")
    del cancellation["AdjustmentId"]
    return [{**cancellation, **change} for change in changes]


#: Adjustments without an id: two cancellations of one day, one of another, and an endorsement.
NAMELESS = without_ids(
    {"PremiumChange": -10.0, "CommissionChange": -1.0},
    {"PremiumChange": -20.0, "CommissionChange": -2.0},
    {"AdjustmentDate": "2025-07-01T00:00:00", "CommissionChange": 0.0},
    {"AdjustmentType": "E", "PremiumChange": 5.0, "CommissionChange": 0.5},
)


def test_adjustments_without_an_id_differ_by_policy_date_type_and_number() -> None:
    rows = reshape("adjustments", NAMELESS, POLICY).rows
    assert set(rows) == {"88121:2025-06-01:C:1", "88121:2025-06-01:C:2", "88121:2025-07-01:C:1", "88121:2025-06-01:E:1"}
    assert {row["premium_change"] for row in rows.values()} == {"-10.00", "-20.00", "-1232.04", "5.00"}


@pytest.mark.parametrize("name", ["adjustments", "terminations", "commissions"])
def test_the_order_of_the_answer_does_not_change_which_adjustment_has_which_id(name: str) -> None:
    def rows(body: list[dict[str, Any]]) -> dict[str, list[str | None]]:
        made = reshape(name, body, POLICY) if name == "adjustments" else derive(name, "adjustments", body, POLICY)
        amounts = ("premium_change", "return_premium", "amount")
        return {key: [row[column] for column in amounts if column in row] for key, row in made.rows.items()}

    assert rows(NAMELESS) == rows(NAMELESS[::-1]) == rows(NAMELESS[1:] + NAMELESS[:1])
    respelled = [{key.upper(): value for key, value in reversed(item.items())} for item in NAMELESS]
    assert rows(respelled) == rows(NAMELESS)


def test_what_comes_of_adjustments_without_an_id_keeps_the_number() -> None:
    terminations = derive("terminations", "adjustments", NAMELESS, POLICY).rows
    assert {key: row["adjustment_id"] for key, row in terminations.items()} == {
        "88121:2025-06-01": reference("adjustments", "88121:2025-06-01:C:1"),
        "88121:2025-06-01:2": reference("adjustments", "88121:2025-06-01:C:2"),
        "88121:2025-07-01": reference("adjustments", "88121:2025-07-01:C:1"),
    }
    commissions = derive("commissions", "adjustments", NAMELESS, POLICY).rows
    assert set(commissions) == {f"adjustment:88121:2025-06-01:{ending}" for ending in ("C:1", "C:2", "E:1")}


def test_an_adjustment_with_an_id_is_never_numbered() -> None:
    twice = golden("adjustments")[:1] * 2
    records = read("adjustments", twice, POLICY)
    assert [record.source_id for record in records.records] == ["881211", "881211"]
    assert records.records[0].raw == records.records[1].raw


@pytest.mark.parametrize("odd", [7, None, "text", [1]])
def test_what_is_no_adjustment_does_not_disturb_the_numbers(odd: Any) -> None:
    records = read("adjustments", [NAMELESS[0], odd, NAMELESS[1]], POLICY)
    assert {record.source_id for record in records.records} == {"88121:2025-06-01:C:1", "88121:2025-06-01:C:2"}
    assert [bad.position for bad in records.bad] == [1]
