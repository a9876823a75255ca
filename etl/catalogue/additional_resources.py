"""The resources beyond the first description; those that cost a call per customer or policy are optional."""

from collections.abc import Mapping
from typing import Any

from etl.catalogue.endpoints import (
    CREATED,
    MODIFIED,
    UNSHOWN_MODIFIED_DAYS,
    array,
    enterprise,
    of_customer,
    of_office,
    of_policy,
    pages,
    whole_page,
)
from etl.catalogue.facts import ALL_INTEGRATOR, ALL_VENDOR, ASSUMED, INTEGRATOR, VENDOR, Facts
from etl.catalogue.resource import Endpoint, Envelope, Nested, Resource
from etl.models import activities, contact_details, core, documents
from etl.models.base import StagedOnly
from etl.models.codes import CONTACT_STATUS
from etl.models.sources import digest_of, first_of, is_record_id

#: Fields that are removed before staging where the fields of a record have never been seen.
IDENTITY_NUMBERS = ("SSN", "DriverLicenseNo")

#: Which policy and office a record that is only staged belongs to.
POLICY_ID = first_of("PolicyID", "_parent.PolicyId")
OFFICE_ID = first_of("LocationID", "LocationId", "_parent.LocationID")
LINE_ID = first_of("PolicyLineID", "ID")

FIELDS_OF_FEES = (
    "CarrierFeeName", "DefaultAmount", "AmountIsPercent", "SystemDefined", "Visible", "LocationID", "AppCreated",
    "ThirdPartyAppCode",
)  # fmt: skip

#: One call for each status that a contact is known to have.
STAFF_CALLS = tuple(
    pages("Search/Employees/BasicSearch", ("locationID", "{parent}"), ("status", status))
    for status in CONTACT_STATUS.meanings
)


def line_id(line: Mapping[str, Any]) -> Any:
    """Return the source id of a policy line: its own, else `<PolicyId>:<digest of its fields>`."""
    own = LINE_ID(line)
    if is_record_id(own):
        return own
    fields = sorted((name, str(value)) for name, value in line.items() if name != "_parent")
    return f"{POLICY_ID(line)}:{digest_of(tuple(fields))}"


def reason_id(reason: Mapping[str, Any]) -> Any:
    """Return the source id of a cancellation reason: `<LocationId>:<CancellationReasonID>`."""
    return id_in_office(reason, "CancellationReasonID")


def fee_id(fee: Mapping[str, Any]) -> Any:
    """Return the source id of a carrier fee: `<LocationID>:<CarrierFeeID>`."""
    return id_in_office(fee, "CarrierFeeID")


def id_in_office(record: Mapping[str, Any], name: str) -> str | None:
    """Return the id in a field, after the id of the office whose list it is in; None without it."""
    own = record.get(name)
    return f"{OFFICE_ID(record)}:{own}" if is_record_id(own) else None


ADDITIONAL: tuple[Resource, ...] = (
    Resource(
        "employee_list",
        core.Employee,
        "EntityID",
        STAFF_CALLS,
        MODIFIED,
        CREATED,
        parent=of_office(),
        secrets=("SSN",),
        data_source=core.EMPLOYEE_LIST,
        facts=ALL_INTEGRATOR,
    ),
    Resource(
        "cancellation_reasons",
        StagedOnly,
        reason_id,
        (Endpoint("Locations/{parent}/Policies/CancellationReasons", Envelope.ACTION),),
        parent=of_office("LocationID"),
        known_unmapped=("CancellationReasonName", "SystemDefined", "LocationId"),
        facts=Facts(ASSUMED, ASSUMED, VENDOR, VENDOR),
    ),
    Resource(
        "carrier_fees",
        StagedOnly,
        fee_id,
        (Endpoint("Locations/{parent}/Policies/CarrierFees", Envelope.ACTION),),
        parent=of_office("LocationID"),
        known_unmapped=FIELDS_OF_FEES,
        facts=Facts(ASSUMED, ASSUMED, VENDOR, VENDOR),
    ),
    Resource(
        "endorsements",
        activities.Endorsement,
        activities.endorsement_id,
        enterprise("endorsements", UNSHOWN_MODIFIED_DAYS),
        nested=Nested("PolicyAdjustments", "policies", "PolicyId", ("EndorsementEffectiveDate",)),
        secrets=("SSN",),
        facts=ALL_VENDOR,
    ),
    Resource(
        "notes",
        activities.Note,
        "Id",
        (pages("Contacts/{parent}/Notes"),),
        "ModifiedAt",
        CREATED,
        parent=of_customer("EntityID"),
        secrets=("SSN",),
        optional=True,
        facts=ALL_INTEGRATOR,
    ),
    Resource(
        "policy_notes",
        activities.Note,
        "Id",
        (pages("Policies/{parent}/Notes"),),
        "ModifiedAt",
        CREATED,
        parent=of_policy(),
        secrets=("SSN",),
        optional=True,
        data_source=activities.POLICY_NOTES,
        facts=ALL_INTEGRATOR,
    ),
    Resource(
        "tasks",
        activities.Task,
        activities.TASK_ID,
        (pages("Contacts/{parent}/Tasks"),),
        created=CREATED,
        parent=of_customer("EntityID"),
        secrets=("SSN",),
        optional=True,
        facts=Facts(INTEGRATOR, ASSUMED, ASSUMED, ASSUMED),
    ),
    Resource(
        "contact_phones",
        contact_details.ContactPhone,
        contact_details.phone_id,
        whole_page("Contacts/{parent}/PhoneNumbers"),
        parent=of_customer("EntityID"),
        secrets=("SSN",),
        optional=True,
        facts=Facts(INTEGRATOR, ASSUMED, ASSUMED, ASSUMED),
    ),
    Resource(
        "contact_emails",
        contact_details.ContactEmail,
        contact_details.email_id,
        whole_page("Contacts/{parent}/Emails"),
        parent=of_customer("EntityID"),
        secrets=("SSN",),
        optional=True,
        facts=Facts(INTEGRATOR, ASSUMED, ASSUMED, ASSUMED),
    ),
    Resource(
        "contact_addresses",
        contact_details.ContactAddress,
        "AddressID",
        whole_page("Contacts/{parent}/Addresses"),
        parent=of_customer("EntityID"),
        optional=True,
        facts=ALL_VENDOR,
    ),
    Resource(
        "files",
        documents.Document,
        "Id",
        (pages("Files/FilesByContact", ("contactid", "{parent}"), ("dlFileType", "None")),),
        created=CREATED,
        parent=of_customer("EntityID"),
        known_unmapped=("BlobContainerInfoId", "EntityId", "BlobUrl"),
        optional=True,
        data_source=documents.FILES,
        facts=ALL_INTEGRATOR,
    ),
    Resource(
        "customer_details",
        contact_details.CustomerDetails,
        "EntityID",
        (Endpoint("Customers/{parent}/CustomerDetailSummary", Envelope.OBJECT),),
        parent=of_customer("EntityID"),
        secrets=IDENTITY_NUMBERS,
        optional=True,
        facts=Facts(VENDOR, VENDOR, VENDOR, INTEGRATOR),
    ),
    Resource(
        "policy_lines",
        StagedOnly,
        line_id,
        array("Policies/{parent}/PolicyLines"),
        parent=of_policy(),
        secrets=IDENTITY_NUMBERS,
        optional=True,
        facts=Facts(INTEGRATOR, ASSUMED, ASSUMED, ASSUMED),
    ),
    Resource(
        "premium",
        StagedOnly,
        POLICY_ID,
        (Endpoint("Policies/{parent}/Premium", Envelope.OBJECT),),
        parent=of_policy(),
        secrets=IDENTITY_NUMBERS,
        optional=True,
        facts=Facts(INTEGRATOR, ASSUMED, ASSUMED, ASSUMED),
    ),
)
