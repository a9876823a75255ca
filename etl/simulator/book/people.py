"""Contacts: clients, carriers, managing general agencies and employees, all clean; `data_quirks` adds the quirks."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from etl.simulator.book import agency, dates, names, places
from etl.simulator.book.agency import Office, SimulatedAgency, SimulatedCarrier, SimulatedEmployee

FIRST_CONTACT = 41_001
YEARS = 6  #: how far back the oldest client was entered
CUSTOMER, PROSPECT, EMPLOYEE, CARRIER, MGA, UNEXPLAINED = "C", "P", "E", "R", "M", "H"
#: What a contact of a type is called. The meaning of H is not known (facts 9.4).
TYPES = {
    CUSTOMER: "Customer", PROSPECT: "Prospect", EMPLOYEE: "Employee", CARRIER: "Carrier",
    MGA: "Managing General Agency", UNEXPLAINED: "Other",
}  # fmt: skip
STATUSES = {"A": "Active", "D": "Deleted", "I": "Inactive"}


@dataclass(frozen=True, slots=True)
class Client:
    """What the rest of the book has to know about a customer or prospect."""

    id: int
    name: str
    office: Office
    agent: SimulatedEmployee
    created: datetime
    modified: datetime | None
    is_business: bool
    type: str

    @property
    def is_customer(self) -> bool:
        """Whether the client buys policies; prospects and others do not."""
        return self.type == CUSTOMER


def make(
    dice: random.Random, firm: SimulatedAgency, count: int, now: datetime
) -> Iterator[tuple[Client, dict[str, Any]]]:
    """Yield clients in the order in which they were entered, each with its API item."""
    span = timedelta(days=365 * YEARS).total_seconds()
    # The square root makes the later years fuller, as a growing agency has them.
    ages = sorted((span * (1 - dice.random() ** 0.5) for _ in range(count)), reverse=True)
    for n, age in enumerate(ages):
        created = min(dates.office_hours(dice, (now - timedelta(seconds=age)).date()), now - timedelta(minutes=1))
        client, item = new_client(dice, firm, FIRST_CONTACT + n, created)
        if dice.random() < 0.62:  # the others were never modified
            client, item = _modified(client, item, dates.between(dice, created, now))
        yield client, item


def new_client(
    dice: random.Random, firm: SimulatedAgency, key: int, created: datetime
) -> tuple[Client, dict[str, Any]]:
    """Return a client that has just been entered, and its API item."""
    letter = dice.choices((CUSTOMER, PROSPECT, UNEXPLAINED), (75, 23, 2))[0]
    office = dice.choice(firm.offices)
    agent = dice.choice(firm.staff(office.id, "Producer"))
    is_business = dice.random() < 0.13  # the share of commercial accounts
    item = _skeleton(key, letter, created) | {"LocationID": office.id, "AgentName": agent.display_name}
    item |= _address(dice, office)
    item |= _company(dice, item["City"], item.pop("area_code")) if is_business else _person(dice, item.pop("area_code"))
    item["CustomerNo"] = f"C-{key - FIRST_CONTACT + 1001}"
    client = Client(key, item["DisplayName"], office, agent, created, None, is_business, letter)
    return client, item


def employee_item(dice: random.Random, employee: SimulatedEmployee) -> dict[str, Any]:
    """Return an employee as a contact of type E."""
    item = _skeleton(employee.id, EMPLOYEE, employee.hired)
    item |= {"LocationID": employee.office.id, "AgentName": employee.display_name}
    item |= _address(dice, employee.office)
    item |= _person_names(employee.name)
    item |= {"Phone": names.phone(dice, item.pop("area_code")), "PhoneType": "Work", "CustomerNo": None}
    return _one_type_field(item) | {"Email": employee_email(employee)}


def employee_email(employee: SimulatedEmployee) -> str:
    """Return the email address of an employee."""
    return f"{names.slug(employee.name.first)}.{names.slug(employee.name.last)}@agency.example.com"


def carrier_item(dice: random.Random, firm: SimulatedAgency, carrier: SimulatedCarrier) -> dict[str, Any]:
    """Return a carrier as a contact of type R, or a managing general agency as one of type M."""
    item = _skeleton(carrier.id, MGA if carrier.is_mga else CARRIER, firm.founded)
    item |= _address(dice, dice.choice(firm.offices))
    item.pop("area_code")
    item |= {
        "BusinessName": carrier.name, "DisplayName": carrier.name, "isAPerson": dice.choice((False, None)),
        "Phone": agency.toll_free(carrier), "PhoneType": "Work", "LocationID": firm.offices[0].id, "AgentName": "",
        "Email": f"agents@{names.slug(carrier.name)}.example.com",
    }  # fmt: skip
    return _one_type_field(item)


def _one_type_field(item: dict[str, Any]) -> dict[str, Any]:
    """Leave the type of a contact in only one of its two fields, for two of five: readers must look at both."""
    if item["EntityID"] % 5 == 3:
        return item | {"ContactSubType": "", "ContactSubTypeDisplay": ""}
    if item["EntityID"] % 5 == 4:
        return item | {"ContactType": None, "ContactTypeDisplay": None, "TypeDisplay": None}
    return item


def unknown(key: int) -> dict[str, Any]:
    """Return a contact that is known by its id only."""
    return dict.fromkeys(_skeleton(key, CUSTOMER, datetime.min.replace(tzinfo=UTC))) | {"EntityID": key}


def _skeleton(key: int, letter: str, created: datetime) -> dict[str, Any]:
    words = TYPES[letter]
    return {
        "EntityID": key, "DisplayName": "", "BusinessName": None, "FirstName": None, "MiddleName": None,
        "LastName": None, "isAPerson": None, "CustomerNo": None, "ContactType": letter, "ContactTypeDisplay": words,
        "ContactSubType": letter, "ContactSubTypeDisplay": words, "TypeDisplay": words, "Status": "A",
        "StatusDisplay": "Active", "DOB": None, "MaritalStatusID": None, "Phone": None, "PhoneType": None,
        "Email": None, "PrimaryContact": None, "Line1": None, "Line2": None, "City": None, "State": None,
        "County": None, "Zip": None, "Country": None, "LocationID": None, "AgentName": "",
        "CreatedOn": dates.plain(created), "DateLastModified": None, "HasBeenModified": False,
    }  # fmt: skip


def _address(dice: random.Random, office: Office) -> dict[str, Any]:
    home = places.home_of_client(dice, office.address)
    return {
        "Line1": names.street(dice), "Line2": names.second_line(dice), "City": home.city, "State": home.state,
        "County": home.county.removesuffix(" County"), "Zip": home.zip, "Country": "US", "area_code": home.area_code,
    }  # fmt: skip


def _person_names(name: names.Name) -> dict[str, Any]:
    return {
        "isAPerson": True, "FirstName": name.first, "MiddleName": name.middle, "LastName": name.last,
        "DisplayName": f"{name.last}, {name.first}",
    }  # fmt: skip


def _person(dice: random.Random, area_code: str) -> dict[str, Any]:
    name = names.person(dice)
    born = date(1938, 1, 1) + timedelta(days=dice.randrange(365 * 66))
    return _person_names(name) | {
        "DOB": dates.midnight(born) if dice.random() < 0.7 else None,
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


def _modified(client: Client, item: dict[str, Any], at: datetime) -> tuple[Client, dict[str, Any]]:
    changed = item | {"DateLastModified": dates.plain(at), "HasBeenModified": True}
    return replace(client, modified=at), changed
