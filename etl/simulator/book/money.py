"""Billing rows and commissions of a policy. They add up: premium, fees and taxes are what is invoiced and paid."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used
# ruff: noqa: PLR0913, PLR0917 - a fact takes all the facts it is made of

import hashlib
import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from etl.simulator.book import amounts, dates
from etl.simulator.book.rules import Rate

FIRST_COMMISSION = 300_001
PLANS = {"Paid in Full": (1,), "2-Pay": (1, 1), "4-Pay": (1, 1, 1, 1), "25% Down": (25, 25, 25, 25)}
METHODS = ("Check", "Credit Card", "EFT", "Cash", "Credit Card")
TAX_RATE = 4.94  #: percent of the premium, on what a wholesaler places outside the admitted market
Row = tuple[str, datetime, dict[str, Any]]


def record_id(policy_id: int, number: int) -> str:
    """Return the GUID of a billing row: the same for the same row of every world."""
    digest = hashlib.md5(f"{policy_id}/{number}".encode(), usedforsecurity=False).digest()
    return f"{uuid.UUID(bytes=digest)}"


def payment_plan(policy: dict[str, Any]) -> str:
    """Return how a policy is paid."""
    plan: str = tuple(PLANS)[policy["PolicyId"] % len(PLANS)]
    return plan


def total_fees(policy: dict[str, Any]) -> float:
    """Return the sum of a policy's agency fees."""
    return amounts.cents(sum(fee["CalculatedAmount"] for fee in policy["PolicyAgencyFees"]))


def taxes(policy: dict[str, Any]) -> float | None:
    """Return the surplus lines tax of a policy; None where there is none."""
    return amounts.percent(policy["TotalPremium"], TAX_RATE) if policy["MGAId"] else None


def is_agency_billed(policy: dict[str, Any]) -> bool:
    """Return whether the agency collects the premium: for policies that a wholesaler placed, and for some others."""
    return policy["MGAId"] is not None or policy["CustomerId"] % 5 == 0


def billing(
    dice: random.Random, policy: dict[str, Any], office: int | None, creator: int, now: datetime
) -> Iterator[Row]:
    """Yield the billing rows of an issued policy: invoice and payments, or the deposit of a carrier that bills."""
    owed = total_fees(policy)
    if is_agency_billed(policy):
        owed = amounts.cents(owed + policy["TotalPremium"] + (taxes(policy) or 0.0))
    begun = dates.read(policy["EffectiveDate"]) + timedelta(hours=14, seconds=18_000 * dice.random())
    if begun > now:
        return
    blank = _blank(policy, office, creator)
    if owed:
        yield from _invoice_and_payments(dice, policy, blank, owed, begun, now)
    elif dice.random() < 0.3:  # the others' commission is booked elsewhere
        deposit = _deposit(dice, policy, blank, begun)
        if deposit[1] <= now:
            yield deposit


def _blank(policy: dict[str, Any], office: int | None, creator: int) -> dict[str, Any]:
    return {
        "RecordId": "", "ContactId": policy["CustomerId"], "PolicyIds": str(policy["PolicyId"]),
        "PolicyNumber": policy["PolicyNumber"], "LocationId": office, "CreatedById": creator, "PaymentType": "",
        "IsPayment": False, "IsCredit": False, "DBCD": False, "TransactionDate": "", "DueDate": None,
        "Description": "", "IsVoided": False, "Amount": 0.0, "Due": None, "Paid": None, "PdfId": None,
        "SyncStatus": 0, "ErrorMessage": None,
    }  # fmt: skip


def _invoice_and_payments(
    dice: random.Random, policy: dict[str, Any], blank: dict[str, Any], owed: float, begun: datetime, now: datetime
) -> Iterator[Row]:
    parts = amounts.split(owed, PLANS[payment_plan(policy)]) if owed > 200 else [owed]  # no plan for a fee
    paid: list[Row] = []
    for n, part in enumerate(parts):
        at = begun + timedelta(days=60 * n + dice.randrange(12), minutes=dice.randrange(400))
        missed = dice.random() < 0.04
        if at < now and not missed:
            paid.append(_row(policy, n + 1, at, blank | {
                "PaymentType": dice.choice(METHODS), "IsPayment": True, "Amount": part,
                "Description": f"Payment {n + 1} of {len(parts)}", "PdfId": policy["PolicyId"] * 10 + n,
            }))  # fmt: skip
    total = amounts.cents(sum(row[2]["Amount"] for row in paid))
    yield _row(policy, 0, begun, blank | {
        "PaymentType": "Invoice", "DueDate": dates.seven_digits(begun + timedelta(days=15)), "Amount": owed,
        "Description": f"{policy['LOB']} {policy['PolicyNumber']}", "Paid": total,
        "Due": amounts.cents(owed - total),
    })  # fmt: skip
    yield from paid


def _deposit(dice: random.Random, policy: dict[str, Any], blank: dict[str, Any], begun: datetime) -> Row:
    return _row(policy, 9, begun + timedelta(days=dice.randrange(1, 25)), blank | {
        "PaymentType": "Direct Bill Deposit", "IsCredit": True, "DBCD": True, "Description": "Commission deposit",
        "Amount": amounts.percent(policy["TotalPremium"], 10.0),
    })  # fmt: skip


def _row(policy: dict[str, Any], number: int, at: datetime, item: dict[str, Any]) -> Row:
    key = record_id(policy["PolicyId"], number)
    return key, at, item | {"RecordId": key, "TransactionDate": dates.seven_digits(at)}


def commission(
    key: int, policy: dict[str, Any], rate: Rate, kind: str, premium: float, on: datetime, now: datetime
) -> dict[str, Any]:
    """Return a commission: the rule's rate of the premium; received with the statement some weeks later."""
    received = on + timedelta(days=40) < now
    return {
        "CommissionID": key, "PolicyID": policy["PolicyId"], "CarrierID": policy["CarrierId"],
        "ProducerID": policy["ProducerIDs"][0] if policy["ProducerIDs"] else None, "CommissionRuleID": rate.rule,
        "TransactionType": kind, "TransactionDate": dates.midnight(on.date()),
        "StatementDate": dates.midnight((on + timedelta(days=30)).date()) if received else None, "Premium": premium,
        "Rate": rate.percent, "Amount": amounts.percent(premium, rate.percent), "Status": "R" if received else "P",
        "CreatedOn": dates.plain(on), "DateLastModified": None,
    }  # fmt: skip
