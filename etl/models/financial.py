"""Financial data: billing records, commission rules, commissions, fees."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from etl.models.adjustments import POLICY_ID, adjustment_id
from etl.models.base import EXPECTED, REQUIRED, Model, field
from etl.models.codes import BUSINESS_TYPE, COMMISSION_STATUS, COMMISSION_TRANSACTION
from etl.models.sources import first_of, id_text, is_blank, is_record_id, objects_in, value_at
from etl.values import (
    Boolean,
    Date,
    Decimals,
    Integer,
    Money,
    Percent,
    Reference,
    SourceId,
    Text,
    TextList,
    Timestamp,
    Word,
)

#: Where the number of a commission rule may be: nobody has published an item of that list.
RULE_NUMBER = first_of("CommissionRuleID", "RuleID", "AgencyRuleID", "ProducerRuleID", "ID")

#: Where a commission comes from: the feed of commissions, or an adjustment where the account offers no such feed.
FEED, ADJUSTMENT = "feed", "adjustment"

#: The status of a commission from an adjustment: the source has no status.
ADJUSTMENT_STATUS = "ADJ"

#: Who charges a fee.
AGENCY, CARRIER = "agency", "carrier"


def rule_id(rule: Mapping[str, Any]) -> str | None:
    """Return the source id of a commission rule: its kind and its number, since each kind counts for itself."""
    number = RULE_NUMBER(rule)
    return f"{value_at(rule, '_call.kind')}:{number}" if is_record_id(number) else None


def agency_rule(commission: Mapping[str, Any]) -> str | None:
    """Return the source id of a commission's rule: one of the agency's, since carriers pay the amounts."""
    number = commission.get("CommissionRuleID")
    return f"{AGENCY}:{number}" if is_record_id(number) else None


def commissions_among(adjustment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the commission in an adjustment, if it changes one."""
    change = Money().clean(adjustment.get("CommissionChange"))
    if isinstance(change, Decimal) and change and is_record_id(number := adjustment_id(adjustment)):
        yield {
            "CommissionID": f"adjustment:{id_text(number)}",
            "PolicyID": POLICY_ID(adjustment),
            "TransactionType": adjustment.get("AdjustmentType"),
            "TransactionDate": adjustment.get("AdjustmentDate"),
            "Premium": adjustment.get("PremiumChange"),
            "Amount": adjustment.get("CommissionChange"),
            "Status": ADJUSTMENT_STATUS,
            "Origin": ADJUSTMENT,
        }


def origin(commission: Mapping[str, Any]) -> str:
    """Return `feed`, or `adjustment` for a commission from an adjustment."""
    return ADJUSTMENT if commission.get("Origin") == ADJUSTMENT else FEED


def agency_fees(policy: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the agency's fees of a policy; a repeated name gets a number."""
    seen: Counter[str] = Counter()
    for fee in objects_in(policy.get("PolicyAgencyFees")):
        name = " ".join(str(fee.get("AgencyFeeName") or "unnamed").split())
        seen[name] += 1
        again = f":{seen[name]}" if seen[name] > 1 else ""
        own_id = f"policy:{id_text(policy.get('PolicyId'))}:{name}{again}"
        yield {**fee, "FeeID": own_id, "FeeType": AGENCY, "PolicyID": policy.get("PolicyId")}


def carrier_fees(quote: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the carrier's fees of a quote."""
    quote_id, policy_id = quote.get("QuoteID"), first_of("PolicyID", "_parent.PolicyId")(quote)
    for fee in objects_in(quote.get("QuoteCarrierFees")):
        number = id_text(fee.get("CarrierFeeID"))
        own_id = None if number is None else f"quote:{id_text(quote_id)}:{number}"
        yield {**fee, "FeeID": own_id, "FeeType": CARRIER, "PolicyID": policy_id, "QuoteID": quote_id}


def fee_name(fee: Mapping[str, Any]) -> Any:
    """Return a fee's name; a carrier's fee has only its number."""
    name = fee.get("AgencyFeeName")
    number = fee.get("CarrierFeeID")
    return f"Carrier fee {number}" if is_blank(name) and is_record_id(number) else name


class BillingRecord(Model):
    """A line of a customer's account with the agency: an invoice, a payment or a credit."""

    __tablename__ = "billing_records"
    unique_columns = ("source_id", "billing_date", "contact_id")
    #: Without a list of pending entries, which every look-up would read completely: 10 ms each after a large load.
    __table_args__ = (
        Index(
            "ix_billing_records_policy_ids",
            "policy_ids",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
    )

    contact_id: Mapped[UUID | None] = field("ContactId", Reference("contacts"), REQUIRED)
    location_id: Mapped[UUID | None] = field("LocationId", Reference("locations"))
    policy_ids: Mapped[list[str] | None] = field("PolicyIds", TextList())
    policy_number: Mapped[str | None] = field("PolicyNumber", Text())
    created_by_id: Mapped[UUID | None] = field("CreatedById", Reference("employees"))
    billing_date: Mapped[date | None] = field("TransactionDate", Date(), EXPECTED)
    transacted_at: Mapped[datetime | None] = field("TransactionDate", Timestamp())
    due_date: Mapped[date | None] = field("DueDate", Date())
    payment_type: Mapped[str | None] = field("PaymentType", Word())
    is_payment: Mapped[bool | None] = field("IsPayment", Boolean())
    is_credit: Mapped[bool | None] = field("IsCredit", Boolean())
    is_voided: Mapped[bool | None] = field("IsVoided", Boolean())
    dbcd: Mapped[bool | None] = field("DBCD", Boolean())
    amount: Mapped[Decimal | None] = field("Amount", Money())
    due: Mapped[Decimal | None] = field("Due", Money())
    paid: Mapped[Decimal | None] = field("Paid", Money())
    description: Mapped[str | None] = field("Description", Text(lines=True), personal=True)
    pdf_id: Mapped[str | None] = field("PdfId", SourceId())
    sync_status: Mapped[int | None] = field("SyncStatus", Integer())
    error_message: Mapped[str | None] = field("ErrorMessage", Text(lines=True), personal=True)


class CommissionRule(Model):
    """What the agency gets from a carrier, or a producer from the agency, for business of one sort."""

    __tablename__ = "commission_rules"

    kind: Mapped[str | None] = field("_call.kind", Word(), EXPECTED)
    location_id: Mapped[UUID | None] = field("OfficeId", Reference("locations"))
    carrier_id: Mapped[UUID | None] = field("CarrierId", Reference("carriers"))
    mga_id: Mapped[UUID | None] = field("MgaId", Reference("carriers"))
    mga_source_id: Mapped[str | None] = field("MgaId", SourceId())
    lob_id: Mapped[str | None] = field("LobId", SourceId())
    term: Mapped[int | None] = field("Term", Integer())
    business_type: Mapped[str | None] = field("BusinessType", BUSINESS_TYPE)
    producer_id: Mapped[UUID | None] = field("ProducerID", Reference("employees"))
    rate: Mapped[Decimal | None] = field("Rate", Percent(), EXPECTED)
    is_percent: Mapped[bool | None] = field("AmountIsPercent", Boolean())
    effective_on: Mapped[date | None] = field("EffectiveOn", Date(), EXPECTED)
    expires_on: Mapped[date | None] = field("ExpiresOn", Date())


class Commission(Model):
    """A commission that was earned on a transaction of a policy."""

    __tablename__ = "commissions"
    unique_columns = ("source_id", "policy_id")

    policy_id: Mapped[UUID | None] = field("PolicyID", Reference("policies"), REQUIRED)
    carrier_id: Mapped[UUID | None] = field("CarrierID", Reference("carriers"))
    producer_id: Mapped[UUID | None] = field("ProducerID", Reference("employees"))
    rule_id: Mapped[UUID | None] = field(agency_rule, Reference("commission_rules"))
    transaction_type: Mapped[str | None] = field("TransactionType", COMMISSION_TRANSACTION)
    transaction_date: Mapped[date | None] = field("TransactionDate", Date(), EXPECTED)
    statement_date: Mapped[date | None] = field("StatementDate", Date())
    premium: Mapped[Decimal | None] = field("Premium", Money())
    rate: Mapped[Decimal | None] = field("Rate", Percent())
    amount: Mapped[Decimal | None] = field("Amount", Money(), EXPECTED)
    status: Mapped[str | None] = field("Status", COMMISSION_STATUS, REQUIRED)
    origin: Mapped[str | None] = field(origin, Word())


class Fee(Model):
    """A fee on a policy: the agency's own, or one of the carrier whose quote was taken."""

    __tablename__ = "fees"
    label = "name"
    unique_columns = ("source_id", "policy_id", "fee_type")

    policy_id: Mapped[UUID | None] = field("PolicyID", Reference("policies"), REQUIRED)
    quote_id: Mapped[UUID | None] = field("QuoteID", Reference("quotes"))
    fee_type: Mapped[str | None] = field("FeeType", Word(), EXPECTED)
    name: Mapped[str | None] = field(fee_name, Text(), EXPECTED)
    carrier_fee_id: Mapped[str | None] = field("CarrierFeeID", SourceId())
    #: Four decimal places: two would truncate a fee that is a percentage.
    amount: Mapped[Decimal | None] = field("Amount", Decimals(15, 4), EXPECTED)
    is_percent: Mapped[bool | None] = field("AmountIsPercent", Boolean())
    calculated_amount: Mapped[Decimal | None] = field("CalculatedAmount", Money())
