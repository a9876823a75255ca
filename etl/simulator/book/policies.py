"""Policies as the change feed shows them, with their fees and adjustments."""

# ruff: noqa: PLR2004 - shares, rates and amounts of generated data are written where they are used

import random
from typing import Any

from etl.simulator.book import agency, stamps, sums
from etl.simulator.book.terms import REASONS, Adjustment, Term

FIRST_POLICY = 80_001
#: What the agency charges: name, amount, and whether it is a percentage of the premium.
FEES = (
    ("Broker fee", 50.0, False), ("Policy fee", 25.0, False), ("Inspection fee", 35.0, False), ("MGA fee", 2.5, True),
)  # fmt: skip
TAX_RATE = 4.94  #: percent of the premium, on what a wholesaler places outside the admitted market


def item(dice: random.Random, policy_id: int, term: Term, prior_id: int | None) -> dict[str, Any]:
    """Return a term as an item of the policy feed."""
    return {
        "PolicyId": policy_id, "PolicyNumber": term.number, "CustomerId": term.client.id,
        "CustomerName": term.client.name, "Status": term.status, "EffectiveDate": stamps.midnight(term.effective),
        "ExpirationDate": stamps.midnight(term.expiration) if term.expiration else None,
        "TotalPremium": term.premium, "Description": _description(term),
        "Term": "S" if term.months == 6 else "A",  # half a year
        "PolicyType": "Commercial" if term.line.commercial else "Personal",
        "PackageType": "Package" if term.extra_line else None, "LOB": term.line.name, "LOBId": term.line.id,
        "LOBList": [line.item() for line in (term.line, term.extra_line) if line],
        "WritingCarrier": term.carrier.name, "CarrierId": term.carrier.id,
        "MGA": term.mga.name if term.mga else None, "MGAId": term.mga.id if term.mga else None,
        "AgentName": term.client.agent.display_name, "ProducerIDs": [term.client.agent.id],
        "PriorPolicyID": prior_id, "PolicyAgencyFees": fees(dice, term.premium, placed=term.mga is not None),
        "IsDeleted": term.status == "D", "HasBeenModified": term.modified is not None,
        "CreatedOn": stamps.plain(term.created),
        "DateLastModified": stamps.plain(term.modified) if term.modified else None,
    }  # fmt: skip


def _description(term: Term) -> str | None:
    return "Renewal set up by the system" if term.status == "P" and term.prior else None


def fees(dice: random.Random, premium: float, *, placed: bool) -> list[dict[str, Any]]:
    """Return the agency's fees on a policy: none for six in ten; a wholesaler's fee if one placed it."""
    chosen = [FEES[3]] if placed else []
    chosen += [FEES[dice.randrange(3)]] if dice.random() < 0.4 else []
    return [
        {
            "AgencyFeeName": name, "Amount": amount, "AmountIsPercent": str(is_percent),
            "CalculatedAmount": sums.percent(premium, amount) if is_percent else amount,
        }
        for name, amount, is_percent in chosen
    ]  # fmt: skip


def total_fees(policy: dict[str, Any]) -> float:
    """Return the sum of a policy's agency fees."""
    return sums.cents(sum(fee["CalculatedAmount"] for fee in policy["PolicyAgencyFees"]))


def taxes(policy: dict[str, Any]) -> float | None:
    """Return the surplus lines tax of a policy; None if there is none."""
    return sums.percent(policy["TotalPremium"], TAX_RATE) if policy["MGAId"] else None


def business_type(policy: dict[str, Any]) -> str:
    """Return N for new business and R for a renewal."""
    return "R" if policy["PriorPolicyID"] else "N"


def is_agency_billed(policy: dict[str, Any]) -> bool:
    """Return whether the agency collects the premium itself, as for policies placed by a wholesaler and some others."""
    return policy["MGAId"] is not None or policy["CustomerId"] % 5 == 0


def adjustment_item(policy_id: int, number: int, change: Adjustment) -> dict[str, Any]:
    """Return a cancellation or an endorsement as `Policies/{id}/Adjustments` shows it."""
    cancelled = change.kind == "C"
    return {
        "AdjustmentID": policy_id * 10 + number, "PolicyId": policy_id, "AdjustmentType": change.kind,
        "AdjustmentDate": stamps.midnight(change.on), "EffectiveDate": stamps.midnight(change.on),
        "ReasonID": change.reason, "Reason": REASONS.get(change.reason or 0),
        "ReturnPremium": change.amount if cancelled else None, "CreatedOn": stamps.midnight(change.on),
    }  # fmt: skip


def endorsement_row(
    tenant: int, policy: dict[str, Any], change: Adjustment, office: agency.Office | None, csr: str
) -> dict[str, Any]:
    """Return a policy's endorsement as the enterprise feed shows it."""
    on = stamps.midnight(change.on)
    return {
        "PolicyId": policy["PolicyId"], "QQTenantID": tenant, "EndorsementEffectiveDate": on,
        "PolicyAdjustments": [{
            "PolicyId": policy["PolicyId"], "PolicyNumber": policy["PolicyNumber"],
            "PolicyEffectiveDate": policy["EffectiveDate"], "EndorsementEffectiveDate": on,
            "EndorsementAmount": change.amount, "Lob": policy["LOB"], "Carrier": policy["WritingCarrier"],
            "CustomerId": policy["CustomerId"], "CustomerNo": f"C-{policy['CustomerId'] - 40_000}",
            "CustomerName": policy["CustomerName"], "OfficeName": office.name if office else None,
            "OfficeAlias": office.place.city[:4].upper() if office else None, "BinderDate": policy["EffectiveDate"],
            "BinderNumber": f"B{policy['PolicyId']}", "FinancedOption": "Paid in Full", "CsrOnEndorsement": csr,
        }],
    }  # fmt: skip
