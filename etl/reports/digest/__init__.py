"""What the digest counts: a query a subject, each in a file of its own, read into one value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, TextClause, text

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class DigestPeriod:
    """What a digest is about: the instants since the last one, and the days in the zone of the digest."""

    since: datetime
    until: datetime
    last_day: date
    today: date


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A policy, by its number, and what there is to say of it."""

    number: str
    about: str


@dataclass(frozen=True, slots=True)
class AgentFixes:
    """How much of an agent's data waits to be mended."""

    agent: str
    open: int
    new: int


@dataclass(frozen=True, slots=True)
class DigestData:
    """The business of a period, and what of it needs somebody."""

    new_business: Sequence[PolicyLine]
    cancellations: Sequence[PolicyLine]
    renewals: Mapping[int, Sequence[PolicyLine]]  #: by days until they expire
    fixes: Sequence[AgentFixes]
    lag: timedelta | None
    incidents: int

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing that anybody has to read."""
        news = any(one.new for one in self.fixes)
        return not (self.new_business or self.cancellations or self.renewals or news or self.incidents)


def load_digest(connection: Connection, tenant: str, period: DigestPeriod) -> DigestData:
    """Return the business of a period."""
    bound = {
        "tenant": tenant,
        "since": period.since,
        "until": period.until,
        "last_day": period.last_day,
        "today": period.today,
    }
    renewals: dict[int, list[PolicyLine]] = {}
    for row in fetch_rows(connection, "renewals", bound):
        renewals.setdefault(row.days, []).append(to_policy_line(row))
    (health,) = fetch_rows(connection, "health", bound)
    return DigestData(
        [to_policy_line(row) for row in fetch_rows(connection, "new_business", bound)],
        [to_policy_line(row) for row in fetch_rows(connection, "cancellations", bound)],
        renewals,
        [AgentFixes(row.agent, row.open, row.new) for row in fetch_rows(connection, "to_fix", bound)],
        health.lag,
        health.troubles,
    )


def fetch_rows(connection: Connection, name: str, bound: Mapping[str, Any]) -> Sequence[Any]:
    """Return the rows of one query."""
    query = load_query(name)
    return connection.execute(query, {key: bound[key] for key in query.compile().params}).all()


@cache
def load_query(name: str) -> TextClause:
    """Return the query of a subject."""
    return text((HERE / f"{name}.sql").read_text(encoding="utf-8"))


def to_policy_line(row: Any) -> PolicyLine:
    """Return a line about a policy."""
    return PolicyLine(row.policy_number or "(no number)", row.about or "")
