"""The status of the checks: open findings, the last full run, and the current hits of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from etl.checks import CHECKS, Check
from etl.queries import Queries

SQL = Queries(__file__)


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """The status of one check."""

    check: Check
    open: int  #: open findings
    ran_at: datetime | None  #: the last run over all rows
    milliseconds: float | None  #: the duration of that run


@dataclass(frozen=True, slots=True)
class CheckHit:
    """A row that a check hits, with the numbers by which the staff finds it."""

    source_id: str
    policy_number: str | None
    customer_number: str | None
    found: str


def check_statuses(connection: Connection, tenant: str) -> list[CheckStatus]:
    """Return the status of every check, in order of declaration."""
    rows = connection.execute(SQL["check_statuses"], {"tenant": tenant, "names": [check.name for check in CHECKS]})
    rows_by_check = {row.name: row for row in rows}
    return [
        CheckStatus(
            check,
            rows_by_check[check.name].open,
            rows_by_check[check.name].ran_at,
            rows_by_check[check.name].milliseconds,
        )
        for check in CHECKS
    ]


def list_hits(connection: Connection, tenant: str, check: Check, most: int | None = None) -> Iterator[CheckHit]:
    """Yield the rows that a check hits now, at most `most`, in order of source id."""
    query = text(f"""
        SELECT DISTINCT ON (source_id) source_id, policy_number, customer_number, found
        FROM {check.view} WHERE tenant = :tenant ORDER BY source_id, found LIMIT :most
    """)
    for row in connection.execute(query, {"tenant": tenant, "most": most}):
        yield CheckHit(*row)
