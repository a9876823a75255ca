"""Details of one policy: info, summary, binder, quotes, coverages, equipment, lines, premium."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from etl.simulator.book import amounts, dates, lines
from etl.simulator.book.agency import CARRIER_FEES, SimulatedAgency, SimulatedEmployee
from etl.simulator.book.money import taxes, total_fees
from etl.simulator.book.policies import PolicyFacts
from etl.simulator.book.terms import NONRENEWAL, REINSTATEMENT, TermChange, endorsed

Item = dict[str, Any]

GEAR = (
    ("Mini excavator", "Kubota", "KX040", 58_000.0), ("Skid steer", "Bobcat", "S650", 41_500.0),
    ("Air compressor", "Ingersoll Rand", "P185", 18_900.0), ("Table saw", "SawStop", "PCS175", 3_400.0),
    ("Walk-in oven", "Baxter", "OV500", 27_300.0), ("Laser level", "Topcon", "RL-H5A", 1_250.0),
    ("Dental chair", "A-dec", "500", 12_800.0), ("Enclosed trailer", "Haulmark", "PP85", 9_700.0),
    ("Generator", "Honda", "EU7000", 4_900.0), ("Scaffolding set", None, None, 6_200.0),
)  # fmt: skip
QUOTE_STATES = ("Quoted", "Presented", "Declined", "Expired")
#: How a status is written out in `PolicySummaryForApi`.
STATUS_CAPTIONS = {
    "A": "Active", "C": "Cancelled", "D": "Deleted", "E": "Expired", "P": "Pending", "V": "Void",
}  # fmt: skip
SOURCES = ("Referral", "Website", "Walk In", None)


@dataclass(frozen=True, slots=True)
class PolicyContext:
    """A policy with everything that its details are made of."""

    agency: SimulatedAgency
    policy: Item
    facts: PolicyFacts
    adjustments: list[TermChange]
    csr: SimulatedEmployee | None  #: None: nobody serves the policy
    prior_number: str | None

    @property
    def agent(self) -> SimulatedEmployee:
        """The employee who sold the policy."""
        return self.agency.employee_by_name(self.policy["AgentName"])

    @property
    def naic(self) -> str | None:
        """The number of the writing carrier."""
        carrier = self.agency.carrier(self.policy["CarrierId"])
        return carrier.naic if carrier else None

    @property
    def parent(self) -> str | None:
        """The name of the company that owns the writing carrier."""
        carrier = self.agency.carrier(self.policy["CarrierId"])
        owner = self.agency.carrier(carrier.parent) if carrier else None
        return owner.name if owner else None

    @property
    def binder_date(self) -> str | None:
        """The binder date; a shell has none."""
        return dates.midnight(self.facts.bound) if self.facts.bound else None

    def has(self, adjustment_type: str) -> bool:
        """Return whether the policy has an adjustment of a type."""
        return any(change.type == adjustment_type for change in self.adjustments)


def policy_info(dice: random.Random, context: PolicyContext) -> Item:
    """Return the only element of `PolicyInfo` (field names: facts 9.6)."""
    policy, csr, agent = context.policy, context.csr, context.agent
    source = dice.choice(SOURCES)
    return {
        "PolicyID": policy["PolicyId"], "PolicyNo": policy["PolicyNumber"], "CustomerID": policy["CustomerId"],
        "AgentID": agent.id, "Agent": agent.display_name, "CsrID": csr.id if csr else None,
        "CSR": csr.display_name if csr else None, "EffectiveDate": policy["EffectiveDate"],
        "ExpirationDate": policy["ExpirationDate"], "PolicyClass": policy["PolicyType"],
        "CarrierID": policy["CarrierId"], "Carrier": policy["WritingCarrier"], "CarrierNAIC": context.naic,
        "ParentCarrier": context.parent, "MGA": policy["MGA"], "LOB": policy["LOB"], "LOBID": policy["LOBId"],
        "SublineName": policy["PackageType"], "BinderDate": context.binder_date,
        "BinderNumber": f"B{policy['PolicyId']}" if context.facts.bound else None,
        "BusinessType": context.facts.business, "PremiumSent": policy["TotalPremium"] if context.facts.bound else None,
        "isPending": policy["Status"] == "P", "Status": policy["Status"],
        "Period": "6 Months" if policy["Term"] == "S" else "Annual", "PolicySource": source,
        "PolicySourceDetails": "", "Description": policy["Description"], "NonRenewal": context.has(NONRENEWAL),
        "Reinstated": context.has(REINSTATEMENT), "PolicyAgencyFees": policy["PolicyAgencyFees"],
        "CreatedBy": agent.display_name,
    }  # fmt: skip


#: The names that `PolicySummaryForApi` has for the agent and the CSR; readers of `PolicyInfo` must know both.
SUMMARY_SPELLING = {"Agent": "AgentName", "CsrID": "CSRID", "CSR": "CSRName"}


def with_summary_spelling(info: Item) -> Item:
    """Return `PolicyInfo` with the agent and the CSR named as in `PolicySummaryForApi`."""
    return {SUMMARY_SPELLING.get(name, name): value for name, value in info.items()}


def summary(context: PolicyContext) -> Item:
    """Return what `PolicySummaryForApi` answers (field names: facts 9.6): no binder date."""
    policy, csr, agent = context.policy, context.csr, context.agent
    begin = dates.read(policy["EffectiveDate"])
    end = dates.read(policy["ExpirationDate"]) if policy["ExpirationDate"] else None
    return {
        "PolicyID": policy["PolicyId"], "CustomerID": policy["CustomerId"], "PolicyNo": policy["PolicyNumber"],
        "EffectiveDate": policy["EffectiveDate"], "EffectiveDateString": dates.american_day(begin),
        "ExpirationDate": policy["ExpirationDate"], "ExpirationDateString": dates.american_day(end) if end else "",
        "Status": policy["Status"], "PolicyStatusCaption": STATUS_CAPTIONS[policy["Status"]],
        "TotalPremium": policy["TotalPremium"], "TotalPremiumString": f"${policy['TotalPremium']:,.2f}",
        "AgentID": agent.id, "AgentName": agent.display_name, "CSRID": csr.id if csr else None,
        "CSRName": csr.display_name if csr else None, "Description": policy["Description"], "LOBID": policy["LOBId"],
        "LOB": policy["LOB"], "MGAID": policy["MGAId"], "MGA": policy["MGA"], "CarrierID": policy["CarrierId"],
        "WritingCarrier": policy["WritingCarrier"], "WritingCarrierNAIC": context.naic,
        "WritingCarrierDisplayName": policy["WritingCarrier"], "CustomerName": policy["CustomerName"],
        "NonRenewal": context.has(NONRENEWAL), "PriorPolicyID": policy["PriorPolicyID"],
        "PriorPolicyNo": context.prior_number, "BusinessType": context.facts.business,
        "PremiumBase": policy["TotalPremium"], "PremiumDownPayAmount": None, "ProducerIds": policy["ProducerIDs"],
        "PolicyAgencyFees": policy["PolicyAgencyFees"],
    }  # fmt: skip


def policy_lines(policy: Item) -> list[Item]:
    """Return what `PolicyLines` answers. The call was seen; its fields are assumed."""
    shares = amounts.split(policy["TotalPremium"], [1.0] * len(policy["LOBList"]))
    return [
        {
            "PolicyLineID": policy["PolicyId"] * 10 + n, "PolicyID": policy["PolicyId"], "LOBID": line["ID"],
            "LOB": line["Name"], "Premium": premium,
        }
        for n, (line, premium) in enumerate(zip(policy["LOBList"], shares, strict=True))
    ]  # fmt: skip


def premium(policy: Item, adjustments: list[TermChange]) -> Item:
    """Return what `Premium` answers. The call was seen; its fields are assumed."""
    added = amounts.cents(endorsed(adjustments))
    return {
        "PolicyID": policy["PolicyId"], "PremiumBase": amounts.cents(policy["TotalPremium"] - added),
        "PremiumChange": added, "TotalPremium": policy["TotalPremium"], "Taxes": taxes(policy),
        "AgencyFees": total_fees(policy),
    }  # fmt: skip


def binder(policy: dict[str, Any]) -> dict[str, Any]:
    """Return the `Result` of `GetBinderInfo`."""
    begin = dates.read(policy["EffectiveDate"])
    end = begin + timedelta(days=30)
    return {
        "BinderInfoID": policy["PolicyId"] * 10 + 7, "NewBinder": False, "NonStandardConditions": "",
        "PolicyQuoteID": policy["PolicyId"] * 10 + 1, "BinderPurposeID": 1,
        "BinderPurposeLabel": "Evidence of insurance",
        "BinderDocument": None, "BinderNumber": f"B{policy['PolicyId']}", "BinderEffectiveDate": dates.plain(begin),
        "BinderExpirationDate": dates.plain(end), "BinderEffectiveTime": "00:01:00.0000000",
        "BinderExpirationTime": "00:01:00.0000000", "NumberOfDays": 30,
        "BinderEffectiveDateString": dates.american(begin), "BinderExpirationDateString": dates.american(end),
        "BinderEffectiveTimeString": "12:01 AM", "BinderExpirationTimeString": "12:01 AM",
    }  # fmt: skip


def quotes(dice: random.Random, agency: SimulatedAgency, policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the quotes of a policy: none for renewals, else one to three, the first the one that was taken."""
    if policy["PriorPolicyID"] or dice.random() < 0.15:
        return []
    return [_quote(dice, agency, policy, n) for n in range(dice.choices((1, 2, 3), (45, 35, 20))[0])]


def _quote(dice: random.Random, agency: SimulatedAgency, policy: dict[str, Any], n: int) -> dict[str, Any]:
    key = policy["PolicyId"] * 10 + n + 1
    quoted_on = dates.read(policy["EffectiveDate"]) - timedelta(days=dice.randrange(3, 25))
    taken = n == 0
    rivals = [carrier.id for carrier in agency.carriers if policy["LOBId"] in carrier.lines]
    base_premium = policy["TotalPremium"] if taken else amounts.cents(policy["TotalPremium"] * dice.uniform(1.02, 1.5))
    fees = dice.sample(tuple(CARRIER_FEES), dice.choices((0, 1, 2), (60, 30, 10))[0])
    return {
        "QuoteID": key, "PolicyID": policy["PolicyId"], "QuoteNumber": f"Q{key}",
        "QuoteStatus": "Accepted" if taken else dice.choice(QUOTE_STATES), "QuoteSubStatus": "", "QuoteType": "New",
        "CarrierID": policy["CarrierId"] if taken else dice.choice(rivals), "MGAID": policy["MGAId"] if taken else None,
        "QuoteDate": dates.midnight(quoted_on.date()),
        "QuoteExpirationDate": dates.midnight((quoted_on + 30 * dates.DAY).date()),
        "QuotedByID": agency.employee_by_name(policy["AgentName"]).id,
        "Conditions": "Subject to inspection" if n == 1 else "",
        "BasePremium": base_premium, "IsDeleted": False, "Preferred": taken,
        "QuoteCarrierFees": [
            {
                "QuoteID": key, "CarrierFeeID": fee, "AmountIsPercent": CARRIER_FEES[fee][2],
                "Amount": CARRIER_FEES[fee][1],
            }
            for fee in sorted(fees)
        ],
    }  # fmt: skip


def coverages(dice: random.Random, policy: dict[str, Any], vehicle_ids: list[int]) -> list[dict[str, Any]]:
    """Return the coverages of a policy; their premiums add up to the policy's."""
    wanted = [
        (cover, vehicle)
        for entry in policy["LOBList"]
        for cover in lines.BY_ID[entry["ID"]].covers
        for vehicle in (vehicle_ids if cover.by_vehicle and vehicle_ids else [None])
    ]
    shares = [cover.share / (len(vehicle_ids) if vehicle else 1) for cover, vehicle in wanted]
    premiums = amounts.split(policy["TotalPremium"], shares)
    items = []
    for n, ((cover, vehicle), share) in enumerate(zip(wanted, premiums, strict=True)):
        limit = dice.choice(cover.limits)
        items.append({
            "CoverageID": policy["PolicyId"] * 100 + n, "PolicyId": policy["PolicyId"],
            "PolicyDetailsID": policy["PolicyId"] * 10, "VehicleID": vehicle, "Code": cover.code,
            "Description": cover.words, "Limit1": limit[0], "Limit2": limit[1],
            "Deductible": dice.choice(cover.deductibles), "Premium": share,
        })  # fmt: skip
    return items


def equipment(dice: random.Random, policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the scheduled equipment of a commercial policy; none for other lines."""
    line = lines.BY_ID[policy["LOBId"]]
    count = 0 if not line.has_equipment else dice.randrange(2, 6) if line.code == "IM" else dice.randrange(0, 3)
    return [
        {
            "EquipmentID": policy["PolicyId"] * 100 + n, "PolicyId": policy["PolicyId"],
            "PolicyDetailsID": policy["PolicyId"] * 10, "Description": words, "Manufacturer": maker, "Model": model,
            "SerialNumber": f"{dice.randrange(16**8):08X}" if dice.random() < 0.8 else None,
            "Year": dice.randrange(2005, 2026), "Value": value, "Deductible": dice.choice((500.0, 1000.0, None)),
        }
        for n, (words, maker, model, value) in enumerate(dice.sample(GEAR, count))
    ]  # fmt: skip
