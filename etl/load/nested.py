"""Records that are nested in another leave and return with it: the fees of a quote, the renewal in a policy's details.

Their own version in staging is still the newest, since only the record around them left.
"""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.catalogue import Resource
from etl.load.rows import UpsertResult, record_history
from etl.resources import CATALOGUE, find_resource

#: A nested row and the record around it that differ: which is deleted.
LEAVES = "stored.deleted_at IS NULL AND around.deleted_at IS NOT NULL"
RETURNS = "stored.deleted_at IS NOT NULL AND around.deleted_at IS NULL"
#: Which of the two a batch wrote.
WRITTEN = ("around", "stored")

#: Numbers of rows by table and action.
Counts = Mapping[str, Mapping[str, int]]


class NestedUpdate(NamedTuple):
    """An update of nested rows that differ from the record around them."""

    around: Resource
    differs: str
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
        return [NestedUpdate(around, differs, written) for written in WRITTEN for differs in (LEAVES, RETURNS)]
    of_around = counts.get(around.model.__tablename__, {})
    of_nested = counts.get(resource.model.__tablename__, {})
    may_find = {
        (LEAVES, "around"): of_around.get("deleted"),
        (RETURNS, "around"): of_around.get("revived"),
        (LEAVES, "stored"): any(of_nested.get(name) for name in ("inserted", "updated", "revived")),
        (RETURNS, "stored"): of_nested.get("deleted"),
    }
    return [NestedUpdate(around, differs, written) for (differs, written), may in may_find.items() if may]


def follow_record_around(
    connection: Connection, tenant: str, batch_id: UUID, resource: Resource, updates: Sequence[NestedUpdate]
) -> None:
    """Mark the nested rows of one resource, and add them to the sync history."""
    began = time.monotonic()
    bound = {"tenant": tenant, "batch_id": batch_id}
    changed = UpsertResult()
    for around, differs, written in updates:
        number = connection.execute(build_statement(resource, around, differs, written), bound).rowcount
        changed.deleted += number if differs == LEAVES else 0
        changed.revived += number if differs == RETURNS else 0
    if changed.deleted or changed.revived:
        record_history(connection, batch_id, resource.model.__tablename__, changed, began)


@cache
def build_statement(resource: Resource, around: Resource, differs: str, written: str) -> TextClause:
    """Build the update of nested rows that differ from the record around them; `written` is what the batch wrote."""
    return text(f"""
        UPDATE public.{resource.model.__tablename__} AS stored
        SET deleted_at = around.deleted_at, updated_at = now(), etl_batch_id = :batch_id
        FROM public.{around.model.__tablename__} AS around
        JOIN raw.{resource.raw_table} AS part
            ON part.tenant = around.tenant AND part.set_key = '{around.name}:' || around.source_id
               AND part.superseded_at IS NULL
        WHERE around.tenant = :tenant AND {written}.etl_batch_id = :batch_id AND {differs}
          AND stored.tenant = part.tenant AND stored.source_id = part.source_id
    """)
