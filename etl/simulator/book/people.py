"""Contacts: customers, prospects, employees and a few others. `dirt` adds quality problems afterwards."""

# ruff: noqa: PLR2004 - shares, rates and amounts of generated data are written where they are used

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from etl.simulator.book import names, places, stamps
from etl.simulator.book.agency import Office, SimulatedAgency, SimulatedEmployee

FIRST_CONTACT = 41_001
YEARS = 6  #: how far back the oldest contact was entered
SUB_TYPES = {"C": "Customer", "P": "Prospect", "E": "Employee", "R": "Referral", "M": "Mortgagee", "H": "Holder"}
STATUSES = {"A": "Active", "D": "Deleted", "I": "Inactive"}


@dataclass(frozen=True, slots=True)
class Client:
    """The facts of a contact that other records need."""

    id: int
    name: str
    office: Office
    agent: SimulatedEmployee
    created: datetime
    modified: datetime | None
    is_business: bool
    is_customer: bool


def make(
    dice: random.Random, agency: SimulatedAgency, count: int, now: datetime
) -> Iterator[tuple[Client, dict[str, Any]]]:
    """Yield contacts in the order in which they were entered, each with its API item."""
    span = timedelta(days=365 * YEARS).total_seconds()
    # The square root puts more contacts into later years, as in a growing agency.
    ages = sorted((span * (1 - dice.random() ** 0.5) for _ in range(count)), reverse=True)
    for n, age in enumerate(ages):
        created = min(stamps.office_hours(dice, (now - timedelta(seconds=age)).date()), now - timedelta(minutes=1))
        client, item = new_contact(dice, agency, FIRST_CONTACT + n, created)
        if dice.random() < 0.62:  # the others were never touched again
            client, item = _touched(client, item, stamps.between(dice, created, now))
        yield client, item


def new_contact(
    dice: random.Random, agency: SimulatedAgency, key: int, created: datetime
) -> tuple[Client, dict[str, Any]]:
    """Return a contact that has just been entered, and its API item."""
    sub_type = dice.choices(("C", "P", "R", "M", "H"), (74, 22, 2, 1, 1))[0]
    office = dice.choice(agency.offices)
    agent = dice.choice(agency.staff(office.id, "Producer"))
    is_business = dice.random() < 0.13  # the share of commercial accounts
    item = _skeleton(key, sub_type, office.id, agent.display_name, created)
    item |= _address(dice, office)
    item |= _company(dice, item["City"], item.pop("area_code")) if is_business else _person(dice, item.pop("area_code"))
    item["CustomerNo"] = f"C-{key - FIRST_CONTACT + 1001}"
    client = Client(key, item["DisplayName"], office, agent, created, None, is_business, sub_type == "C")
    return client, item


def employee_item(dice: random.Random, employee: SimulatedEmployee) -> dict[str, Any]:
    """Return an employee as the customers-and-employees feed shows one."""
    item = _skeleton(employee.id, "E", employee.office.id, employee.display_name, employee.hired)
    item |= _address(dice, employee.office)
    item |= _named(employee.name)
    local = f"{names.slug(employee.name.first)}.{names.slug(employee.name.last)}"
    item |= {"Phone": names.phone(dice, item.pop("area_code")), "PhoneType": "Work", "CustomerNo": None}
    return item | {"Email": f"{local}@agency.example.com"}


def unknown(key: int) -> dict[str, Any]:
    """Return a contact of which only the id is known."""
    return dict.fromkeys(_skeleton(key, "C", 0, "", datetime.min.replace(tzinfo=UTC))) | {"EntityID": key}


def _skeleton(key: int, sub_type: str, office: int, agent: str, created: datetime) -> dict[str, Any]:
    words = SUB_TYPES[sub_type]
    return {
        "EntityID": key, "DisplayName": "", "BusinessName": None, "FirstName": None, "MiddleName": None,
        "LastName": None, "isAPerson": None, "CustomerNo": None, "ContactType": sub_type, "ContactTypeDisplay": words,
        "ContactSubType": sub_type, "ContactSubTypeDisplay": words, "TypeDisplay": words, "Status": "A",
        "StatusDisplay": "Active", "DOB": None, "MaritalStatusID": None, "Phone": None, "PhoneType": None,
        "Email": None, "PrimaryContact": None, "Line1": None, "Line2": None, "City": None, "State": None,
        "County": None, "Zip": None, "Country": None, "LocationID": office, "AgentName": agent,
        "CreatedOn": stamps.plain(created), "DateLastModified": None, "HasBeenModified": False,
    }  # fmt: skip


def _address(dice: random.Random, office: Office) -> dict[str, Any]:
    home = places.home_of_client(dice, office.place)
    return {
        "Line1": names.street(dice), "Line2": names.second_line(dice), "City": home.city, "State": home.state,
        "County": home.county.removesuffix(" County"), "Zip": home.zip, "Country": "US", "area_code": home.area_code,
    }  # fmt: skip


def _named(name: names.Name) -> dict[str, Any]:
    return {
        "isAPerson": True, "FirstName": name.first, "MiddleName": name.middle, "LastName": name.last,
        "DisplayName": f"{name.last}, {name.first}",
    }  # fmt: skip


def _person(dice: random.Random, area_code: str) -> dict[str, Any]:
    name = names.person(dice)
    born = date(1938, 1, 1) + timedelta(days=dice.randrange(365 * 66))
    return _named(name) | {
        "DOB": stamps.midnight(born) if dice.random() < 0.7 else None,
        "MaritalStatusID": dice.choice(("S", "M", "M", "D", "W", None)),
        "Phone": names.phone(dice, area_code), "PhoneType": dice.choice(("Cell", "Cell", "Home", "Work", None)),
        "Email": names.email(dice, name),
    }  # fmt: skip


def _company(dice: random.Random, city: str, area_code: str) -> dict[str, Any]:
    name, contact = names.business(dice, city), names.person(dice)
    return {
        "BusinessName": name, "DisplayName": name, "PrimaryContact": f"{contact.first} {contact.last}",
        "isAPerson": dice.choice((False, None)), "Phone": names.phone(dice, area_code), "PhoneType": "Work",
        "Email": names.business_email(dice, name),
    }  # fmt: skip


def _touched(client: Client, item: dict[str, Any], at: datetime) -> tuple[Client, dict[str, Any]]:
    changed = Client(
        client.id, client.name, client.office, client.agent, client.created, at, client.is_business, client.is_customer
    )
    return changed, item | {"DateLastModified": stamps.plain(at), "HasBeenModified": True}
