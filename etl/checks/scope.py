"""The rows to check again after a run: those that it wrote, those that they are compared with, and known hits."""

from collections.abc import Mapping

from etl.models.policy_numbers import expand_keys
from etl.queries import Queries

SQL = Queries(__file__)

#: The tables that the checks of a resource read.
READS: Mapping[str, frozenset[str]] = {
    "policies": frozenset({"policies", "contacts", "terminations"}),
    "renewals": frozenset({"renewals", "policies"}),
    "contacts": frozenset({"contacts"}),
    "billing_records": frozenset({"billing_records"}),
}


def scope_of(name: str) -> str:
    """Return the query for the rows of a resource that a batch affects; it binds tenant and batch_id."""
    return expand_keys(SQL[name].text)
