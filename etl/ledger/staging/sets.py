"""Versions of sets: which reading of a set is the newest, where lists say when they changed and may arrive late."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from etl.catalogue import Resource
from etl.record import ReadSet

#: Takes the row of each set for the rest of the transaction, so that of two readings at once the second sees the first.
WRITE = text("""
    INSERT INTO etl.sets AS known (tenant, resource, set_key, version_at)
    SELECT :tenant, :resource, set_key, version_at
    FROM unnest(CAST(:keys AS text[]), CAST(:versions AS timestamptz[])) AS read (set_key, version_at)
    ORDER BY set_key
    ON CONFLICT (tenant, resource, set_key) DO UPDATE SET version_at = excluded.version_at
    WHERE known.version_at < excluded.version_at
""")

CURRENT = text("""
    SELECT set_key, version_at FROM etl.sets
    WHERE tenant = :tenant AND resource = :resource AND set_key = ANY(:keys)
""")


def select_newest_readings(sets: Sequence[ReadSet]) -> list[ReadSet]:
    """Return of each set the newest reading, in the order of their keys; of two equally new ones the later."""
    found: dict[str, ReadSet] = {}
    for one in sets:
        known = found.get(one.key)
        if known is None or one.version_at is None or known.version_at is None or known.version_at <= one.version_at:
            found[one.key] = one
    return [found[key] for key in sorted(found)]


def write_set_versions(
    connection: Connection, resource: Resource, tenant: str, sets: Sequence[ReadSet]
) -> frozenset[ReadSet]:
    """Note the versions of sets that were read, and return those that arrived late: a newer reading was here before."""
    versions: dict[str, datetime] = {
        one.key: one.version_at for one in select_newest_readings(sets) if one.version_at is not None
    }
    if not versions:
        return frozenset()
    bound = {"tenant": tenant, "resource": resource.name, "keys": list(versions)}
    connection.execute(WRITE, {**bound, "versions": list(versions.values())})
    known = {row.set_key: row.version_at for row in connection.execute(CURRENT, bound)}
    return frozenset(one for one in sets if one.version_at is not None and one.version_at < known[one.key])


def read_removed_versions(
    connection: Connection, resource: Resource, tenant: str, late: Collection[ReadSet]
) -> dict[tuple[str | None, str], datetime]:
    """Return the last version of what has left the sets that arrived late, by set and source id."""
    if not late:
        return {}
    query = text(f"""
        SELECT set_key, source_id, max(version_at) AS version_at FROM raw.{resource.raw_table}
        WHERE tenant = :tenant AND source_id = ANY(:source_ids) AND set_key = ANY(:keys)
          AND superseded_at IS NOT NULL AND gone_batch_id IS NOT NULL
        GROUP BY set_key, source_id
    """)
    named = {source_id for one in late for source_id in one.source_ids}
    bound = {"tenant": tenant, "source_ids": list(named), "keys": [one.key for one in late]}
    return {(row.set_key, row.source_id): row.version_at for row in connection.execute(query, bound)}
