"""Documents: customer documents and ACORD forms."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from etl.models.base import Model, field
from etl.models.sources import first_of, names_one
from etl.values import Boolean, Json, Reference, SourceId, State, Text, TextList, Timestamp, Uuid, Word

#: A filled form is XML or JSON of many pages.
LONGEST_FORM = 2_000_000

#: The keys of AcordFormLossPayees[].
LOSS_PAYEE = (
    "AcordLossPayeeID", "AcordFormID", "OriginalLossPayeeID", "Name", "PayeeType", "Line1", "Line2", "City", "State",
    "County", "Zip", "Data", "AcordDescription", "Email", "LoanNumber", "IsMortgagee",
)  # fmt: skip


def is_signed(form: Mapping[str, Any]) -> bool:
    """Return whether a form is signed."""
    return names_one(form.get("SignatureID"))


class Document(Model):
    """A document in a customer's file."""

    __tablename__ = "documents"
    label = "title"

    contact_id: Mapped[UUID | None] = field("_parent.EntityID", Reference("contacts"), required=True)
    title: Mapped[str | None] = field("Title", Text(), expected=True, personal=True)
    document_type: Mapped[str | None] = field("Type", Text())
    added_by: Mapped[str | None] = field("AddedBy", Text(placeholders=True), personal=True)
    added_on: Mapped[datetime | None] = field(first_of("DateAdded", "DateAddedFormated"), Timestamp())
    policy_numbers: Mapped[list[str] | None] = field("PolicyNumbers", TextList())
    selected: Mapped[bool | None] = field("Selected", Boolean())


class AcordForm(Model):
    """A filled ACORD form of a customer, perhaps of one policy."""

    __tablename__ = "acord_forms"
    label = "form_number"
    unique_columns = ("source_id", "api_form_id")

    contact_id: Mapped[UUID | None] = field(first_of("CustomerID", "_parent.EntityID"), Reference("contacts"))
    policy_id: Mapped[UUID | None] = field("PolicyID", Reference("policies"))
    api_form_id: Mapped[str | None] = field("AcordFormID", SourceId(), expected=True)
    template_id: Mapped[UUID | None] = field("AcordTemplateID", Uuid())
    endorsement_id: Mapped[str | None] = field("EndorsementID", SourceId())
    form_number: Mapped[str | None] = field("FormNumber", Word())
    edition_date: Mapped[str | None] = field("EditionDate", Word())
    state: Mapped[str | None] = field("State", State())
    description: Mapped[str | None] = field("Description", Text(lines=True), personal=True)
    signed: Mapped[bool | None] = field(is_signed, Boolean())
    signature_id: Mapped[str | None] = field("SignatureID", SourceId())
    locked: Mapped[bool | None] = field("Locked", Boolean())
    locked_on: Mapped[datetime | None] = field("LockedDate", Timestamp())
    locked_method: Mapped[str | None] = field("LockedMethod", Word())
    created_on: Mapped[datetime | None] = field("CreatedOn", Timestamp())
    created_by_id: Mapped[UUID | None] = field("CreatedBy", Reference("employees"))
    multiple_loss_payees: Mapped[bool | None] = field("MultipleLossPayees", Boolean())
    loss_payees: Mapped[Any | None] = field("AcordFormLossPayees", Json(LOSS_PAYEE), personal=True)
    form_data: Mapped[str | None] = field("Data", Text(lines=True, max_length=LONGEST_FORM), personal=True)
