"""How fresh and how complete each resource of a tenant is, from the bookkeeping tables and row counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, literal, select, text, union_all

from etl.catalogue import Resource
from etl.ledger import batches, children
from etl.ledger.batches import Batch
from etl.ledger.children import Coverage
from etl.ledger.marks import next_start
from etl.models import PRODUCTION
from etl.models.base import MAIN
from etl.models.bookkeeping import findings, offers, watermarks
from etl.models.states import FindingState, ResourceState
from etl.resources import CATALOGUE
from etl.window import FIRST_INSTANT, Window

#: The newest run of each resource, and what it failed at.
LATEST = text("""
    SELECT DISTINCT ON (part.resource) part.resource, part.status, part.error, batch.id, batch.started_at
    FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
    WHERE batch.tenant = :tenant AND part.status <> 'pending'
    ORDER BY part.resource, batch.started_at DESC
""")


@dataclass(frozen=True, slots=True)
class Freshness:
    """How one resource stands."""

    resource: str
    complete_to: datetime | None  #: unbroken from the first instant on; None before the first whole window
    lag: timedelta | None  #: None before the first whole window
    gaps: tuple[Window, ...] = ()  #: between complete windows
    rows: int | None = None  #: living rows in production; None where another resource fills the table
    placeholders: int = 0
    open_findings: int = 0
    offered: bool | None = None  #: None while nobody has asked
    coverage: Coverage | None = None  #: of what is asked for per parent
    error: str | None = None  #: of the newest run, when it failed
    error_at: datetime | None = None

    def is_late(self, most: timedelta) -> bool:
        """Tell whether the resource lags behind by more than `most`; one that is not offered never does."""
        return self.offered is not False and (self.lag is None or self.lag > most)


@dataclass(frozen=True, slots=True)
class Status:
    """How a tenant's data stand at a moment."""

    now: datetime  #: by the database's clock
    resources: Sequence[Freshness]
    newest: Batch | None = None

    def late(self, most: timedelta) -> list[Freshness]:
        """Return the resources that lag behind by more than `most`."""
        return [one for one in self.resources if one.is_late(most)]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tables say, by resource."""

    now: datetime
    complete: Mapping[str, list[Window]]
    rows: Mapping[str, tuple[int, int]]
    findings: Mapping[str, int]
    offered: Mapping[str, bool]
    latest: Mapping[str, Any]
    coverage: Mapping[str, Coverage] = field(default_factory=dict)


def status(connection: Connection, tenant: str) -> Status:
    """Return how every resource of a tenant stands."""
    facts = gathered(connection, tenant)
    made = {one.name: freshness(one, facts) for one in CATALOGUE}
    return Status(facts.now, list(made.values()), batches.newest(connection, tenant))


def gathered(connection: Connection, tenant: str) -> Facts:
    """Read what is known of a tenant's resources."""
    found = select(findings.c.resource, func.count().label("open")).where(
        findings.c.tenant == tenant, findings.c.state == FindingState.OPEN
    )
    per_parent = [one.name for one in CATALOGUE if one.parent is not None]
    return Facts(
        now=children.now(connection),
        complete=complete(connection, tenant),
        rows=row_counts(connection, tenant),
        findings={row.resource: row.open for row in connection.execute(found.group_by(findings.c.resource))},
        offered=offers_of(connection, tenant),
        latest={row.resource: row for row in connection.execute(LATEST, {"tenant": tenant})},
        coverage={name: children.coverage(connection, name, tenant) for name in per_parent},
    )


def offers_of(connection: Connection, tenant: str) -> dict[str, bool]:
    """Return which resources the account was found to offer or not; those nobody asked for are not in it."""
    asked = select(offers.c.resource, offers.c.offered).where(offers.c.tenant == tenant)
    return {row.resource: row.offered for row in connection.execute(asked)}


def complete(connection: Connection, tenant: str) -> dict[str, list[Window]]:
    """Return the unbroken intervals over which each resource is complete, oldest first."""
    query = select(watermarks).where(watermarks.c.tenant == tenant).order_by(watermarks.c.complete_from)
    found: dict[str, list[Window]] = {}
    for row in connection.execute(query):
        found.setdefault(row.resource, []).append(Window(row.complete_from, row.complete_to))
    return found


def row_counts(connection: Connection, tenant: str) -> dict[str, tuple[int, int]]:
    """Return the numbers of living rows and of placeholders by table."""
    counts = [
        select(
            literal(model.__tablename__).label("name"),
            func.count().filter(model.deleted_at.is_(None), ~model.is_placeholder).label("living"),
            func.count().filter(model.is_placeholder).label("placeholders"),
        ).where(model.tenant == tenant)
        for model in PRODUCTION
    ]
    return {row.name: (row.living, row.placeholders) for row in connection.execute(union_all(*counts))}


def freshness(resource: Resource, facts: Facts) -> Freshness:
    """Return how one resource stands."""
    name, intervals = resource.name, facts.complete.get(resource.name, [])
    start = next_start(intervals)
    complete_to = start if start > FIRST_INSTANT else None
    living, placeholders = facts.rows.get(resource.model.__tablename__, (0, 0))
    latest = facts.latest.get(name)
    failed = latest if latest is not None and latest.status == ResourceState.FAILED else None
    return Freshness(
        name,
        complete_to,
        lag_of(resource, facts),
        gaps_between(intervals),
        living if resource.road == MAIN else None,
        placeholders if resource.road == MAIN else 0,
        facts.findings.get(name, 0),
        facts.offered.get(name),
        facts.coverage.get(name),
        failed.error if failed else None,
        failed.started_at if failed else None,
    )


def lag_of(resource: Resource, facts: Facts) -> timedelta | None:
    """Return how far a resource is behind; None before its first whole window.

    What is asked for per parent is as old as its parent's feed, or as the oldest call that is outstanding.
    """
    covered = facts.coverage.get(resource.name)
    if resource.parent is not None and covered is not None:
        behind = lag_of_feed(resource.parent.resource, facts)
        waits = facts.now - covered.oldest_due if covered.oldest_due else timedelta()
        return None if behind is None or resource.name not in facts.latest else max(behind, waits)
    return lag_of_feed(resource.name, facts)


def lag_of_feed(name: str, facts: Facts) -> timedelta | None:
    """Return how long ago the last complete window of a resource ended; None before the first."""
    start = next_start(facts.complete.get(name, []))
    return None if start <= FIRST_INSTANT else max(timedelta(), facts.now - start)


def gaps_between(intervals: Sequence[Window]) -> tuple[Window, ...]:
    """Return what lies open between complete intervals, and before the first of them."""
    ends = [FIRST_INSTANT, *(one.end for one in intervals)]
    return tuple(Window(end, one.start) for end, one in zip(ends, intervals, strict=False) if end < one.start)
