"""What a list accepts, per tenant and resource: the size of a page, and the length of a date range.

Each resource is remembered by itself, because the calls of the API have different largest pages and answer differently
many days. After 7 days the larger page and the longer range are tried again.
"""

from datetime import timedelta
from typing import Any, NamedTuple, TypedDict

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.models.api_access import list_limits

#: How long a limit counts before more is requested again.
LIMIT_TTL = timedelta(days=7)


class ListKey(TypedDict):
    """The arguments that name one list."""

    tenant: str
    resource: str


class ListLimits(NamedTuple):
    """The limits of a list that count now; None: not known."""

    page_size: int | None = None  #: the largest page that is accepted
    answered_days: int | None = None  #: the longest date range that was answered
    failed_days: int | None = None  #: the shortest that failed


def read_list_limits(connection: Connection, tenant: str, resource: str, requested_size: int) -> ListLimits:
    """Return the limits of a list; a page size counts only under the setting with which it was learned."""
    is_list = (list_limits.c.tenant == tenant) & (list_limits.c.resource == resource)
    oldest = text(f"now() - make_interval(secs => {LIMIT_TTL.total_seconds()})")
    size_counts = (list_limits.c.page_size_at > oldest) & (list_limits.c.requested_size == requested_size)
    query = select(list_limits, size_counts.label("size_counts"), (list_limits.c.days_at > oldest).label("days_count"))
    row = connection.execute(query.where(is_list)).one_or_none()
    if row is None:
        return ListLimits()
    days = (row.answered_days, row.failed_days) if row.days_count else (None, None)
    return ListLimits(row.page_size if row.size_counts else None, *days)


def write_page_size(
    connection: Connection, tenant: str, resource: str, *, requested_size: int, page_size: int | None
) -> None:
    """Store the page size that a list accepted instead of the requested one; None: it accepts the requested one."""
    values = {"page_size": page_size, "requested_size": requested_size, "page_size_at": text("now()")}
    write(connection, tenant, resource, values)


def write_days(connection: Connection, tenant: str, resource: str, *, answered: int | None, failed: int | None) -> None:
    """Store the lengths of date ranges that a list answered and failed to answer."""
    write(connection, tenant, resource, {"answered_days": answered, "failed_days": failed, "days_at": text("now()")})


def write(connection: Connection, tenant: str, resource: str, values: dict[str, Any]) -> None:
    """Insert or update the limits of a list."""
    statement = upsert(list_limits).values(tenant=tenant, resource=resource, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant", "resource"], set_=values))
