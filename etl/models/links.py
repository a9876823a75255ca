"""Link tables, filled by statements after the load: policies of billing records and documents, policy producers."""

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text, Uuid

from etl.models.base import Base


def link_table(name: str, first: tuple[str, str], second: tuple[str, str], *columns: Column[int]) -> Table:
    """Make a table that links rows of two tables, each given as its column here and its name."""
    references = [
        Column(column, Uuid, ForeignKey(f"{target}.id", ondelete="CASCADE"), nullable=False)
        for column, target in (first, second)
    ]
    return Table(
        name,
        Base.metadata,
        Column("tenant", Text, nullable=False),
        *references,
        *columns,
        PrimaryKeyConstraint(first[0], second[0]),
        Index(f"ix_{name}_{second[0]}", second[0]),
    )


POLICY, EMPLOYEE = ("policy_id", "policies"), ("employee_id", "employees")

billing_record_policies = link_table("billing_record_policies", ("billing_record_id", "billing_records"), POLICY)
document_policies = link_table("document_policies", ("document_id", "documents"), POLICY)
#: `position` is the producer's place in the list, from 1.
policy_producers = link_table("policy_producers", POLICY, EMPLOYEE, Column("position", Integer, nullable=False))

LINKS = (billing_record_policies, document_policies, policy_producers)
