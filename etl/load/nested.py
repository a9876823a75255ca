"""Records that are nested in another leave and return with it: the fees of a quote, the renewal in a policy's details.

Their own version in staging is still the newest, since only the record around them left.
"""

import time
from functools import cache
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.catalogue import Resource
from etl.load.rows import UpsertResult, record_history
from etl.resources import CATALOGUE
from etl.resources import resource as resource_named

#: A nested row and the record around it that differ: which is deleted.
LEAVES = "stored.deleted_at IS NULL AND around.deleted_at IS NOT NULL"
RETURNS = "stored.deleted_at IS NOT NULL AND around.deleted_at IS NULL"


def follow_records_around(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Mark nested rows deleted with the record around them, and live again with it, where a batch wrote either."""
    for resource in CATALOGUE:
        for derivation in resource.derived:
            if derivation.owned:
                follow_record_around(connection, tenant, batch_id, resource, resource_named(derivation.resource))


def follow_record_around(
    connection: Connection, tenant: str, batch_id: UUID, resource: Resource, around: Resource
) -> None:
    """Mark the nested rows of one resource, and add them to the sync history."""
    began = time.monotonic()
    bound = {"tenant": tenant, "batch_id": batch_id}
    changed = UpsertResult()
    for written in ("around", "stored"):
        changed.deleted += connection.execute(build_statement(resource, around, LEAVES, written), bound).rowcount
        changed.revived += connection.execute(build_statement(resource, around, RETURNS, written), bound).rowcount
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
