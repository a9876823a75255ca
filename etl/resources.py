"""The catalogue: every resource of the API, where it comes from and which table it fills, in order of extraction."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from etl.catalogue import staged_only
from etl.catalogue.endpoints import (
    AGENTS,
    CREATED,
    FACTS_OF_POLICY,
    MODIFIED,
    OF_TERM,
    STAFF_CALLS,
    TIMES,
    UNSHOWN_DAYS,
    UNSHOWN_MODIFIED_DAYS,
    WHEN_CHANGED,
    WHILE_PLACED,
    array,
    enterprise,
    feed,
    of_customer,
    of_office,
    of_policy,
    pages,
    record_at,
    rules,
    whole_page,
)
from etl.catalogue.facts import ALL_ASSUMED, ALL_INTEGRATOR, ALL_VENDOR, ASSUMED, INTEGRATOR, PATH_SEEN, VENDOR, Facts
from etl.catalogue.resource import Changes, Derivation, Endpoint, Envelope, Nested, Resource, Staging
from etl.errors import UsageError
from etl.models import activities, adjustments, contact_details, core, documents, financial, products, risks, staging
from etl.models.base import StagedOnly
from etl.models.claims import Claim

#: Of calls whose records nobody has published, the number of a driver's license is removed like that of a person.
NO_LICENSES = Staging(secrets=("DriverLicenseNo",))

# The first line of an entry says what it is and where it comes from, the next one how it is read.
# fmt: off
CATALOGUE: tuple[Resource, ...] = (
    Resource(
        "locations", core.Location, "LocationID", array("Locations/UserLocationsV2"),
        Changes(MODIFIED), facts=Facts(VENDOR, INTEGRATOR, INTEGRATOR, INTEGRATOR),
    ),
    Resource(
        "agencies", core.Agency, "AgencyID", (Derivation("locations", core.agencies, owned=False),),
        facts=ALL_ASSUMED,
    ),
    Resource("departments", core.Department, "DepartmentID", array("Departments"), facts=ALL_ASSUMED),
    Resource(
        "contacts", core.Contact, "EntityID", feed("Contacts"),
        Changes(MODIFIED, CREATED, record_at("Contacts/{parent}/ContactSummaryDTO")), stubs=(AGENTS,),
        facts=ALL_INTEGRATOR,
    ),
    Resource(
        "employees", core.Employee, "EntityID", (Derivation("contacts", core.employees_among, types=core.TYPES),),
        TIMES, facts=ALL_INTEGRATOR,
    ),
    Resource(
        "carriers", core.Carrier, "EntityID", (Derivation("contacts", core.carriers_among, types=core.TYPES),),
        TIMES, facts=ALL_INTEGRATOR,
    ),
    Resource(
        "carrier_list", core.Carrier, "CarrierID", array("Carriers"),
        staging=Staging(known_unmapped=("Name", "NAIC", "IsMGA", "Phone")), data_source=core.CARRIER_LIST,
        facts=Facts(VENDOR, ASSUMED, ASSUMED, ASSUMED),
    ),
    Resource(
        "applications", products.Application, "ApplicationID",
        (*feed("Applications"), Derivation("policies", products.pending_application, fallback=True)),
        TIMES, facts=ALL_ASSUMED,
    ),
    Resource(
        "policies", products.Policy, "PolicyId", feed("Policies"),
        Changes(MODIFIED, CREATED, record_at("PolicySummaryForApi", ("policyID", "{parent}"))), stubs=(AGENTS,),
        facts=ALL_VENDOR,
    ),
    Resource(
        "account_info", core.Contact, "CustomerID", (record_at("Contacts/{parent}/AccountInfo"),),
        parent=of_customer(), staging=Staging(secrets=("UserID", "UserPassword")), data_source=core.ACCOUNT_INFO,
        facts=Facts(VENDOR, INTEGRATOR, INTEGRATOR, INTEGRATOR),
    ),
    Resource(
        "fees", financial.Fee, "FeeID",
        (
            Derivation("policies", financial.agency_fees, list="PolicyAgencyFees"),
            Derivation("quotes", financial.carrier_fees, list="QuoteCarrierFees"),
        ),
        facts=ALL_VENDOR,
    ),
    Resource(
        "policy_details", products.PolicyDetail, products.detail_id, array("Policies/{parent}/PolicyInfo"),
        parent=of_policy(*OF_TERM, fallback=products.lines_of), staging=Staging(known_unmapped=FACTS_OF_POLICY),
        stubs=(AGENTS,), facts=Facts(VENDOR, INTEGRATOR, INTEGRATOR, INTEGRATOR),
    ),
    Resource(
        "renewals", products.Renewal, "PolicyId", (Derivation("policy_details", products.renewal_of),),
        facts=ALL_INTEGRATOR,
    ),
    Resource(
        "commissions", financial.Commission, "CommissionID",
        (*feed("Commissions"), Derivation("adjustments", financial.commissions_among, fallback=True)),
        TIMES, facts=ALL_ASSUMED,
    ),
    Resource(
        "adjustments", products.Adjustment, adjustments.adjustment_id,
        array("Policies/{parent}/Adjustments", numbered_by=adjustments.day_and_type),
        parent=of_policy(need=WHEN_CHANGED), facts=ALL_INTEGRATOR,
    ),
    Resource(
        "terminations", products.Termination, "TerminationID",
        (Derivation("adjustments", adjustments.cancellations_among, types=("AdjustmentType",)),),
        facts=ALL_INTEGRATOR,
    ),
    Resource(
        "quotes", products.Quote, "QuoteID", array("Policies/{parent}/Quotes"),
        parent=of_policy(need=WHILE_PLACED), facts=ALL_VENDOR,
    ),
    Resource(
        "coverages", risks.Coverage, "CoverageID", array("Policies/{parent}/Coverages"),
        parent=of_policy(), facts=ALL_ASSUMED,
    ),
    Resource(
        "equipment", risks.Equipment, "EquipmentID", array("Policies/{parent}/Equipment"),
        parent=of_policy(), facts=ALL_ASSUMED,
    ),
    Resource(
        "drivers", risks.Driver, "DriverID", enterprise("personaldrivers", Nested("Drivers", "policies", "PolicyId")),
        Changes(f"_parent.{MODIFIED}"), facts=ALL_VENDOR,
    ),
    Resource(
        "vehicles", risks.Vehicle, "VehicleID",
        enterprise("personalvehicles", Nested("Vehicles", "policies", "PolicyId")),
        Changes(f"_parent.{MODIFIED}"), facts=ALL_VENDOR,
    ),
    Resource("claims", Claim, "ClaimID", feed("Claims"), TIMES, facts=ALL_ASSUMED),
    Resource("billing_records", financial.BillingRecord, "RecordId", feed("Billing", UNSHOWN_DAYS), facts=ALL_VENDOR),
    Resource(
        "commission_rules", financial.CommissionRule, financial.rule_id,
        (rules("AgencyRules", "agency"), rules("ProducerRules", "producer")),
        staging=Staging(
            known_unmapped=("ParentCarrierId", "SublineId", "PolicySourceId", "AnyCarrierId", "AnyMga", "ProducerList")
        ),
        facts=Facts(VENDOR, VENDOR, ASSUMED, ASSUMED),
    ),
    Resource(
        "documents", documents.Document, "BlobInfoId", array("Documents/Images", ("entityId", "{parent}")),
        Changes(created="DateAdded"), parent=of_customer("EntityID"), facts=ALL_VENDOR,
    ),
    Resource(
        "acord_forms", documents.AcordForm, "AcordFormID", array("ACORDForms/ByCustomer/{parent}"),
        Changes(created=CREATED), parent=of_customer("EntityID"), facts=Facts(INTEGRATOR, ASSUMED, VENDOR, VENDOR),
    ),
    Resource(
        "employee_list", core.Employee, "EntityID", STAFF_CALLS,
        TIMES, parent=of_office(), data_source=core.EMPLOYEE_LIST, facts=ALL_INTEGRATOR,
    ),
    Resource(
        "cancellation_reasons", StagedOnly, staged_only.reason_id,
        (Endpoint("Locations/{parent}/Policies/CancellationReasons", Envelope.ACTION),),
        parent=of_office("LocationID"),
        staging=Staging(known_unmapped=("CancellationReasonName", "SystemDefined", "LocationId")),
        facts=Facts(ASSUMED, ASSUMED, VENDOR, VENDOR),
    ),
    Resource(
        "carrier_fees", StagedOnly, staged_only.fee_id,
        (Endpoint("Locations/{parent}/Policies/CarrierFees", Envelope.ACTION),),
        parent=of_office("LocationID"), staging=Staging(known_unmapped=staged_only.FIELDS_OF_FEES),
        facts=Facts(ASSUMED, ASSUMED, VENDOR, VENDOR),
    ),
    Resource(
        "endorsements", activities.Endorsement, activities.endorsement_id,
        enterprise(
            "endorsements", Nested("PolicyAdjustments", "policies", "PolicyId", ("EndorsementEffectiveDate",)),
            UNSHOWN_MODIFIED_DAYS,
        ),
        facts=ALL_VENDOR,
    ),
    Resource(
        "notes", activities.Note, "Id", pages("Contacts/{parent}/Notes"),
        Changes("ModifiedAt", CREATED), parent=of_customer("EntityID", optional=True), facts=ALL_INTEGRATOR,
    ),
    Resource(
        "policy_notes", activities.Note, "Id", pages("Policies/{parent}/Notes"),
        Changes("ModifiedAt", CREATED), parent=of_policy(optional=True), data_source=activities.POLICY_NOTES,
        facts=ALL_INTEGRATOR,
    ),
    Resource(
        "tasks", activities.Task, activities.TASK_ID, pages("Contacts/{parent}/Tasks"),
        Changes(created=CREATED), parent=of_customer("EntityID", optional=True), facts=PATH_SEEN,
    ),
    Resource(
        "contact_phones", contact_details.ContactPhone, contact_details.phone_id,
        whole_page("Contacts/{parent}/PhoneNumbers"),
        parent=of_customer("EntityID", optional=True), facts=PATH_SEEN,
    ),
    Resource(
        "contact_emails", contact_details.ContactEmail, contact_details.email_id,
        whole_page("Contacts/{parent}/Emails"),
        parent=of_customer("EntityID", optional=True), facts=PATH_SEEN,
    ),
    Resource(
        "contact_addresses", contact_details.ContactAddress, "AddressID", whole_page("Contacts/{parent}/Addresses"),
        parent=of_customer("EntityID", optional=True), facts=ALL_VENDOR,
    ),
    Resource(
        "files", documents.Document, "Id",
        pages("Files/FilesByContact", ("contactid", "{parent}"), ("dlFileType", "None")),
        Changes(created=CREATED), parent=of_customer("EntityID", optional=True),
        staging=Staging(known_unmapped=("BlobContainerInfoId", "EntityId", "BlobUrl")), data_source=documents.FILES,
        facts=ALL_INTEGRATOR,
    ),
    Resource(
        "customer_details", contact_details.CustomerDetails, "EntityID",
        (record_at("Customers/{parent}/CustomerDetailSummary"),),
        parent=of_customer("EntityID", optional=True), staging=NO_LICENSES,
        facts=Facts(VENDOR, VENDOR, VENDOR, INTEGRATOR),
    ),
    Resource(
        "policy_lines", StagedOnly, staged_only.line_id, array("Policies/{parent}/PolicyLines"),
        parent=of_policy(optional=True), staging=NO_LICENSES, facts=PATH_SEEN,
    ),
    Resource(
        "premium", StagedOnly, staged_only.POLICY_ID, (record_at("Policies/{parent}/Premium"),),
        parent=of_policy(optional=True), staging=NO_LICENSES, facts=PATH_SEEN,
    ),
)
# fmt: on

BY_NAME = {entry.name: entry for entry in CATALOGUE}

#: The resources for whose records details are read.
PARENTS = frozenset(entry.parent.resource for entry in CATALOGUE if entry.parent is not None)

for entry_name in BY_NAME:
    staging.declare(entry_name, is_parent=entry_name in PARENTS)

#: The field in which an enterprise feed names the agency of an item: ids are unique only inside an agency.
AGENCY_FIELD = "QQTenantID"

#: The resources that make the database useful: offices, customers, policies and billing.
USEFUL = ("locations", "contacts", "policies", "billing_records")

#: The list that shows of which agency an account is, and the fields that identify an office, together.
OFFICES = BY_NAME["locations"]
OFFICE_FACTS = (("QQID",), ("LocationID", "LocationName"), ("LocationID", "Name"))

#: The resource whose records are the people that can be erased.
PEOPLE = "contacts"


#: The word of ETL_RESOURCES with which prospects get the calls for details that customers get.
PROSPECT_DETAILS = "prospect_details"


def as_chosen(resource: Resource, choices: str) -> Resource:
    """Return a resource with the parents that get a call under these choices of ETL_RESOURCES."""
    return with_prospects(resource) if f"+{PROSPECT_DETAILS}" in choices.split(",") else resource


def with_prospects(resource: Resource) -> Resource:
    """Return a resource whose calls no parent needs a reference for: a prospect gets them without a policy."""
    if resource.parent is None or resource.parent.parent_filter is None:
        return resource
    parent_filter = replace(resource.parent.parent_filter, if_referenced=())
    return replace(resource, parent=replace(resource.parent, parent_filter=parent_filter))


def find_resource(name: str) -> Resource:
    """Return the resource of this name; raises UsageError, with the closest and all names, for an unknown name."""
    try:
        return BY_NAME[name]
    except KeyError:
        near = get_close_matches(name, BY_NAME, n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"There is no resource {name!r}.{guess} Resources are: {', '.join(BY_NAME)}.") from None


def children_of(name: str) -> tuple[Resource, ...]:
    """Return the resources that are read with one call for each record of this resource."""
    return tuple(entry for entry in CATALOGUE if entry.parent is not None and entry.parent.resource == name)


def derived_from(name: str) -> tuple[tuple[Resource, Derivation], ...]:
    """Return the resources that are created from parts of this resource's records, each with its derivation."""
    return tuple((entry, way) for entry in CATALOGUE for way in entry.derived if way.resource == name)


def selected(names: Iterable[str]) -> tuple[Resource, ...]:
    """Return the named resources, those derived from them and those they are derived from; without names, all.

    In order of extraction. Raises UsageError for an unknown name.
    """
    wanted = {find_resource(name).name for name in names}
    if not wanted:
        return CATALOGUE
    wanted |= {way.resource for name in wanted if not BY_NAME[name].endpoints for way in BY_NAME[name].derived}
    derived = [entry for entry in CATALOGUE if not entry.endpoints]
    wanted |= {entry.name for entry in derived if any(way.resource in wanted for way in entry.derived)}
    return tuple(entry for entry in CATALOGUE if entry.name in wanted)
