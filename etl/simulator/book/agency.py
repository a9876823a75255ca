"""The agency itself: offices, departments, employees, carriers."""

# ruff: noqa: PLR2004 - shares, rates and amounts of generated data are written where they are used

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from etl.simulator.book import lines, names, places, stamps
from etl.simulator.book.places import Place

FIRST_OFFICE, FIRST_DEPARTMENT, FIRST_EMPLOYEE, FIRST_CARRIER = 310, 21, 501, 70
CARRIERS = (
    "Example Mutual", "Palmetto Specialty", "Harbor Point Insurance", "Blue Heron Casualty", "Old Lantern Mutual",
    "Granite Gate Insurance", "Prairie Star Indemnity", "Three Rivers Property & Casualty", "Cardinal Ridge Insurance",
    "Summit Oak Mutual", "Tidewater Home", "Copperfield Insurance Company", "Redwood Shield", "Meridian Lake Casualty",
    "Pinecrest Fire & Marine", "Bellweather Insurance", "Northern Anchor Indemnity", "Silver Birch Mutual",
    "Coral Gate Insurance", "Ironbridge Commercial", "Juniper Hill Insurance", "Stonehaven Assurance",
    "Larkspur Casualty", "Wayfarer Auto Insurance", "Keystone Orchard Mutual",
)  # fmt: skip
MGAS = ("Gulfline Underwriters", "Broadleaf Wholesale", "Crosswind General Agency", "Fairhaven Programs")
ROLES = ("Producer", "Producer", "CSR")


@dataclass(frozen=True, slots=True)
class Office:
    """An office of the agency."""

    id: int
    name: str
    place: Place
    line1: str
    phone: str


@dataclass(frozen=True, slots=True)
class SimulatedEmployee:
    """A person who works for the agency."""

    id: int
    name: names.Name
    role: str
    office: Office
    hired: datetime

    @property
    def display_name(self) -> str:
        """The name as `AgentName` and `CSRName` show it."""
        return f"{self.name.first} {self.name.last}"


@dataclass(frozen=True, slots=True)
class SimulatedCarrier:
    """A company that writes policies, or (an MGA) places them with one that does."""

    id: int
    name: str
    naic: str | None = None
    is_mga: bool = False
    parent: int | None = None
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SimulatedAgency:
    """The agency with its offices, people and markets."""

    tenant: int
    name: str
    offices: tuple[Office, ...]
    employees: tuple[SimulatedEmployee, ...]
    carriers: tuple[SimulatedCarrier, ...]

    @property
    def producers(self) -> tuple[SimulatedEmployee, ...]:
        """The employees who sell."""
        return tuple(employee for employee in self.employees if employee.role == "Producer")

    def staff(self, office: int | None, role: str) -> tuple[SimulatedEmployee, ...]:
        """Return those of a role in an office; of the whole agency when the office is not known."""
        return tuple(
            employee for employee in self.employees if employee.role == role and office in {None, employee.office.id}
        )

    def named(self, display_name: str) -> SimulatedEmployee:
        """Return the employee of a display name; the first one if no employee has this name."""
        return next(
            (employee for employee in self.employees if employee.display_name == display_name.strip()),
            self.employees[0],
        )


def make(dice: random.Random, now: datetime, contacts: int) -> SimulatedAgency:
    """Return an agency sized for a number of contacts: at least three offices, and an employee per 150 contacts."""
    state = dice.choice(tuple(places.STATES))
    count = 3 + min(5, contacts // 20_000)
    sites = _sites(dice, state, count)
    name = f"{sites[0].city} Insurance Partners"
    offices = tuple(
        Office(FIRST_OFFICE + n, f"{name} - {site.city}", site, names.street(dice), names.phone(dice, site.area_code))
        for n, site in enumerate(sites)
    )
    return SimulatedAgency(
        dice.randrange(1000, 9999), name, offices, _employees(dice, offices, now, contacts), _carriers(dice)
    )


def _sites(dice: random.Random, state: str, count: int) -> list[Place]:
    sites: list[Place] = []
    while len(sites) < count:
        site = dice.choice(places.places_of(state))
        if site.city not in {other.city for other in sites}:
            sites.append(site)
    return sites


def _employees(
    dice: random.Random, offices: tuple[Office, ...], now: datetime, contacts: int
) -> tuple[SimulatedEmployee, ...]:
    """Return employees with unique names, so that a display name identifies one of them."""
    people: dict[str, SimulatedEmployee] = {}
    wanted = max(9, min(120, contacts // 150))
    while len(people) < wanted:
        name, n = names.person(dice), len(people)
        hired = stamps.office_hours(dice, (now - timedelta(days=dice.randrange(1900, 4000))).date())
        people.setdefault(
            f"{name.first} {name.last}",
            SimulatedEmployee(FIRST_EMPLOYEE + n, name, ROLES[n // len(offices) % 3], offices[n % len(offices)], hired),
        )
    return tuple(people.values())


def _carriers(dice: random.Random) -> tuple[SimulatedCarrier, ...]:
    everything = tuple(line.id for line in lines.LINES)
    writers = [
        SimulatedCarrier(
            FIRST_CARRIER + n, name, naic=f"{dice.randrange(10000, 99999)}" if dice.random() < 0.9 else None,
            parent=FIRST_CARRIER + n - 1 if n % 6 == 5 else None,  # some are subsidiaries of the previous one
            lines=everything if n == 0 else tuple(sorted(dice.sample(everything, dice.randrange(3, 9)))),
        )
        for n, name in enumerate(CARRIERS)
    ]  # fmt: skip
    wholesalers = [SimulatedCarrier(FIRST_CARRIER + len(writers) + n, name, is_mga=True) for n, name in enumerate(MGAS)]
    return (*writers, *wholesalers)


def location_items(agency: SimulatedAgency) -> list[dict[str, Any]]:
    """Return the offices as `UserLocationsV2` shows them."""
    return [
        {
            "QQID": office.id, "Name": office.name, "Alias": office.place.city[:4].upper(), "AgencyID": agency.tenant,
            "AgencyName": agency.name, "Line1": office.line1, "City": office.place.city, "State": office.place.state,
            "Zip": office.place.zip, "Phone": office.phone,
            "Email": f"{names.slug(office.place.city)}@{names.slug(agency.name)}.example.com", "Active": True,
        }
        for office in agency.offices
    ]  # fmt: skip


def department_items(agency: SimulatedAgency) -> list[dict[str, Any]]:
    """Return two departments for each office, personal and commercial lines, and one for the whole agency."""
    items: list[dict[str, Any]] = []
    for office in agency.offices:
        chief = next(employee.id for employee in agency.employees if employee.office == office)
        for words in ("Personal Lines", "Commercial Lines"):
            items.append({
                "DepartmentID": FIRST_DEPARTMENT + len(items), "Name": words, "LocationID": office.id,
                "ManagerID": chief, "Active": True,
            })  # fmt: skip
    items.append({
        "DepartmentID": FIRST_DEPARTMENT + len(items), "Name": "Accounting", "LocationID": None, "ManagerID": None,
        "Active": True,
    })  # fmt: skip
    return items


def department_of(agency: SimulatedAgency, office: int, *, commercial: bool) -> int:
    """Return the department that services a policy."""
    return FIRST_DEPARTMENT + 2 * [site.id for site in agency.offices].index(office) + int(commercial)


def carrier_items(agency: SimulatedAgency) -> list[dict[str, Any]]:
    """Return the carriers and MGAs as `Carriers` shows them."""
    return [
        {
            "CarrierID": carrier.id, "Name": carrier.name, "NAIC": carrier.naic, "IsMGA": carrier.is_mga,
            "ParentCarrierID": carrier.parent,
            "Phone": f"(800) 555-{100 + carrier.id % 100:04d}",
            "Website": f"https://www.{names.slug(carrier.name)}.example.com",
            "Active": carrier.id != FIRST_CARRIER + 22,
        }
        for carrier in agency.carriers
    ]  # fmt: skip
