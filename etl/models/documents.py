"""Documents: customer documents and ACORD forms."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from etl.models.base import EXPECTED, REQUIRED, DataSource, Model, field
from etl.models.sources import first_of, is_record_id
from etl.values import Boolean, Integer, Json, Reference, SourceId, State, Text, TextList, Timestamp, Uuid, Word

#: The files of a customer: what the list of images says too, and more.
FILES = DataSource("files", is_fallback=True)

#: A filled form is XML or JSON of many pages.
LONGEST_FORM = 2_000_000
#: The column of a file size is large enough for any file.
MOST_BYTES = 2**53

#: The keys of AcordFormLossPayees[].
LOSS_PAYEE = (
    "AcordLossPayeeID", "AcordFormID", "OriginalLossPayeeID", "Name", "PayeeType", "Line1", "Line2", "City", "State",
    "County", "Zip", "Data", "AcordDescription", "Email", "LoanNumber", "IsMortgagee",
)  # fmt: skip


def is_signed(form: Mapping[str, Any]) -> bool:
    """Return whether a form is signed."""
    return is_record_id(form.get("SignatureID"))


class Document(Model):
    """A document in a customer's file."""

    __tablename__ = "documents"
    label = "title"

    contact_id: Mapped[UUID | None] = field("_parent.EntityID", Reference("contacts"), REQUIRED)
    title: Mapped[str | None] = field(first_of("Title", "DisplayName", "FileName"), Text(), EXPECTED, personal=True)
    document_type: Mapped[str | None] = field(first_of("Type", "FileType"), Text())
    added_by: Mapped[str | None] = field(first_of("AddedBy", "CreatedBy"), Text(placeholders=True), personal=True)
    added_on: Mapped[datetime | None] = field(first_of("DateAdded", "DateAddedFormated", "CreatedOn"), Timestamp())
    policy_numbers: Mapped[list[str] | None] = field("PolicyNumbers", TextList())
    selected: Mapped[bool | None] = field("Selected", Boolean())
    file_name: Mapped[str | None] = field("FileName", Text(), personal=True, data_source=FILES)
    file_size: Mapped[int | None] = field("FileSize", Integer(0, MOST_BYTES), data_source=FILES)
    category: Mapped[str | None] = field("CategoryDescriptor", Text(), data_source=FILES)
    description: Mapped[str | None] = field("Description", Text(lines=True), personal=True, data_source=FILES)
    related_policy_ids: Mapped[list[str] | None] = field("RelatedPolicyIDs", TextList(), data_source=FILES)
    file_relation: Mapped[str | None] = field("FileRelation", Word(), data_source=FILES)
    added_by_id: Mapped[UUID | None] = field("CreatedById", Reference("employees"), data_source=FILES)
    active: Mapped[bool | None] = field("Active", Boolean(), data_source=FILES)
    app_created: Mapped[bool | None] = field("AppCreated", Boolean(), data_source=FILES)
    read_only: Mapped[bool | None] = field("Readonly", Boolean(), data_source=FILES)
    usage_code: Mapped[str | None] = field("UsageCode", Text(), data_source=FILES)
    folder_id: Mapped[str | None] = field("FolderId", SourceId(), data_source=FILES)
    tags: Mapped[Any | None] = field("Tags", Json(), personal=True, data_source=FILES)


class AcordForm(Model):
    """A filled ACORD form of a customer, perhaps of one policy."""

    __tablename__ = "acord_forms"
    label = "form_number"
    unique_columns = ("source_id", "api_form_id")

    contact_id: Mapped[UUID | None] = field(first_of("CustomerID", "_parent.EntityID"), Reference("contacts"))
    policy_id: Mapped[UUID | None] = field("PolicyID", Reference("policies"))
    api_form_id: Mapped[str | None] = field("AcordFormID", SourceId(), EXPECTED)
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
