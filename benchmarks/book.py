"""The made-up book that every candidate reads: contacts and policies with every field of the feeds, a page a day."""

import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

#: Records a day and feed; a page of 500 is then one day's.
A_DAY = 500
FIRST_DAY = date(2024, 1, 1)

FIRST = "Dana Kim Luis Ana Omar Ruth Jose Mei Ivan Sara Paul Nora Hugo Lena Carl Rosa".split()
LAST = "Rivera Lee Santos Novak Price Garcia Chen Weber Ortiz Hall Young Adams Reyes Moore Diaz Scott".split()
STREETS = "Elm St,Oak Ave,5th Street,Bay Rd,Palm Blvd,Main St,Lake Dr,Hill Ct".split(",")
PLACES = [("Hialeah", "FL", "33010"), ("Macon", "GA", "31201"), ("Austin", "TX", "78701"), ("Tampa", "FL", "33602")]
LINES = [("Personal Auto", 1, "PA", "AUTOP"), ("Homeowners", 2, "HO", "HOME"), ("General Liability", 3, "GL", "CGL")]
CARRIERS = [(70 + number, f"Example Mutual {number}") for number in range(25)]


def contact(number: int, moment: datetime, chance: random.Random, version: int = 0) -> dict[str, object]:
    """Return one contact as the feed gives it; about 3 % of records have a bad field."""
    first, last = chance.choice(FIRST), chance.choice(LAST)
    city, state, code = chance.choice(PLACES)
    email = f"{first}.{last}.{number}@example{number % 90}.com".lower()
    if chance.random() < 0.03:
        email = email.replace("@", " at ")
    created = (moment - timedelta(days=chance.randrange(1, 900), seconds=chance.randrange(86_400))).isoformat()
    return {
        "EntityID": 1_000_000 + number, "DisplayName": f"{last}, {first}", "BusinessName": None, "FirstName": first,
        "MiddleName": None, "LastName": last, "isAPerson": True, "CustomerNo": f"C-{number}", "ContactType": "C",
        "ContactTypeDisplay": "Customer", "ContactSubType": "C" if number % 5 else "P", "ContactSubTypeDisplay":
        "Customer", "TypeDisplay": "Customer", "Status": "A", "StatusDisplay": "Active",
        "DOB": f"{1940 + number % 60}-0{1 + number % 9}-1{number % 10}T00:00:00", "MaritalStatusID": "M",
        "Phone": f"(305) {222 + number % 88}-{number % 10_000:04d}", "PhoneType": "Cell",
        "Email": email, "PrimaryContact": None, "Line1": f"{1 + number % 9_000} {chance.choice(STREETS)}", "Line2": "",
        "City": city, "State": f"{state} ", "County": "", "Zip": f"{code}{number % 10_000:04d} ", "Country": "USA",
        "LocationID": 310 + number % 3, "AgentName": f"{FIRST[number % 16]} Lee {version}", "CreatedOn": created,
        "DateLastModified": moment.isoformat(), "HasBeenModified": True,
    }  # fmt: skip


def policy(number: int, moment: datetime, chance: random.Random, version: int = 0) -> dict[str, object]:
    """Return one policy as the feed gives it."""
    line, line_id, code, acord = LINES[number % 3]
    carrier_id, carrier = chance.choice(CARRIERS)
    begins = FIRST_DAY + timedelta(days=number % 700)
    created = (moment - timedelta(days=chance.randrange(1, 300), seconds=chance.randrange(86_400))).isoformat()
    premium = round(400 + chance.random() * 4_000, 2)
    return {
        "PolicyId": 5_000_000 + number, "PolicyNumber": f"{code} {number:07d}-{number % 30:02d}",
        "CustomerId": 1_000_000 + number, "CustomerName": f"{LAST[number % 16]}, {FIRST[number % 16]}",
        "Status": "AAAACE"[number % 6], "EffectiveDate": f"{begins}T00:00:00",
        "ExpirationDate": "13/45/2026" if chance.random() < 0.03 else f"{begins + timedelta(days=365)}T00:00:00",
        "TotalPremium": premium + version, "Description": None, "Term": "A", "PolicyType": line, "PackageType": None,
        "LOB": line, "LOBId": line_id, "LOBList": [{"ID": line_id, "Name": line, "Code": code, "AcordCode": acord,
        "InternalCode": code, "HasDetails": True, "IsPackage": False, "LOBDetailsGroup": None}],
        "WritingCarrier": carrier, "CarrierId": carrier_id, "MGA": None, "MGAId": None,
        "AgentName": f"{FIRST[number % 16]} Lee", "ProducerIDs": [500 + number % 9], "PriorPolicyID": None,
        "PolicyAgencyFees": [{"AgencyFeeName": "Broker fee", "Amount": 50.0, "AmountIsPercent": "False",
        "CalculatedAmount": 50.0}] if number % 2 else [], "IsDeleted": False, "HasBeenModified": True,
        "CreatedOn": created, "DateLastModified": moment.isoformat(),
    }  # fmt: skip


FEEDS = {"Contacts": contact, "Policies": policy}


def days(feed: str, records: int, changed: int = 0) -> Iterator[tuple[date, bytes]]:
    """Yield the records of a feed day by day, as the text between the brackets of `Data`.

    With `changed`, one more day holds new versions of so many of them, spread over all.
    """
    make = FEEDS[feed]
    count = -(-records // A_DAY)
    for day in range(count):
        today = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day) + timedelta(days=day)  # noqa: DTZ001 (as sent)
        chance = random.Random(day)  # noqa: S311 (made-up data)
        numbers = range(day * A_DAY, min(records, (day + 1) * A_DAY))
        made = (make(number, today + timedelta(seconds=number % 80_000), chance) for number in numbers)
        yield today.date(), b",".join(json.dumps(one, separators=(",", ":")).encode() for one in made)
    step = records // changed if changed else 0
    for place in range(-(-changed // A_DAY)):
        today = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day) + timedelta(days=count + 30 + place)  # noqa: DTZ001
        chance = random.Random(f"changed {place}")  # noqa: S311
        numbers = [number * step for number in range(place * A_DAY, min(changed, (place + 1) * A_DAY))]
        made = (make(number, today + timedelta(hours=1), chance, version=1) for number in numbers)
        yield today.date(), b",".join(json.dumps(one, separators=(",", ":")).encode() for one in made)
