"""Watermarks: the windows in which a resource is complete, and the resources that an account does not offer."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.models.bookkeeping import offers, watermarks
from etl.window import FIRST_INSTANT, Window

#: How long a resource counts as not offered before the API is asked again.
OFFER_TTL = timedelta(days=7)


def read_complete_windows(connection: Connection, tenant: str, resource: str) -> list[Window]:
    """Return the windows in which a resource is complete, without gaps inside a window, oldest first."""
    is_resource = (watermarks.c.tenant == tenant) & (watermarks.c.resource == resource)
    query = select(watermarks.c.complete_from, watermarks.c.complete_to).where(is_resource)
    return [Window(*row) for row in connection.execute(query.order_by(watermarks.c.complete_from))]


def read_all_windows(connection: Connection, tenant: str) -> defaultdict[str, list[Window]]:
    """Return the windows in which each resource is complete, oldest first; a resource without any has an empty list."""
    query = select(watermarks.c.resource, watermarks.c.complete_from, watermarks.c.complete_to)
    windows: defaultdict[str, list[Window]] = defaultdict(list)
    for row in connection.execute(query.where(watermarks.c.tenant == tenant).order_by(watermarks.c.complete_from)):
        windows[row.resource].append(Window(row.complete_from, row.complete_to))
    return windows


def find_next_start(windows: list[Window]) -> datetime:
    """Return the start of a resource's next window: the end of the complete window that begins at the first instant."""
    if windows and windows[0].start <= FIRST_INSTANT:
        return windows[0].end
    return FIRST_INSTANT


def advance_watermark(connection: Connection, tenant: str, resource: str, window: Window) -> None:
    """Add a complete window, and merge it with the windows that it touches."""
    is_resource = (watermarks.c.tenant == tenant) & (watermarks.c.resource == resource)
    is_adjacent = is_resource & (watermarks.c.complete_from <= window.end) & (watermarks.c.complete_to >= window.start)
    merged = connection.execute(
        delete(watermarks).where(is_adjacent).returning(watermarks.c.complete_from, watermarks.c.complete_to)
    ).all()
    starts, ends = [window.start, *(row[0] for row in merged)], [window.end, *(row[1] for row in merged)]
    connection.execute(
        insert(watermarks).values(tenant=tenant, resource=resource, complete_from=min(starts), complete_to=max(ends))
    )


def write_offer(
    connection: Connection, tenant: str, resource: str, *, offered: bool, reason: str | None = None
) -> None:
    """Store whether the account offers a resource."""
    values: dict[str, Any] = {"offered": offered, "reason": reason, "asked_at": text("now()"), "refused_since": None}
    statement = upsert(offers).values(tenant=tenant, resource=resource, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant", "resource"], set_=values))


def note_refusal(connection: Connection, tenant: str, resource: str, reason: str | None) -> None:
    """Store that a resource that has returned records gave no good answer; the first time in a row counts."""
    values: dict[str, Any] = {"reason": reason, "refused_since": text("now()")}
    statement = upsert(offers).values(tenant=tenant, resource=resource, offered=True, **values)
    since = func.coalesce(offers.c.refused_since, text("now()"))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant", "resource"], set_={"reason": reason, "refused_since": since}
        )
    )


def read_not_offered(connection: Connection, tenant: str, *, within: timedelta | None = OFFER_TTL) -> dict[str, str]:
    """Return the resources that the account does not offer, with the reason; `within` limits the age of the answer."""
    is_refused = (offers.c.tenant == tenant) & offers.c.offered.is_(False)
    if within is not None:
        is_refused &= offers.c.asked_at > text(f"now() - make_interval(secs => {within.total_seconds()})")
    return {row.resource: row.reason or "" for row in connection.execute(select(offers).where(is_refused))}
