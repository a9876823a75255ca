"""The agency and the people: agencies, locations, departments, employees, contacts, carriers."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from etl.models.base import EXPECTED, REQUIRED, DataSource, Model, computed, field
from etl.models.codes import CONTACT_STATUS, CONTACT_TYPE
from etl.models.sources import clean_code, first_of, is_record_id
from etl.values import Boolean, Date, Email, Phone, Reference, SourceId, State, Text, Url, Word, Zip

#: The agency of a location without an agency id: the account that is read.
ACCOUNT = "account"

#: How a name in another record is cleaned.
NAME = Text(placeholders=True)

#: The prefix of an employee's source id if only the name is known.
BY_NAME = "name:"

#: The resource that brings the account details of a contact, beside the contact itself.
ACCOUNT_INFO = DataSource("account_info")

#: The resource with the facts of a carrier that are only in the list of carriers and not in its contact.
CARRIER_LIST = DataSource("carrier_list")

#: The list of staff, for employees who are not among the contacts.
EMPLOYEE_LIST = DataSource("employee_list", is_fallback=True)

#: What a contact can be, other than a customer.
EMPLOYEE, CARRIER, MANAGING_AGENCY, PROSPECT = "E", "R", "M", "P"

#: The fields of a contact that describe a carrier.
FIELDS_OF_CARRIERS = (
    "EntityID", "DisplayName", "BusinessName", "CustomerNo", "LocationID", "Phone", "Email", "Line1", "Line2", "City",
    "State", "Zip", "Status", "CreatedOn", "DateLastModified",
)  # fmt: skip


def agency_of(location: Mapping[str, Any]) -> Any:
    """Return the id of the agency a location belongs to; the account itself if the location has no agency."""
    agency_id = location.get("AgencyID")
    return agency_id if is_record_id(agency_id) else ACCOUNT


def agencies(location: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the agency in a location."""
    yield {"AgencyID": agency_of(location), "AgencyName": location.get("AgencyName")}


def name_id(name: str) -> str:
    """Return the source id of an employee of whom only the name is known."""
    return f"{BY_NAME}{name}"


#: The name and the id of the agent and of the CSR, by their names in PolicyInfo and in all other calls. Where a record
#: has both, those of PolicyInfo count for the name as for the id, so that an id keeps its own name.
AGENT_NAME, AGENT_ID = first_of("Agent", "AgentName"), "AgentID"
CSR_NAME, CSR_ID = first_of("CSR", "CSRName"), "CsrID"


def employees_named(record: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield the employees whom a record names without an id, as source id and name."""
    for name_of, id_key in ((AGENT_NAME, AGENT_ID), (CSR_NAME, CSR_ID)):
        raw = name_of(record)
        name = None if raw is None or is_record_id(record.get(id_key)) else NAME.clean(raw)
        if isinstance(name, str):
            yield name_id(name), name


#: The fields that say what a contact is; either may hold its kind.
TYPES = ("ContactType", "ContactSubType")


def types_of(contact: Mapping[str, Any]) -> set[Any]:
    """Return the contact type and the sub-type of a contact."""
    codes = (clean_code(contact.get(key)) for key in TYPES)
    return {code for code in codes if isinstance(code, str)}


def employees_among(contact: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the contact when it is an employee of the agency."""
    if EMPLOYEE in types_of(contact):
        yield contact


def carriers_among(contact: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the contact when it is a carrier or a managing general agency, with the flag that tells the two apart."""
    types = types_of(contact)
    if not types.isdisjoint((CARRIER, MANAGING_AGENCY)):
        fields = {key: contact[key] for key in FIELDS_OF_CARRIERS if key in contact}
        yield {**fields, "IsMGA": MANAGING_AGENCY in types}


class Agency(Model):
    """An insurance agency: the business whose account is read. It is created from its offices."""

    __tablename__ = "agencies"
    label = "name"

    name: Mapped[str | None] = field("AgencyName", Text())


class Location(Model):
    """An office of an agency."""

    __tablename__ = "locations"
    label = "name"
    searched_columns = ("qqid",)

    agency_id: Mapped[UUID | None] = field(agency_of, Reference("agencies", label="AgencyName"))
    #: The number that the vendor knows an office by; another one than the id that contacts and billing point to.
    qqid: Mapped[str | None] = field("QQID", SourceId())
    name: Mapped[str | None] = field(first_of("LocationName", "Name"), Text(), EXPECTED)
    alias: Mapped[str | None] = field("Alias", Text())
    is_default: Mapped[bool | None] = field("IsDefault", Boolean())
    agency_name: Mapped[str | None] = field("AgencyName", Text(placeholders=True))
    line1: Mapped[str | None] = field(first_of("StreetAddressLine1", "Line1"), Text())
    line2: Mapped[str | None] = field(first_of("StreetAddressLine2", "Line2"), Text())
    city: Mapped[str | None] = field("City", Text())
    state: Mapped[str | None] = field("State", State())
    zip: Mapped[str | None] = field("Zip", Zip())
    phone: Mapped[str | None] = field(first_of("PhoneNumber", "Phone"), Phone())
    fax: Mapped[str | None] = field("Fax", Phone())
    email: Mapped[str | None] = field(first_of("EmailAddress", "Email"), Email())
    default_employee_id: Mapped[UUID | None] = field("DefaultEmployeeID", Reference("employees", deferred=True))
    contact_first_name: Mapped[str | None] = field(
        "ContactFirstName", Text(placeholders=True, person=True), personal=True
    )
    contact_last_name: Mapped[str | None] = field(
        "ContactLastName", Text(placeholders=True, person=True), personal=True
    )
    main_client_id: Mapped[str | None] = field("MainClientID", SourceId())
    default_state: Mapped[str | None] = field("DefaultStateCode", State())
    fein: Mapped[str | None] = field("BusinessFEIN", Text(), personal=True)
    active: Mapped[bool | None] = field("Active", Boolean())


class Department(Model):
    """A department of an office."""

    __tablename__ = "departments"
    label = "name"

    location_id: Mapped[UUID | None] = field("LocationID", Reference("locations"))
    manager_id: Mapped[UUID | None] = field("ManagerID", Reference("employees", deferred=True))
    name: Mapped[str | None] = field("Name", Text(), EXPECTED)
    active: Mapped[bool | None] = field("Active", Boolean())


class Person(Model):
    """The fields that both feeds of contacts have, for people and businesses."""

    __abstract__ = True
    label = "display_name"
    deletion_mark = (("Status", ("D",)),)
    searched_columns = ("customer_number", "phone", "email")

    location_id: Mapped[UUID | None] = field("LocationID", Reference("locations"))
    agent_name: Mapped[str | None] = field("AgentName", Text(placeholders=True), personal=True)
    display_name: Mapped[str | None] = field(
        "DisplayName", Text(placeholders=True, person=True), EXPECTED, personal=True
    )
    is_person: Mapped[bool | None] = field("isAPerson", Boolean())
    first_name: Mapped[str | None] = field("FirstName", Text(placeholders=True, person=True), personal=True)
    middle_name: Mapped[str | None] = field("MiddleName", Text(placeholders=True), personal=True)
    last_name: Mapped[str | None] = field("LastName", Text(placeholders=True, person=True), personal=True)
    business_name: Mapped[str | None] = field("BusinessName", Text(placeholders=True), personal=True)
    customer_number: Mapped[str | None] = field("CustomerNo", Text())
    contact_type: Mapped[str | None] = field("ContactType", CONTACT_TYPE)
    contact_type_display: Mapped[str | None] = field("ContactTypeDisplay", Text())
    contact_sub_type: Mapped[str | None] = field("ContactSubType", CONTACT_TYPE)
    contact_sub_type_display: Mapped[str | None] = field("ContactSubTypeDisplay", Text())
    type_display: Mapped[str | None] = field("TypeDisplay", Text())
    status_display: Mapped[str | None] = field("StatusDisplay", Text())
    birth_date: Mapped[date | None] = field("DOB", Date(), personal=True)
    marital_status: Mapped[str | None] = field("MaritalStatusID", Word(), personal=True)
    phone: Mapped[str | None] = field("Phone", Phone(), personal=True)
    phone_type: Mapped[str | None] = field("PhoneType", Word())
    email: Mapped[str | None] = field("Email", Email(), personal=True)
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

    status: Mapped[str | None] = field("Status", CONTACT_STATUS, REQUIRED)
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
    """An insurance company, or a managing general agency between the agency and the company."""

    __tablename__ = "carriers"
    label = "name"
    deletion_mark = (("Status", ("D",)),)

    name: Mapped[str | None] = field(first_of("DisplayName", "BusinessName"), Text(placeholders=True), EXPECTED)
    is_mga: Mapped[bool | None] = field("IsMGA", Boolean())
    customer_number: Mapped[str | None] = field("CustomerNo", Text())
    location_id: Mapped[UUID | None] = field("LocationID", Reference("locations"))
    phone: Mapped[str | None] = field("Phone", Phone())
    email: Mapped[str | None] = field("Email", Email())
    line1: Mapped[str | None] = field("Line1", Text(placeholders=True))
    line2: Mapped[str | None] = field("Line2", Text(placeholders=True))
    city: Mapped[str | None] = field("City", Text(placeholders=True))
    state: Mapped[str | None] = field("State", State())
    zip: Mapped[str | None] = field("Zip", Zip())
    #: Contacts have none: the newest detail of a policy of this carrier tells it.
    naic: Mapped[str | None] = computed(SourceId().column_type)
    parent_carrier_id: Mapped[UUID | None] = field("ParentCarrierID", Reference("carriers"), data_source=CARRIER_LIST)
    website: Mapped[str | None] = field("Website", Url(), data_source=CARRIER_LIST)
    active: Mapped[bool | None] = field("Active", Boolean(), data_source=CARRIER_LIST)
