"""Child records of a policy: info, summary, binder, quotes, coverages, equipment."""

# ruff: noqa: PLR2004 - shares, rates and amounts of generated data are written where they are used

import random
from datetime import timedelta
from typing import Any

from etl.simulator.book import lines, money, policies, stamps, sums
from etl.simulator.book.agency import SimulatedAgency, department_of

GEAR = (
    ("Mini excavator", "Kubota", "KX040", 58_000.0), ("Skid steer", "Bobcat", "S650", 41_500.0),
    ("Air compressor", "Ingersoll Rand", "P185", 18_900.0), ("Table saw", "SawStop", "PCS175", 3_400.0),
    ("Walk-in oven", "Baxter", "OV500", 27_300.0), ("Laser level", "Topcon", "RL-H5A", 1_250.0),
    ("Dental chair", "A-dec", "500", 12_800.0), ("Enclosed trailer", "Haulmark", "PP85", 9_700.0),
    ("Generator", "Honda", "EU7000", 4_900.0), ("Scaffolding set", None, None, 6_200.0),
)  # fmt: skip
QUOTE_STATES = ("Quoted", "Presented", "Declined", "Expired")
CARRIER_FEES = {1: 25.0, 2: 40.0, 3: 3.0}  #: fee id and amount; the third is a percentage


def policy_info(
    dice: random.Random, agency: SimulatedAgency, policy: dict[str, Any], office: int | None
) -> dict[str, Any]:
    """Return the one element of `PolicyInfo`. A term that is not issued has no binder date, which identifies shells."""
    agent = agency.named(policy["AgentName"])
    csr = _csr(dice, agency, office)
    commercial = lines.BY_ID[policy["LOBId"]].commercial
    years = 2 if policy["Term"] == "S" else 1
    return {
        "PolicyId": policy["PolicyId"], "PolicyDetailsID": policy["PolicyId"] * 10,
        "BusinessType": policies.business_type(policy), "BinderDate": binder_date(policy),
        "AgentID": agent.id, "AgentName": agent.display_name, "CSRID": csr[0], "CSRName": csr[1], "LocationID": office,
        "DepartmentID": department_of(agency, office, commercial=commercial) if office else None,
        "BillingType": "A" if policies.is_agency_billed(policy) else "D", "PaymentPlan": money.payment_plan(policy),
        "AnnualizedPremium": sums.cents(policy["TotalPremium"] * years), "PolicyFees": policies.total_fees(policy),
        "Taxes": policies.taxes(policy),
    }  # fmt: skip


def _csr(dice: random.Random, agency: SimulatedAgency, office: int | None) -> tuple[int | None, str | None]:
    if dice.random() < 0.06:  # nobody serves these
        return None, None
    csr = dice.choice(agency.staff(office, "CSR") or agency.employees)
    return csr.id, csr.display_name


def binder_date(policy: dict[str, Any]) -> str | None:
    """Return when a term was bound, a few days before it began; None if it is still pending."""
    if policy["Status"] == "P":
        return None
    return stamps.plain(stamps.read(policy["EffectiveDate"]) - timedelta(days=policy["PolicyId"] % 9))


def summary(policy: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of `PolicySummaryForApi`: the case of the two ids differs from the feed."""
    return {
        "PolicyID": policy["PolicyId"], "PriorPolicyId": policy["PriorPolicyID"], "CustomerID": policy["CustomerId"],
        "BusinessType": policies.business_type(policy), "BinderDate": binder_date(policy),
    } | {
        name: policy[name]
        for name in (
            "PolicyNumber", "CustomerName", "Status", "EffectiveDate", "ExpirationDate", "TotalPremium", "LOB", "LOBId",
            "WritingCarrier", "CarrierId", "MGA", "MGAId", "AgentName",
        )
    }  # fmt: skip


def binder(policy: dict[str, Any]) -> dict[str, Any]:
    """Return the `Result` of `GetBinderInfo`."""
    begin = stamps.read(policy["EffectiveDate"])
    end = begin + timedelta(days=30)
    return {
        "BinderInfoID": policy["PolicyId"] * 10 + 7, "NewBinder": False, "NonStandardConditions": "",
        "PolicyQuoteID": policy["PolicyId"] * 10 + 1, "BinderPurposeID": 1,
        "BinderPurposeLabel": "Evidence of insurance",
        "BinderDocument": None, "BinderNumber": f"B{policy['PolicyId']}", "BinderEffectiveDate": stamps.plain(begin),
        "BinderExpirationDate": stamps.plain(end), "BinderEffectiveTime": "00:01:00.0000000",
        "BinderExpirationTime": "00:01:00.0000000", "NumberOfDays": 30,
        "BinderEffectiveDateString": stamps.american(begin), "BinderExpirationDateString": stamps.american(end),
        "BinderEffectiveTimeString": "12:01 AM", "BinderExpirationTimeString": "12:01 AM",
    }  # fmt: skip


def quotes(dice: random.Random, agency: SimulatedAgency, policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the quotes of a policy: none for renewals, else one to three, the first the one that was taken."""
    if policy["PriorPolicyID"] or dice.random() < 0.15:
        return []
    return [_quote(dice, agency, policy, n) for n in range(dice.choices((1, 2, 3), (45, 35, 20))[0])]


def _quote(dice: random.Random, agency: SimulatedAgency, policy: dict[str, Any], n: int) -> dict[str, Any]:
    key = policy["PolicyId"] * 10 + n + 1
    asked = stamps.read(policy["EffectiveDate"]) - timedelta(days=dice.randrange(3, 25))
    taken = n == 0
    rivals = [carrier.id for carrier in agency.carriers if policy["LOBId"] in carrier.lines]
    premium = policy["TotalPremium"] if taken else sums.cents(policy["TotalPremium"] * dice.uniform(1.02, 1.5))
    fees = dice.sample(tuple(CARRIER_FEES), dice.choices((0, 1, 2), (60, 30, 10))[0])
    return {
        "QuoteID": key, "PolicyID": policy["PolicyId"], "QuoteNumber": f"Q{key}",
        "QuoteStatus": "Accepted" if taken else dice.choice(QUOTE_STATES), "QuoteSubStatus": "", "QuoteType": "New",
        "CarrierID": policy["CarrierId"] if taken else dice.choice(rivals), "MGAID": policy["MGAId"] if taken else None,
        "QuoteDate": stamps.midnight(asked.date()),
        "QuoteExpirationDate": stamps.midnight((asked + 30 * stamps.DAY).date()),
        "QuotedByID": agency.named(policy["AgentName"]).id, "Conditions": "Subject to inspection" if n == 1 else "",
        "BasePremium": premium, "IsDeleted": False, "Preferred": taken,
        "QuoteCarrierFees": [
            {"QuoteID": key, "CarrierFeeID": fee, "AmountIsPercent": fee == 3, "Amount": CARRIER_FEES[fee]}
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
    premiums = sums.split(policy["TotalPremium"], shares)
    items = []
    for n, ((cover, vehicle), premium) in enumerate(zip(wanted, premiums, strict=True)):
        limit = dice.choice(cover.limits)
        items.append({
            "CoverageID": policy["PolicyId"] * 100 + n, "PolicyId": policy["PolicyId"],
            "PolicyDetailsID": policy["PolicyId"] * 10, "VehicleID": vehicle, "Code": cover.code,
            "Description": cover.words, "Limit1": limit[0], "Limit2": limit[1],
            "Deductible": dice.choice(cover.deductibles), "Premium": premium,
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
