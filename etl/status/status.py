"""How fresh and complete each resource of a tenant is, and who is still waited for: what the views in `etl` say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text

from etl.catalogue import Resource
from etl.ledger import batches, children
from etl.ledger.batches import Batch
from etl.ledger.children import QueueCoverage
from etl.models.base import PRIMARY
from etl.models.bookkeeping import offers, watermarks
from etl.resources import CATALOGUE
from etl.status.backfill import BackfillProgress, backfill_progress
from etl.values import Severity
from etl.window import FIRST_INSTANT, Window

FRESHNESS = text("SELECT resource, complete_to, lag, last_error FROM etl.freshness WHERE tenant = :tenant")
QUALITY = text("SELECT * FROM etl.quality WHERE tenant = :tenant")
ORPHANS = text("""
    SELECT table_name, count(*) AS number, min(since) AS since FROM etl.orphans WHERE tenant = :tenant
    GROUP BY table_name ORDER BY table_name
""")
#: When each resource last ran and failed.
FAILED_AT = text("""
    SELECT part.resource, max(batch.started_at) AS at
    FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
    WHERE batch.tenant = :tenant AND part.status = 'failed' GROUP BY part.resource
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
    coverage: QueueCoverage | None = None  #: of what is asked for per parent
    error: str | None = None  #: of the newest run, when it failed
    error_at: datetime | None = None

    def is_late(self, most: timedelta) -> bool:
        """Tell whether the resource lags behind by more than `most`; one that is not offered never does."""
        return self.offered is not False and (self.lag is None or self.lag > most)


@dataclass(frozen=True, slots=True)
class PlaceholderCount:
    """The placeholders of one table: rows that others refer to and whose record has not arrived."""

    table: str
    number: int
    since: datetime  #: of the one that waits longest


@dataclass(frozen=True, slots=True)
class Status:
    """How a tenant's data stand at a moment."""

    now: datetime  #: by the database's clock
    resources: Sequence[Freshness]
    newest: Batch | None = None
    orphans: Sequence[PlaceholderCount] = ()
    backfill: Mapping[str, BackfillProgress] = field(default_factory=dict)  #: of lists whose reading has not ended

    def late_resources(self, most: timedelta) -> list[Freshness]:
        """Return the resources that lag behind by more than `most`."""
        return [one for one in self.resources if one.is_late(most)]


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """What views and tables say, by resource."""

    freshness: Mapping[str, Any]
    quality: Mapping[str, Any]
    complete: Mapping[str, list[Window]]
    offered: Mapping[str, bool]
    coverage: Mapping[str, QueueCoverage]
    failed_at: Mapping[str, datetime]
    orphans: Mapping[str, int]  #: by table


def load_status(connection: Connection, tenant: str) -> Status:
    """Return how every resource of a tenant stands, as `etl.freshness`, `etl.quality` and `etl.orphans` say."""
    orphans = [PlaceholderCount(*row) for row in connection.execute(ORPHANS, {"tenant": tenant})]
    facts = load_facts(connection, tenant, {one.table: one.number for one in orphans})
    resources = [resource_freshness(one, facts) for one in CATALOGUE]
    newest, under_way = batches.read_newest_batch(connection, tenant), backfill_progress(connection, tenant)
    return Status(children.read_database_time(connection), resources, newest, orphans, under_way)


def load_facts(connection: Connection, tenant: str, orphans: Mapping[str, int]) -> StatusFacts:
    """Read what is known of a tenant's resources."""
    bound = {"tenant": tenant}
    per_parent = [one.name for one in CATALOGUE if one.parent is not None]
    return StatusFacts(
        freshness={row.resource: row for row in connection.execute(FRESHNESS, bound)},
        quality={row.resource: row for row in connection.execute(QUALITY, bound)},
        complete=complete_windows(connection, tenant),
        offered=load_offers(connection, tenant),
        coverage={name: children.read_coverage(connection, name, tenant) for name in per_parent},
        failed_at={row.resource: row.at for row in connection.execute(FAILED_AT, bound)},
        orphans=orphans,
    )


def load_offers(connection: Connection, tenant: str) -> dict[str, bool]:
    """Return which resources the account was found to offer or not; those nobody asked for are not in it."""
    asked = select(offers.c.resource, offers.c.offered).where(offers.c.tenant == tenant)
    return {row.resource: row.offered for row in connection.execute(asked)}


def complete_windows(connection: Connection, tenant: str) -> dict[str, list[Window]]:
    """Return the unbroken intervals over which each resource is complete, oldest first."""
    query = select(watermarks).where(watermarks.c.tenant == tenant).order_by(watermarks.c.complete_from)
    found: dict[str, list[Window]] = {}
    for row in connection.execute(query):
        found.setdefault(row.resource, []).append(Window(row.complete_from, row.complete_to))
    return found


def resource_freshness(resource: Resource, facts: StatusFacts) -> Freshness:
    """Return how one resource stands."""
    name = resource.name
    fresh, quality = facts.freshness.get(name), facts.quality.get(name)
    error = fresh.last_error if fresh is not None else None
    rows = (quality.rows or 0) if quality is not None else 0
    return Freshness(
        name,
        fresh.complete_to if fresh is not None else None,
        fresh.lag if fresh is not None else None,
        find_gaps(facts.complete.get(name, [])),
        rows if resource.data_source == PRIMARY else None,
        facts.orphans.get(resource.model.__tablename__, 0) if resource.data_source == PRIMARY else 0,
        count_open_findings(quality),
        facts.offered.get(name),
        facts.coverage.get(name),
        error,
        facts.failed_at.get(name) if error else None,
    )


def count_open_findings(quality: Any) -> int:
    """Return the number of open findings of every severity in a line of `etl.quality`."""
    return 0 if quality is None else sum(getattr(quality, f"open_{one}") for one in Severity)


def find_gaps(intervals: Sequence[Window]) -> tuple[Window, ...]:
    """Return what lies open between complete intervals, and before the first of them."""
    ends = [FIRST_INSTANT, *(one.end for one in intervals)]
    return tuple(Window(end, one.start) for end, one in zip(ends, intervals, strict=False) if end < one.start)
