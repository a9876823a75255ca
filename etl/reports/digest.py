"""The data of the digest: one query per section."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from etl.queries import Queries

SQL = Queries(__file__)


@dataclass(frozen=True, slots=True)
class DigestPeriod:
    """The period of a digest: its start and end, and its days in the time zone of the digest."""

    since: datetime
    until: datetime
    last_day: date
    today: date


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A policy by its number, with a note."""

    number: str
    note: str


@dataclass(frozen=True, slots=True)
class AgentFixes:
    """The number of open and new findings of one agent."""

    agent: str
    open: int
    new: int


@dataclass(frozen=True, slots=True)
class DigestData:
    """The business of a period, data to fix, and the status of the sync."""

    new_business: Sequence[PolicyLine]
    cancellations: Sequence[PolicyLine]
    renewals: Mapping[int, Sequence[PolicyLine]]  #: by days until expiration
    fixes: Sequence[AgentFixes]
    lag: timedelta | None
    incidents: int

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to report."""
        new_fixes = any(agent_fixes.new for agent_fixes in self.fixes)
        return not (self.new_business or self.cancellations or self.renewals or new_fixes or self.incidents)


def load_digest(connection: Connection, tenant: str, period: DigestPeriod) -> DigestData:
    """Return the data of a digest."""
    bound = {
        "tenant": tenant,
        "since": period.since,
        "until": period.until,
        "last_day": period.last_day,
        "today": period.today,
    }
    renewals: dict[int, list[PolicyLine]] = {}
    for row in connection.execute(SQL["renewals"], bound):
        renewals.setdefault(row.days, []).append(to_policy_line(row))
    health = connection.execute(SQL["health"], bound).one()
    return DigestData(
        [to_policy_line(row) for row in connection.execute(SQL["new_business"], bound)],
        [to_policy_line(row) for row in connection.execute(SQL["cancellations"], bound)],
        renewals,
        [AgentFixes(row.agent, row.open, row.new) for row in connection.execute(SQL["to_fix"], bound)],
        health.lag,
        health.troubles,
    )


def to_policy_line(row: Any) -> PolicyLine:
    """Return a policy line from a row."""
    return PolicyLine(row.policy_number or "(no number)", row.about or "")
