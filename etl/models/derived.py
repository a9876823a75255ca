"""Columns and links that are in no record: set-based statements that run after a load and write only differences.

Each binds `tenant` and `batch_id`, compares the rows that this batch wrote with their counterparts, and can be
repeated: a second run writes nothing.
"""

from dataclasses import dataclass

from sqlalchemy import TextClause

from etl.queries import Queries

SQL = Queries(__file__)


@dataclass(frozen=True, slots=True)
class Derived:
    """One statement: what it fills, and the tables whose changes make it necessary."""

    name: str
    reads: frozenset[str]

    @property
    def sql(self) -> TextClause:
        """The statement."""
        return SQL[self.name]


RENEWAL_PREMIUMS = Derived("renewal_premiums", frozenset({"renewals", "policies"}))
BILLING_RECORD_POLICIES = Derived("billing_record_policies", frozenset({"billing_records", "policies"}))
DOCUMENT_POLICIES = Derived("document_policies", frozenset({"documents", "policies"}))
POLICY_PRODUCERS = Derived("policy_producers", frozenset({"policies", "employees"}))
CURRENT_TERMINATIONS = Derived("current_terminations", frozenset({"terminations"}))
CARRIER_NAIC = Derived("carrier_naic", frozenset({"carriers", "policies", "policy_details"}))

DERIVED: tuple[Derived, ...] = (
    RENEWAL_PREMIUMS,
    BILLING_RECORD_POLICIES,
    DOCUMENT_POLICIES,
    POLICY_PRODUCERS,
    CURRENT_TERMINATIONS,
    CARRIER_NAIC,
)
