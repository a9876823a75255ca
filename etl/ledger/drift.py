"""The drift radar's memory: what the raw JSON of each resource looked like, and what changed, told once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.ledger.shapes import Known, Knows, Profile, compared
from etl.models.bookkeeping import drift
from etl.models.states import DriftState

KEY = ("tenant", "resource", "path")
#: For how long a change that is over once it happened (another type, a new code) is listed.
LISTED_FOR = timedelta(days=30)
#: States that last until something changes again.
LASTING = (DriftState.NEW, DriftState.LOST, DriftState.EMPTIED)


@dataclass(frozen=True, slots=True)
class Change:
    """Something about a resource's answers that is not as it was."""

    resource: str
    path: str
    state: DriftState
    words: str
    changed_at: datetime


def note(
    connection: Connection, tenant: str, resource: str, batch_id: UUID, profile: Profile, *, knows: Knows
) -> list[str]:
    """Remember what a run saw of a resource, and return in words what changed since it was last looked at."""
    before = remembered(connection, tenant, resource)
    after = compared(before, profile, knows)
    news = {one.path for one in after if one.change and one.change != was(before, one.path).change}
    in_order = sorted(after, key=lambda one: one.path)  # two tasks at once then wait for each other, and no more
    rows = [row_of(one) | {"tenant": tenant, "resource": resource} for one in in_order]
    save(connection, rows, news, batch_id)
    return [one.change for one in after if one.path in news and one.change]


def was(before: Mapping[str, Known], path: str) -> Known:
    """Return what was remembered of a path."""
    return before.get(path, Known(path))


def remembered(connection: Connection, tenant: str, resource: str) -> dict[str, Known]:
    """Return what is remembered of a resource, by path."""
    query = select(drift).where(drift.c.tenant == tenant, drift.c.resource == resource)
    return {row.path: as_known(row) for row in connection.execute(query)}


def as_known(row: Any) -> Known:
    """Return a row of `etl.drift` as what is known of a path."""
    types, codes = frozenset(row.types), frozenset(row.example_codes)
    return Known(row.path, types, codes, row.objects, row.presence, row.null_rate, DriftState(row.state), row.change)


def row_of(known: Known) -> dict[str, Any]:
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


def save(connection: Connection, rows: Sequence[Mapping[str, Any]], news: Collection[str], batch_id: UUID) -> None:
    """Write what is known of paths; those with news get the batch that brought it, and the time."""
    changed = [{**row, "batch_id": batch_id, "changed_at": func.now()} for row in rows if row["path"] in news]
    for some in (changed, [row for row in rows if row["path"] not in news]):
        if some:
            statement = upsert(drift).values(some)
            values = {name: statement.excluded[name] for name in some[0] if name not in KEY}
            connection.execute(
                statement.on_conflict_do_update(index_elements=KEY, set_=values | {"last_seen": text("now()")})
            )


def of_batch(connection: Connection, batch_id: UUID) -> list[Change]:
    """Return the changes that a batch was the first to see."""
    return changes(connection, drift.c.batch_id == batch_id)


def listed(connection: Connection, tenant: str) -> list[Change]:
    """Return the changes of a tenant that last, and those of late, newest first."""
    lasting = drift.c.state.in_(LASTING)
    of_late = drift.c.changed_at > text(f"now() - make_interval(secs => {LISTED_FOR.total_seconds()})")
    return changes(connection, (drift.c.tenant == tenant) & (lasting | of_late))


def changes(connection: Connection, which: ColumnElement[bool]) -> list[Change]:
    """Return some of the paths whose state is not the ordinary one, newest first."""
    query = select(drift).where(which, drift.c.state != DriftState.KNOWN, drift.c.change.is_not(None))
    rows = connection.execute(query.order_by(drift.c.changed_at.desc(), drift.c.resource, drift.c.path))
    return [Change(row.resource, row.path, DriftState(row.state), row.change, row.changed_at) for row in rows]
