"""Refreshing the child queue: parents that are new, changed, excluded, or worth more or less than before.

Once a day all parents are looked at, since dates decide what is in force and which calls are made; in between only
those whose record has arrived since, so that a run that changes little costs little.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from etl.catalogue.detail_rules import Need, Priority
from etl.catalogue.resource import Resource
from etl.ledger.children.child_samples import ChildSample, read_sample, read_samples, update_sample
from etl.ledger.children.parent_conditions import ParentConditions, RefreshRules, build_conditions
from etl.ledger.children.queue import read_database_time
from etl.ledger.staging.raw_tables import prefer_index_scans
from etl.queries import Queries
from etl.resources import PROSPECT_DETAILS

SQL = Queries(__file__)

#: A record may become visible this long after the time that its row shows.
LATE_COMMIT = timedelta(minutes=10)

#: The parents whose record arrived since the last refresh, and those that a row of this batch names.
ARRIVED = """
    SELECT source_id FROM raw.{raw_table}
    WHERE tenant = :tenant AND superseded_at IS NULL AND created_at > :since
"""
REFERENCED = """
    UNION SELECT referenced.source_id FROM public.{table} AS referrer
    JOIN public.{parent} AS referenced ON referenced.id = referrer.{column}
    WHERE referrer.tenant = :tenant AND referrer.etl_batch_id = :batch_id
"""

#: All parents, or some: one index probe for each, since the planner would turn a join into a scan.
ALL_PARENTS = "raw.{raw_table} AS parent"
SOME_PARENTS = """unnest(CAST(:looked_at AS text[])) AS looked_at (source_id)
    CROSS JOIN LATERAL (
        SELECT * FROM raw.{raw_table} AS record
        WHERE record.tenant = :tenant AND record.source_id = looked_at.source_id AND record.superseded_at IS NULL
        LIMIT 1
    ) AS parent"""


@dataclass(frozen=True, slots=True)
class RefreshScope:
    """Which parents a refresh looks at."""

    tenant: str
    today: date  #: by the API's clock: the day for which dates are judged
    now: datetime  #: by the database's clock
    looked_at: tuple[str, ...] | None  #: source ids; None: all parents


def refresh_queue(
    connection: Connection,
    children: Iterable[Resource],
    parent: Resource,
    tenant: str,
    today: date,
    batch_id: UUID | None = None,
) -> None:
    """Queue the parents that are new, have a new version or need a call, and remove those that no longer get one."""
    children, now = list(children), read_database_time(connection)
    row = connection.execute(
        SQL["last_refresh"], {"tenant": tenant, "resources": list(map(name_refresh, children))}
    ).one()
    last = LastRefresh(row.refreshed_at, row.full_on) if row.resources == len(children) > 0 else None
    looked_at = None
    if last is not None and last.full_on == today:
        since = last.refreshed_at - LATE_COMMIT
        looked_at = find_arrived(connection, children, parent, {"tenant": tenant, "since": since, "batch_id": batch_id})
    scope = RefreshScope(tenant, today, now, looked_at)
    if looked_at is None:
        refresh_children(connection, children, parent, scope)
    else:
        with prefer_index_scans(connection):
            refresh_children(connection, children, parent, scope)
    write_last_refresh(connection, tenant, children, now, today)


def find_arrived(
    connection: Connection, children: Iterable[Resource], parent: Resource, values: dict[str, Any]
) -> tuple[str, ...]:
    """Return the source ids of the parents that arrived since the last refresh, or that a row of this batch names."""
    statement = ARRIVED.format(raw_table=parent.raw_table)
    rules = {child.parent.parent_filter for child in children if child.parent is not None}
    if values["batch_id"] is not None:
        for table, column in sorted(rule.referrer for rule in rules if rule is not None and rule.if_referenced):
            statement += REFERENCED.format(table=table, column=column, parent=parent.table)
    with prefer_index_scans(connection):
        return tuple(connection.execute(text(statement), values).scalars())


def refresh_children(
    connection: Connection, children: Sequence[Resource], parent: Resource, scope: RefreshScope
) -> None:
    """Refresh the queue of each child; the first refresh after a sample had a record looks at all parents."""
    had_any = {sample.resource for sample in read_samples(connection, scope.tenant) if sample.has_any}
    samples = {
        child.name: update_sample(connection, child, parent, sample_rules(connection, child, parent, scope))
        for child in children
    }
    read_first = list(
        connection.execute(SQL["sampled_parents"], {"tenant": scope.tenant, "parent": parent.name}).scalars()
    )
    for child in children:
        sample = samples[child.name]
        is_new_finding = sample.has_any and child.name not in had_any
        rules = refresh_rules(
            child, parent, replace(scope, looked_at=None) if is_new_finding else scope, sample, read_first
        )
        remove_excluded(connection, rules, is_full=scope.looked_at is None)
        insert_parents(connection, rules)


def sample_rules(connection: Connection, child: Resource, parent: Resource, scope: RefreshScope) -> RefreshRules:
    """Return the rules for drawing the sample of a child: what was drawn before is looked at again."""
    sample = read_sample(connection, scope.tenant, child)
    if scope.looked_at is not None:
        scope = replace(scope, looked_at=tuple({*scope.looked_at, *sample.parent_ids}))
    return refresh_rules(child, parent, scope, sample)


def refresh_rules(
    child: Resource, parent: Resource, scope: RefreshScope, sample: ChildSample, read_first: Sequence[str] = ()
) -> RefreshRules:
    """Return the rules of a child, with the outcome of its sample and the parents that are read first."""
    conditions = build_conditions(child, parent, scope.today)
    values = {
        "tenant": scope.tenant,
        "resource": child.name,
        "now": scope.now,
        "looked_at": list(scope.looked_at or ()),
        "sampled": list(sample.parent_ids),
        "read_first": list(read_first),
        **conditions.values,
    }
    source = (ALL_PARENTS if scope.looked_at is None else SOME_PARENTS).format(raw_table=parent.raw_table)
    is_needed = build_need_condition(conditions, has_any=sample.has_any)
    return RefreshRules(parent.raw_table, source, conditions, is_needed, values)


def build_need_condition(conditions: ParentConditions, *, has_any: bool) -> str:
    """Return the condition that a parent gets a call today; `has_any` is the outcome of the sample."""
    if has_any:
        return f"({conditions.need}) <> '{Need.NO}'"
    return f"""(({conditions.need}) = '{Need.YES}' OR ({conditions.need}) = '{Need.IF_SAMPLE_HAS_ANY}'
        AND parent.source_id = ANY(CAST(:sampled AS text[])))"""


def remove_excluded(connection: Connection, rules: RefreshRules, *, is_full: bool) -> None:
    """Remove parents that no longer get a call; a full refresh also removes those that the source no longer has."""
    gets_call = f"({rules.conditions.may_get_call} AND {rules.is_needed}) IS TRUE"
    if is_full:
        statement = f"""
            DELETE FROM etl.child_queue AS queued
            WHERE queued.tenant = :tenant AND queued.resource = :resource AND NOT EXISTS (
                SELECT FROM raw.{rules.raw_table} AS parent
                WHERE parent.tenant = queued.tenant AND parent.source_id = queued.parent_id
                  AND parent.superseded_at IS NULL AND {gets_call}
            )
        """
        connection.execute(text(statement), rules.values)
        return
    statement = f"SELECT parent.source_id FROM {rules.source} WHERE parent.tenant = :tenant AND NOT ({gets_call})"
    excluded = connection.execute(text(statement), rules.values).scalars().all()
    if excluded:
        # A join with the parents could be turned around, and would then probe them for each row of the queue.
        connection.execute(SQL["delete_excluded"], {**rules.values, "excluded": list(excluded)})


def insert_parents(connection: Connection, rules: RefreshRules) -> None:
    """Queue the parents that are new or have a new version, and update what the others are worth."""
    statement = f"""
        INSERT INTO etl.child_queue AS queued
            (tenant, resource, parent_id, parent_raw_id, priority, parent_version_at, due_at, changed)
        SELECT parent.tenant, :resource, parent.source_id, parent.id, worth.priority, parent.version_at,
               CAST(:now AS timestamptz), true
        FROM {rules.source}
        CROSS JOIN LATERAL (
            SELECT CASE WHEN parent.source_id = ANY(CAST(:read_first AS text[]))
                        THEN {Priority.SAMPLE:d} ELSE {rules.conditions.priority} END AS priority OFFSET 0
        ) AS worth
        LEFT JOIN LATERAL (
            SELECT queued.parent_raw_id, queued.priority FROM etl.child_queue AS queued
            WHERE queued.tenant = :tenant AND queued.resource = :resource AND queued.parent_id = parent.source_id
            LIMIT 1
        ) AS known ON true
        WHERE parent.tenant = :tenant AND {rules.conditions.may_get_call} AND {rules.is_needed}
          AND (known.parent_raw_id IS DISTINCT FROM parent.id OR known.priority <> worth.priority)
        ORDER BY parent.source_id
        ON CONFLICT (tenant, resource, parent_id) DO UPDATE
        SET parent_raw_id = excluded.parent_raw_id, priority = excluded.priority,
            parent_version_at = excluded.parent_version_at,
            due_at = CASE WHEN queued.parent_raw_id = excluded.parent_raw_id THEN queued.due_at
                          ELSE excluded.due_at END,
            changed = queued.changed OR queued.parent_raw_id <> excluded.parent_raw_id,
            failures = CASE WHEN queued.parent_raw_id = excluded.parent_raw_id THEN queued.failures ELSE 0 END
    """
    connection.execute(text(statement), rules.values)


@dataclass(frozen=True, slots=True)
class LastRefresh:
    """When the queue of some resources was refreshed."""

    refreshed_at: datetime
    full_on: date  #: the day for which all parents were looked at


def name_refresh(child: Resource) -> str:
    """Return the name under which a refresh is recorded: another one if prospects get calls.

    So the first refresh after that setting was changed looks at all parents.
    """
    rule = child.parent.parent_filter if child.parent is not None else None
    return f"{child.name}+{PROSPECT_DETAILS}" if rule is not None and not rule.if_referenced else child.name


def write_last_refresh(
    connection: Connection, tenant: str, children: Sequence[Resource], now: datetime, today: date
) -> None:
    """Record a refresh of some resources; every parent has now been looked at for this day."""
    values = {"tenant": tenant, "resources": list(map(name_refresh, children)), "now": now, "today": today}
    connection.execute(SQL["delete_other_refreshes"], {**values, "names": [child.name for child in children]})
    connection.execute(SQL["write_last_refresh"], values)


def require_full_refresh(connection: Connection, tenant: str) -> None:
    """Look at all parents at the next refresh, after records changed without arriving again."""
    connection.execute(text("DELETE FROM etl.queue_refreshes WHERE tenant = :tenant"), {"tenant": tenant})
