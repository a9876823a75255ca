"""what a run wrote"""

from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move forward."""
    op.create_index("ix_acord_forms_etl_batch_id", "acord_forms", ["etl_batch_id"], unique=False)
    op.create_index("ix_agencies_etl_batch_id", "agencies", ["etl_batch_id"], unique=False)
    op.create_index("ix_applications_etl_batch_id", "applications", ["etl_batch_id"], unique=False)
    op.create_index("ix_billing_records_etl_batch_id", "billing_records", ["etl_batch_id"], unique=False)
    op.create_index("ix_carriers_etl_batch_id", "carriers", ["etl_batch_id"], unique=False)
    op.create_index("ix_claims_etl_batch_id", "claims", ["etl_batch_id"], unique=False)
    op.create_index("ix_commission_rules_etl_batch_id", "commission_rules", ["etl_batch_id"], unique=False)
    op.create_index("ix_commissions_etl_batch_id", "commissions", ["etl_batch_id"], unique=False)
    op.create_index("ix_contacts_etl_batch_id", "contacts", ["etl_batch_id"], unique=False)
    op.create_index("ix_coverages_etl_batch_id", "coverages", ["etl_batch_id"], unique=False)
    op.create_index("ix_departments_etl_batch_id", "departments", ["etl_batch_id"], unique=False)
    op.create_index("ix_documents_etl_batch_id", "documents", ["etl_batch_id"], unique=False)
    op.create_index("ix_drivers_etl_batch_id", "drivers", ["etl_batch_id"], unique=False)
    op.create_index("ix_employees_etl_batch_id", "employees", ["etl_batch_id"], unique=False)
    op.create_index("ix_equipment_etl_batch_id", "equipment", ["etl_batch_id"], unique=False)
    op.create_index("ix_fees_etl_batch_id", "fees", ["etl_batch_id"], unique=False)
    op.create_index("ix_locations_etl_batch_id", "locations", ["etl_batch_id"], unique=False)
    op.create_index("ix_policies_etl_batch_id", "policies", ["etl_batch_id"], unique=False)
    op.create_index("ix_policy_details_etl_batch_id", "policy_details", ["etl_batch_id"], unique=False)
    op.create_index("ix_quotes_etl_batch_id", "quotes", ["etl_batch_id"], unique=False)
    op.create_index("ix_renewals_etl_batch_id", "renewals", ["etl_batch_id"], unique=False)
    op.create_index("ix_terminations_etl_batch_id", "terminations", ["etl_batch_id"], unique=False)
    op.create_index("ix_vehicles_etl_batch_id", "vehicles", ["etl_batch_id"], unique=False)


def downgrade() -> None:
    """Move back."""
    op.drop_index("ix_vehicles_etl_batch_id", table_name="vehicles")
    op.drop_index("ix_terminations_etl_batch_id", table_name="terminations")
    op.drop_index("ix_renewals_etl_batch_id", table_name="renewals")
    op.drop_index("ix_quotes_etl_batch_id", table_name="quotes")
    op.drop_index("ix_policy_details_etl_batch_id", table_name="policy_details")
    op.drop_index("ix_policies_etl_batch_id", table_name="policies")
    op.drop_index("ix_locations_etl_batch_id", table_name="locations")
    op.drop_index("ix_fees_etl_batch_id", table_name="fees")
    op.drop_index("ix_equipment_etl_batch_id", table_name="equipment")
    op.drop_index("ix_employees_etl_batch_id", table_name="employees")
    op.drop_index("ix_drivers_etl_batch_id", table_name="drivers")
    op.drop_index("ix_documents_etl_batch_id", table_name="documents")
    op.drop_index("ix_departments_etl_batch_id", table_name="departments")
    op.drop_index("ix_coverages_etl_batch_id", table_name="coverages")
    op.drop_index("ix_contacts_etl_batch_id", table_name="contacts")
    op.drop_index("ix_commissions_etl_batch_id", table_name="commissions")
    op.drop_index("ix_commission_rules_etl_batch_id", table_name="commission_rules")
    op.drop_index("ix_claims_etl_batch_id", table_name="claims")
    op.drop_index("ix_carriers_etl_batch_id", table_name="carriers")
    op.drop_index("ix_billing_records_etl_batch_id", table_name="billing_records")
    op.drop_index("ix_applications_etl_batch_id", table_name="applications")
    op.drop_index("ix_agencies_etl_batch_id", table_name="agencies")
    op.drop_index("ix_acord_forms_etl_batch_id", table_name="acord_forms")
