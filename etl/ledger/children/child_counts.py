"""How many calls for details a run would find due, by resource and value: forecasts are computed from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from etl.catalogue.detail_rules import ACTIVE, IfChanged, Need, Priority
from etl.catalogue.resource import Resource
from etl.ledger.children.child_samples import read_sample
from etl.ledger.children.parent_conditions import build_conditions
from etl.ledger.children.queue import QueueCoverage, read_coverage
from etl.resources import BY_NAME


@dataclass(frozen=True, slots=True)
class DueCalls:
    """The number of due calls of one resource, value and reason."""

    resource: str
    priority: Priority
    changed: bool  #: true for a first read or a new version of the parent, false for a refresh by age
    calls: int

    @property
    def active(self) -> bool:
        """Whether the parents are active."""
        return self.priority in ACTIVE


@dataclass(frozen=True, slots=True)
class DetailsLeft:
    """The details of one resource: what was read of it, and the calls that are due."""

    resource: str
    coverage: QueueCoverage
    due: Sequence[DueCalls]

    @property
    def calls(self) -> int:
        """The number of calls that are due."""
        return sum(calls.calls for calls in self.due)

    @property
    def parents(self) -> int:
        """The number of parents, also before they are queued."""
        return self.coverage.parents or self.calls // max(1, len(BY_NAME[self.resource].endpoints))


def read_details_left(connection: Connection, child: Resource, tenant: str, today: date) -> DetailsLeft:
    """Return what was read of a resource, and the calls that a run would find due."""
    due = count_due_calls(connection, child, BY_NAME[child.parent.resource if child.parent else ""], tenant, today)
    return DetailsLeft(child.name, read_coverage(connection, child.name, tenant), due)


def read_some_parents(
    connection: Connection, child: Resource, parent: Resource, tenant: str, today: date, most: int
) -> list[str]:
    """Return the source ids of up to `most` staged parents that get a call of a resource."""
    conditions = build_conditions(child, parent, today)
    statement = f"""
        SELECT parent.source_id FROM raw.{parent.raw_table} AS parent
        WHERE parent.tenant = :tenant AND {conditions.may_get_call} AND ({conditions.need}) = '{Need.YES}'
        ORDER BY parent.source_id LIMIT :most
    """
    values = {"tenant": tenant, "most": most, **conditions.values}
    return list(connection.execute(text(statement), values).scalars())


def count_due_calls(
    connection: Connection, child: Resource, parent: Resource, tenant: str, today: date
) -> list[DueCalls]:
    """Return how many calls of a resource a run would find due, in the order of reading. The queue stays unchanged.

    `today` is the day by the API's clock. A parent takes a call for each endpoint of the resource.

    Of parents that get a call only if the sample has any, as many count as the sample is short of.
    """
    sample = read_sample(connection, tenant, child)
    rule = child.parent.need if child.parent is not None else None
    missing = rule.sample - len(sample.parent_ids) if isinstance(rule, IfChanged) and not sample.decided_at else 0
    conditions = build_conditions(child, parent, today)
    statement = f"""
        SELECT changed, priority, need, count(*) AS calls
        FROM (
            SELECT true AS changed, {conditions.priority} AS priority,
                   CASE WHEN parent.source_id = ANY(CAST(:sampled AS text[])) OR :has_any
                        THEN '{Need.YES}' ELSE {conditions.need} END AS need
            FROM raw.{parent.raw_table} AS parent
            LEFT JOIN etl.child_queue AS known
                ON known.tenant = parent.tenant AND known.resource = :resource AND known.parent_id = parent.source_id
            WHERE parent.tenant = :tenant AND {conditions.may_get_call} AND ({conditions.need}) <> '{Need.NO}'
              AND known.parent_raw_id IS DISTINCT FROM parent.id
            UNION ALL
            SELECT queued.changed, queued.priority, '{Need.YES}'
            FROM etl.child_queue AS queued
            JOIN raw.{parent.raw_table} AS parent
                ON parent.id = queued.parent_raw_id AND parent.superseded_at IS NULL
            WHERE queued.tenant = :tenant AND queued.resource = :resource AND queued.due_at <= now()
              AND {conditions.may_get_call} AND ({conditions.need}) <> '{Need.NO}'
        ) AS due
        GROUP BY changed, priority, need ORDER BY changed DESC, priority
    """
    values = {"tenant": tenant, "resource": child.name, **conditions.values}
    values |= {"sampled": list(sample.parent_ids), "has_any": sample.has_any}
    due: list[DueCalls] = []
    unsampled = 0
    for row in connection.execute(text(statement), values):
        if row.need == Need.IF_SAMPLE_HAS_ANY:
            unsampled += row.calls
        else:
            calls = row.calls * len(child.endpoints)
            due.append(DueCalls(child.name, Priority(row.priority), row.changed, calls))
    drawn = min(unsampled, missing) * len(child.endpoints)
    return [DueCalls(child.name, Priority.SAMPLE, changed=True, calls=drawn), *due] if drawn > 0 else due
