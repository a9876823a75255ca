"""Insurance products: quotes, applications, policies, their details, renewals, terminations."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from etl.models.adjustments import POLICY_ID, REASON_IDS, REASONS, first_reason_id, joined_reasons
from etl.models.base import EXPECTED, REQUIRED, Model, computed, field
from etl.models.codes import (
    ADJUSTMENT_TYPE,
    APPLICATION_STATUS,
    BILLING_TYPE,
    BUSINESS_TYPE,
    POLICY_STATUS,
    POLICY_TERM,
)
from etl.models.core import AGENT_ID, AGENT_NAME, CSR_ID, CSR_NAME
from etl.models.policy_numbers import key_of
from etl.models.sources import FirstOf, clean_code, first_of, id_text, is_blank, is_flagged, is_record_id, objects_in
from etl.values import Boolean, Date, Integer, Json, Money, Reference, SourceId, Text, TextList, Word

#: Codes of a deleted policy and of a policy that is not issued yet.
DELETED, PENDING = "D", "P"

#: The keys of LOBList[], PolicyAgencyFees[] and QuoteCarrierFees[].
LINE = ("ID", "Name", "Code", "AcordCode", "InternalCode", "HasDetails", "IsPackage", "LOBDetailsGroup")
AGENCY_FEE = ("AgencyFeeName", "Amount", "AmountIsPercent", "CalculatedAmount")
CARRIER_FEE = ("QuoteID", "CarrierFeeID", "AmountIsPercent", "Amount")

#: The business type of a policy that renews nothing, even where it replaces another.
NEW_BUSINESS = "N"

#: The values of QQCatalyst's deletion flags when they are set.
SET = (True,)


def lines_of(policy: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a detail for each line of business of a policy whose account gives no details of it."""
    policy_id = id_text(policy.get("PolicyId"))
    for number, line in enumerate(objects_in(policy.get("LOBList")), start=1):
        own_id = f"policy:{policy_id}:{number}" if number > 1 else f"policy:{policy_id}"
        yield {"PolicyId": policy_id, "PolicyDetailsID": own_id, "LOBList": [line]}


def of_line(key: str, *own: str) -> FirstOf:
    """Return the source of a fact about a detail's line of business: its list, that of its policy, its own fields."""
    return first_of(f"LOBList.0.{key}", f"_parent.LOBList.0.{key}", *own)


def detail_id(detail: Mapping[str, Any]) -> Any:
    """Return the source id of a policy detail: its own, else `policy:<PolicyId>`."""
    own = detail.get("PolicyDetailsID")
    return own if is_record_id(own) else f"policy:{id_text(POLICY_ID(detail))}"


def pending_application(policy: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the application that a policy represents until it is issued."""
    if clean_code(policy.get("Status")) == PENDING and not is_deleted(policy):
        yield {
            "ApplicationID": f"policy:{id_text(policy.get('PolicyId'))}",
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
    """Yield the renewal in a policy's detail: it has a prior term, is not deleted, and is not called new business."""
    policy = detail.get("_parent")
    if not isinstance(policy, Mapping) or is_deleted(policy) or clean_code(detail.get("BusinessType")) == NEW_BUSINESS:
        return
    if is_record_id(policy.get("PriorPolicyID")):
        carried = ("PolicyId", "PriorPolicyID", "CustomerId", "EffectiveDate", "TotalPremium")
        yield {key: policy.get(key) for key in carried} | {
            key: detail.get(key) for key in ("BusinessType", "BinderDate")
        }


def is_deleted(policy: Mapping[str, Any]) -> bool:
    """Return whether a policy's record is marked deleted."""
    return is_flagged(policy, Policy.deletion_mark)


def is_bound(renewal: Mapping[str, Any]) -> bool:
    """Return whether a renewal is bound: otherwise it is a shell that QQCatalyst made automatically."""
    return not is_blank(renewal.get("BinderDate"))


class Policy(Model):
    """One term of an insurance policy; each renewal is a policy of its own."""

    __tablename__ = "policies"
    keeps_history = True
    label = "policy_number"
    unique_columns = ("source_id", "policy_number")
    #: Without a list of pending entries: every look-up would read it whole.
    __table_args__ = (
        Index(
            "ix_policies_producer_ids", "producer_ids", postgresql_using="gin", postgresql_with={"fastupdate": "off"}
        ),
        Index("ix_policies_policy_number_key", text(key_of("policy_number"))),
    )
    deletion_mark = (("Status", (DELETED,)), ("IsDeleted", SET))
    searched_columns = ("policy_number", "expiration_date")

    contact_id: Mapped[UUID | None] = field("CustomerId", Reference("contacts", label="CustomerName"), REQUIRED)
    carrier_id: Mapped[UUID | None] = field("CarrierId", Reference("carriers", label="WritingCarrier"))
    mga_id: Mapped[UUID | None] = field("MGAId", Reference("carriers", label="MGA"))
    mga_source_id: Mapped[str | None] = field("MGAId", SourceId())
    prior_policy_id: Mapped[UUID | None] = field("PriorPolicyID", Reference("policies"))
    policy_number: Mapped[str | None] = field("PolicyNumber", Text(), EXPECTED)
    status: Mapped[str | None] = field("Status", POLICY_STATUS, REQUIRED)
    effective_date: Mapped[date | None] = field("EffectiveDate", Date(), EXPECTED)
    #: Not expected: a continuous policy has none.
    expiration_date: Mapped[date | None] = field("ExpirationDate", Date())
    term: Mapped[str | None] = field("Term", POLICY_TERM)
    line_of_business: Mapped[str | None] = field("LOB", Text())
    lob_id: Mapped[str | None] = field("LOBId", SourceId())
    lob_code: Mapped[str | None] = field("LOBList.0.Code", Word())
    acord_code: Mapped[str | None] = field("LOBList.0.AcordCode", Word())
    lines_of_business: Mapped[Any | None] = field("LOBList", Json(LINE))
    policy_type: Mapped[str | None] = field("PolicyType", Word())
    package_type: Mapped[str | None] = field("PackageType", Word())
    total_premium: Mapped[Decimal | None] = field("TotalPremium", Money())
    description: Mapped[str | None] = field("Description", Text(lines=True), personal=True)
    customer_name: Mapped[str | None] = field("CustomerName", Text(placeholders=True), personal=True)
    agent_name: Mapped[str | None] = field("AgentName", Text(placeholders=True), personal=True)
    writing_carrier: Mapped[str | None] = field("WritingCarrier", Text(placeholders=True))
    mga: Mapped[str | None] = field("MGA", Text(placeholders=True))
    producer_ids: Mapped[list[str] | None] = field("ProducerIDs", TextList())
    agency_fees: Mapped[Any | None] = field("PolicyAgencyFees", Json(AGENCY_FEE))
    is_deleted: Mapped[bool | None] = field("IsDeleted", Boolean())
    has_been_modified: Mapped[bool | None] = field("HasBeenModified", Boolean())


class PolicyDetail(Model):
    """A line of business of a policy, with who handles it and how it is billed."""

    __tablename__ = "policy_details"
    keeps_history = True

    policy_id: Mapped[UUID | None] = field(POLICY_ID, Reference("policies"), REQUIRED)
    line_of_business: Mapped[str | None] = field(of_line("Name", "LOB"), Text())
    lob_id: Mapped[str | None] = field(of_line("ID", "LOBID"), SourceId())
    lob_code: Mapped[str | None] = field(of_line("Code"), Word())
    acord_code: Mapped[str | None] = field(of_line("AcordCode"), Word())
    internal_code: Mapped[str | None] = field(of_line("InternalCode"), Word())
    has_details: Mapped[bool | None] = field(of_line("HasDetails"), Boolean())
    is_package: Mapped[bool | None] = field(of_line("IsPackage"), Boolean())
    details_group: Mapped[str | None] = field(of_line("LOBDetailsGroup"), Text())
    subline: Mapped[str | None] = field("SublineName", Text())
    policy_class: Mapped[str | None] = field("PolicyClass", Text())
    business_type: Mapped[str | None] = field("BusinessType", BUSINESS_TYPE)
    binder_date: Mapped[date | None] = field("BinderDate", Date())
    binder_number: Mapped[str | None] = field("BinderNumber", Text())
    agent_id: Mapped[UUID | None] = field(AGENT_ID, Reference("employees", label=AGENT_NAME))
    agent_name: Mapped[str | None] = field(AGENT_NAME, Text(placeholders=True), personal=True)
    csr_id: Mapped[UUID | None] = field(CSR_ID, Reference("employees", label=CSR_NAME))
    csr_name: Mapped[str | None] = field(CSR_NAME, Text(placeholders=True), personal=True)
    location_id: Mapped[UUID | None] = field("LocationID", Reference("locations"))
    department_id: Mapped[UUID | None] = field("DepartmentID", Reference("departments"))
    non_renewal: Mapped[bool | None] = field("NonRenewal", Boolean())
    reinstated: Mapped[bool | None] = field("Reinstated", Boolean())
    is_pending: Mapped[bool | None] = field("isPending", Boolean())
    period: Mapped[str | None] = field("Period", Text())
    premium_sent: Mapped[Decimal | None] = field("PremiumSent", Money())
    policy_source: Mapped[str | None] = field("PolicySource", Text())
    policy_source_details: Mapped[str | None] = field("PolicySourceDetails", Text())
    carrier_naic: Mapped[str | None] = field(first_of("CarrierNAIC", "WritingCarrierNAIC"), SourceId())
    parent_carrier: Mapped[str | None] = field("ParentCarrier", Text(placeholders=True))
    description: Mapped[str | None] = field("Description", Text(lines=True), personal=True)
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

    policy_id: Mapped[UUID | None] = field(first_of("PolicyID", "_parent.PolicyId"), Reference("policies"), REQUIRED)
    carrier_id: Mapped[UUID | None] = field("CarrierID", Reference("carriers"))
    mga_id: Mapped[UUID | None] = field("MGAID", Reference("carriers"))
    mga_source_id: Mapped[str | None] = field("MGAID", SourceId())
    quoted_by_id: Mapped[UUID | None] = field("QuotedByID", Reference("employees"))
    quote_number: Mapped[str | None] = field("QuoteNumber", Text())
    status: Mapped[str | None] = field("QuoteStatus", Word(), REQUIRED)
    sub_status: Mapped[str | None] = field("QuoteSubStatus", Word())
    quote_type: Mapped[str | None] = field("QuoteType", Word())
    quote_date: Mapped[date | None] = field("QuoteDate", Date())
    expiration_date: Mapped[date | None] = field("QuoteExpirationDate", Date())
    base_premium: Mapped[Decimal | None] = field("BasePremium", Money())
    conditions: Mapped[str | None] = field("Conditions", Text(lines=True), personal=True)
    preferred: Mapped[bool | None] = field("Preferred", Boolean())
    carrier_fees: Mapped[Any | None] = field("QuoteCarrierFees", Json(CARRIER_FEE))
    is_deleted: Mapped[bool | None] = field("IsDeleted", Boolean())


class Application(Model):
    """A request for cover, sent to a carrier; pending policies are used if an account offers no applications."""

    __tablename__ = "applications"
    label = "application_number"
    unique_columns = ("source_id", "quote_id")

    quote_id: Mapped[UUID | None] = field("QuoteID", Reference("quotes"))
    policy_id: Mapped[UUID | None] = field("PolicyID", Reference("policies"))
    contact_id: Mapped[UUID | None] = field("CustomerID", Reference("contacts"), REQUIRED)
    carrier_id: Mapped[UUID | None] = field("CarrierID", Reference("carriers"))
    application_number: Mapped[str | None] = field("ApplicationNumber", Text())
    status: Mapped[str | None] = field("Status", APPLICATION_STATUS, REQUIRED)
    line_of_business: Mapped[str | None] = field("LOB", Text())
    requested_effective_date: Mapped[date | None] = field("RequestedEffectiveDate", Date())
    submitted_on: Mapped[date | None] = field("SubmittedOn", Date())
    decision_on: Mapped[date | None] = field("DecisionOn", Date())
    estimated_premium: Mapped[Decimal | None] = field("EstimatedPremium", Money())


class Renewal(Model):
    """A policy that renews a prior term; confirmed once it is bound, since QQCatalyst makes shells automatically."""

    __tablename__ = "renewals"
    unique_columns = ("source_id", "policy_id")

    policy_id: Mapped[UUID | None] = field("PolicyId", Reference("policies"), REQUIRED)
    prior_policy_id: Mapped[UUID | None] = field("PriorPolicyID", Reference("policies"), REQUIRED)
    contact_id: Mapped[UUID | None] = field("CustomerId", Reference("contacts"))
    business_type: Mapped[str | None] = field("BusinessType", BUSINESS_TYPE)
    binder_date: Mapped[date | None] = field("BinderDate", Date())
    is_confirmed: Mapped[bool | None] = field(is_bound, Boolean())
    prior_premium: Mapped[Decimal | None] = computed(Money().column_type)
    renewal_premium: Mapped[Decimal | None] = field("TotalPremium", Money())
    premium_change: Mapped[Decimal | None] = computed(Money().column_type)
    effective_date: Mapped[date | None] = field("EffectiveDate", Date())


class Adjustment(Model):
    """A change of a policy after it began: a cancellation, an endorsement or another change."""

    __tablename__ = "adjustments"

    policy_id: Mapped[UUID | None] = field(POLICY_ID, Reference("policies"), REQUIRED)
    adjustment_type: Mapped[str | None] = field("AdjustmentType", ADJUSTMENT_TYPE, EXPECTED)
    adjusted_on: Mapped[date | None] = field("AdjustmentDate", Date(), EXPECTED)
    reasons: Mapped[list[str] | None] = field(REASONS, TextList())
    reason_ids: Mapped[list[str] | None] = field(REASON_IDS, TextList())
    premium_change: Mapped[Decimal | None] = field("PremiumChange", Money())
    commission_change: Mapped[Decimal | None] = field("CommissionChange", Money())
    premium_due_to_agency: Mapped[Decimal | None] = field("PremiumDueToAgency", Money())
    carrier_fees_amount: Mapped[Decimal | None] = field("CarrierFeesAmount", Money())
    carrier_fees_commission: Mapped[Decimal | None] = field("CarrierFeesCommissionAmount", Money())
    csr_id: Mapped[UUID | None] = field("CSRId", Reference("employees"))
    endorsement_number: Mapped[str | None] = field("EndorsementNumber", Text())
    endorsement_status: Mapped[str | None] = field("EndorsementStatus", Word())
    days_lapsed: Mapped[int | None] = field("DaysLapsed", Integer())
    remarks: Mapped[str | None] = field("Remarks", Text(lines=True), personal=True)


class Termination(Model):
    """The cancellation of a policy: an adjustment of type C. Of several of one policy, the last one is current."""

    __tablename__ = "terminations"
    unique_columns = ("source_id", "policy_id")

    policy_id: Mapped[UUID | None] = field(POLICY_ID, Reference("policies"), REQUIRED)
    contact_id: Mapped[UUID | None] = field("_parent.CustomerId", Reference("contacts"))
    adjustment_id: Mapped[UUID | None] = field("AdjustmentId", Reference("adjustments"))
    adjustment_type: Mapped[str | None] = field("AdjustmentType", ADJUSTMENT_TYPE)
    is_current: Mapped[bool | None] = computed(Boolean().column_type)
    termination_date: Mapped[date | None] = field("AdjustmentDate", Date(), EXPECTED)
    #: The API has no such date; the column is kept for existing queries.
    effective_date: Mapped[date | None] = computed(Date().column_type)
    reason_id: Mapped[str | None] = field(first_reason_id, SourceId())
    reason: Mapped[str | None] = field(joined_reasons, Text())
    return_premium: Mapped[Decimal | None] = field("ReturnPremium", Money())
