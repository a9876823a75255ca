"""The drift radar's memory: what the raw JSON of each resource looked like, and what changed, told once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, select, text

from etl.drift.shapes import IsDeclared, KnownPath, Profile, compare_profile
from etl.models.bookkeeping import drift
from etl.models.states import DriftState

KNOWN_PATHS = text("""
    SELECT path, types, example_codes, objects, presence, null_rate, state, change FROM etl.drift
    WHERE tenant = :tenant AND resource = :resource
""")

#: One statement for all paths of a resource, in their order: two tasks at once then wait for each other, and no more.
#: What is news gets the batch that brought it, and the time.
SAVE = text("""
    INSERT INTO etl.drift AS known
        (tenant, resource, path, types, example_codes, objects, presence, null_rate, state, change,
         batch_id, changed_at)
    SELECT :tenant, :resource, path, types, example_codes, objects, presence, null_rate, state, change,
           CASE WHEN news THEN CAST(:batch_id AS uuid) END, CASE WHEN news THEN now() END
    FROM jsonb_to_recordset(CAST(:seen AS jsonb)) AS seen (
        path text, types text[], example_codes text[], objects bigint, presence float, null_rate float,
        state text, change text, news boolean
    )
    ORDER BY path
    ON CONFLICT (tenant, resource, path) DO UPDATE
    SET types = excluded.types, example_codes = excluded.example_codes, objects = excluded.objects,
        presence = excluded.presence, null_rate = excluded.null_rate, state = excluded.state, change = excluded.change,
        batch_id = COALESCE(excluded.batch_id, known.batch_id),
        changed_at = COALESCE(excluded.changed_at, known.changed_at), last_seen = now()
""")

#: For how long a change that is over once it happened (another type, a new code) is listed.
LISTED_AGE = timedelta(days=30)
#: States that last until something changes again.
LASTING = (DriftState.NEW, DriftState.LOST, DriftState.EMPTIED)


@dataclass(frozen=True, slots=True)
class DriftChange:
    """Something about a resource's answers that is not as it was."""

    resource: str
    path: str
    state: DriftState
    description: str
    changed_at: datetime


def write_profile(
    connection: Connection, tenant: str, resource: str, batch_id: UUID, profile: Profile, *, is_declared: IsDeclared
) -> list[str]:
    """Remember what a run saw of a resource, and return in words what changed since it was last looked at."""
    before = read_known_paths(connection, tenant, resource)
    after = compare_profile(before, profile, is_declared)
    news = {one.path for one in after if one.change and one.change != find_path(before, one.path).change}
    seen = msgspec.json.encode([to_row(one) | {"news": one.path in news} for one in after]).decode()
    connection.execute(SAVE, {"tenant": tenant, "resource": resource, "batch_id": batch_id, "seen": seen})
    return [one.change for one in after if one.path in news and one.change]


def find_path(before: Mapping[str, KnownPath], path: str) -> KnownPath:
    """Return what was remembered of a path."""
    return before.get(path, KnownPath(path))


def read_known_paths(connection: Connection, tenant: str, resource: str) -> dict[str, KnownPath]:
    """Return what is remembered of a resource, by path."""
    rows = connection.execute(KNOWN_PATHS, {"tenant": tenant, "resource": resource})
    return {row.path: to_known_path(row) for row in rows}


def to_known_path(row: Any) -> KnownPath:
    """Return a row of `etl.drift` as what is known of a path."""
    types, codes = frozenset(row.types), frozenset(row.example_codes)
    return KnownPath(
        row.path, types, codes, row.objects, row.presence, row.null_rate, DriftState(row.state), row.change
    )


def to_row(known: KnownPath) -> dict[str, Any]:
    """Return what is known of a path as a row."""
    return {
        "path": known.path,
        "types": sorted(known.types),
        "example_codes": sorted(known.codes),
        "objects": known.objects,
        "presence": known.presence,
        "null_rate": known.null_rate,
        "state": known.state.value,
        "change": known.change,
    }


def read_changes_of_batch(connection: Connection, batch_id: UUID) -> list[DriftChange]:
    """Return the changes that a batch was the first to see."""
    return select_changes(connection, drift.c.batch_id == batch_id)


def read_current_changes(connection: Connection, tenant: str) -> list[DriftChange]:
    """Return the changes of a tenant that last, and those of late, newest first."""
    lasting = drift.c.state.in_(LASTING)
    of_late = drift.c.changed_at > text(f"now() - make_interval(secs => {LISTED_AGE.total_seconds()})")
    return select_changes(connection, (drift.c.tenant == tenant) & (lasting | of_late))


def select_changes(connection: Connection, which: ColumnElement[bool]) -> list[DriftChange]:
    """Return some of the paths whose state is not the ordinary one, newest first."""
    query = select(drift).where(which, drift.c.state != DriftState.KNOWN, drift.c.change.is_not(None))
    rows = connection.execute(query.order_by(drift.c.changed_at.desc(), drift.c.resource, drift.c.path))
    return [DriftChange(row.resource, row.path, DriftState(row.state), row.change, row.changed_at) for row in rows]
