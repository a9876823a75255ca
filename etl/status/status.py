"""The freshness and completeness of each resource of a tenant, and its placeholders, from the views in `etl`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text

from etl.catalogue.resource import Resource
from etl.dependencies import is_read_daily
from etl.ledger import batches, watermarks
from etl.ledger.batches import Batch
from etl.ledger.children import queue as children
from etl.ledger.children.child_counts import DetailsLeft, read_details_left
from etl.models.base import PRIMARY
from etl.models.bookkeeping import offers
from etl.models.states import NOT_READING
from etl.queries import Queries
from etl.resources import BY_NAME, CATALOGUE, as_chosen
from etl.status.backfill import BackfillProgress, backfill_progress
from etl.values import Severity
from etl.window import FIRST_INSTANT, Window

SQL = Queries(__file__)

DAY = timedelta(days=1)

FRESHNESS = text("SELECT resource, complete_to, lag, last_error FROM etl.freshness WHERE tenant = :tenant")
QUALITY = text("SELECT * FROM etl.quality WHERE tenant = :tenant")


@dataclass(frozen=True, slots=True)
class Freshness:
    """The status of one resource."""

    resource: str
    complete_to: datetime | None  #: without gaps from the first instant on; None before the first complete window
    lag: timedelta | None  #: None before the first complete window
    gaps: tuple[Window, ...] = ()  #: between complete windows
    rows: int | None = None  #: live rows in production; None if another resource fills the table
    placeholders: int = 0
    open_findings: int = 0
    offered: bool | None = None  #: None while unknown
    details: DetailsLeft | None = None  #: of a resource read per parent, unless it is not offered
    error: str | None = None  #: of the newest run, if it failed
    error_at: datetime | None = None

    @property
    def may_not_be_offered(self) -> bool:
        """Whether the calls that are due may turn out not to be offered: an undocumented resource never answered."""
        return self.offered is None and not BY_NAME[self.resource].is_documented

    def is_late(self, most: timedelta) -> bool:
        """Return whether the resource lags by more than `most`; a resource that is not offered never does.

        A list that is read once a day may lag by the day more.
        """
        allowed = most + DAY if is_read_daily(BY_NAME[self.resource]) else most
        return self.offered is not False and (self.lag is None or self.lag > allowed)


@dataclass(frozen=True, slots=True)
class PlaceholderCount:
    """The placeholders of one table: rows created from references whose own records have not arrived."""

    table: str
    number: int
    since: datetime  #: creation time of the oldest


@dataclass(frozen=True, slots=True)
class Status:
    """The status of a tenant's data at one time."""

    now: datetime  #: by the database's clock
    resources: Sequence[Freshness]
    newest: Batch | None = None
    orphans: Sequence[PlaceholderCount] = ()
    backfill: Mapping[str, BackfillProgress] = field(default_factory=dict)  #: of lists that are only partly read

    def late_resources(self, most: timedelta) -> list[Freshness]:
        """Return the resources that lag by more than `most`."""
        return [freshness for freshness in self.resources if freshness.is_late(most)]


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """The facts from views and tables, by resource."""

    freshness: Mapping[str, Any]
    quality: Mapping[str, Any]
    complete: Mapping[str, list[Window]]
    offered: Mapping[str, bool]
    details: Mapping[str, DetailsLeft]
    failed_at: Mapping[str, datetime]
    orphans: Mapping[str, int]  #: by table


def load_status(connection: Connection, tenant: str, choices: str = "") -> Status:
    """Return the status of every resource of a tenant, from `etl.freshness`, `etl.quality` and `etl.orphans`.

    An optional resource is left out until a run has read it. `choices`: ETL_RESOURCES.
    """
    orphans = [PlaceholderCount(*row) for row in connection.execute(SQL["placeholders"], {"tenant": tenant})]
    numbers = {placeholders.table: placeholders.number for placeholders in orphans}
    facts = load_facts(connection, tenant, numbers, choices)
    expected = [entry for entry in CATALOGUE if not entry.is_optional or entry.name in facts.freshness]
    resources = [resource_freshness(resource, facts) for resource in expected]
    newest, backfill = batches.read_newest_batch(connection, tenant), backfill_progress(connection, tenant)
    return Status(children.read_database_time(connection), resources, newest, orphans, backfill)


def load_facts(connection: Connection, tenant: str, orphans: Mapping[str, int], choices: str) -> StatusFacts:
    """Return the facts about a tenant's resources."""
    bound = {"tenant": tenant}
    now = children.read_database_time(connection)
    per_parent = [as_chosen(resource, choices) for resource in CATALOGUE if resource.parent is not None]
    return StatusFacts(
        freshness={row.resource: row for row in connection.execute(FRESHNESS, bound)},
        quality={row.resource: row for row in connection.execute(QUALITY, bound)},
        complete=watermarks.read_all_windows(connection, tenant),
        offered=load_offers(connection, tenant),
        details={child.name: read_details_left(connection, child, tenant, now.date()) for child in per_parent},
        failed_at={
            row.resource: row.at
            for row in connection.execute(SQL["failed_at"], {"tenant": tenant, "not_reading": list(NOT_READING)})
        },
        orphans=orphans,
    )


def load_offers(connection: Connection, tenant: str) -> dict[str, bool]:
    """Return whether the account offers each resource, as far as known."""
    query = select(offers.c.resource, offers.c.offered).where(offers.c.tenant == tenant)
    return {row.resource: row.offered for row in connection.execute(query)}


def resource_freshness(resource: Resource, facts: StatusFacts) -> Freshness:
    """Return the status of one resource."""
    name = resource.name
    fresh, quality = facts.freshness.get(name), facts.quality.get(name)
    error = fresh.last_error if fresh is not None else None
    rows = (quality.rows or 0) if quality is not None else 0
    return Freshness(
        name,
        fresh.complete_to if fresh is not None else None,
        fresh.lag if fresh is not None else None,
        find_gaps(facts.complete.get(name, [])),
        rows if resource.data_source == PRIMARY and resource.has_table else None,
        facts.orphans.get(resource.table, 0) if resource.data_source == PRIMARY else 0,
        0 if quality is None else sum(getattr(quality, f"open_{severity}") for severity in Severity),
        facts.offered.get(name),
        facts.details.get(name) if facts.offered.get(name) is not False else None,
        error,
        facts.failed_at.get(name) if error else None,
    )


def find_gaps(intervals: Sequence[Window]) -> tuple[Window, ...]:
    """Return the gaps between complete windows, and before the first of them."""
    gap_starts = [FIRST_INSTANT, *(interval.end for interval in intervals)]
    return tuple(
        Window(end, interval.start)
        for end, interval in zip(gap_starts, intervals, strict=False)
        if end < interval.start
    )
