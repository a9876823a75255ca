"""The made-up book that every candidate reads: contacts and policies with every field of the feeds, day by day."""

import json
import random
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

#: Records of one feed that were modified on one day; a page of this size is one day's.
A_DAY = 500
FIRST_DAY = date(2020, 1, 1)
#: Days between the last day of the book and the first on which records change.
PAUSE = 2
#: What contacts have as middle name, and policies as description, once they have changed.
CHANGED = "Changed"

FIRST = "Dana Kim Luis Ana Omar Ruth Jose Mei Ivan Sara Paul Nora Hugo Lena Carl Rosa".split()
LAST = "Rivera Lee Santos Novak Price Garcia Chen Weber Ortiz Hall Young Adams Reyes Moore Diaz Scott".split()
STREETS = "Elm St,Oak Ave,5th Street,Bay Rd,Palm Blvd,Main St,Lake Dr,Hill Ct".split(",")
PLACES = [("Hialeah", "FL", "33010"), ("Macon", "GA", "31201"), ("Austin", "TX", "78701"), ("Tampa", "FL", "33602")]
LINES = [("Personal Auto", 1, "PA", "AUTOP"), ("Homeowners", 2, "HO", "HOME"), ("General Liability", 3, "GL", "CGL")]
CARRIERS = [(70 + number, f"Example Mutual {number}") for number in range(25)]
#: The share of records with a value that no rule can accept.
BAD = 0.03


@dataclass(frozen=True)
class Day:
    """The records of a feed that were modified on one day, as the text between the brackets of `Data`."""

    day: date
    text: bytes
    ends: tuple[int, ...]  #: where each record ends in the text

    @classmethod
    def of(cls, day: date, records: Iterable[dict[str, object]]) -> "Day":
        """Return the day with these records."""
        return cls.holding(day, [json.dumps(one, separators=(",", ":")).encode() for one in records])

    @classmethod
    def holding(cls, day: date, texts: Sequence[bytes]) -> "Day":
        """Return the day with these texts of records."""
        return cls(day, b",".join(texts), tuple(end - 1 for end in accumulate(len(text) + 1 for text in texts)))

    def __len__(self) -> int:
        return len(self.ends)

    def part(self, first: int, last: int) -> bytes:
        """Return the text of the records from `first` up to but without `last`; a whole day is not copied."""
        if first == 0 and last >= len(self.ends):
            return self.text
        return self.text[self.ends[first - 1] + 1 if first else 0 : self.ends[last - 1]]

    def without(self, places: Container[int]) -> "Day":
        """Return the day without the records in these places."""
        kept = [self.part(place, place + 1) for place in range(len(self)) if place not in places]
        return type(self).holding(self.day, kept)


def contact(number: int, moment: datetime, chance: random.Random, *, changed: bool = False) -> dict[str, object]:
    """Return one contact as the feed gives it."""
    first, last = chance.choice(FIRST), chance.choice(LAST)
    city, state, code = chance.choice(PLACES)
    email = f"{first}.{last}.{number}@example{number % 90}.com".lower()
    if chance.random() < BAD:
        email = email.replace("@", " at ")
    return {
        "EntityID": 1_000_000 + number, "DisplayName": f"{last}, {first}", "BusinessName": None, "FirstName": first,
        "MiddleName": CHANGED if changed else None if number % 3 else "R.", "LastName": last, "isAPerson": True,
        "CustomerNo": f"C-{number}", "ContactType": "C", "ContactTypeDisplay": "Customer",
        "ContactSubType": "C" if number % 5 else "P", "ContactSubTypeDisplay": "Customer" if number % 5 else "Prospect",
        "TypeDisplay": "Customer", "Status": "A", "StatusDisplay": "Active",
        "DOB": f"{1940 + number % 60}-0{1 + number % 9}-1{number % 10}T00:00:00", "MaritalStatusID": "M",
        "Phone": f"(305) {222 + number % 88}-{number % 10_000:04d}", "PhoneType": "Cell",
        "Email": email, "PrimaryContact": None, "Line1": f"{1 + number % 9_000} {chance.choice(STREETS)}", "Line2": "",
        "City": city, "State": f"{state} ", "County": "", "Zip": f"{code}{number % 10_000:04d} ", "Country": "USA",
        "LocationID": 310 + number % 3, "AgentName": f"{FIRST[number % 16]} Lee", "CreatedOn": earlier(moment, chance),
        "DateLastModified": written(moment), "HasBeenModified": True,
    }  # fmt: skip


def policy(number: int, moment: datetime, chance: random.Random, *, changed: bool = False) -> dict[str, object]:
    """Return one policy as the feed gives it."""
    line, line_id, code, acord = LINES[number % 3]
    carrier_id, carrier = chance.choice(CARRIERS)
    begins = FIRST_DAY + timedelta(days=number % 700)
    fee = {"AgencyFeeName": "Broker fee", "Amount": 50.0, "AmountIsPercent": "False", "CalculatedAmount": 50.0}
    return {
        "PolicyId": 5_000_000 + number, "PolicyNumber": f"{code} {number:07d}-{number % 30:02d}",
        "CustomerId": 1_000_000 + number, "CustomerName": f"{LAST[number % 16]}, {FIRST[number % 16]}",
        "Status": "AAAACE"[number % 6], "EffectiveDate": f"{begins}T00:00:00",
        "ExpirationDate": "13/45/2026" if chance.random() < BAD else f"{begins + timedelta(days=365)}T00:00:00",
        "TotalPremium": round(400 + chance.random() * 4_000, 2),
        "Description": CHANGED if changed else None if number % 7 else "Rewritten", "Term": "A", "PolicyType": line,
        "PackageType": None, "LOB": line, "LOBId": line_id,
        "LOBList": [{"ID": line_id, "Name": line, "Code": code, "AcordCode": acord, "InternalCode": code,
                     "HasDetails": True, "IsPackage": False, "LOBDetailsGroup": None}],
        "WritingCarrier": carrier, "CarrierId": carrier_id, "MGA": None, "MGAId": None,
        "AgentName": f"{FIRST[number % 16]} Lee", "ProducerIDs": [500 + number % 9], "PriorPolicyID": None,
        "PolicyAgencyFees": [fee] if number % 2 else [], "IsDeleted": False, "HasBeenModified": True,
        "CreatedOn": earlier(moment, chance), "DateLastModified": written(moment),
    }  # fmt: skip


def detail(policy_id: int) -> dict[str, object]:
    """Return the detail of one policy."""
    return {
        "PolicyId": policy_id, "PolicyDetailsID": 7_000_000 + policy_id, "BusinessType": "N", "BinderDate": None,
        "AgentID": 9_000 + policy_id % 20, "AgentName": "Kim Lee", "CSRID": 9_100, "CSRName": "Ana Lee",
        "LocationID": 310, "DepartmentID": None, "BillingType": "D", "PaymentPlan": "Monthly",
        "AnnualizedPremium": 1200.0, "PolicyFees": 25.0, "Taxes": 12.5,
    }  # fmt: skip


#: The makers of records, by the feed's place in the API.
FEEDS: dict[str, Callable[..., dict[str, object]]] = {"Contacts": contact, "Policies": policy}


def written(moment: datetime) -> str:
    """Return a moment as the API writes it: without a zone, which is UTC."""
    return moment.replace(tzinfo=None).isoformat()


def earlier(moment: datetime, chance: random.Random) -> str:
    """Return a moment of the two years before."""
    return written(moment - timedelta(days=chance.randrange(1, 700), seconds=chance.randrange(86_400)))


def midnight(day: date) -> datetime:
    """Return the beginning of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def days(feed: str, records: int) -> Iterator[Day]:
    """Yield so many records of a feed, A_DAY of them a day."""
    for place, first in enumerate(range(0, records, A_DAY)):
        day, chance = FIRST_DAY + timedelta(days=place), random.Random(f"{feed} {place}")
        numbers = range(first, min(records, first + A_DAY))
        yield Day.of(day, made(feed, numbers, midnight(day), chance))


def changing(records: int, changed: int) -> list[int]:
    """Return the numbers of so many of the records, spread evenly: those that change."""
    return [number * records // changed for number in range(changed)]


def after_change(feed: str, records: int, changed: int, before: Iterable[Day]) -> Iterator[Day]:
    """Yield the feed after the change: the days without what changed since, then the days of the change."""
    numbers = changing(records, changed)
    moved = frozenset(numbers)
    for place, day in enumerate(before):
        gone = {number - place * A_DAY for number in range(place * A_DAY, place * A_DAY + len(day)) if number in moved}
        yield day.without(gone) if gone else day
    for place, first in enumerate(range(0, changed, A_DAY)):
        date_of, chance = first_change(records) + timedelta(days=place), random.Random(f"{feed} changed {place}")
        some = numbers[first : first + A_DAY]
        yield Day.of(date_of, made(feed, some, midnight(date_of), chance, changed=True))


def made(
    feed: str, numbers: Iterable[int], day: datetime, chance: random.Random, *, changed: bool = False
) -> Iterator[dict[str, object]]:
    """Yield the records of one day."""
    make = FEEDS[feed]
    for place, number in enumerate(numbers):
        yield make(number, day + timedelta(hours=8, seconds=place), chance, changed=changed)


def last_day(records: int) -> date:
    """Return the last day on which a record of the unchanged book was modified."""
    return FIRST_DAY + timedelta(days=-(-records // A_DAY) - 1)


def first_change(records: int) -> date:
    """Return the first day on which records change."""
    return last_day(records) + timedelta(days=PAUSE)
