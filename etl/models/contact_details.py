"""Contact details: phone numbers, email addresses and postal addresses of customers, and the summary of each."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from etl.models.base import EXPECTED, REQUIRED, Model, field
from etl.models.sources import FirstOf, digest_of, first_of, is_record_id
from etl.values import Boolean, Date, Decimals, Email, Kind, Phone, Reference, SourceId, State, Text, Word, Zip

#: Which contact a detail belongs to.
CONTACT_ID = first_of("EntityID", "_parent.EntityID")

#: The fields of phone numbers and email addresses are assumed: their probable names, first those that addresses have.
PHONE = first_of("PhoneNumber", "Number", "Phone")
PHONE_ID = first_of("PhoneID", "PhoneNumberID", "ID")
EMAIL = first_of("EmailAddress", "Email", "Address")
EMAIL_ID = first_of("EmailID", "EmailAddressID", "ID")


def type_id(name: str) -> FirstOf:
    """Return the source of the code of a detail's type, such as home or work."""
    return first_of(f"{name}TypeID", f"{name}Type.{name}TypeID")


def type_name(name: str) -> FirstOf:
    """Return the source of the name of a detail's type."""
    return first_of(f"{name}Type.Name", f"{name}TypeDisplay")


def detail_id(record: Mapping[str, Any], own_id: FirstOf, parts: tuple[Any, ...]) -> Any:
    """Return the source id of a contact detail: its own, else the contact's with a digest of kind and value.

    The digest keeps a phone number or an address out of the id, which is not masked.
    """
    own, contact = own_id(record), CONTACT_ID(record)
    if is_record_id(own):
        return own
    return f"{contact}:{digest_of(parts)}" if is_record_id(contact) else None


def normalized(kind: Kind, raw: Any) -> str:
    """Return a value in the form in which its column holds it, or as it came if it is invalid."""
    value = kind.clean(raw)
    return value if isinstance(value, str) else str(raw)


def phone_id(phone: Mapping[str, Any]) -> Any:
    """Return the source id of a phone number: its own, else `<EntityID>:<digest of kind and number>`."""
    return detail_id(phone, PHONE_ID, (type_id("Phone")(phone), normalized(Phone(), PHONE(phone))))


def email_id(email: Mapping[str, Any]) -> Any:
    """Return the source id of an email address: its own, else `<EntityID>:<digest of kind and address>`."""
    return detail_id(email, EMAIL_ID, (type_id("Email")(email), normalized(Email(), EMAIL(email))))


class ContactPhone(Model):
    """A phone number of a customer. `contacts.phone` is one of them."""

    __tablename__ = "contact_phones"
    searched_columns = ("phone",)

    contact_id: Mapped[UUID | None] = field(CONTACT_ID, Reference("contacts"), REQUIRED)
    phone: Mapped[str | None] = field(PHONE, Phone(), EXPECTED, personal=True)
    phone_type_id: Mapped[str | None] = field(type_id("Phone"), Word())
    phone_type: Mapped[str | None] = field(type_name("Phone"), Word())
    extension: Mapped[str | None] = field("Extension", Text(placeholders=True), personal=True)
    notes: Mapped[str | None] = field("Notes", Text(lines=True), personal=True)
    row_source: Mapped[str | None] = field("RowSource", Word())
    is_preferred: Mapped[bool | None] = field("isPreferred", Boolean())


class ContactEmail(Model):
    """An email address of a customer. `contacts.email` is one of them."""

    __tablename__ = "contact_emails"
    searched_columns = ("email",)

    contact_id: Mapped[UUID | None] = field(CONTACT_ID, Reference("contacts"), REQUIRED)
    email: Mapped[str | None] = field(EMAIL, Email(), EXPECTED, personal=True)
    email_type_id: Mapped[str | None] = field(type_id("Email"), Word())
    email_type: Mapped[str | None] = field(type_name("Email"), Word())
    notes: Mapped[str | None] = field("Notes", Text(lines=True), personal=True)
    row_source: Mapped[str | None] = field("RowSource", Word())
    is_preferred: Mapped[bool | None] = field("isPreferred", Boolean())


class ContactAddress(Model):
    """A postal address of a customer, such as the physical or the mailing address."""

    __tablename__ = "contact_addresses"

    contact_id: Mapped[UUID | None] = field(CONTACT_ID, Reference("contacts"), REQUIRED)
    address_type_id: Mapped[str | None] = field(type_id("Address"), Word())
    address_type: Mapped[str | None] = field(type_name("Address"), Word())
    line1: Mapped[str | None] = field("Line1", Text(placeholders=True), personal=True)
    line2: Mapped[str | None] = field("Line2", Text(placeholders=True), personal=True)
    city: Mapped[str | None] = field("City", Text(placeholders=True))
    state: Mapped[str | None] = field("State", State())
    county: Mapped[str | None] = field("County", Text(placeholders=True))
    country_code: Mapped[str | None] = field("CountryCode", Word())
    province: Mapped[str | None] = field("Province", Text(placeholders=True))
    zip: Mapped[str | None] = field("Zip", Zip())
    latitude: Mapped[Decimal | None] = field("Latitude", Decimals(9, 6), personal=True)
    longitude: Mapped[Decimal | None] = field("Longitude", Decimals(9, 6), personal=True)
    notes: Mapped[str | None] = field("Notes", Text(lines=True), personal=True)
    row_source: Mapped[str | None] = field("RowSource", Word())
    is_preferred: Mapped[bool | None] = field("isPreferred", Boolean())
    address_text: Mapped[str | None] = field("AddressString", Text(placeholders=True), personal=True)


class CustomerDetails(Model):
    """The summary of a customer: preferred language, salutation, tax number, and whether it is a prospect."""

    __tablename__ = "customer_details"

    contact_id: Mapped[UUID | None] = field(CONTACT_ID, Reference("contacts"), REQUIRED)
    location_id: Mapped[UUID | None] = field("LocationID", Reference("locations"))
    display_name: Mapped[str | None] = field(
        "DisplayName", Text(placeholders=True, person=True), EXPECTED, personal=True
    )
    salutation: Mapped[str | None] = field("Salutation", Text(placeholders=True), personal=True)
    preferred_language: Mapped[str | None] = field("PreferredLanguageCode", Word())
    is_prospect: Mapped[bool | None] = field("Prospect", Boolean())
    is_person: Mapped[bool | None] = field("IsPerson", Boolean())
    first_name: Mapped[str | None] = field("FirstName", Text(placeholders=True, person=True), personal=True)
    middle_name: Mapped[str | None] = field("MiddleName", Text(placeholders=True), personal=True)
    last_name: Mapped[str | None] = field("LastName", Text(placeholders=True, person=True), personal=True)
    business_name: Mapped[str | None] = field("BusinessName", Text(placeholders=True), personal=True)
    fein: Mapped[str | None] = field("FEIN", Text(placeholders=True), personal=True)
    birth_date: Mapped[date | None] = field("DOB", Date(), personal=True)
    gender: Mapped[str | None] = field("Gender", Word(), personal=True)
    marital_status_id: Mapped[str | None] = field("MaritalStatusID", Word(), personal=True)
    marital_status: Mapped[str | None] = field("MaritalStatus", Word(), personal=True)
    customer_number: Mapped[str | None] = field("CustomerNo", Text())
    customer_since: Mapped[date | None] = field("CustomerSince", Date())
    customer_type: Mapped[str | None] = field("Type", Word())
    entity_status: Mapped[str | None] = field("EntityStatus", Word())
    customer_status: Mapped[str | None] = field("CustomerSTatus", Word())
    lead_source_id: Mapped[str | None] = field("CustomerSourceID", SourceId())
    source_detail: Mapped[str | None] = field("SourceDetail", Text(placeholders=True))
    agent_id: Mapped[UUID | None] = field("AgentID", Reference("employees", label="AgentName"))
    agent_name: Mapped[str | None] = field("AgentName", Text(placeholders=True), personal=True)
    csr_id: Mapped[UUID | None] = field("CSRID", Reference("employees", label="CSRName"))
    csr_name: Mapped[str | None] = field("CSRName", Text(placeholders=True), personal=True)
