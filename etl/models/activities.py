"""Activities: notes and tasks about customers and policies, and endorsements of policies."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from etl.models.base import EXPECTED, REQUIRED, DataSource, Model, field
from etl.models.sources import digest_of, first_of, is_blank
from etl.values import Boolean, Date, Json, Money, Reference, SourceId, Text, Timestamp, Word

#: The notes of a policy; those of the customer come first.
POLICY_NOTES = DataSource("policy_notes", is_fallback=True)

#: The fields of tasks are assumed; so is the name of their id.
TASK_ID = first_of("Id", "TaskID")

ENDORSED_POLICY = first_of("PolicyId", "_parent.PolicyId")
ENDORSED_ON = first_of("EndorsementEffectiveDate", "_parent.EndorsementEffectiveDate")


def endorsement_id(endorsement: Mapping[str, Any]) -> str | None:
    """Return the source id of an endorsement, which has none: `<PolicyId>:<date>:<digest of its fields>`."""
    policy, effective = ENDORSED_POLICY(endorsement), Date().clean(ENDORSED_ON(endorsement))
    if is_blank(policy) or not isinstance(effective, date):
        return None
    fields = sorted((name, str(value)) for name, value in endorsement.items() if name != "_parent")
    return f"{policy}:{effective:%Y-%m-%d}:{digest_of(tuple(fields))}"


class Note(Model):
    """A note that the agency wrote about a customer, perhaps about one of its policies."""

    __tablename__ = "notes"

    contact_id: Mapped[UUID | None] = field(
        first_of("AssignedContactId", "_parent.EntityID", "_parent.CustomerId"), Reference("contacts"), REQUIRED
    )
    policy_id: Mapped[UUID | None] = field(first_of("AssignedPolicyId", "_parent.PolicyId"), Reference("policies"))
    comment: Mapped[str | None] = field("Comment", Text(lines=True), EXPECTED, personal=True)
    employee_id: Mapped[UUID | None] = field("EmployeeId", Reference("employees"))
    created_by: Mapped[str | None] = field("CreatedBy", Text(placeholders=True), personal=True)
    created_on: Mapped[datetime | None] = field("CreatedOn", Timestamp())
    modified_by: Mapped[str | None] = field("ModifiedBy", Text(placeholders=True), personal=True)
    modified_on: Mapped[datetime | None] = field("ModifiedAt", Timestamp())
    #: The id of the note that this one answers or continues.
    parent_note_id: Mapped[str | None] = field("ParentId", SourceId())
    important: Mapped[bool | None] = field("Important", Boolean())
    is_pinned: Mapped[bool | None] = field("IsPinned", Boolean())
    related_notes: Mapped[Any | None] = field("RelatedNotes", Json(), personal=True)
    note_histories: Mapped[Any | None] = field("NotesHistories", Json(), personal=True)
    bulk_insert_id: Mapped[str | None] = field("BulkInsertId", SourceId())
    bulk_insert_session_id: Mapped[str | None] = field("BulkInsertSessionId", SourceId())


class Task(Model):
    """A task of an employee about a customer, perhaps about one of its policies."""

    __tablename__ = "tasks"

    contact_id: Mapped[UUID | None] = field(first_of("ContactId", "_parent.EntityID"), Reference("contacts"), REQUIRED)
    policy_id: Mapped[UUID | None] = field("PolicyId", Reference("policies"))
    subject: Mapped[str | None] = field("Subject", Text(), EXPECTED, personal=True)
    description: Mapped[str | None] = field("Description", Text(lines=True), personal=True)
    status: Mapped[str | None] = field("Status", Word())
    priority: Mapped[str | None] = field("Priority", Word())
    due_date: Mapped[date | None] = field("DueDate", Date())
    completed_on: Mapped[datetime | None] = field("CompletedOn", Timestamp())
    assigned_to_id: Mapped[UUID | None] = field("AssignedToId", Reference("employees"))
    assigned_to: Mapped[str | None] = field("AssignedTo", Text(placeholders=True), personal=True)
    created_by: Mapped[str | None] = field("CreatedBy", Text(placeholders=True), personal=True)
    created_on: Mapped[datetime | None] = field("CreatedOn", Timestamp())


class Endorsement(Model):
    """A change of premium by an endorsement of a policy, as the enterprise feed lists it."""

    __tablename__ = "endorsements"

    policy_id: Mapped[UUID | None] = field(ENDORSED_POLICY, Reference("policies"), REQUIRED)
    contact_id: Mapped[UUID | None] = field("CustomerId", Reference("contacts"))
    agency_id: Mapped[UUID | None] = field("_parent.QQTenantID", Reference("agencies"))
    effective_date: Mapped[date | None] = field(ENDORSED_ON, Date(), EXPECTED)
    amount: Mapped[Decimal | None] = field("EndorsementAmount", Money(), EXPECTED)
    policy_number: Mapped[str | None] = field("PolicyNumber", Text())
    policy_effective_date: Mapped[date | None] = field("PolicyEffectiveDate", Date())
    line_of_business: Mapped[str | None] = field("Lob", Text())
    carrier: Mapped[str | None] = field("Carrier", Text(placeholders=True))
    customer_number: Mapped[str | None] = field("CustomerNo", Text())
    customer_name: Mapped[str | None] = field("CustomerName", Text(placeholders=True), personal=True)
    office_name: Mapped[str | None] = field("OfficeName", Text())
    office_alias: Mapped[str | None] = field("OfficeAlias", Text())
    binder_date: Mapped[date | None] = field("BinderDate", Date())
    binder_number: Mapped[str | None] = field("BinderNumber", Text())
    financed_option: Mapped[str | None] = field("FinancedOption", Text())
    csr_name: Mapped[str | None] = field("CsrOnEndorsement", Text(placeholders=True), personal=True)
