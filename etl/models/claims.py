"""Claims: losses reported under a policy."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped

from etl.models.base import EXPECTED, REQUIRED, Model, field
from etl.models.codes import CLAIM_STATUS
from etl.values import Date, Email, Money, Phone, Reference, State, Text, Zip


class Claim(Model):
    """A loss that was reported under a policy, and what the carrier reserved and paid for it."""

    __tablename__ = "claims"
    label = "claim_number"
    unique_columns = ("source_id", "claim_number")
    deletion_mark = (("Status", ("D",)),)
    searched_columns = ("claim_number",)

    policy_id: Mapped[UUID | None] = field("PolicyID", Reference("policies"), REQUIRED)
    contact_id: Mapped[UUID | None] = field("CustomerID", Reference("contacts"))
    claim_number: Mapped[str | None] = field("ClaimNumber", Text(), EXPECTED)
    carrier_claim_number: Mapped[str | None] = field("CarrierClaimNumber", Text())
    date_of_loss: Mapped[date | None] = field("DateOfLoss", Date(), EXPECTED)
    date_reported: Mapped[date | None] = field("DateReported", Date())
    date_closed: Mapped[date | None] = field("DateClosed", Date())
    status: Mapped[str | None] = field("Status", CLAIM_STATUS, REQUIRED)
    loss_type: Mapped[str | None] = field("LossType", Text())
    description: Mapped[str | None] = field("Description", Text(lines=True), personal=True)
    amount_reserved: Mapped[Decimal | None] = field("AmountReserved", Money())
    amount_paid: Mapped[Decimal | None] = field("AmountPaid", Money())
    adjuster_name: Mapped[str | None] = field("AdjusterName", Text(placeholders=True), personal=True)
    adjuster_phone: Mapped[str | None] = field("AdjusterPhone", Phone(), personal=True)
    adjuster_email: Mapped[str | None] = field("AdjusterEmail", Email(), personal=True)
    loss_line1: Mapped[str | None] = field("LossLine1", Text(placeholders=True), personal=True)
    loss_city: Mapped[str | None] = field("LossCity", Text(placeholders=True))
    loss_state: Mapped[str | None] = field("LossState", State())
    loss_zip: Mapped[str | None] = field("LossZip", Zip())
