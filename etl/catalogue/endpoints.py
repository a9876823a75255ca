"""The endpoints of the API by their form, and what several resources need: dates, fields of parents, stubs."""

from collections.abc import Callable

from etl.catalogue.detail_rules import ContactValue, EqualValue, IfChanged, NearStart, NeedRule, TermValue
from etl.catalogue.resource import (
    BODY,
    DAYS,
    ENTERPRISE,
    FEED,
    Changes,
    Dates,
    Derive,
    Endpoint,
    Envelope,
    Nested,
    Parent,
    ParentFilter,
    Record,
    ReferenceStub,
    SoftReference,
)
from etl.models import core
from etl.models.codes import CONTACT_STATUS

MODIFIED, CREATED = "DateLastModified", "CreatedOn"
TIMES = Changes(MODIFIED, CREATED)

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

#: Fields of the policy that a detail repeats.
FACTS_OF_POLICY = (
    "PolicyNo", "CustomerID", "EffectiveDate", "ExpirationDate", "CarrierID", "Carrier", "MGA", "Status",
    "PolicyAgencyFees", "CreatedBy",
)  # fmt: skip

#: The enterprise feeds filter only by the modification date, both days included.
MODIFIED_DAYS = Dates("modifiedStartDate", "modifiedEndDate", end_included=True, field="modified")
#: The billing feed filters by a created date that its rows do not show.
UNSHOWN_DAYS = Dates(field="created", shown=False)
#: Endorsements do not show when they were modified.
UNSHOWN_MODIFIED_DAYS = Dates("modifiedStartDate", "modifiedEndDate", end_included=True, field="modified", shown=False)

AGENTS = ReferenceStub(
    core.Employee,
    core.employees_named,
    (
        SoftReference("agent_name", prefix=core.BY_NAME, unless="agent_id"),
        SoftReference("csr_name", prefix=core.BY_NAME, unless="csr_id"),
    ),
)


def feed(path: str, dates: Dates = DAYS) -> tuple[Endpoint, ...]:
    """Return the endpoint of a change feed."""
    return (Endpoint(f"{path}/LastModifiedCreated", Envelope.PAGE, FEED, dates),)


def enterprise(path: str, nested: Nested, dates: Dates = MODIFIED_DAYS) -> tuple[Endpoint, ...]:
    """Return the endpoint of an enterprise feed, whose items contain the records."""
    return (Endpoint(f"enterprise/{path}", Envelope.ENTERPRISE, ENTERPRISE, dates, nested=nested),)


def pages(path: str, *query: tuple[str, str]) -> tuple[Endpoint, ...]:
    """Return an endpoint that answers for one parent in pages."""
    return (Endpoint(path, Envelope.PAGE, FEED, query=query),)


def whole_page(path: str) -> tuple[Endpoint, ...]:
    """Return an endpoint with the envelope of a page that holds everything at once."""
    return (Endpoint(path, Envelope.PAGE),)


def record_at(path: str, *query: tuple[str, str]) -> Endpoint:
    """Return an endpoint that answers with one record, as a bare object."""
    return Endpoint(path, Envelope.OBJECT, query=query)


def array(
    path: str, *query: tuple[str, str], numbered_by: Callable[[Record], str | None] | None = None
) -> tuple[Endpoint, ...]:
    """Return an endpoint that answers with a bare array."""
    return (Endpoint(path, Envelope.ARRAY, query=query, numbered_by=numbered_by),)


def rules(path: str, kind: str) -> Endpoint:
    """Return the endpoint of one kind of commission rules, a search whose filter is left empty."""
    return Endpoint(f"Commissions/{path}/Get", Envelope.PAGE, BODY, method="POST", implies=(("kind", kind),))


#: One call for each status that a contact is known to have.
STAFF_CALLS = tuple(
    endpoint
    for status in CONTACT_STATUS.meanings
    for endpoint in pages("Search/Employees/BasicSearch", ("locationID", "{parent}"), ("status", status))
)

#: Carriers, managing general agencies and employees are contacts without details, and prospects have few: a prospect
#: gets calls once a live policy names it.
CUSTOMERS = ParentFilter(
    ("ContactType", "ContactSubType"),
    (core.CARRIER, core.MANAGING_AGENCY, core.EMPLOYEE),
    (core.PROSPECT,),
    ("policies", "contact_id"),
)

#: What details are worth; see `etl.catalogue.detail_rules.Priority` for the order.
CUSTOMER_VALUE = ContactValue(("ContactType", "ContactSubType"), (core.PROSPECT,), active=("Status", ("A",)))
POLICY_VALUE = TermValue("EffectiveDate", "ExpirationDate", active=("Status", ("A", "P")))

#: Quotes are of interest while a policy is being placed: around its start, and while it is pending.
WHILE_PLACED = NearStart("EffectiveDate", 120, always=("Status", ("P",)))
#: An adjustment changes its policy (inferred), so a policy that was neither changed nor canceled has none.
WHEN_CHANGED = IfChanged("HasBeenModified", MODIFIED, CREATED, always=("Status", ("C",)), sample=20)


def of_customer(*parent_fields: str, optional: bool = False) -> Parent:
    """Return the parent of what is read for each customer."""
    return Parent("contacts", CUSTOMER_VALUE, parent_fields, CUSTOMERS, optional=optional)


def of_policy(
    *parent_fields: str, need: NeedRule | None = None, fallback: Derive | None = None, optional: bool = False
) -> Parent:
    """Return the parent of what is read for each policy."""
    return Parent("policies", POLICY_VALUE, parent_fields or OF_POLICY, None, need, fallback, optional)


def of_office(*parent_fields: str) -> Parent:
    """Return the parent of what is read for each office."""
    return Parent("locations", EqualValue(), parent_fields)
