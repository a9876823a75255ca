"""Versions of sets: the newest reading of each set, for lists that have a time of change and may arrive late."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from etl.catalogue.resource import Resource
from etl.queries import Queries
from etl.record import ReadSet

SQL = Queries(__file__)


def select_newest_readings(sets: Sequence[ReadSet]) -> list[ReadSet]:
    """Return the newest reading of each set, sorted by key; of two equally new readings, the later one in `sets`."""
    newest_by_key: dict[str, ReadSet] = {}
    for read_set in sets:
        newest_so_far = newest_by_key.get(read_set.key)
        if (
            newest_so_far is None
            or read_set.version_at is None
            or newest_so_far.version_at is None
            or newest_so_far.version_at <= read_set.version_at
        ):
            newest_by_key[read_set.key] = read_set
    return [newest_by_key[key] for key in sorted(newest_by_key)]


def write_set_versions(
    connection: Connection, resource: Resource, tenant: str, sets: Sequence[ReadSet]
) -> frozenset[ReadSet]:
    """Store the versions of sets that were read, and return the late ones, for which a newer reading is stored."""
    versions: dict[str, datetime] = {
        read_set.key: read_set.version_at
        for read_set in select_newest_readings(sets)
        if read_set.version_at is not None
    }
    if not versions:
        return frozenset()
    parameters = {"tenant": tenant, "resource": resource.name, "keys": list(versions)}
    connection.execute(SQL["write_sets"], {**parameters, "versions": list(versions.values())})
    current_versions = {row.set_key: row.version_at for row in connection.execute(SQL["current_sets"], parameters)}
    return frozenset(
        read_set
        for read_set in sets
        if read_set.version_at is not None and read_set.version_at < current_versions[read_set.key]
    )


def read_removed_versions(
    connection: Connection, resource: Resource, tenant: str, late_sets: Collection[ReadSet]
) -> dict[tuple[str | None, str], datetime]:
    """Return the last version of each record that was removed from a late set, by set key and source id."""
    if not late_sets:
        return {}
    query = text(f"""
        SELECT set_key, source_id, max(version_at) AS version_at FROM raw.{resource.raw_table}
        WHERE tenant = :tenant AND source_id = ANY(:source_ids) AND set_key = ANY(:keys)
          AND superseded_at IS NOT NULL AND gone_batch_id IS NOT NULL
        GROUP BY set_key, source_id
    """)
    source_ids = {source_id for late_set in late_sets for source_id in late_set.source_ids}
    parameters = {"tenant": tenant, "source_ids": list(source_ids), "keys": [late_set.key for late_set in late_sets]}
    return {(row.set_key, row.source_id): row.version_at for row in connection.execute(query, parameters)}
