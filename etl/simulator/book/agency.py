"""The simulated agency: offices, departments, employees, carriers and managing general agencies."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from etl.simulator.book import dates, lines, names, places
from etl.simulator.book.places import Place

Item = dict[str, Any]

#: Carriers and employees are contacts, so their ids are EntityIDs and none of them is used twice.
FIRST_OFFICE, FIRST_DEPARTMENT, FIRST_EMPLOYEE, FIRST_CARRIER = 310, 21, 501, 70
FIRST_OFFICE_NUMBER = 104_233  #: the QQIDs, another numbering than the LocationIDs
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
REASONS = {
    1: "Non-payment of premium", 2: "Insured's request", 3: "Rewritten with another carrier", 4: "Property sold",
    5: "Underwriting reasons", 6: "Out of business",
}  # fmt: skip
REWRITTEN = 3  #: the id of the reason for which a policy is canceled and rewritten
#: Carrier fees by id: name, amount, and whether it is a percentage.
CARRIER_FEES = {1: ("Policy fee", 25.0, False), 2: ("Inspection fee", 40.0, False), 3: ("Stamping fee", 3.0, True)}


@dataclass(frozen=True, slots=True)
class Office:
    """An office of the agency."""

    id: int  #: the LocationID
    number: str  #: the QQID
    name: str
    address: Place
    line1: str
    phone: str

    @property
    def alias(self) -> str:
        """The short name of the office."""
        return self.address.city[:4].upper()


@dataclass(frozen=True, slots=True)
class SimulatedEmployee:
    """A person who works for the agency; the id is the EntityID of a contact of type E."""

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
    """A carrier (contact type R) or managing general agency (type M); the id is the EntityID of that contact."""

    id: int
    name: str
    naic: str | None = None
    is_mga: bool = False
    parent: int | None = None
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SimulatedAgency:
    """The agency with its offices, employees and carriers."""

    tenant: int
    name: str
    founded: datetime
    offices: tuple[Office, ...]
    employees: tuple[SimulatedEmployee, ...]
    carriers: tuple[SimulatedCarrier, ...]

    @property
    def producers(self) -> tuple[SimulatedEmployee, ...]:
        """The employees who sell."""
        return tuple(employee for employee in self.employees if employee.role == "Producer")

    def staff(self, office: int | None, role: str) -> tuple[SimulatedEmployee, ...]:
        """Return the employees with a role in an office; of the whole agency when the office is not known."""
        return tuple(
            employee for employee in self.employees if employee.role == role and office in {None, employee.office.id}
        )

    def employee_by_name(self, display_name: str) -> SimulatedEmployee:
        """Return the employee with a display name; the first employee if nobody has it."""
        wanted = display_name.strip()
        return next((employee for employee in self.employees if employee.display_name == wanted), self.employees[0])

    def carrier(self, carrier_id: int | None) -> SimulatedCarrier | None:
        """Return the carrier or MGA with an id; None when there is none."""
        return next((carrier for carrier in self.carriers if carrier.id == carrier_id), None)

    def office(self, location_id: int | None) -> Office | None:
        """Return the office with a LocationID; None when there is none."""
        return next((office for office in self.offices if office.id == location_id), None)


def make(dice: random.Random, now: datetime, contacts: int) -> SimulatedAgency:
    """Return an agency sized for a number of clients: at least three offices, one employee per 150 clients."""
    state = dice.choice(tuple(places.STATES))
    sites = _sites(dice, state, 3 + min(5, contacts // 20_000))
    name = f"{sites[0].city} Insurance Partners"
    offices = tuple(_office(dice, name, site, n) for n, site in enumerate(sites))
    employees = _employees(dice, offices, now, contacts)
    founded = min(employee.hired for employee in employees) - timedelta(days=30)
    return SimulatedAgency(dice.randrange(1000, 9999), name, founded, offices, employees, _carriers(dice))


def _office(dice: random.Random, agency_name: str, site: Place, n: int) -> Office:
    number = FIRST_OFFICE_NUMBER + crc32(agency_name.encode()) % 800_000 + 7 * n  # no other agency's
    return Office(
        FIRST_OFFICE + n, str(number), f"{agency_name} - {site.city}", site, names.street(dice),
        names.phone(dice, site.area_code),
    )  # fmt: skip


def _sites(dice: random.Random, state: str, count: int) -> list[Place]:
    sites: list[Place] = []
    while len(sites) < count:
        site = dice.choice(places.places_of(state))
        if site.city not in {chosen.city for chosen in sites}:
            sites.append(site)
    return sites


def _employees(
    dice: random.Random, offices: tuple[Office, ...], now: datetime, contacts: int
) -> tuple[SimulatedEmployee, ...]:
    """Return employees whose display names differ, so that a display name identifies one of them."""
    people: dict[str, SimulatedEmployee] = {}
    wanted = max(9, min(120, contacts // 150))
    while len(people) < wanted:
        name, n = names.person(dice), len(people)
        hired = dates.office_hours(dice, (now - timedelta(days=dice.randrange(2300, 4000))).date())
        people.setdefault(
            f"{name.first} {name.last}",
            SimulatedEmployee(FIRST_EMPLOYEE + n, name, ROLES[n // len(offices) % 3], offices[n % len(offices)], hired),
        )
    return tuple(people.values())


def _carriers(dice: random.Random) -> tuple[SimulatedCarrier, ...]:
    all_lines = tuple(line.id for line in lines.LINES)
    writers = [
        SimulatedCarrier(
            FIRST_CARRIER + n, name, naic=f"{dice.randrange(10000, 99999)}" if dice.random() < 0.9 else None,
            parent=FIRST_CARRIER + n - 1 if n % 6 == 5 else None,  # one in six is a subsidiary of the one before
            lines=all_lines if n == 0 else tuple(sorted(dice.sample(all_lines, dice.randrange(3, 9)))),
        )
        for n, name in enumerate(CARRIERS)
    ]  # fmt: skip
    wholesalers = [SimulatedCarrier(FIRST_CARRIER + len(writers) + n, name, is_mga=True) for n, name in enumerate(MGAS)]
    return (*writers, *wholesalers)


def location_items(agency: SimulatedAgency) -> list[Item]:
    """Return the offices as `Locations/UserLocationsV2` lists them (field names: facts 9.3)."""
    return [_location_item(agency, office, is_default=n == 0) for n, office in enumerate(agency.offices)]


def _location_item(agency: SimulatedAgency, office: Office, *, is_default: bool) -> Item:
    manager = next(employee for employee in agency.employees if employee.office == office)
    return {
        "LocationID": office.id, "LocationName": office.name, "IsDefault": is_default, "QQID": office.number,
        "Alias": office.alias, "StreetAddressLine1": office.line1, "StreetAddressLine2": "",
        "City": office.address.city, "State": office.address.state, "Zip": office.address.zip,
        "PhoneNumber": office.phone, "Fax": None if is_default else office.phone,
        "EmailAddress": f"{names.slug(office.address.city)}@{names.slug(agency.name)}.example.com",
        "DefaultEmployeeID": manager.id, "ContactFirstName": manager.name.first, "ContactLastName": manager.name.last,
        "MainClientID": None, "DefaultStateCode": office.address.state,
        "BusinessFEIN": f"59-{1_000_000 + agency.tenant}" if is_default else None,
        "DateLastModified": dates.plain(manager.hired),
    }  # fmt: skip


def department_items(agency: SimulatedAgency) -> list[Item]:
    """Return two departments per office, personal and commercial lines, and one for the whole agency (assumed)."""
    departments: list[tuple[str, int | None, int | None]] = []
    for office in agency.offices:
        manager = next(employee.id for employee in agency.employees if employee.office == office)
        departments += [("Personal Lines", office.id, manager), ("Commercial Lines", office.id, manager)]
    departments.append(("Accounting", None, None))
    return [
        {
            "DepartmentID": FIRST_DEPARTMENT + n, "Name": name, "LocationID": office_id, "ManagerID": manager_id,
            "Active": True,
        }
        for n, (name, office_id, manager_id) in enumerate(departments)
    ]  # fmt: skip


def carrier_items(agency: SimulatedAgency) -> list[Item]:
    """Return the carriers and MGAs as `Carriers` lists them. The call is documented; its fields are assumed."""
    return [
        {
            "CarrierID": carrier.id, "Name": carrier.name, "NAIC": carrier.naic, "IsMGA": carrier.is_mga,
            "ParentCarrierID": carrier.parent, "Phone": toll_free(carrier), "Website": website(carrier),
            "Active": carrier.id != FIRST_CARRIER + 22,
        }
        for carrier in agency.carriers
    ]  # fmt: skip


def toll_free(carrier: SimulatedCarrier) -> str:
    """Return the phone number of a carrier."""
    return f"(800) 555-{100 + carrier.id % 100:04d}"


def website(carrier: SimulatedCarrier) -> str:
    """Return the web address of a carrier."""
    return f"https://www.{names.slug(carrier.name)}.example.com"


def cancellation_reason_items(location_id: int) -> list[Item]:
    """Return the reasons for which a policy may be canceled, as an office lists them."""
    return [
        {
            "CancellationReasonID": reason, "CancellationReasonName": text, "SystemDefined": reason < 4,
            "LocationId": location_id,
        }
        for reason, text in REASONS.items()
    ]  # fmt: skip


def carrier_fee_items(location_id: int) -> list[Item]:
    """Return the fees that carriers charge, as an office lists them."""
    return [
        {
            "CarrierFeeID": fee, "CarrierFeeName": name, "DefaultAmount": amount, "AmountIsPercent": is_percent,
            "SystemDefined": fee == 1, "Visible": True, "LocationID": location_id, "AppCreated": False,
            "ThirdPartyAppCode": None,
        }
        for fee, (name, amount, is_percent) in CARRIER_FEES.items()
    ]  # fmt: skip
