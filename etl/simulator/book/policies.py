"""Policies as the change feed shows them, with their fees and adjustments."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.simulator.book import amounts, dates, money
from etl.simulator.book.agency import CARRIER_FEES, REASONS, Office
from etl.simulator.book.terms import (
    CANCELLATION,
    ENDORSEMENT,
    NEW,
    NONRENEWAL,
    REINSTATEMENT,
    RENEWED,
    REWRITE,
    Term,
    TermChange,
)  # fmt: skip

Item = dict[str, Any]

FIRST_POLICY = 80_001
#: What the agency charges: name, amount, and whether it is a percentage of the premium.
FEES = (
    ("Broker fee", 50.0, False), ("Policy fee", 25.0, False), ("Inspection fee", 35.0, False), ("MGA fee", 2.5, True),
)  # fmt: skip
REMARKS = {
    CANCELLATION: "Cancellation notice received from the carrier", ENDORSEMENT: "Change requested by the insured",
    REINSTATEMENT: "Reinstated without a lapse in coverage", NONRENEWAL: "Carrier will not renew",
}  # fmt: skip
#: Commission rules know new business and renewals only; a rewrite pays like a renewal.
RULE_OF = {NEW: NEW, RENEWED: RENEWED, REWRITE: RENEWED}


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What the agency knows about a policy and the change feed does not show."""

    business: str
    bound: date | None

    @property
    def rule(self) -> str:
        """The business type of the commission rules that apply to the policy."""
        return RULE_OF[self.business]


def item(dice: random.Random, policy_id: int, term: Term, prior_id: int | None) -> Item:
    """Return a term as an item of the policy feed."""
    return {
        "PolicyId": policy_id, "PolicyNumber": term.number, "CustomerId": term.client.id,
        "CustomerName": term.client.name, "Status": term.status, "EffectiveDate": dates.midnight(term.effective),
        "ExpirationDate": dates.midnight(term.expiration) if term.expiration else None,
        "TotalPremium": term.premium, "Description": _description(term),
        "Term": "S" if term.months == 6 else "A",  # six months or a year (facts 9.5)
        "PolicyType": "Commercial" if term.line.commercial else "Personal",
        "PackageType": "Package" if term.extra_line else None, "LOB": term.line.name, "LOBId": term.line.id,
        "LOBList": [line.item() for line in (term.line, term.extra_line) if line],
        "WritingCarrier": term.carrier.name, "CarrierId": term.carrier.id,
        "MGA": term.mga.name if term.mga else None, "MGAId": term.mga.id if term.mga else None,
        "AgentName": term.client.agent.display_name, "ProducerIDs": [term.client.agent.id],
        "PriorPolicyID": prior_id, "PolicyAgencyFees": fees(dice, term.premium, placed=term.mga is not None),
        "IsDeleted": _says_deleted(policy_id, term.status), "HasBeenModified": term.modified is not None,
        "CreatedOn": dates.plain(term.created),
        "DateLastModified": dates.plain(term.modified) if term.modified else None,
    }  # fmt: skip


def _says_deleted(policy_id: int, status: str) -> bool:
    """Return `IsDeleted`, which cannot be relied on (facts 9.5): only status D says that a policy is deleted."""
    return policy_id % 3 != 0 if status == "D" else policy_id % 331 == 7


def _description(term: Term) -> str | None:
    return "Renewal created by the system" if term.bound is None and term.prior else None


def fees(dice: random.Random, premium: float, *, placed: bool) -> list[Item]:
    """Return the agency's fees on a policy: none for six in ten; a wholesaler's fee where one placed it."""
    chosen = [FEES[3]] if placed else []
    chosen += [FEES[dice.randrange(3)]] if dice.random() < 0.4 else []
    return [
        {
            "AgencyFeeName": name, "Amount": amount, "AmountIsPercent": str(is_percent),
            "CalculatedAmount": amounts.percent(premium, amount) if is_percent else amount,
        }
        for name, amount, is_percent in chosen
    ]  # fmt: skip


def adjustment_item(policy: Item, number: int, change: TermChange, *, rate: float, csr_id: int | None) -> Item:
    """Return an adjustment as `Policies/{id}/Adjustments` shows it (field names: facts 9.6)."""
    is_endorsement = change.type == ENDORSEMENT
    carrier_fee = CARRIER_FEES[1][1] if is_endorsement and policy["MGAId"] else 0.0
    return {
        "AdjustmentId": policy["PolicyId"] * 100 + number, "AdjustmentDate": dates.midnight(change.on),
        "AdjustmentType": change.type, "Remarks": REMARKS[change.type] if number % 2 else "", "CSRId": csr_id,
        "PremiumChange": change.premium_change, "CommissionChange": amounts.percent(change.premium_change, rate),
        "DaysLapsed": change.days_lapsed, "EndorsementNumber": str(number) if is_endorsement else None,
        "EndorsementStatus": "Issued" if is_endorsement else None,
        "AdjustmentReasons": [
            {"ReasonId": reason, "ReasonDescription": REASONS[reason]} for reason in change.reasons
        ],
        "PremiumDueToAgency": change.premium_change if money.is_agency_billed(policy) else 0.0,
        "CarrierFeesAmount": carrier_fee, "CarrierFeesCommissionAmount": amounts.percent(carrier_fee, rate),
    }  # fmt: skip


def endorsement_row(
    tenant: int, policy: Item, facts: PolicyFacts, changes: list[TermChange], office: Office | None, csr: str
) -> Item:
    """Return the endorsements of a policy as a row of the enterprise feed."""
    return {
        "PolicyId": policy["PolicyId"], "QQTenantID": tenant,
        "EndorsementEffectiveDate": dates.midnight(changes[-1].on),
        "PolicyAdjustments": [_endorsement(policy, facts, change, office, csr) for change in changes],
    }  # fmt: skip


def _endorsement(policy: Item, facts: PolicyFacts, change: TermChange, office: Office | None, csr: str) -> Item:
    return {
        "PolicyId": policy["PolicyId"], "PolicyNumber": policy["PolicyNumber"],
        "PolicyEffectiveDate": policy["EffectiveDate"], "EndorsementEffectiveDate": dates.midnight(change.on),
        "EndorsementAmount": change.premium_change, "Lob": policy["LOB"], "Carrier": policy["WritingCarrier"],
        "CustomerId": policy["CustomerId"], "CustomerNo": f"C-{policy['CustomerId'] - 40_000}",
        "CustomerName": policy["CustomerName"], "OfficeName": office.name if office else None,
        "OfficeAlias": office.alias if office else None,
        "BinderDate": dates.midnight(facts.bound) if facts.bound else None,
        "BinderNumber": f"B{policy['PolicyId']}", "FinancedOption": money.payment_plan(policy),
        "CsrOnEndorsement": csr,
    }  # fmt: skip
