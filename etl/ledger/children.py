"""The child queue: the parents whose details are due, in order of urgency."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.catalogue import ParentFilter, Resource
from etl.ledger.json_fields import field_json
from etl.models.sources import spellings
from etl.models.states import CallOutcome
from etl.values.text import BLANKS, INVISIBLE

#: Days until the details of an unchanged parent are refreshed: active parents, other parents.
REFRESH_DAYS = (7, 30)

#: How long a parent waits after its call failed.
RETRY_DELAY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """One call to make for a parent: its source id, its raw row, and the parent fields to add to the answer."""

    parent_id: str
    parent_raw_id: UUID
    carried: bytes  #: a JSON object
    has_answered: bool = False  #: whether the API gave a list or an object for this parent before


@dataclass(frozen=True, slots=True)
class QueueChunk:
    """One of several equal chunks of a queue, selected by a hash of the parent's id."""

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
class DueCalls:
    """The number of due calls of one urgency."""

    changed: bool  #: true for a new version of the parent, false for a refresh of an unchanged one
    active: bool  #: whether the parent is active
    calls: int


#: What cleaning removes from a code: invisible characters anywhere, blanks at both ends.
CLEANING_VALUES = {"invisible": INVISIBLE, "blanks": BLANKS}

#: Parents that are new or have a new version, joined with their queue entry if there is one.
CHANGED_PARENTS = """
    FROM raw.{parent} AS parent
    LEFT JOIN etl.child_queue AS known
        ON known.tenant = parent.tenant AND known.resource = :resource AND known.parent_id = parent.source_id
    WHERE parent.tenant = :tenant AND parent.superseded_at IS NULL AND {wanted}
      AND known.parent_raw_id IS DISTINCT FROM parent.id
"""


def refresh_queue(connection: Connection, child: Resource, parent: Resource, tenant: str) -> None:
    """Queue every parent that is new or has a new version, except parents that the source marks as deleted."""
    active, wanted, values = build_parent_conditions(child, parent)
    remove_excluded(connection, child, parent, tenant, wanted, values)
    statement = text(f"""
        INSERT INTO etl.child_queue AS queued
            (tenant, resource, parent_id, parent_raw_id, priority, parent_version_at, due_at, changed)
        SELECT parent.tenant, :resource, parent.source_id, parent.id, CASE WHEN {active} THEN 0 ELSE 1 END,
               parent.version_at, now(), true
        {CHANGED_PARENTS.format(parent=parent.raw_table, wanted=wanted)}
        ORDER BY parent.source_id
        ON CONFLICT (tenant, resource, parent_id) DO UPDATE
        SET parent_raw_id = excluded.parent_raw_id, priority = excluded.priority, due_at = excluded.due_at,
            parent_version_at = excluded.parent_version_at, changed = true, failures = 0
    """)
    connection.execute(statement, {"tenant": tenant, "resource": child.name, **values})


def remove_excluded(
    connection: Connection, child: Resource, parent: Resource, tenant: str, wanted: str, values: Mapping[str, Any]
) -> None:
    """Remove the parents that are missing at the source, or whose newest version does not match `wanted`."""
    statement = text(f"""
        DELETE FROM etl.child_queue AS queued
        WHERE queued.tenant = :tenant AND queued.resource = :resource
          AND NOT EXISTS (
              SELECT FROM raw.{parent.raw_table} AS parent
              WHERE parent.tenant = queued.tenant AND parent.source_id = queued.parent_id
                AND parent.superseded_at IS NULL AND (parent.id = queued.parent_raw_id OR ({wanted}))
          )
    """)
    used_values = {name: value for name, value in values.items() if f":{name}" in wanted}
    connection.execute(statement, {"tenant": tenant, "resource": child.name, **used_values})


def build_parent_conditions(child: Resource, parent: Resource) -> tuple[str, str, dict[str, Any]]:
    """Return two SQL conditions on a parent's raw row, "is active" and "is wanted", and their bind values."""
    conditions = ["parent.status <> 'validation_error' OR parent.loaded_at IS NOT NULL"]
    values: dict[str, Any] = {}
    deletion_conditions: list[str] = []
    for number, (field, deleted_values) in enumerate(parent.model.deletion_mark):
        values |= {f"mark_{number}": field, f"marks_{number}": spellings(deleted_values)}
        deletion_conditions.append(build_mark_condition(f":mark_{number}", f":marks_{number}"))
    if deletion_conditions:
        values |= CLEANING_VALUES
        conditions.append(f"({' OR '.join(deletion_conditions)}) IS NOT TRUE")
    if child.parent is not None and child.parent.parent_filter is not None:
        parent_filter = child.parent.parent_filter
        conditions.append(build_filter_condition(parent_filter, parent))
        values |= CLEANING_VALUES | {
            "filter_fields": list(parent_filter.fields),
            "excluded": list(parent_filter.excluded),
            "if_referenced": list(parent_filter.if_referenced),
        }
    if parent.active is None:
        return "true", join_conditions(conditions), values
    values |= CLEANING_VALUES | {"active": parent.active[0], "active_values": spellings(parent.active[1])}
    active = build_mark_condition(":active", ":active_values")
    return active, join_conditions(conditions), values


def build_mark_condition(field: str, codes: str) -> str:
    """Return the SQL condition that a field of a parent's raw row has one of these codes, read as `is_one_of` does."""
    raw = field_json("parent.raw_data", field)
    return f"""upper(btrim(translate(
        CASE jsonb_typeof({raw})
            WHEN 'number' THEN CAST(trim_scale(CAST({raw} AS numeric)) AS text)
            ELSE {raw} #>> '{{}}'
        END, CAST(:invisible AS text), ''
    ), CAST(:blanks AS text)) COLLATE "C") = ANY(CAST({codes} AS text[]))"""


def build_filter_condition(parent_filter: ParentFilter, parent: Resource) -> str:
    """Return the SQL condition that a parent's raw row meets a filter."""
    table, column = parent_filter.referrer

    def has_code(codes: str) -> str:
        condition = build_mark_condition("filtered.field", codes)
        return f"EXISTS (SELECT FROM unnest(CAST(:filter_fields AS text[])) AS filtered (field) WHERE {condition})"

    is_referenced = f"""EXISTS (
        SELECT FROM public.{parent.model.__tablename__} AS referenced
        JOIN public.{table} AS referrer ON referrer.{column} = referenced.id AND referrer.deleted_at IS NULL
        WHERE referenced.tenant = parent.tenant AND referenced.source_id = parent.source_id
    )"""
    return f"NOT {has_code(':excluded')} AND (NOT {has_code(':if_referenced')} OR {is_referenced})"


def join_conditions(conditions: Collection[str]) -> str:
    """Join conditions with AND."""
    return " AND ".join(f"({condition})" for condition in conditions)


def read_due_requests(  # noqa: PLR0913, PLR0917 (which queue, which chunk of it, how far)
    connection: Connection,
    child: Resource,
    parent: Resource,
    tenant: str,
    due: datetime,
    limit: int,
    chunk: QueueChunk = WHOLE_QUEUE,
) -> list[ChildRequest]:
    """Return the next requests: changed parents first, then active parents, newest versions first."""
    parent_fields = child.parent.parent_fields if child.parent is not None else ()
    values = {"tenant": tenant, "resource": child.name, "due": due, "most": limit, "carries": list(parent_fields)}
    chunk_values = {} if chunk == WHOLE_QUEUE else {"number": chunk.number, "of": chunk.of}
    rows = connection.execute(build_queue_query(parent, CHUNK_CONDITION if chunk_values else ""), values | chunk_values)
    return [ChildRequest(row.parent_id, row.id, (row.carried or "{}").encode(), row.has_answered) for row in rows]


#: Limits a queue to one of several equal chunks.
CHUNK_CONDITION = "AND (hashtext(parent_id) & 2147483647) % :of = :number"


def build_queue_query(parent: Resource, chunk_condition: str = "") -> TextClause:
    """Build the query of `read_due_requests`."""
    return text(f"""
        SELECT queued.parent_id, parent.id, carried.object AS carried, queued.has_answered
        FROM (
            SELECT parent_id, changed, priority, parent_version_at, has_answered FROM etl.child_queue
            WHERE tenant = :tenant AND resource = :resource AND due_at <= :due {chunk_condition}
            ORDER BY changed DESC, priority, parent_version_at DESC, parent_id LIMIT :most
        ) AS queued
        JOIN raw.{parent.raw_table} AS parent
            ON parent.tenant = :tenant AND parent.source_id = queued.parent_id AND parent.superseded_at IS NULL
        CROSS JOIN LATERAL (
            SELECT CAST(jsonb_object_agg(named.name, named.value) AS text) AS object
            FROM (
                SELECT name, {field_json("parent.raw_data", "name")} AS value
                FROM unnest(CAST(:carries AS text[])) AS name
            ) AS named
            WHERE named.value IS NOT NULL
        ) AS carried
        ORDER BY queued.changed DESC, queued.priority, queued.parent_version_at DESC, queued.parent_id
    """)


def count_due_calls(connection: Connection, child: Resource, parent: Resource, tenant: str) -> list[DueCalls]:
    """Return how many calls a run would find due, most urgent first. This does not change the queue."""
    active, wanted, values = build_parent_conditions(child, parent)
    statement = text(f"""
        SELECT changed, priority, count(*) AS calls
        FROM (
            SELECT true AS changed, CASE WHEN {active} THEN 0 ELSE 1 END AS priority
            {CHANGED_PARENTS.format(parent=parent.raw_table, wanted=wanted)}
            UNION ALL
            SELECT queued.changed, queued.priority
            FROM etl.child_queue AS queued
            JOIN raw.{parent.raw_table} AS parent
                ON parent.id = queued.parent_raw_id AND parent.superseded_at IS NULL
            WHERE queued.tenant = :tenant AND queued.resource = :resource AND queued.due_at <= now()
        ) AS due
        GROUP BY changed, priority ORDER BY changed DESC, priority
    """)
    rows = connection.execute(statement, {"tenant": tenant, "resource": child.name, **values})
    return [DueCalls(row.changed, row.priority == 0, row.calls) for row in rows]


def mark_covered(connection: Connection, child: Resource, tenant: str, requests: Collection[ChildRequest]) -> None:
    """Mark parents as covered after their answers are staged. They are due again when they change or need a refresh."""
    connection.execute(
        text("""
            UPDATE etl.child_queue AS queued
            SET covered_at = now(), changed = false, failures = 0,
                due_at = now() + make_interval(days => CASE queued.priority WHEN 0 THEN :active ELSE :others END)
            FROM unnest(CAST(:parents AS text[]), CAST(:raw_ids AS uuid[])) AS asked (parent_id, raw_id)
            WHERE queued.tenant = :tenant AND queued.resource = :resource AND queued.parent_id = asked.parent_id
              AND queued.parent_raw_id = asked.raw_id
        """),
        {
            "tenant": tenant,
            "resource": child.name,
            "active": REFRESH_DAYS[0],
            "others": REFRESH_DAYS[1],
            "parents": [request.parent_id for request in requests],
            "raw_ids": [request.parent_raw_id for request in requests],
        },
    )


def note_outcomes(connection: Connection, child: Resource, tenant: str, outcomes: Mapping[str, CallOutcome]) -> None:
    """Store what the API said about parents, by their source ids."""
    connection.execute(
        text("""
            UPDATE etl.child_queue AS queued
            SET outcome = said.outcome, has_answered = queued.has_answered OR said.outcome = 'answered'
            FROM unnest(CAST(:parents AS text[]), CAST(:outcomes AS text[])) AS said (parent_id, outcome)
            WHERE queued.tenant = :tenant AND queued.resource = :resource AND queued.parent_id = said.parent_id
        """),
        {"tenant": tenant, "resource": child.name, "parents": list(outcomes), "outcomes": list(outcomes.values())},
    )


def postpone_failed(connection: Connection, child: Resource, tenant: str, parent_ids: Collection[str]) -> None:
    """Postpone parents whose calls failed, so that the other parents come first."""
    connection.execute(
        text("""
            UPDATE etl.child_queue SET due_at = now() + :pause, failures = failures + 1
            WHERE tenant = :tenant AND resource = :resource AND parent_id = ANY(:parents)
        """),
        {"tenant": tenant, "resource": child.name, "parents": list(parent_ids), "pause": RETRY_DELAY},
    )


def retry_postponed(connection: Connection, child: str, tenant: str) -> None:
    """Make postponed parents due now."""
    connection.execute(
        text("""
            UPDATE etl.child_queue SET due_at = now()
            WHERE tenant = :tenant AND resource = :resource AND failures > 0
        """),
        {"tenant": tenant, "resource": child},
    )


def mark_uncovered(connection: Connection, child: str, tenant: str) -> None:
    """Make all parents of a resource due, as if no answer had ever arrived."""
    connection.execute(
        text("""
            UPDATE etl.child_queue SET due_at = now(), covered_at = NULL, changed = true, failures = 0
            WHERE tenant = :tenant AND resource = :resource AND covered_at IS NOT NULL
        """),
        {"tenant": tenant, "resource": child},
    )


def read_database_time(connection: Connection) -> datetime:
    """Return the time of the database, which decides what is due."""
    database_time: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return database_time


def read_coverage(connection: Connection, resource: str, tenant: str) -> QueueCoverage:
    """Return how many parents of a resource are covered and outstanding."""
    row = connection.execute(
        text("""
            SELECT count(*) AS parents, count(covered_at) AS covered,
                   count(*) FILTER (WHERE due_at <= now() OR failures > 0) AS outstanding,
                   min(due_at) FILTER (WHERE due_at <= now() OR failures > 0) AS oldest_due,
                   count(*) FILTER (WHERE outcome = 'no_answer') AS no_answer
            FROM etl.child_queue WHERE tenant = :tenant AND resource = :resource
        """),
        {"tenant": tenant, "resource": resource},
    ).one()
    return QueueCoverage(*row)
