"""Link tables: the policies that a billing record or a document refers to, filled by statements after the load."""

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text, Uuid

from etl.models.base import Base


def link_table(name: str, column: str, target: str) -> Table:
    """Make a table that links rows of `target`, through `column`, to policies."""
    return Table(
        name,
        Base.metadata,
        Column("tenant", Text, nullable=False),
        Column(column, Uuid, ForeignKey(f"{target}.id", ondelete="CASCADE"), nullable=False),
        Column("policy_id", Uuid, ForeignKey("policies.id", ondelete="CASCADE"), nullable=False),
        PrimaryKeyConstraint(column, "policy_id"),
        Index(f"ix_{name}_policy_id", "policy_id"),
    )


billing_record_policies = link_table("billing_record_policies", "billing_record_id", "billing_records")
document_policies = link_table("document_policies", "document_id", "documents")

LINKS = (billing_record_policies, document_policies)
