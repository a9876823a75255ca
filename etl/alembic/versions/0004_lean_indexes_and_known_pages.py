"""lean indexes and known pages"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

#: The columns that point to other tables, as they were at this revision.
REFERENCES = (
    ("locations", "agency_id"),
    ("departments", "location_id"),
    ("departments", "manager_id"),
    ("employees", "department_id"),
    ("employees", "location_id"),
    ("contacts", "location_id"),
    ("contacts", "agent_id"),
    ("contacts", "csr_id"),
    ("contacts", "office_id"),
    ("contacts", "opened_by_id"),
    ("carriers", "parent_carrier_id"),
    ("policies", "contact_id"),
    ("policies", "carrier_id"),
    ("policies", "prior_policy_id"),
    ("policy_details", "policy_id"),
    ("policy_details", "agent_id"),
    ("policy_details", "csr_id"),
    ("policy_details", "location_id"),
    ("policy_details", "department_id"),
    ("quotes", "policy_id"),
    ("quotes", "carrier_id"),
    ("quotes", "quoted_by_id"),
    ("applications", "quote_id"),
    ("applications", "policy_id"),
    ("applications", "contact_id"),
    ("applications", "carrier_id"),
    ("renewals", "policy_id"),
    ("renewals", "prior_policy_id"),
    ("renewals", "contact_id"),
    ("terminations", "policy_id"),
    ("terminations", "contact_id"),
    ("drivers", "policy_id"),
    ("drivers", "contact_id"),
    ("drivers", "agency_id"),
    ("vehicles", "policy_id"),
    ("vehicles", "contact_id"),
    ("vehicles", "agency_id"),
    ("coverages", "policy_id"),
    ("coverages", "vehicle_id"),
    ("equipment", "policy_id"),
    ("claims", "policy_id"),
    ("claims", "contact_id"),
    ("billing_records", "contact_id"),
    ("billing_records", "location_id"),
    ("billing_records", "created_by_id"),
    ("commission_rules", "location_id"),
    ("commission_rules", "carrier_id"),
    ("commission_rules", "producer_id"),
    ("commissions", "policy_id"),
    ("commissions", "carrier_id"),
    ("commissions", "producer_id"),
    ("commissions", "rule_id"),
    ("fees", "policy_id"),
    ("fees", "quote_id"),
    ("documents", "contact_id"),
    ("acord_forms", "contact_id"),
    ("acord_forms", "policy_id"),
    ("acord_forms", "created_by_id"),
)
TABLES = (
    "agencies",
    "locations",
    "departments",
    "employees",
    "contacts",
    "carriers",
    "policies",
    "policy_details",
    "quotes",
    "applications",
    "renewals",
    "terminations",
    "drivers",
    "vehicles",
    "coverages",
    "equipment",
    "claims",
    "billing_records",
    "commission_rules",
    "commissions",
    "fees",
    "documents",
    "acord_forms",
)


def upgrade() -> None:
    """Move forward."""
    for table, column in REFERENCES:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
        op.create_index(f"ix_{table}_{column}", table, [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))
    for table in TABLES:
        op.create_index(f"ix_{table}_placeholder", table, ["tenant"], postgresql_where=sa.text("is_placeholder"))
    op.add_column("requests", sa.Column("settled", sa.Boolean(), server_default=sa.text("false"), nullable=False), schema="etl")
    op.create_index("ix_requests_digest", "requests", ["digest"], schema="etl", postgresql_where=sa.text("settled"))


def downgrade() -> None:
    """Move back."""
    op.drop_index("ix_requests_digest", table_name="requests", schema="etl")
    op.drop_column("requests", "settled", schema="etl")
    for table in TABLES:
        op.drop_index(f"ix_{table}_placeholder", table_name=table)
    for table, column in REFERENCES:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
        op.create_index(f"ix_{table}_{column}", table, [column])
