"""The catalogue: every resource of the API, where it comes from and which table it fills, in order of extraction."""

from collections.abc import Iterable
from difflib import get_close_matches

from etl.catalogue import (
    BODY,
    DAYS,
    ENTERPRISE,
    FEED,
    Dates,
    Derivation,
    Endpoint,
    Envelope,
    Nested,
    Parent,
    ReferenceStub,
    Resource,
    SoftReference,
)
from etl.errors import UsageError
from etl.models import core, documents, financial, products, risks, staging
from etl.models.claims import Claim

MODIFIED, CREATED = "DateLastModified", "CreatedOn"

#: The fields of a policy that its children need.
OF_POLICY = ("PolicyId", "CustomerId")
OF_TERM = (
    *OF_POLICY,
    "PriorPolicyID",
    "Status",
    "IsDeleted",
    "EffectiveDate",
    "ExpirationDate",
    "TotalPremium",
    "LOB",
    "LOBId",
    "LOBList",
)

#: The enterprise feeds filter only by the modification date, both days included.
MODIFIED_DAYS = Dates("modifiedStartDate", "modifiedEndDate", end_included=True, field="modified")
#: The billing feed filters by a created date that its rows do not show.
UNSHOWN_DAYS = Dates(field=None)

AGENTS = ReferenceStub(
    core.Employee,
    core.employees_named,
    (
        SoftReference("agent_name", prefix=core.BY_NAME, unless="agent_id"),
        SoftReference("csr_name", prefix=core.BY_NAME, unless="csr_id"),
    ),
)
MANAGING_AGENTS = ReferenceStub(core.Carrier, core.managing_agents, (SoftReference("mga_id", "mga"),))


def feed(path: str, dates: Dates = DAYS) -> tuple[Endpoint, ...]:
    """Return the endpoint of a change feed."""
    return (Endpoint(f"{path}/LastModifiedCreated", Envelope.PAGE, FEED, dates),)


def enterprise(path: str) -> tuple[Endpoint, ...]:
    """Return the endpoint of an enterprise feed."""
    return (Endpoint(f"enterprise/{path}", Envelope.ENTERPRISE, ENTERPRISE, MODIFIED_DAYS),)


def array(path: str, *query: tuple[str, str]) -> tuple[Endpoint, ...]:
    """Return an endpoint that answers with a bare array."""
    return (Endpoint(path, Envelope.ARRAY, query=query),)


def rules(path: str, kind: str) -> Endpoint:
    """Return the endpoint of one kind of commission rules, a search whose filter is left empty."""
    return Endpoint(f"Commissions/{path}/Get", Envelope.PAGE, BODY, method="POST", implies=(("kind", kind),))


CATALOGUE: tuple[Resource, ...] = (
    Resource("locations", core.Location, "QQID", array("Locations/UserLocationsV2")),
    Resource(
        "agencies",
        core.Agency,
        "AgencyID",
        derived=(Derivation("locations", core.agencies, owned=False),),
    ),
    Resource("departments", core.Department, "DepartmentID", array("Departments"), documented=False),
    Resource("carriers", core.Carrier, "CarrierID", array("Carriers"), documented=False),
    Resource(
        "employees",
        core.Employee,
        "EntityID",
        (Endpoint("Contacts/LastModifiedCreatedCustomersEmployees", Envelope.PAGE, FEED, DAYS),),
        MODIFIED,
        CREATED,
        row_filter=("ContactSubType", ("E",)),
        stages_filtered_out=False,
        secrets=("SSN",),
    ),
    Resource(
        "contacts",
        core.Contact,
        "EntityID",
        feed("Contacts"),
        MODIFIED,
        CREATED,
        secrets=("SSN",),
        stubs=(AGENTS,),
        active=("Status", ("A",)),
        single=Endpoint("Contacts/{parent}/ContactSummaryDTO", Envelope.OBJECT),
    ),
    Resource(
        "account_info",
        core.Contact,
        "CustomerID",
        (Endpoint("Contacts/{parent}/AccountInfo", Envelope.OBJECT),),
        parent=Parent("contacts"),
        secrets=("UserID", "UserPassword", "SSN"),
        data_source=core.ACCOUNT_INFO,
    ),
    Resource(
        "applications",
        products.Application,
        "ApplicationID",
        feed("Applications"),
        MODIFIED,
        CREATED,
        derived=(Derivation("policies", products.pending_application, fallback=True),),
        secrets=("SSN",),
        documented=False,
    ),
    Resource(
        "policies",
        products.Policy,
        "PolicyId",
        feed("Policies"),
        MODIFIED,
        CREATED,
        stubs=(AGENTS, MANAGING_AGENTS),
        active=("Status", ("A", "P")),
        single=Endpoint("PolicySummaryForApi", Envelope.OBJECT, query=(("policyID", "{parent}"),)),
    ),
    Resource(
        "fees",
        financial.Fee,
        "FeeID",
        derived=(Derivation("policies", financial.agency_fees), Derivation("quotes", financial.carrier_fees)),
    ),
    Resource(
        "policy_details",
        products.PolicyDetail,
        products.detail_id,
        array("Policies/{parent}/PolicyInfo"),
        parent=Parent("policies", parent_fields=OF_TERM, fallback=products.lines_of),
        stubs=(AGENTS,),
    ),
    Resource(
        "renewals",
        products.Renewal,
        "PolicyId",
        derived=(Derivation("policy_details", products.renewal_of),),
    ),
    Resource(
        "terminations",
        products.Termination,
        products.termination_id,
        array("Policies/{parent}/Adjustments"),
        created=CREATED,
        parent=Parent("policies", parent_fields=OF_POLICY, parent_filter=("Status", ("C",))),
        row_filter=("AdjustmentType", ("C",)),
    ),
    Resource(
        "quotes",
        products.Quote,
        "QuoteID",
        array("Policies/{parent}/Quotes"),
        parent=Parent("policies", parent_fields=OF_POLICY),
    ),
    Resource(
        "coverages",
        risks.Coverage,
        "CoverageID",
        array("Policies/{parent}/Coverages"),
        parent=Parent("policies", parent_fields=OF_POLICY),
        documented=False,
    ),
    Resource(
        "equipment",
        risks.Equipment,
        "EquipmentID",
        array("Policies/{parent}/Equipment"),
        parent=Parent("policies", parent_fields=OF_POLICY),
        documented=False,
    ),
    Resource(
        "drivers",
        risks.Driver,
        "DriverID",
        enterprise("personaldrivers"),
        f"_parent.{MODIFIED}",
        nested=Nested("Drivers", "policies", "PolicyId"),
        secrets=("SSN",),
    ),
    Resource(
        "vehicles",
        risks.Vehicle,
        "VehicleID",
        enterprise("personalvehicles"),
        f"_parent.{MODIFIED}",
        nested=Nested("Vehicles", "policies", "PolicyId"),
    ),
    Resource("claims", Claim, "ClaimID", feed("Claims"), MODIFIED, CREATED, secrets=("SSN",), documented=False),
    Resource("billing_records", financial.BillingRecord, "RecordId", feed("Billing", UNSHOWN_DAYS)),
    Resource(
        "commission_rules",
        financial.CommissionRule,
        financial.rule_id,
        (rules("AgencyRules", "agency"), rules("ProducerRules", "producer")),
        known_unmapped=("ParentCarrierId", "SublineId", "PolicySourceId", "AnyCarrierId", "AnyMga", "ProducerList"),
    ),
    Resource(
        "commissions",
        financial.Commission,
        "CommissionID",
        feed("Commissions"),
        MODIFIED,
        CREATED,
        documented=False,
    ),
    Resource(
        "documents",
        documents.Document,
        "BlobInfoId",
        array("Documents/Images", ("entityId", "{parent}")),
        created="DateAdded",
        parent=Parent("contacts", parent_fields=("EntityID",)),
    ),
    Resource(
        "acord_forms",
        documents.AcordForm,
        "AcordFormID",
        array("ACORDForms/ByCustomer/{parent}"),
        created=CREATED,
        parent=Parent("contacts", parent_fields=("EntityID",)),
        secrets=("SSN",),
        documented=False,
    ),
)

BY_NAME = {entry.name: entry for entry in CATALOGUE}

for entry in BY_NAME:
    staging.declare(entry)

#: The resource whose records are the people that can be erased.
PEOPLE = "contacts"


def resource(name: str) -> Resource:
    """Return the resource of this name; raises UsageError, with the nearest and all names, for an unknown one."""
    try:
        return BY_NAME[name]
    except KeyError:
        near = get_close_matches(name, BY_NAME, n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"There is no resource {name!r}.{guess} Resources are: {', '.join(BY_NAME)}.") from None


def children_of(name: str) -> tuple[Resource, ...]:
    """Return the resources that need one call for each record of this one."""
    return tuple(entry for entry in CATALOGUE if entry.parent is not None and entry.parent.resource == name)


def derived_from(name: str) -> tuple[tuple[Resource, Derivation], ...]:
    """Return the resources that are made from parts of this one's records, each with how."""
    return tuple((entry, way) for entry in CATALOGUE for way in entry.derived if way.resource == name)


def selected(names: Iterable[str]) -> tuple[Resource, ...]:
    """Return the resources of these names, those made from them and those they are made from; all if no name is given.

    In order of extraction. Raises UsageError for an unknown name.
    """
    wanted = {resource(name).name for name in names}
    if not wanted:
        return CATALOGUE
    wanted |= {way.resource for name in wanted if not BY_NAME[name].endpoints for way in BY_NAME[name].derived}
    made = [entry for entry in CATALOGUE if not entry.endpoints]
    wanted |= {entry.name for entry in made if any(way.resource in wanted for way in entry.derived)}
    return tuple(entry for entry in CATALOGUE if entry.name in wanted)
