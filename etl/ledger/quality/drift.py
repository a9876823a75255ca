"""Stored drift: the known fields of each resource's JSON, and every change, reported once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, select, text

from etl.drift.shapes import IsDeclared, KnownPath, Profile, compare_profile
from etl.models.bookkeeping import drift
from etl.models.states import DriftState
from etl.queries import Queries

SQL = Queries(__file__)

#: How long a change without duration (another type, a new code) is listed.
LISTED_AGE = timedelta(days=30)
#: States that last until the next change.
LASTING = (DriftState.NEW, DriftState.LOST, DriftState.EMPTIED)


@dataclass(frozen=True, slots=True)
class DriftChange:
    """A change in the JSON of a resource."""

    resource: str
    path: str
    state: DriftState
    description: str
    changed_at: datetime


def write_profile(
    connection: Connection, tenant: str, resource: str, batch_id: UUID, profile: Profile, *, is_declared: IsDeclared
) -> list[str]:
    """Store the profile of a resource, and return a description of each new change."""
    rows = connection.execute(SQL["known_paths"], {"tenant": tenant, "resource": resource})
    known_paths = {row.path: to_known_path(row) for row in rows}
    updated_paths = compare_profile(known_paths, profile, is_declared)
    changed_paths = {
        known_path.path
        for known_path in updated_paths
        if known_path.change
        and known_path.change != known_paths.get(known_path.path, KnownPath(known_path.path)).change
    }
    write_paths(connection, tenant, resource, batch_id, updated_paths, changed=changed_paths)
    return [known_path.change for known_path in updated_paths if known_path.path in changed_paths and known_path.change]


def write_paths(
    connection: Connection,
    tenant: str,
    resource: str,
    batch_id: UUID,
    paths: Iterable[KnownPath],
    *,
    changed: Collection[str],
) -> None:
    """Store the state of paths; those in `changed` count as changed now, by this batch."""
    rows = msgspec.json.encode(
        [to_row(known_path) | {"news": known_path.path in changed} for known_path in paths]
    ).decode()
    connection.execute(SQL["save_paths"], {"tenant": tenant, "resource": resource, "batch_id": batch_id, "seen": rows})


def to_known_path(row: Any) -> KnownPath:
    """Convert a row of `etl.drift` to a known path."""
    types, codes = frozenset(row.types), frozenset(row.example_codes)
    return KnownPath(
        row.path, types, codes, row.objects, row.presence, row.null_rate, DriftState(row.state), row.change
    )


def to_row(known_path: KnownPath) -> dict[str, Any]:
    """Convert a known path to a row of `etl.drift`."""
    return {
        "path": known_path.path,
        "types": sorted(known_path.types),
        "example_codes": sorted(known_path.codes),
        "objects": known_path.objects,
        "presence": known_path.presence,
        "null_rate": known_path.null_rate,
        "state": known_path.state.value,
        "change": known_path.change,
    }


def read_changes_of_batch(connection: Connection, batch_id: UUID) -> list[DriftChange]:
    """Return the changes that a batch was the first to detect."""
    return select_changes(connection, drift.c.batch_id == batch_id)


def read_current_changes(connection: Connection, tenant: str) -> list[DriftChange]:
    """Return the lasting and the recent changes of a tenant, newest first."""
    is_lasting = drift.c.state.in_(LASTING)
    is_recent = drift.c.changed_at > text(f"now() - make_interval(secs => {LISTED_AGE.total_seconds()})")
    return select_changes(connection, (drift.c.tenant == tenant) & (is_lasting | is_recent))


def select_changes(connection: Connection, condition: ColumnElement[bool]) -> list[DriftChange]:
    """Return the changed paths that match a condition, newest first."""
    query = select(drift).where(condition, drift.c.state != DriftState.KNOWN, drift.c.change.is_not(None))
    rows = connection.execute(query.order_by(drift.c.changed_at.desc(), drift.c.resource, drift.c.path))
    return [DriftChange(row.resource, row.path, DriftState(row.state), row.change, row.changed_at) for row in rows]
