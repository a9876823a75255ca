"""Claims and applications. No call for them is documented: paths and fields are assumed."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from datetime import datetime, timedelta
from typing import Any

from etl.simulator.book import amounts, dates, names

FIRST_CLAIM, FIRST_APPLICATION = 60_001, 70_001
LOSSES = {
    "Personal": (("Collision", "Rear-ended at a light"), ("Water damage", "Pipe burst in the kitchen"),
                 ("Wind", "Shingles torn off by wind"), ("Theft", "Bicycle stolen from the garage"),
                 ("Glass", "Windshield cracked by a stone"), ("Hail", "Hail damage to roof and gutters")),
    "Commercial": (("Slip and fall", "Visitor fell at the entrance"), ("Property damage", "Forklift hit a wall"),
                   ("Fire", "Electrical fire in the workshop"), ("Injury", "Worker strained a shoulder"),
                   ("Auto liability", "Van backed into a parked car")),
}  # fmt: skip
DECIDED = {"A": "approved", "R": "declined", "W": "withdrawn"}


def claim(
    dice: random.Random, key: int, policy: dict[str, Any], insured: dict[str, Any], happened: datetime, now: datetime
) -> dict[str, Any]:
    """Return a claim on a policy; most old ones are closed, and what a closed one paid is what was reserved."""
    kind, words = dice.choice(LOSSES[policy["PolicyType"]])
    reported = happened + timedelta(days=dice.randrange(1, 20))
    closed = reported + timedelta(days=dice.randrange(15, 200))
    is_closed = closed < now
    reserve = amounts.cents(dice.lognormvariate(7.6, 0.9))
    adjuster = names.person(dice) if dice.random() < 0.8 else None  # the others are not assigned yet
    return {
        "ClaimID": key, "PolicyID": policy["PolicyId"], "CustomerID": policy["CustomerId"],
        "ClaimNumber": f"CL-{reported:%y}-{key - FIRST_CLAIM + 1:05d}",
        "CarrierClaimNumber": f"{policy['CarrierId']}{dice.randrange(10**7):07d}" if dice.random() < 0.85 else None,
        "DateOfLoss": dates.midnight(happened.date()), "DateReported": dates.midnight(reported.date()),
        "DateClosed": dates.midnight(closed.date()) if is_closed else None,
        "Status": "C" if is_closed else dice.choice(("O", "O", "O", "R")), "LossType": kind, "Description": words,
        "AmountReserved": reserve,
        "AmountPaid": reserve if is_closed else amounts.cents(reserve * dice.choice((0.0, 0.0, 0.3))),
        "AdjusterName": f"{adjuster.first} {adjuster.last}" if adjuster else None,
        "AdjusterPhone": names.phone(dice, "800") if adjuster else None,
        "AdjusterEmail": names.email(dice, adjuster) if adjuster else None,
        "LossLine1": insured["Line1"], "LossCity": insured["City"], "LossState": insured["State"],
        "LossZip": insured["Zip"], "CreatedOn": dates.plain(reported),
        "DateLastModified": dates.plain(closed) if is_closed else None,
    }  # fmt: skip


def application(
    dice: random.Random, key: int, policy: dict[str, Any], created: datetime, now: datetime
) -> dict[str, Any]:
    """Return the application that led to a policy, or one that went nowhere (then without a policy)."""
    submitted = created + timedelta(hours=dice.randrange(1, 72))
    decided = submitted + timedelta(days=dice.randrange(1, 12))
    status = dice.choices(("A", "R", "W"), (80, 12, 8))[0] if decided < now else "S" if submitted < now else "D"
    return {
        "ApplicationID": key, "QuoteID": policy["PolicyId"] * 10 + 1,
        "PolicyID": policy["PolicyId"] if status in "AS" else None, "CustomerID": policy["CustomerId"],
        "ApplicationNumber": f"APP-{key}", "Status": status, "LOB": policy["LOB"], "CarrierID": policy["CarrierId"],
        "RequestedEffectiveDate": policy["EffectiveDate"],
        "SubmittedOn": dates.plain(submitted) if submitted < now else None,
        "DecisionOn": dates.plain(decided) if decided < now else None, "EstimatedPremium": policy["TotalPremium"],
        "CreatedOn": dates.plain(created), "DateLastModified": dates.plain(decided) if decided < now else None,
    }  # fmt: skip
