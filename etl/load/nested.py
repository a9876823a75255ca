"""Nested records, such as the fees of a quote: deleted and revived with the record that contains them.

Their own version in staging is still the newest, since only the outer record was deleted.
"""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.catalogue.resource import Resource
from etl.load.rows import UpsertResult, record_history
from etl.resources import CATALOGUE, find_resource


class Difference(NamedTuple):
    """The conditions under which a nested row, `stored`, differs from the record around it."""

    stored: str
    around: str


LEAVES = Difference("stored.deleted_at IS NULL", "around.deleted_at IS NOT NULL")
RETURNS = Difference("stored.deleted_at IS NOT NULL", "around.deleted_at IS NULL")
#: Which of the two a batch wrote.
WRITTEN = ("around", "stored")

#: Numbers of rows by table and action.
Counts = Mapping[str, Mapping[str, int]]


class NestedUpdate(NamedTuple):
    """An update of nested rows that differ from the record around them."""

    around: Resource
    difference: Difference
    written: str


def follow_records_around(connection: Connection, tenant: str, batch_id: UUID, counts: Counts | None = None) -> None:
    """Mark nested rows deleted with the record around them, and live again with it, where a batch wrote either.

    `counts` are those of the rows that the batch wrote, by table; without them every table may have changed.
    """
    for resource in CATALOGUE:
        for derivation in resource.derived:
            around = find_resource(derivation.resource)
            if derivation.owned and (updates := find_updates(resource, around, counts)):
                follow_record_around(connection, tenant, batch_id, resource, updates)


def find_updates(resource: Resource, around: Resource, counts: Counts | None) -> list[NestedUpdate]:
    """Return the updates of nested rows that may find any, by what a batch wrote."""
    if counts is None:
        return [NestedUpdate(around, difference, written) for written in WRITTEN for difference in (LEAVES, RETURNS)]
    of_around = counts.get(around.model.__tablename__, {})
    of_nested = counts.get(resource.model.__tablename__, {})
    may_find = {
        (LEAVES, "around"): of_around.get("deleted"),
        (RETURNS, "around"): of_around.get("revived"),
        (LEAVES, "stored"): any(of_nested.get(name) for name in ("inserted", "updated", "revived")),
        (RETURNS, "stored"): of_nested.get("deleted"),
    }
    return [NestedUpdate(around, difference, written) for (difference, written), may in may_find.items() if may]


def follow_record_around(
    connection: Connection, tenant: str, batch_id: UUID, resource: Resource, updates: Sequence[NestedUpdate]
) -> None:
    """Mark the nested rows of one resource, and add them to the sync history."""
    began = time.monotonic()
    changed = UpsertResult()
    for update in updates:
        number = execute_update(connection, tenant, batch_id, resource, update)
        changed.deleted += number if update.difference == LEAVES else 0
        changed.revived += number if update.difference == RETURNS else 0
    if changed.deleted or changed.revived:
        record_history(connection, batch_id, resource.model.__tablename__, changed, began)


def execute_update(
    connection: Connection, tenant: str, batch_id: UUID, resource: Resource, update: NestedUpdate
) -> int:
    """Execute one update, and return the number of rows."""
    bound: dict[str, Any] = {"tenant": tenant, "batch_id": batch_id}
    if update.written == "around":
        bound["keys"] = list(connection.execute(find_keys(update), bound).scalars())
        if not bound["keys"]:
            return 0
    return connection.execute(build_statement(resource, update), bound).rowcount


@cache
def find_keys(update: NestedUpdate) -> TextClause:
    """Return the query for the set keys of the records around that a batch wrote. Binds tenant and batch_id."""
    return text(f"""
        SELECT '{update.around.name}:' || around.source_id
        FROM public.{update.around.model.__tablename__} AS around
        WHERE around.tenant = :tenant AND around.etl_batch_id = :batch_id AND {update.difference.around}
    """)


@cache
def build_statement(resource: Resource, update: NestedUpdate) -> TextClause:
    """Return the update of nested rows. Binds tenant and batch_id, and keys where the batch wrote the records around.

    One table after the other is looked up row by row (OFFSET 0 keeps it so): a planner without statistics, as after a
    first load, would pair every row with every other. A lookup in staging by source id leaves the set open, which would
    let that planner take the index of sets and try all of its rows.
    """
    table, around_table = f"public.{resource.model.__tablename__}", f"public.{update.around.model.__tablename__}"
    prefix = f"{update.around.name}:"
    parts = f"""
        SELECT part.source_id, part.set_key, substr(part.set_key, length('{prefix}') + 1) AS around_source_id
        FROM raw.{resource.raw_table} AS part
        WHERE part.tenant = :tenant AND part.superseded_at IS NULL
    """
    around = f"""
        SELECT around.deleted_at FROM {around_table} AS around
        WHERE around.tenant = :tenant AND around.source_id = part.around_source_id AND {update.difference.around}
        OFFSET 0
    """
    if update.written == "around":
        pairs = f"""
            SELECT stored.id, around.deleted_at
            FROM ({parts} AND part.set_key = ANY (:keys) OFFSET 0) AS part
            CROSS JOIN LATERAL ({around}) AS around
            CROSS JOIN LATERAL (
                SELECT stored.id FROM {table} AS stored
                WHERE stored.tenant = :tenant AND stored.source_id = part.source_id AND {update.difference.stored}
                OFFSET 0
            ) AS stored
        """
    else:
        pairs = f"""
            SELECT stored.id, around.deleted_at
            FROM {table} AS stored
            CROSS JOIN LATERAL (
                {parts} AND part.source_id = stored.source_id OFFSET 0
            ) AS part
            CROSS JOIN LATERAL ({around}) AS around
            WHERE stored.tenant = :tenant AND stored.etl_batch_id = :batch_id AND {update.difference.stored}
              AND starts_with(part.set_key, '{prefix}')
        """
    return text(f"""
        WITH pairs AS MATERIALIZED ({pairs})
        UPDATE {table} AS stored
        SET deleted_at = pairs.deleted_at, updated_at = now(), etl_batch_id = :batch_id
        FROM pairs WHERE stored.id = pairs.id
    """)
