"""Insurance products: quotes, applications, policies, their details, renewals, terminations."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from etl.models.base import Model, computed, field
from etl.models.codes import (
    ADJUSTMENT_TYPE,
    APPLICATION_STATUS,
    BILLING_TYPE,
    BUSINESS_TYPE,
    POLICY_STATUS,
    POLICY_TERM,
)
from etl.models.sources import FirstOf, first_of, is_blank, names_one, objects_in
from etl.values import Boolean, Date, Json, Money, Reference, SourceId, Text, TextList, Word

#: The status codes of a policy that is deleted, or not issued yet.
DELETED, PENDING = "D", "P"

#: The business type of a policy that renews nothing, even where it replaces another.
NEW_BUSINESS = "N"

#: The values of QQCatalyst's deletion flags when they are set.
SET = (True, "true", "True")


def lines_of(policy: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a detail for each line of business of a policy whose account gives no details of it."""
    policy_id = policy.get("PolicyId")
    for number, line in enumerate(objects_in(policy.get("LOBList")), start=1):
        own_id = f"policy:{policy_id}:{number}" if number > 1 else f"policy:{policy_id}"
        yield {"PolicyId": policy_id, "PolicyDetailsID": own_id, "LOBList": [line]}


def of_line(key: str) -> FirstOf:
    """Return the source of a fact about a detail's line of business: its own, else the first line of its policy."""
    return first_of(f"LOBList.0.{key}", f"_parent.LOBList.0.{key}")


def detail_id(detail: Mapping[str, Any]) -> Any:
    """Return the source id of a policy detail: its own, else `policy:<PolicyId>`."""
    own = detail.get("PolicyDetailsID")
    return own if names_one(own) else f"policy:{first_of('PolicyId', '_parent.PolicyId')(detail)}"


def termination_id(adjustment: Mapping[str, Any]) -> Any:
    """Return the source id of a termination: the adjustment's own, else `<PolicyId>:<date>`; None without both."""
    own = adjustment.get("AdjustmentID")
    if names_one(own):
        return own
    policy = first_of("PolicyId", "_parent.PolicyId")(adjustment)
    day = Date().clean(adjustment.get("AdjustmentDate"))
    return f"{policy}:{day:%Y-%m-%d}" if names_one(policy) and isinstance(day, date) else None


def pending_application(policy: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield an application made from a policy that is not issued yet."""
    if code(policy.get("Status")) == PENDING and not is_deleted(policy):
        yield {
            "ApplicationID": f"policy:{policy.get('PolicyId')}",
            "PolicyID": policy.get("PolicyId"),
            "CustomerID": policy.get("CustomerId"),
            "CarrierID": policy.get("CarrierId"),
            "Status": PENDING,
            "LOB": policy.get("LOB"),
            "RequestedEffectiveDate": policy.get("EffectiveDate"),
            "EstimatedPremium": policy.get("TotalPremium"),
            "CreatedOn": policy.get("CreatedOn"),
            "DateLastModified": policy.get("DateLastModified"),
        }


def renewal_of(detail: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the renewal in a policy's detail: it has a prior term, is not deleted, and is not new business."""
    policy = detail.get("_parent")
    if not isinstance(policy, Mapping) or is_deleted(policy) or code(detail.get("BusinessType")) == NEW_BUSINESS:
        return
    if names_one(policy.get("PriorPolicyID")):
        carried = ("PolicyId", "PriorPolicyID", "CustomerId", "EffectiveDate", "TotalPremium")
        yield {key: policy.get(key) for key in carried} | {
            key: detail.get(key) for key in ("BusinessType", "BinderDate")
        }


def is_deleted(policy: Mapping[str, Any]) -> bool:
    """Return whether a policy's record is marked deleted."""
    return code(policy.get("Status")) == DELETED or policy.get("IsDeleted") in SET


def is_bound(renewal: Mapping[str, Any]) -> bool:
    """Return whether a renewal is bound: otherwise it is a shell that QQCatalyst made automatically."""
    return not is_blank(renewal.get("BinderDate"))


def code(raw: Any) -> Any:
    """Return a raw code without its padding, in capitals."""
    return raw.strip().upper() if isinstance(raw, str) else raw


class Policy(Model):
    """One term of an insurance policy; each renewal is a policy of its own."""

    __tablename__ = "policies"
    keeps_history = True
    label = "policy_number"
    unique_columns = ("source_id", "policy_number")
    deletion_mark = (("Status", (DELETED,)), ("IsDeleted", SET))

    contact_id: Mapped[UUID | None] = field("CustomerId", Reference("contacts", label="CustomerName"), required=True)
    carrier_id: Mapped[UUID | None] = field("CarrierId", Reference("carriers", label="WritingCarrier"))
    mga_id: Mapped[str | None] = field("MGAId", SourceId())
    prior_policy_id: Mapped[UUID | None] = field("PriorPolicyID", Reference("policies"))
    policy_number: Mapped[str | None] = field("PolicyNumber", Text(), expected=True, index=True)
    status: Mapped[str | None] = field("Status", POLICY_STATUS, required=True)
    effective_date: Mapped[date | None] = field("EffectiveDate", Date(), expected=True)
    #: Not expected: a continuous policy has none.
    expiration_date: Mapped[date | None] = field("ExpirationDate", Date(), index=True)
    term: Mapped[str | None] = field("Term", POLICY_TERM)
    line_of_business: Mapped[str | None] = field("LOB", Text())
    lob_id: Mapped[str | None] = field("LOBId", SourceId())
    lob_code: Mapped[str | None] = field("LOBList.0.Code", Word())
    acord_code: Mapped[str | None] = field("LOBList.0.AcordCode", Word())
    lines_of_business: Mapped[Any | None] = field("LOBList", Json())
    policy_type: Mapped[str | None] = field("PolicyType", Word())
    package_type: Mapped[str | None] = field("PackageType", Word())
    total_premium: Mapped[Decimal | None] = field("TotalPremium", Money())
    description: Mapped[str | None] = field("Description", Text(lines=True), personal=True)
    customer_name: Mapped[str | None] = field("CustomerName", Text(placeholders=True), personal=True)
    agent_name: Mapped[str | None] = field("AgentName", Text(placeholders=True), personal=True)
    writing_carrier: Mapped[str | None] = field("WritingCarrier", Text(placeholders=True))
    mga: Mapped[str | None] = field("MGA", Text(placeholders=True))
    producer_ids: Mapped[list[str] | None] = field("ProducerIDs", TextList())
    agency_fees: Mapped[Any | None] = field("PolicyAgencyFees", Json())
    is_deleted: Mapped[bool | None] = field("IsDeleted", Boolean())
    has_been_modified: Mapped[bool | None] = field("HasBeenModified", Boolean())


class PolicyDetail(Model):
    """A line of business of a policy, with who handles it and how it is billed."""

    __tablename__ = "policy_details"
    keeps_history = True

    policy_id: Mapped[UUID | None] = field(
        first_of("PolicyId", "_parent.PolicyId"), Reference("policies"), required=True
    )
    line_of_business: Mapped[str | None] = field(of_line("Name"), Text())
    lob_id: Mapped[str | None] = field(of_line("ID"), SourceId())
    lob_code: Mapped[str | None] = field(of_line("Code"), Word())
    acord_code: Mapped[str | None] = field(of_line("AcordCode"), Word())
    internal_code: Mapped[str | None] = field(of_line("InternalCode"), Word())
    has_details: Mapped[bool | None] = field(of_line("HasDetails"), Boolean())
    is_package: Mapped[bool | None] = field(of_line("IsPackage"), Boolean())
    details_group: Mapped[str | None] = field(of_line("LOBDetailsGroup"), Text())
    business_type: Mapped[str | None] = field("BusinessType", BUSINESS_TYPE)
    binder_date: Mapped[date | None] = field("BinderDate", Date())
    agent_id: Mapped[UUID | None] = field("AgentID", Reference("employees", label="AgentName"))
    agent_name: Mapped[str | None] = field("AgentName", Text(placeholders=True), personal=True)
    csr_id: Mapped[UUID | None] = field("CSRID", Reference("employees", label="CSRName"))
    csr_name: Mapped[str | None] = field("CSRName", Text(placeholders=True), personal=True)
    location_id: Mapped[UUID | None] = field("LocationID", Reference("locations"))
    department_id: Mapped[UUID | None] = field("DepartmentID", Reference("departments"))
    billing_type: Mapped[str | None] = field("BillingType", BILLING_TYPE)
    payment_plan: Mapped[str | None] = field("PaymentPlan", Word())
    annualized_premium: Mapped[Decimal | None] = field("AnnualizedPremium", Money())
    fees_amount: Mapped[Decimal | None] = field("PolicyFees", Money())
    taxes_amount: Mapped[Decimal | None] = field("Taxes", Money())


class Quote(Model):
    """A carrier's offer for a policy that is being placed."""

    __tablename__ = "quotes"
    label = "quote_number"
    deletion_mark = (("IsDeleted", SET),)

    policy_id: Mapped[UUID | None] = field(
        first_of("PolicyID", "_parent.PolicyId"), Reference("policies"), required=True
    )
    carrier_id: Mapped[UUID | None] = field("CarrierID", Reference("carriers"))
    mga_id: Mapped[str | None] = field("MGAID", SourceId())
    quoted_by_id: Mapped[UUID | None] = field("QuotedByID", Reference("employees"))
    quote_number: Mapped[str | None] = field("QuoteNumber", Text())
    status: Mapped[str | None] = field("QuoteStatus", Word(), required=True)
    sub_status: Mapped[str | None] = field("QuoteSubStatus", Word())
    quote_type: Mapped[str | None] = field("QuoteType", Word())
    quote_date: Mapped[date | None] = field("QuoteDate", Date())
    expiration_date: Mapped[date | None] = field("QuoteExpirationDate", Date())
    base_premium: Mapped[Decimal | None] = field("BasePremium", Money())
    conditions: Mapped[str | None] = field("Conditions", Text(lines=True), personal=True)
    preferred: Mapped[bool | None] = field("Preferred", Boolean())
    carrier_fees: Mapped[Any | None] = field("QuoteCarrierFees", Json())
    is_deleted: Mapped[bool | None] = field("IsDeleted", Boolean())


class Application(Model):
    """A request for coverage, sent to a carrier; made from pending policies if an account offers no applications."""

    __tablename__ = "applications"
    label = "application_number"
    unique_columns = ("source_id", "quote_id")

    quote_id: Mapped[UUID | None] = field("QuoteID", Reference("quotes"))
    policy_id: Mapped[UUID | None] = field("PolicyID", Reference("policies"))
    contact_id: Mapped[UUID | None] = field("CustomerID", Reference("contacts"), required=True)
    carrier_id: Mapped[UUID | None] = field("CarrierID", Reference("carriers"))
    application_number: Mapped[str | None] = field("ApplicationNumber", Text())
    status: Mapped[str | None] = field("Status", APPLICATION_STATUS, required=True)
    line_of_business: Mapped[str | None] = field("LOB", Text())
    requested_effective_date: Mapped[date | None] = field("RequestedEffectiveDate", Date())
    submitted_on: Mapped[date | None] = field("SubmittedOn", Date())
    decision_on: Mapped[date | None] = field("DecisionOn", Date())
    estimated_premium: Mapped[Decimal | None] = field("EstimatedPremium", Money())


class Renewal(Model):
    """A policy that renews a prior term; confirmed once it is bound, since QQCatalyst makes shells automatically."""

    __tablename__ = "renewals"
    unique_columns = ("source_id", "policy_id")

    policy_id: Mapped[UUID | None] = field("PolicyId", Reference("policies"), required=True)
    prior_policy_id: Mapped[UUID | None] = field("PriorPolicyID", Reference("policies"), required=True)
    contact_id: Mapped[UUID | None] = field("CustomerId", Reference("contacts"))
    business_type: Mapped[str | None] = field("BusinessType", BUSINESS_TYPE)
    binder_date: Mapped[date | None] = field("BinderDate", Date())
    is_confirmed: Mapped[bool | None] = field(is_bound, Boolean())
    prior_premium: Mapped[Decimal | None] = computed(Money().column_type)
    renewal_premium: Mapped[Decimal | None] = field("TotalPremium", Money())
    premium_change: Mapped[Decimal | None] = computed(Money().column_type)
    effective_date: Mapped[date | None] = field("EffectiveDate", Date())


class Termination(Model):
    """The cancellation of a policy: an adjustment of type C of a policy that is cancelled."""

    __tablename__ = "terminations"
    unique_columns = ("source_id", "policy_id")

    policy_id: Mapped[UUID | None] = field(
        first_of("PolicyId", "_parent.PolicyId"), Reference("policies"), required=True
    )
    contact_id: Mapped[UUID | None] = field("_parent.CustomerId", Reference("contacts"))
    adjustment_type: Mapped[str | None] = field("AdjustmentType", ADJUSTMENT_TYPE)
    termination_date: Mapped[date | None] = field("AdjustmentDate", Date(), expected=True)
    effective_date: Mapped[date | None] = field("EffectiveDate", Date())
    reason_id: Mapped[str | None] = field("ReasonID", SourceId())
    reason: Mapped[str | None] = field("Reason", Text())
    return_premium: Mapped[Decimal | None] = field("ReturnPremium", Money())
