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
class Period:
    """What a digest is about: the instants since the last one, and the days in the zone of the digest."""

    since: datetime
    until: datetime
    last_day: date
    today: date


@dataclass(frozen=True, slots=True)
class Named:
    """A policy, by its number, and what there is to say of it."""

    number: str
    about: str


@dataclass(frozen=True, slots=True)
class ToMend:
    """How much of an agent's data waits to be mended."""

    agent: str
    open: int
    new: int


@dataclass(frozen=True, slots=True)
class Business:
    """The business of a period, and what of it needs somebody."""

    new_business: Sequence[Named]
    cancellations: Sequence[Named]
    renewals: Mapping[int, Sequence[Named]]  #: by days until they expire
    to_mend: Sequence[ToMend]
    lag: timedelta | None
    troubles: int

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing that anybody has to read."""
        news = any(one.new for one in self.to_mend)
        return not (self.new_business or self.cancellations or self.renewals or news or self.troubles)


def business(connection: Connection, tenant: str, period: Period) -> Business:
    """Return the business of a period."""
    bound = {
        "tenant": tenant,
        "since": period.since,
        "until": period.until,
        "last_day": period.last_day,
        "today": period.today,
    }
    renewals: dict[int, list[Named]] = {}
    for row in asked(connection, "renewals", bound):
        renewals.setdefault(row.days, []).append(named(row))
    (health,) = asked(connection, "health", bound)
    return Business(
        [named(row) for row in asked(connection, "new_business", bound)],
        [named(row) for row in asked(connection, "cancellations", bound)],
        renewals,
        [ToMend(row.agent, row.open, row.new) for row in asked(connection, "to_mend", bound)],
        health.lag,
        health.troubles,
    )


def asked(connection: Connection, name: str, bound: Mapping[str, Any]) -> Sequence[Any]:
    """Return the rows of one query."""
    query = statement(name)
    return connection.execute(query, {key: bound[key] for key in query.compile().params}).all()


@cache
def statement(name: str) -> TextClause:
    """Return the query of a subject."""
    return text((HERE / f"{name}.sql").read_text(encoding="utf-8"))


def named(row: Any) -> Named:
    """Return a line about a policy."""
    return Named(row.policy_number or "(no number)", row.about or "")
