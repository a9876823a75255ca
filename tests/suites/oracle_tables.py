"""The tables that the oracle covers: columns, references and parents."""

from collections.abc import Mapping
from dataclasses import dataclass

import oracle
from oracle import RowsOf


@dataclass(frozen=True)
class Table:
    """A table that the oracle covers: its name, resource, columns, and a function for its rows in a world.

    `references` maps columns to the tables that they refer to; `parent` is the reference to the record per which the
    rows are read in complete sets. If several entries cover one table, each has its own ids.
    """

    name: str
    resource: str
    columns: tuple[str, ...]
    references: Mapping[str, str]
    rows: RowsOf
    parent: str | None = None
    ids: str = "%"


TABLES: tuple[Table, ...] = (
    Table(
        "locations","locations", ("name", "qqid", "is_default"), {"agency_id": "agencies"}, oracle.locations),
    Table(
        "departments",
        "departments", ("name",), {"location_id": "locations", "manager_id": "employees"}, oracle.departments
    ),
    Table(
        "carriers","contacts", ("name", "is_mga"), {}, oracle.carriers),
    Table(
        "employees","contacts", ("status",), {"location_id": "locations"}, oracle.employees),
    Table(
        "contacts",
        "contacts", ("status", "customer_number", "contact_sub_type"), {"location_id": "locations"}, oracle.contacts
    ),
    Table(
        "policies",
        "policies",
        ("status", "policy_number", "total_premium", "effective_date", "expiration_date", "mga_source_id"),
        {"contact_id": "contacts", "carrier_id": "carriers", "mga_id": "carriers", "prior_policy_id": "policies"},
        oracle.policies,
    ),
    Table(
        "claims",
        "claims",
        ("status", "claim_number", "amount_reserved", "amount_paid", "date_closed"),
        {"policy_id": "policies", "contact_id": "contacts"},
        oracle.claims,
    ),
    Table(
        "applications",
        "applications",
        ("status", "application_number", "estimated_premium"),
        {"quote_id": "quotes", "policy_id": "policies", "contact_id": "contacts", "carrier_id": "carriers"},
        oracle.applications,
    ),
    Table(
        "billing_records",
        "billing_records",
        ("amount", "due", "paid", "is_voided", "sync_status", "billing_date"),
        {"contact_id": "contacts", "location_id": "locations", "created_by_id": "employees"},
        oracle.billing,
    ),
    Table(
        "commissions",
        "commissions",
        ("status", "premium", "rate", "amount", "statement_date"),
        {"policy_id": "policies", "carrier_id": "carriers", "producer_id": "employees", "rule_id": "commission_rules"},
        oracle.commissions,
    ),
    Table(
        "commission_rules",
        "commission_rules",
        ("kind", "rate", "lob_id", "effective_on", "expires_on"),
        {"carrier_id": "carriers", "producer_id": "employees", "location_id": "locations"},
        oracle.commission_rules,
    ),
    Table(
        "policy_details",
        "policy_details",
        ("business_type", "binder_number", "carrier_naic", "non_renewal", "premium_sent"),
        {
            "policy_id": "policies", "agent_id": "employees", "csr_id": "employees",
        },
        oracle.details,
        "policy_id",
    ),
    Table(
        "renewals",
        "policy_details",
        ("renewal_premium", "is_confirmed"),
        {"policy_id": "policies", "prior_policy_id": "policies", "contact_id": "contacts"},
        oracle.renewals,
        "policy_id",
    ),
    Table(
        "adjustments",
        "adjustments",
        (
            "adjustment_type", "adjusted_on", "premium_change", "commission_change", "endorsement_number",
            "days_lapsed",
        ),
        {"policy_id": "policies", "csr_id": "employees"},
        oracle.adjustments,
        "policy_id",
    ),
    Table(
        "terminations",
        "adjustments",
        ("return_premium", "termination_date", "reason_id", "reason", "is_current"),
        {"policy_id": "policies", "contact_id": "contacts", "adjustment_id": "adjustments"},
        oracle.terminations,
        "policy_id",
    ),
    Table(
        "quotes",
        "quotes",
        ("status", "base_premium", "preferred"),
        {"policy_id": "policies", "carrier_id": "carriers", "quoted_by_id": "employees"},
        oracle.quotes,
        "policy_id",
    ),
    Table(
        "coverages",
        "coverages",
        ("code", "limit1", "limit2", "deductible", "premium"),
        {"policy_id": "policies", "vehicle_id": "vehicles"},
        oracle.coverages,
        "policy_id",
    ),
    Table(
        "equipment", "equipment", ("value", "year", "deductible"), {"policy_id": "policies"}, oracle.equipment,
        "policy_id",
    ),
    Table(
        "drivers",
        "drivers",
        ("is_named_insured", "mvr_points"),
        {"policy_id": "policies", "contact_id": "contacts"},
        oracle.garaged("drivers", "DriverID", is_named_insured="IsNamedInsured", mvr_points="MVRPoints"),
        "policy_id",
    ),
    Table(
        "vehicles",
        "vehicles",
        ("year", "vin", "msrp", "actual_cash_value"),
        {"policy_id": "policies", "contact_id": "contacts"},
        oracle.garaged(
            "vehicles", "VehicleID", year="Year", vin="VIN", msrp="MSRP", actual_cash_value="ActualCashValue"
        ),
        "policy_id",
    ),
    Table(
        "documents","documents", ("document_type",), {"contact_id": "contacts"}, oracle.documents, "contact_id"),
    Table(
        "acord_forms",
        "acord_forms",
        ("form_number", "signature_id"),
        {"contact_id": "contacts", "policy_id": "policies"},
        oracle.forms,
        "contact_id",
    ),
    Table(
        "fees", "policies", ("fee_type", "amount", "calculated_amount"), {"policy_id": "policies"},
        oracle.agency_fees, "policy_id", ids="policy:%",
    ),
    Table(
        "fees", "quotes", ("fee_type", "amount", "calculated_amount"), {"policy_id": "policies"},
        oracle.carrier_fees, "policy_id", ids="quote:%",
    ),
)  # fmt: skip
