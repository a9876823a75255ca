"""Samples of parents that probably have no records: the answers decide whether the others get a call."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, text

from etl.catalogue.detail_rules import IfChanged, Need
from etl.catalogue.resource import Resource
from etl.ledger.children.parent_conditions import RefreshRules
from etl.models.states import CallOutcome
from etl.queries import Queries

SQL = Queries(__file__)


@dataclass(frozen=True, slots=True)
class ChildSample:
    """The sample of one resource, and its outcome."""

    resource: str
    parent: str  #: the resource of the parents
    parent_ids: tuple[str, ...] = ()
    counter_example: str | None = None  #: the source id of a parent in the sample that has a record
    decided_at: datetime | None = None  #: when the outcome was known

    @property
    def has_any(self) -> bool:
        """Whether a parent of the sample has a record, so that every parent gets a call."""
        return self.counter_example is not None


def read_samples(connection: Connection, tenant: str) -> list[ChildSample]:
    """Return the samples of a tenant, by resource."""
    rows = connection.execute(SQL["samples"], {"tenant": tenant})
    return [
        ChildSample(row.resource, row.parent, tuple(row.parent_ids), row.counter_example, row.decided_at)
        for row in rows
    ]


def read_sample(connection: Connection, tenant: str, child: Resource) -> ChildSample:
    """Return the sample of a resource, an empty one before it was drawn."""
    samples = {sample.resource: sample for sample in read_samples(connection, tenant)}
    parent = child.parent.resource if child.parent is not None else ""
    return samples.get(child.name, ChildSample(child.name, parent))


def update_sample(connection: Connection, child: Resource, parent: Resource, draw: RefreshRules) -> ChildSample:
    """Draw the sample of a resource as far as it is missing, look at its answers, and return it.

    A decided sample stays as it is. Parents that have changed since they were drawn are replaced. An answer that holds
    neither a list nor an object decides nothing.
    """
    rule = child.parent.need if child.parent is not None else None
    tenant = draw.values["tenant"]
    drawn = read_sample(connection, tenant, child)
    if not isinstance(rule, IfChanged) or drawn.decided_at is not None:
        return drawn
    statement = build_draw(child, parent, draw)
    values = {**draw.values, "drawn": list(drawn.parent_ids), "size": rule.sample}
    rows = connection.execute(text(statement), values).all()
    counter_example = next((row.source_id for row in rows if row.covered and row.has_any), None)
    is_decided = counter_example is not None or (len(rows) >= rule.sample and all(row.covered for row in rows))
    sample = ChildSample(child.name, parent.name, tuple(row.source_id for row in rows), counter_example)
    return write_sample(connection, tenant, sample, is_decided=is_decided)


def build_draw(child: Resource, parent: Resource, draw: RefreshRules) -> str:
    """Return the query of a sample: the parents drawn before that are still unchanged, then others.

    Others are drawn by a hash of their id, so that the sample is spread over all unchanged parents.
    """
    return f"""
        SELECT parent.source_id,
               COALESCE(queued.covered_at IS NOT NULL AND NOT queued.changed, false)
                   AND queued.outcome IS DISTINCT FROM '{CallOutcome.NO_ANSWER}' AS covered,
               EXISTS (
                   SELECT FROM raw.{child.raw_table} AS record
                   WHERE record.tenant = parent.tenant AND record.superseded_at IS NULL
                     AND record.set_key = '{parent.name}' || chr(58) || parent.source_id
               ) AS has_any
        FROM {draw.source}
        LEFT JOIN etl.child_queue AS queued
            ON queued.tenant = parent.tenant AND queued.resource = :resource AND queued.parent_id = parent.source_id
        WHERE parent.tenant = :tenant AND {draw.conditions.may_get_call}
          AND ({draw.conditions.need}) = '{Need.IF_SAMPLE_HAS_ANY}'
        ORDER BY parent.source_id = ANY(CAST(:drawn AS text[])) DESC, md5(parent.source_id) LIMIT :size
    """


def write_sample(connection: Connection, tenant: str, sample: ChildSample, *, is_decided: bool) -> ChildSample:
    """Store a sample, and return it with the time when its outcome was drawn."""
    decided_at = connection.execute(
        SQL["write_sample"],
        {
            "tenant": tenant,
            "resource": sample.resource,
            "parent": sample.parent,
            "parent_ids": list(sample.parent_ids),
            "counter_example": sample.counter_example,
            "is_decided": is_decided,
        },
    ).scalar_one()
    return replace(sample, decided_at=decided_at)
