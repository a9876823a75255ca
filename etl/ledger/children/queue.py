"""The child queue: the calls for details that are due, in order of value over all resources."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from etl.catalogue.detail_rules import ACTIVE
from etl.catalogue.resource import Resource
from etl.ledger import batches, watermarks
from etl.ledger.batches import Batch
from etl.ledger.json_fields import field_json
from etl.models.states import CallOutcome
from etl.queries import Queries
from etl.resources import BY_NAME

SQL = Queries(__file__)

#: How long a parent waits after its call failed.
RETRY_DELAY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """One call to make for a parent: its source id, its raw row, and the parent fields to add to the answer."""

    parent_id: str
    parent_raw_id: UUID
    carried: bytes  #: a JSON object
    resource: str  #: what is asked for
    has_answered: bool = False  #: whether the API gave a list or an object for this parent before

    @property
    def parent(self) -> tuple[str, str]:
        """The parent's resource and source id."""
        declared = BY_NAME[self.resource].parent
        return declared.resource if declared is not None else "", self.parent_id


@dataclass(frozen=True, slots=True)
class RefreshAge:
    """The age at which the details of an unchanged parent are read again."""

    active: timedelta
    others: timedelta


@dataclass(frozen=True, slots=True)
class QueueChunk:
    """One of several equal chunks of the queue, selected by a hash of the parent's id."""

    number: int = 0
    of: int = 1


#: The whole queue as one chunk.
WHOLE_QUEUE = QueueChunk()


@dataclass(frozen=True, slots=True)
class QueueCoverage:
    """How many parents of a resource are covered, and how many calls are outstanding."""

    parents: int
    covered: int
    outstanding: int
    oldest_due: datetime | None
    no_answer: int = 0  #: parents for which the newest answer held neither a list nor an object


@dataclass(frozen=True, slots=True)
class DueQuery:
    """Which due calls to read."""

    tenant: str
    resources: Collection[str]
    due: datetime
    refreshes: bool = False  #: the refreshes by age; otherwise first reads and changed parents
    chunk: QueueChunk = WHOLE_QUEUE


#: Limits a queue to one of several equal chunks.
CHUNK_CONDITION = "AND (hashtext(parent_id) & 2147483647) % :of = :number"

#: The share of the age after which a parent is read a second time: the same for all its details, and another for each
#: parent, so that the parents of a first sync are not all due again on one day.
SHARE_OF_AGE = "((hashtext(queued.parent_id) & 1023) + 1) / 1024.0"

#: The order in which details are read. All calls of a parent are adjacent, so that its details are whole.
READING_ORDER = "priority, parent_version_at DESC, parent_id, resource"


def take_due_requests(connection: Connection, query: DueQuery, most: int) -> list[ChildRequest]:
    """Return about `most` of the next requests, all due ones of each parent; remove parents that no longer exist."""
    rows = read_queue(connection, query, most)
    while rows:
        requests = load_requests(connection, query.tenant, rows)
        missing = [row for row in rows if (row.resource, row.parent_id) not in requests]
        remove_parents(connection, query.tenant, missing)
        if requests:
            return [requests[row.resource, row.parent_id] for row in rows if row not in missing]
        rows = read_queue(connection, query, most)
    return []


def read_queue(connection: Connection, query: DueQuery, most: int) -> Sequence[Any]:
    """Return the next rows of the queue, without a last parent whose rows may be incomplete."""
    limit = most + len(query.resources)
    chunk = {} if query.chunk == WHOLE_QUEUE else {"number": query.chunk.number, "of": query.chunk.of}
    statement = text(f"""
        SELECT resource, parent_id, parent_raw_id, has_answered FROM etl.child_queue
        WHERE tenant = :tenant AND {"NOT changed" if query.refreshes else "changed"} AND due_at <= :due
          AND resource = ANY(:resources) {CHUNK_CONDITION if chunk else ""}
        ORDER BY {READING_ORDER} LIMIT :limit
    """)
    values = {"tenant": query.tenant, "due": query.due, "resources": list(query.resources), "limit": limit}
    rows = connection.execute(statement, values | chunk).all()
    if len(rows) < limit:
        return rows
    return [row for row in rows if parent_key(row) != parent_key(rows[-1])] or rows


def parent_key(row: Any) -> tuple[str, str]:
    """Return the parent of a row of the queue."""
    return parent_of(row.resource), row.parent_id


def parent_of(resource: str) -> str:
    """Return the parent resource of a resource that is read per parent."""
    declared = BY_NAME[resource].parent
    return declared.resource if declared is not None else ""


def load_requests(connection: Connection, tenant: str, rows: Iterable[Any]) -> dict[tuple[str, str], ChildRequest]:
    """Return the requests of rows of the queue, by resource and parent, for parents that still exist."""
    requests = {}
    by_resource = sorted(rows, key=lambda row: row.resource)
    for name, group in groupby(by_resource, key=lambda row: row.resource):
        queued = {row.parent_id: row for row in group}
        for parent in connection.execute(*build_parent_query(BY_NAME[name], tenant, list(queued))):
            row, carried = queued[parent.source_id], (parent.carried or "{}").encode()
            requests[name, row.parent_id] = ChildRequest(
                row.parent_id, row.parent_raw_id, carried, name, row.has_answered
            )
    return requests


def build_parent_query(child: Resource, tenant: str, parent_ids: Sequence[str]) -> tuple[Any, Mapping[str, Any]]:
    """Return the query for the newest versions of some parents, with the fields that the child needs."""
    declared = child.parent
    statement = text(f"""
        SELECT parent.source_id, carried.object AS carried
        FROM unnest(CAST(:parents AS text[])) AS wanted (source_id)
        JOIN raw.{BY_NAME[parent_of(child.name)].raw_table} AS parent
            ON parent.tenant = :tenant AND parent.source_id = wanted.source_id AND parent.superseded_at IS NULL
        CROSS JOIN LATERAL (
            SELECT CAST(jsonb_object_agg(named.name, named.value) AS text) AS object
            FROM (
                SELECT name, {field_json("parent.raw_data", "name")} AS value
                FROM unnest(CAST(:carries AS text[])) AS name
            ) AS named
            WHERE named.value IS NOT NULL
        ) AS carried
    """)
    fields = declared.parent_fields if declared is not None else ()
    return statement, {"tenant": tenant, "parents": list(parent_ids), "carries": list(fields)}


def remove_parents(connection: Connection, tenant: str, rows: Collection[Any]) -> None:
    """Remove rows of the queue."""
    if rows:
        connection.execute(
            SQL["remove_parents"],
            {
                "tenant": tenant,
                "resources": [row.resource for row in rows],
                "parents": [row.parent_id for row in rows],
            },
        )


def mark_covered(
    connection: Connection, child: Resource, tenant: str, requests: Collection[ChildRequest], age: RefreshAge
) -> None:
    """Mark parents as covered after their answers are staged. They are due again when they change or need a refresh."""
    connection.execute(
        text(f"""
            UPDATE etl.child_queue AS queued
            SET covered_at = now(), changed = false, failures = 0,
                due_at = now() + CASE WHEN queued.priority = ANY(:actives) THEN CAST(:active AS interval)
                                      ELSE CAST(:others AS interval) END
                               * CASE WHEN queued.covered_at IS NULL THEN {SHARE_OF_AGE} ELSE 1 END
            FROM unnest(CAST(:parents AS text[]), CAST(:raw_ids AS uuid[])) AS asked (parent_id, raw_id)
            WHERE queued.tenant = :tenant AND queued.resource = :resource AND queued.parent_id = asked.parent_id
              AND queued.parent_raw_id = asked.raw_id
        """),
        {
            "tenant": tenant,
            "resource": child.name,
            "actives": [int(priority) for priority in ACTIVE],
            "active": age.active,
            "others": age.others,
            "parents": [request.parent_id for request in requests],
            "raw_ids": [request.parent_raw_id for request in requests],
        },
    )


def note_outcomes(connection: Connection, child: Resource, tenant: str, outcomes: Mapping[str, CallOutcome]) -> None:
    """Store what the API said about parents, by their source ids."""
    connection.execute(
        SQL["note_outcomes"],
        {"tenant": tenant, "resource": child.name, "parents": list(outcomes), "outcomes": list(outcomes.values())},
    )


def postpone_failed(connection: Connection, child: Resource, tenant: str, parent_ids: Collection[str]) -> None:
    """Postpone parents whose calls failed, so that the other parents come first."""
    connection.execute(
        SQL["postpone_failed"],
        {"tenant": tenant, "resource": child.name, "parents": list(parent_ids), "pause": RETRY_DELAY},
    )


def retry_postponed(connection: Connection, child: str, tenant: str) -> None:
    """Make postponed parents due now."""
    connection.execute(SQL["retry_postponed"], {"tenant": tenant, "resource": child})


def mark_uncovered(connection: Connection, child: str, tenant: str) -> None:
    """Make all parents of a resource due, as if no answer had ever arrived."""
    connection.execute(SQL["mark_uncovered"], {"tenant": tenant, "resource": child})


def read_database_time(connection: Connection) -> datetime:
    """Return the time of the database, which decides what is due."""
    database_time: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return database_time


def were_parents_read(connection: Connection, batch: Batch, resource: Resource) -> bool:
    """Return whether the parents of a resource were ever read, by this batch or before; else nothing can be due.

    Parents that the account does not offer, or that the settings leave out, count as read: none will come.
    """
    if resource.parent is None:
        return True
    parent = resource.parent.resource
    in_batch = batches.read_batch_resource(connection, batch.id, parent)
    return (
        (not batch.options.get("resources") if in_batch is None else in_batch.fully_read)
        or bool(watermarks.read_complete_windows(connection, batch.tenant, parent))
        or parent in watermarks.read_not_offered(connection, batch.tenant)
    )


def count_outstanding(connection: Connection, tenant: str) -> dict[str, int]:
    """Return how many calls are outstanding, by resource; postponed ones count. Costs no more than the backlog."""
    rows = connection.execute(SQL["count_outstanding"], {"tenant": tenant, "pause": RETRY_DELAY})
    return {row.resource: row.calls for row in rows}


def read_coverage(connection: Connection, resource: str, tenant: str) -> QueueCoverage:
    """Return how many parents of a resource are covered and outstanding."""
    row = connection.execute(SQL["coverage"], {"tenant": tenant, "resource": resource}).one()
    return QueueCoverage(*row)
