"""The synthetic data set that every candidate reads: contacts and policies with all fields of the feeds, by day."""

import json
import random
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

#: Records of one feed that were modified on one day; a page of this size is one day.
RECORDS_PER_DAY = 500
FIRST_DAY = date(2020, 1, 1)
#: Days between the last day of the data set and the first day on which records change.
PAUSE = 2
#: The middle name of changed contacts and the description of changed policies.
CHANGED = "Changed"

FIRST = "Dana Kim Luis Ana Omar Ruth Jose Mei Ivan Sara Paul Nora Hugo Lena Carl Rosa".split()
LAST = "Rivera Lee Santos Novak Price Garcia Chen Weber Ortiz Hall Young Adams Reyes Moore Diaz Scott".split()
STREETS = "Elm St,Oak Ave,5th Street,Bay Rd,Palm Blvd,Main St,Lake Dr,Hill Ct".split(",")
PLACES = [("Hialeah", "FL", "33010"), ("Macon", "GA", "31201"), ("Austin", "TX", "78701"), ("Tampa", "FL", "33602")]
LINES = [("Personal Auto", 1, "PA", "AUTOP"), ("Homeowners", 2, "HO", "HOME"), ("General Liability", 3, "GL", "CGL")]
CARRIERS = [(70 + number, f"Example Mutual {number}") for number in range(25)]
#: The share of records with an invalid value.
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
        return cls.from_texts(day, [json.dumps(record, separators=(",", ":")).encode() for record in records])

    @classmethod
    def from_texts(cls, day: date, texts: Sequence[bytes]) -> "Day":
        """Return the day with these encoded records."""
        return cls(day, b",".join(texts), tuple(end - 1 for end in accumulate(len(text) + 1 for text in texts)))

    def __len__(self) -> int:
        return len(self.ends)

    def part(self, first: int, last: int) -> bytes:
        """Return the text of the records from `first` to `last` (exclusive); a whole day is not copied."""
        if first == 0 and last >= len(self.ends):
            return self.text
        return self.text[self.ends[first - 1] + 1 if first else 0 : self.ends[last - 1]]

    def without(self, positions: Container[int]) -> "Day":
        """Return the day without the records at these positions."""
        texts = [self.part(position, position + 1) for position in range(len(self)) if position not in positions]
        return type(self).from_texts(self.day, texts)


def contact(number: int, moment: datetime, chance: random.Random, *, changed: bool = False) -> dict[str, object]:
    """Return one contact in the format of the feed."""
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
        "LocationID": 310 + number % 3, "AgentName": f"{FIRST[number % 16]} Lee",
        "CreatedOn": random_earlier_time(moment, chance), "DateLastModified": format_time(moment),
        "HasBeenModified": True,
    }  # fmt: skip


def policy(number: int, moment: datetime, chance: random.Random, *, changed: bool = False) -> dict[str, object]:
    """Return one policy in the format of the feed."""
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
        "CreatedOn": random_earlier_time(moment, chance), "DateLastModified": format_time(moment),
    }  # fmt: skip


def policy_detail(policy_id: int) -> dict[str, object]:
    """Return the detail of one policy."""
    return {
        "PolicyId": policy_id, "PolicyDetailsID": 7_000_000 + policy_id, "BusinessType": "N", "BinderDate": None,
        "AgentID": 9_000 + policy_id % 20, "AgentName": "Kim Lee", "CSRID": 9_100, "CSRName": "Ana Lee",
        "LocationID": 310, "DepartmentID": None, "BillingType": "D", "PaymentPlan": "Monthly",
        "AnnualizedPremium": 1200.0, "PolicyFees": 25.0, "Taxes": 12.5,
    }  # fmt: skip


#: The functions that build records, by the feed's path in the API.
FEEDS: dict[str, Callable[..., dict[str, object]]] = {"Contacts": contact, "Policies": policy}


def format_time(moment: datetime) -> str:
    """Return a time in the API's format: UTC without an offset."""
    return moment.replace(tzinfo=None).isoformat()


def random_earlier_time(moment: datetime, chance: random.Random) -> str:
    """Return a random time in the two years before."""
    return format_time(moment - timedelta(days=chance.randrange(1, 700), seconds=chance.randrange(86_400)))


def midnight(day: date) -> datetime:
    """Return the beginning of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def days(feed: str, records: int) -> Iterator[Day]:
    """Yield the records of a feed, RECORDS_PER_DAY on each day."""
    for day_number, first in enumerate(range(0, records, RECORDS_PER_DAY)):
        day, chance = FIRST_DAY + timedelta(days=day_number), random.Random(f"{feed} {day_number}")
        numbers = range(first, min(records, first + RECORDS_PER_DAY))
        yield Day.of(day, build_records(feed, numbers, midnight(day), chance))


def changed_numbers(records: int, changed: int) -> list[int]:
    """Return the numbers of the records that change, spread evenly."""
    return [number * records // changed for number in range(changed)]


def after_change(feed: str, records: int, changed: int, before: Iterable[Day]) -> Iterator[Day]:
    """Yield the feed after the change: the old days without the changed records, then the days of the change."""
    numbers = changed_numbers(records, changed)
    moved = frozenset(numbers)
    for day_number, day in enumerate(before):
        moved_away = {
            number - day_number * RECORDS_PER_DAY
            for number in range(day_number * RECORDS_PER_DAY, day_number * RECORDS_PER_DAY + len(day))
            if number in moved
        }
        yield day.without(moved_away) if moved_away else day
    for day_number, first in enumerate(range(0, changed, RECORDS_PER_DAY)):
        date_of, chance = (
            first_change(records) + timedelta(days=day_number),
            random.Random(f"{feed} changed {day_number}"),
        )
        day_numbers = numbers[first : first + RECORDS_PER_DAY]
        yield Day.of(date_of, build_records(feed, day_numbers, midnight(date_of), chance, changed=True))


def build_records(
    feed: str, numbers: Iterable[int], day: datetime, chance: random.Random, *, changed: bool = False
) -> Iterator[dict[str, object]]:
    """Yield the records of one day."""
    make = FEEDS[feed]
    for second, number in enumerate(numbers):
        yield make(number, day + timedelta(hours=8, seconds=second), chance, changed=changed)


def last_day(records: int) -> date:
    """Return the last day on which a record of the unchanged data set was modified."""
    return FIRST_DAY + timedelta(days=-(-records // RECORDS_PER_DAY) - 1)


def first_change(records: int) -> date:
    """Return the first day on which records change."""
    return last_day(records) + timedelta(days=PAUSE)
