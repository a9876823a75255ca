"""Stepping back: records that a full read returned twice in an older version than ours, as after a restored backup."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from etl.catalogue.resource import Resource
from etl.ledger.staging.classify import IncomingRecord
from etl.ledger.staging.raw_tables import to_record
from etl.resources import derived_from

#: The older versions that a batch received of records whose current version is from before the batch, each with the
#: number of readings that returned it. The newest of them counts. A current version with a missing or future date is
#: dated by our clock: that another version is older says nothing about the source.
OLDER = """
    SELECT DISTINCT ON (older.source_id)
           older.source_id, older.version_at, older.content_hash, count(DISTINCT request.reading) AS readings,
           min(request.slice) AS slice, max(older.page) AS page,
           bool_and(NOT newest.undated AND COALESCE(newest.source_modified_at, newest.source_created_at)
                    <= newest.version_at) IS NOT FALSE AS is_dated
    FROM raw.{table} AS older
    JOIN etl.requests AS request ON request.id = older.page
    JOIN raw.{table} AS newest
        ON newest.tenant = older.tenant AND newest.source_id = older.source_id AND newest.superseded_at IS NULL
    WHERE older.tenant = :tenant AND older.etl_batch_id = :batch_id AND older.superseded_at IS NOT NULL
      AND NOT older.undated AND older.gone_batch_id IS NULL
      AND newest.etl_batch_id <> :batch_id AND newest.version_at > older.version_at
    GROUP BY older.source_id, older.version_at, older.content_hash
    ORDER BY older.source_id, older.version_at DESC, older.content_hash
"""


def find_slices_to_confirm(connection: Connection, resource: Resource, tenant: str, batch_id: UUID) -> set[int]:
    """Return the slices that returned older versions than ours in one reading only."""
    query = text(f"SELECT slice FROM ({OLDER.format(table=resource.raw_table)}) AS read WHERE readings = 1")
    return set(connection.execute(query, {"tenant": tenant, "batch_id": batch_id}).scalars())


def find_confirmed(connection: Connection, resource: Resource, tenant: str, batch_id: UUID) -> dict[str, bool]:
    """Return the records that two readings returned in the same older version.

    The keys are their source ids, the values whether the source dated our current version.
    """
    query = text(
        f"SELECT source_id, is_dated FROM ({OLDER.format(table=resource.raw_table)}) AS read WHERE readings > 1"
    )
    rows = connection.execute(query, {"tenant": tenant, "batch_id": batch_id}).all()
    return {row.source_id: row.is_dated for row in rows}


def withdraw_newest(
    connection: Connection, resource: Resource, tenant: str, batch_id: UUID, source_ids: Sequence[str]
) -> list[IncomingRecord]:
    """Withdraw our newest versions of records, in staging and in production; return the confirmed older ones."""
    bound = {"tenant": tenant, "batch_id": batch_id, "source_ids": list(source_ids)}
    older = connection.execute(
        text(f"""
            SELECT DISTINCT ON (staged.source_id)
                   staged.source_id, CAST(staged.raw_data AS text) AS raw, staged.content_hash, staged.version_at,
                   staged.undated, staged.source_modified_at, staged.source_created_at, staged.set_key,
                   staged.parent_raw_id, staged.page
            FROM ({OLDER.format(table=resource.raw_table)}) AS confirmed
            JOIN raw.{resource.raw_table} AS staged
                ON staged.tenant = :tenant AND staged.source_id = confirmed.source_id
                   AND staged.version_at = confirmed.version_at AND staged.content_hash = confirmed.content_hash
            WHERE confirmed.readings > 1 AND confirmed.source_id = ANY(:source_ids)
            ORDER BY staged.source_id, staged.page DESC
        """),
        bound,
    ).all()
    statement = text(f"""
        UPDATE raw.{resource.raw_table} SET superseded_at = now(), updated_at = now()
        WHERE tenant = :tenant AND source_id = ANY(:source_ids) AND superseded_at IS NULL
    """)
    connection.execute(statement, bound)
    set_versions(connection, resource, {row.source_id: row for row in older}, tenant)
    for child, derivation in derived_from(resource.name):
        if derivation.owned:
            withdraw_parts(connection, child, f"{resource.name}:", bound, {row.source_id: row for row in older})
    return [IncomingRecord(to_record(row), row.page) for row in older]


def withdraw_parts(
    connection: Connection, child: Resource, prefix: str, bound: Mapping[str, Any], older: Mapping[str, Any]
) -> None:
    """Mark what was made from records as missing, until it is made again from their older versions."""
    statement = text(f"""
        UPDATE raw.{child.raw_table} SET superseded_at = now(), gone_batch_id = :batch_id, updated_at = now()
        WHERE tenant = :tenant AND set_key = ANY(:keys) AND superseded_at IS NULL
        RETURNING source_id, set_key
    """)
    keys = [f"{prefix}{source_id}" for source_id in bound["source_ids"]]
    parts = connection.execute(statement, {**bound, "keys": keys}).all()
    versions = {part.source_id: older[part.set_key.removeprefix(prefix)] for part in parts}
    set_versions(connection, child, versions, bound["tenant"])


def set_versions(connection: Connection, resource: Resource, older: Mapping[str, Any], tenant: str) -> None:
    """Give rows the times of older versions, by source id, so that the load accepts these."""
    statement = text(f"""
        UPDATE public.{resource.model.__tablename__} AS stored
        SET version_at = older.version_at,
            source_modified_at = CASE WHEN stored.source_modified_at IS NOT NULL THEN older.modified_at END
        FROM unnest(CAST(:ids AS text[]), CAST(:versions AS timestamptz[]), CAST(:modified AS timestamptz[]))
             AS older (source_id, version_at, modified_at)
        WHERE stored.tenant = :tenant AND stored.source_id = older.source_id
    """)
    times = {
        "versions": [row.version_at for row in older.values()],
        "modified": [row.source_modified_at for row in older.values()],
    }
    connection.execute(statement, {"tenant": tenant, "ids": list(older), **times})
