"""High-water marks: the intervals over which a resource is complete, and what an account does not offer."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.models.bookkeeping import offers, watermarks
from etl.window import FIRST_INSTANT, Window

#: How long an answer "not offered by this account" is believed without asking again.
OFFER_TTL = timedelta(days=7)


def read_complete_windows(connection: Connection, tenant: str, resource: str) -> list[Window]:
    """Return the unbroken intervals over which a resource is complete, oldest first."""
    mine = (watermarks.c.tenant == tenant) & (watermarks.c.resource == resource)
    query = select(watermarks.c.complete_from, watermarks.c.complete_to).where(mine)
    return [Window(*row) for row in connection.execute(query.order_by(watermarks.c.complete_from))]


def find_next_start(intervals: list[Window]) -> datetime:
    """Return where the next window of a resource begins: the end of what is complete from the first instant on."""
    if intervals and intervals[0].start <= FIRST_INSTANT:
        return intervals[0].end
    return FIRST_INSTANT


def advance_watermark(connection: Connection, tenant: str, resource: str, window: Window) -> None:
    """Add a window to what is complete, joining it with the intervals it touches."""
    mine = (watermarks.c.tenant == tenant) & (watermarks.c.resource == resource)
    touching = mine & (watermarks.c.complete_from <= window.end) & (watermarks.c.complete_to >= window.start)
    gone = connection.execute(
        delete(watermarks).where(touching).returning(watermarks.c.complete_from, watermarks.c.complete_to)
    ).all()
    starts, ends = [window.start, *(row[0] for row in gone)], [window.end, *(row[1] for row in gone)]
    connection.execute(
        insert(watermarks).values(tenant=tenant, resource=resource, complete_from=min(starts), complete_to=max(ends))
    )


def write_offer(
    connection: Connection, tenant: str, resource: str, *, offered: bool, reason: str | None = None
) -> None:
    """Remember whether the account offers a resource."""
    values: dict[str, Any] = {"offered": offered, "reason": reason, "asked_at": text("now()")}
    statement = upsert(offers).values(tenant=tenant, resource=resource, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant", "resource"], set_=values))


def read_not_offered(connection: Connection, tenant: str, *, within: timedelta | None = OFFER_TTL) -> dict[str, str]:
    """Return the resources that the account was found not to offer, with the reason; `within` bounds the memory."""
    refused = (offers.c.tenant == tenant) & offers.c.offered.is_(False)
    if within is not None:
        refused &= offers.c.asked_at > text(f"now() - make_interval(secs => {within.total_seconds()})")
    return {row.resource: row.reason or "" for row in connection.execute(select(offers).where(refused))}
