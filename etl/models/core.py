"""The agency and the people: agencies, locations, departments, employees, contacts, carriers."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from etl.models.base import Model, field
from etl.models.codes import CONTACT_STATUS, CONTACT_TYPE
from etl.models.sources import first_of, names_one
from etl.values import Boolean, Date, Email, Phone, Reference, SourceId, State, Text, Url, Word, Zip

#: The agency of a location without an agency id: the account that is read.
ACCOUNT = "account"

#: The kinds of a name in another record, and of the number of a managing general agent.
NAME, AGENT_ID = Text(placeholders=True), Reference("carriers")

#: The prefix of an employee's source id if only the name is known.
BY_NAME = "name:"

#: The secondary source of contacts: their account details.
ACCOUNT_INFO = "account_info"


def agency_of(location: Mapping[str, Any]) -> Any:
    """Return the id of the agency a location belongs to; the account itself if the location has no agency id."""
    agency_id = location.get("AgencyID")
    return agency_id if names_one(agency_id) else ACCOUNT


def agencies(location: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the agency in a location's record."""
    yield {"AgencyID": agency_of(location), "AgencyName": location.get("AgencyName")}


def name_id(name: str) -> str:
    """Return the source id of an employee of whom only the name is known."""
    return f"{BY_NAME}{name}"


def employees_named(record: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield the employees that a record gives only by name, as source id and name."""
    for key, number in (("AgentName", "AgentID"), ("CSRName", "CSRID")):
        raw = record.get(key)
        name = None if raw is None or names_one(record.get(number)) else NAME.clean(raw)
        if isinstance(name, str):
            yield name_id(name), name


def managing_agents(record: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield the managing general agent that a policy names, as source id and name."""
    if (number := record.get("MGAId")) is None:
        return
    source_id, name = AGENT_ID.clean(number), NAME.clean(record.get("MGA"))
    if isinstance(source_id, str):
        yield source_id, name if isinstance(name, str) else None


class Agency(Model):
    """An insurance agency: the business whose account is read. Its data comes from its offices."""

    __tablename__ = "agencies"
    label = "name"

    name: Mapped[str | None] = field("AgencyName", Text())


class Location(Model):
    """An office of an agency."""

    __tablename__ = "locations"
    label = "name"

    agency_id: Mapped[UUID | None] = field(agency_of, Reference("agencies", label="AgencyName"))
    name: Mapped[str | None] = field("Name", Text(), expected=True)
    alias: Mapped[str | None] = field("Alias", Text())
    agency_name: Mapped[str | None] = field("AgencyName", Text(placeholders=True))
    line1: Mapped[str | None] = field("Line1", Text())
    city: Mapped[str | None] = field("City", Text())
    state: Mapped[str | None] = field("State", State())
    zip: Mapped[str | None] = field("Zip", Zip())
    phone: Mapped[str | None] = field("Phone", Phone())
    email: Mapped[str | None] = field("Email", Email())
    active: Mapped[bool | None] = field("Active", Boolean())


class Department(Model):
    """A department of an office."""

    __tablename__ = "departments"
    label = "name"

    location_id: Mapped[UUID | None] = field("LocationID", Reference("locations"))
    manager_id: Mapped[UUID | None] = field("ManagerID", Reference("employees"), deferred_fk=True)
    name: Mapped[str | None] = field("Name", Text(), expected=True)
    active: Mapped[bool | None] = field("Active", Boolean())


class Person(Model):
    """The fields that both feeds of contacts have, for a person or a business."""

    __abstract__ = True
    label = "display_name"
    deletion_mark = (("Status", ("D",)),)

    location_id: Mapped[UUID | None] = field("LocationID", Reference("locations"))
    agent_name: Mapped[str | None] = field("AgentName", Text(placeholders=True), personal=True)
    display_name: Mapped[str | None] = field("DisplayName", Text(placeholders=True), expected=True, personal=True)
    is_person: Mapped[bool | None] = field("isAPerson", Boolean())
    first_name: Mapped[str | None] = field("FirstName", Text(placeholders=True), personal=True)
    middle_name: Mapped[str | None] = field("MiddleName", Text(placeholders=True), personal=True)
    last_name: Mapped[str | None] = field("LastName", Text(placeholders=True), personal=True)
    business_name: Mapped[str | None] = field("BusinessName", Text(placeholders=True), personal=True)
    customer_number: Mapped[str | None] = field("CustomerNo", Text(), index=True)
    contact_type: Mapped[str | None] = field("ContactType", CONTACT_TYPE)
    contact_type_display: Mapped[str | None] = field("ContactTypeDisplay", Text())
    contact_sub_type: Mapped[str | None] = field("ContactSubType", CONTACT_TYPE)
    contact_sub_type_display: Mapped[str | None] = field("ContactSubTypeDisplay", Text())
    type_display: Mapped[str | None] = field("TypeDisplay", Text())
    status_display: Mapped[str | None] = field("StatusDisplay", Text())
    birth_date: Mapped[date | None] = field("DOB", Date(), personal=True)
    marital_status: Mapped[str | None] = field("MaritalStatusID", Word(), personal=True)
    phone: Mapped[str | None] = field("Phone", Phone(), personal=True, index=True)
    phone_type: Mapped[str | None] = field("PhoneType", Word())
    email: Mapped[str | None] = field("Email", Email(), personal=True, index=True)
    primary_contact: Mapped[str | None] = field("PrimaryContact", Text(placeholders=True), personal=True)
    line1: Mapped[str | None] = field("Line1", Text(placeholders=True), personal=True)
    line2: Mapped[str | None] = field("Line2", Text(placeholders=True), personal=True)
    city: Mapped[str | None] = field("City", Text(placeholders=True))
    state: Mapped[str | None] = field("State", State())
    county: Mapped[str | None] = field("County", Text(placeholders=True))
    zip: Mapped[str | None] = field("Zip", Zip())
    country: Mapped[str | None] = field("Country", Text(placeholders=True))
    has_been_modified: Mapped[bool | None] = field("HasBeenModified", Boolean())


class Employee(Person):
    """Somebody who works for the agency: an agent, a customer service representative, a manager."""

    __tablename__ = "employees"

    department_id: Mapped[UUID | None] = field("DepartmentID", Reference("departments"))
    status: Mapped[str | None] = field("Status", CONTACT_STATUS)


class Contact(Person):
    """A customer or a prospect, a person or a business, with the details of the customer's account."""

    __tablename__ = "contacts"
    keeps_history = True

    status: Mapped[str | None] = field("Status", CONTACT_STATUS, required=True)
    lead_source: Mapped[str | None] = field("CustomerSource", Text(placeholders=True), data_source=ACCOUNT_INFO)
    lead_source_id: Mapped[str | None] = field("CustomerSourceID", SourceId(), data_source=ACCOUNT_INFO)
    source_detail: Mapped[str | None] = field("SourceDetail", Text(placeholders=True), data_source=ACCOUNT_INFO)
    customer_since: Mapped[date | None] = field(
        first_of("CustomerSince", "CustomerSinceString"), Date(), data_source=ACCOUNT_INFO
    )
    customer_priority: Mapped[str | None] = field("CustomerPriority", Word(), data_source=ACCOUNT_INFO)
    customer_priority_id: Mapped[str | None] = field("CustomerPriorityID", SourceId(), data_source=ACCOUNT_INFO)
    agent_id: Mapped[UUID | None] = field("AgentID", Reference("employees", label="Agent"), data_source=ACCOUNT_INFO)
    csr_id: Mapped[UUID | None] = field("CsrID", Reference("employees", label="CSR"), data_source=ACCOUNT_INFO)
    account_agent: Mapped[str | None] = field("Agent", Text(placeholders=True), personal=True, data_source=ACCOUNT_INFO)
    account_csr: Mapped[str | None] = field("CSR", Text(placeholders=True), personal=True, data_source=ACCOUNT_INFO)
    account_name: Mapped[str | None] = field("Name", Text(placeholders=True), personal=True, data_source=ACCOUNT_INFO)
    account_number: Mapped[str | None] = field("CustomerNo", Text(), data_source=ACCOUNT_INFO)
    account_type: Mapped[str | None] = field("Type", Word(), data_source=ACCOUNT_INFO)
    office_id: Mapped[UUID | None] = field("OfficeID", Reference("locations"), data_source=ACCOUNT_INFO)
    opened_by_id: Mapped[UUID | None] = field(
        "CreatedByID", Reference("employees", label="CreatedByName"), data_source=ACCOUNT_INFO
    )
    opened_by: Mapped[str | None] = field(
        "CreatedByName", Text(placeholders=True), personal=True, data_source=ACCOUNT_INFO
    )
    portal_access: Mapped[bool | None] = field("CPAccess", Boolean(), data_source=ACCOUNT_INFO)


class Carrier(Model):
    """An insurance company, or a managing general agent between agency and company."""

    __tablename__ = "carriers"
    label = "name"

    parent_carrier_id: Mapped[UUID | None] = field("ParentCarrierID", Reference("carriers"))
    name: Mapped[str | None] = field("Name", Text(), expected=True)
    naic: Mapped[str | None] = field("NAIC", SourceId())
    is_mga: Mapped[bool | None] = field("IsMGA", Boolean())
    phone: Mapped[str | None] = field("Phone", Phone())
    website: Mapped[str | None] = field("Website", Url())
    active: Mapped[bool | None] = field("Active", Boolean())
