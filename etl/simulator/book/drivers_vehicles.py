"""Drivers and vehicles of a household, as the enterprise feeds nest them under a policy."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from datetime import date
from typing import Any

from etl.simulator.book import dates, names

MODELS = {
    "1HG": ("Honda", ("Civic", "Accord", "CR-V")),
    "4T1": ("Toyota", ("Camry", "Corolla", "RAV4")),
    "1FT": ("Ford", ("F-150", "Escape", "Explorer")),
    "1G1": ("Chevrolet", ("Malibu", "Equinox", "Silverado")),
    "5NP": ("Hyundai", ("Elantra", "Sonata", "Tucson")),
    "1N4": ("Nissan", ("Altima", "Rogue", "Sentra")),
    "1C4": ("Jeep", ("Cherokee", "Wrangler", "Compass")),
}
COLORS = ("White", "Black", "Silver", "Gray", "Blue", "Red", None)
_VALUES = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "012345678912345678123457923456789"), strict=True))
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"  # model years from 1980 and again from 2010


def check_digit(vin: str) -> str:
    """Return the check digit of a vehicle number (49 CFR 565.15), its ninth character; the present one is ignored."""
    rest = sum(_VALUES[sign] * weight for sign, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def vin(dice: random.Random, maker: str, year: int) -> str:
    """Return a vehicle number with a right check digit."""
    body = "".join(dice.choices("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", k=5))
    text = f"{maker}{body}0{_YEARS[(year - 1980) % 30]}{dice.choice('ABCFGHJ')}{dice.randrange(10**6):06d}"
    return text[:8] + check_digit(text) + text[9:]


def drivers(dice: random.Random, policy: dict[str, Any], contact: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the drivers of a policy: the client, and up to two others of the household."""
    count = 1 + dice.choices((0, 1, 2), (45, 42, 13))[0]
    return [_driver(dice, policy["PolicyId"], n, contact) for n in range(count)]


def _driver(dice: random.Random, policy_id: int, n: int, contact: dict[str, Any]) -> dict[str, Any]:
    other = names.person(dice)
    first = contact["FirstName"] if n == 0 and contact["FirstName"] else other.first
    last = contact["LastName"] or other.last
    born = date(dice.randrange(1945, 2008), dice.randrange(1, 13), dice.randrange(1, 29))
    sr22 = dice.random() < 0.03
    return {
        "DriverID": policy_id * 10 + n + 1, "PolicyDetailsID": policy_id * 10, "FirstName": first,
        "MiddleName": other.middle, "LastName": last, "DOB": dates.midnight(born),
        "Gender": "F" if other.female else "M", "MaritalStatus": dice.choice(("Single", "Married", "Divorced", "")),
        "LicenseStateCode": (contact["State"] or "").strip() or None,
        "LicenseStatus": dice.choices(("Active", "Suspended", "Expired"), (94, 3, 3))[0],
        "IsNamedInsured": n == 0, "Excluded": n > 0 and dice.random() < 0.05, "RequireSR22": "Yes" if sr22 else "No",
        "SR22CaseNumber": f"SR{dice.randrange(10**6):06d}" if sr22 else None,
        "MVRPoints": dice.choices((0, 1, 2, 3, 4), (78, 8, 6, 5, 3))[0],
        "NumberOfIncidentslast7Years": dice.choices((0, 1, 2), (80, 15, 5))[0], "RestrictedLicense": False,
        "DriverLicenseNo": f"{last[:1].upper() or 'X'}{dice.randrange(10**12):012d}",
        # A number that begins with 9 is never issued, so none of these belongs to a living person.
        "SSN": f"9{dice.randrange(10, 50)}-{dice.randrange(1, 99):02d}-{dice.randrange(1, 9999):04d}",
    }  # fmt: skip


def vehicles(dice: random.Random, policy: dict[str, Any], contact: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the vehicles of a policy, garaged where the client lives."""
    count = dice.choices((1, 2, 3), (52, 38, 10))[0]
    return [_vehicle(dice, policy, n, contact) for n in range(count)]


def _vehicle(dice: random.Random, policy: dict[str, Any], n: int, contact: dict[str, Any]) -> dict[str, Any]:
    maker = dice.choice(tuple(MODELS))
    make, models = MODELS[maker]
    year = dice.randrange(2006, 2026)
    price = float(dice.randrange(210, 620) * 100)
    worth = float(round(price * 0.86 ** (2026 - year), -2))
    return {
        "VehicleID": policy["PolicyId"] * 10 + n + 1, "PolicyDetailsID": policy["PolicyId"] * 10, "Year": year,
        "Make": make, "Model": dice.choice(models), "VIN": vin(dice, maker, year), "Color": dice.choice(COLORS),
        "VehicleType": "Motorcycle" if policy["LOBId"] == 7 else "Private Passenger",
        "Symbol": f"{dice.randrange(1, 28):02d}", "AnnualMiles": dice.randrange(4, 20) * 1000,
        "CommuteMiles": dice.randrange(0, 40), "ActualCashValue": worth, "MSRP": price,
        "GarageAddressLine1": contact["Line1"], "GarageAddressLine2": contact["Line2"],
        "GarageAddressCity": contact["City"], "GarageAddressState": contact["State"],
        "GarageAddressZip": contact["Zip"], "PassiveSeatBelt": True,
        "AntiLockBrakes": dice.choice(("Yes", "No", "")), "AirBag": "Driver and passenger",
        "AntitheftPassive": dice.choice(("Yes", "No")), "AntitheftActive": dice.choice(("Yes", "No")),
    }  # fmt: skip


def row(tenant: int, policy: dict[str, Any], name: str, nested: list[dict[str, Any]], modified: str) -> dict[str, Any]:
    """Return an enterprise row: one per policy, with what is nested under it."""
    return {
        "QQTenantID": tenant, "PolicyId": policy["PolicyId"], "CustomerId": policy["CustomerId"],
        "DateLastModified": modified, name: nested,
    }  # fmt: skip
