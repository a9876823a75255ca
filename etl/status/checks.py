"""The checks across records as they stand: open findings of each, its last look at everything, its hits of today."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from etl.checks import CHECKS, Check

CHECK_STATUSES = text("""
    SELECT named.name, coalesce(open.number, 0) AS open, run.ran_at, run.hits, run.milliseconds
    FROM unnest(CAST(:names AS text[])) AS named (name)
    LEFT JOIN etl.check_runs AS run ON run.tenant = :tenant AND run.check_name = named.name
    LEFT JOIN (
        SELECT rule, count(*) AS number FROM etl.findings
        WHERE tenant = :tenant AND state = 'open' AND rule = ANY(:names) GROUP BY rule
    ) AS open ON open.rule = named.name
""")


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """How one check stands."""

    check: Check
    open: int  #: findings that are open
    ran_at: datetime | None  #: when it last went over everything
    milliseconds: float | None  #: how long that took


@dataclass(frozen=True, slots=True)
class CheckHit:
    """A row that a check speaks of, with what the staff finds it by."""

    source_id: str
    policy_number: str | None
    customer_number: str | None
    found: str


def check_statuses(connection: Connection, tenant: str) -> list[CheckStatus]:
    """Return how every check stands, in the order in which they are declared."""
    rows = connection.execute(CHECK_STATUSES, {"tenant": tenant, "names": [one.name for one in CHECKS]})
    found = {row.name: row for row in rows}
    return [CheckStatus(one, found[one.name].open, found[one.name].ran_at, found[one.name].milliseconds) for one in CHECKS]


def list_hits(connection: Connection, tenant: str, check: Check, most: int | None = None) -> Iterator[CheckHit]:
    """Yield the rows that a check speaks of as they are now, at most so many, in order of their source ids."""
    query = text(f"""
        SELECT DISTINCT ON (source_id) source_id, policy_number, customer_number, found
        FROM {check.view} WHERE tenant = :tenant ORDER BY source_id, found LIMIT :most
    """)
    for row in connection.execute(query, {"tenant": tenant, "most": most}):
        yield CheckHit(*row)
