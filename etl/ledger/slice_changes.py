"""Changes of slices while they are read: the page size of a reading, and the split of a range that is too long."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, text

from etl.ledger.slices import Slice, read_page_sizes, update_slice
from etl.models.bookkeeping import slices

#: How often a slice is read before its total is considered wrong.
MAX_READINGS = 3

LOCK = text("SELECT FROM etl.batch_resources WHERE batch_id = :batch_id AND resource = :resource FOR UPDATE")


def restarted(date_slice: Slice) -> Slice:
    """Return a slice with another reading, which has as many attempts as the first."""
    return replace(date_slice, reading=(date_slice.reading - 1) // MAX_READINGS * MAX_READINGS + MAX_READINGS + 1)


def continue_readings(
    connection: Connection,
    batch_id: UUID,
    resource: str,
    slices_to_read: Iterable[Slice],
    size: int,
    paged: Collection[int],
) -> list[tuple[Slice, dict[int, int]]]:
    """Return slices with the page size of their reading, each with the pages that are already staged.

    A reading that has begun keeps its size; if that is larger than `size`, which the API refuses, or not known, the
    slice is read again from its first page. `paged` are the endpoints that are read page by page; others have no size.
    """
    staged = read_page_sizes(connection, batch_id, resource)
    continued = []
    for date_slice in slices_to_read:
        pages = staged.get((date_slice.number, date_slice.reading), {})
        changed = date_slice
        if date_slice.endpoint in paged and not pages:
            changed = replace(date_slice, page_size=size)
        elif date_slice.endpoint in paged and (date_slice.page_size is None or date_slice.page_size > size):
            changed, pages = replace(restarted(date_slice), page_size=size), {}
        if changed != date_slice:
            update_slice(connection, batch_id, resource, changed)
        continued.append((changed, pages))
    return continued


def split_slice(
    connection: Connection, batch_id: UUID, resource: str, date_slice: Slice, ranges: Sequence[tuple[date, date]]
) -> list[Slice]:
    """Split a slice into date ranges, and return them as slices.

    The slice itself becomes the first range and is read again from its first page; the others get numbers of their own
    and remember the planned slice, whose task reads them.
    """
    connection.execute(LOCK, {"batch_id": batch_id, "resource": resource})
    is_resource = (slices.c.batch_id == batch_id) & (slices.c.resource == resource)
    last_number: int = connection.execute(select(func.max(slices.c.number)).where(is_resource)).scalar_one()
    first = replace(restarted(date_slice), last_day=ranges[0][1])
    root = date_slice.number if date_slice.split_from is None else date_slice.split_from
    others = [
        Slice(number, date_slice.endpoint, *days, split_from=root)
        for number, days in enumerate(ranges[1:], start=last_number + 1)
    ]
    update_slice(connection, batch_id, resource, first)
    rows = [
        {"number": other.number, "endpoint": other.endpoint, "first_day": other.first_day, "last_day": other.last_day}
        for other in others
    ]
    shared = {"batch_id": batch_id, "resource": resource, "split_from": root}
    connection.execute(insert(slices), [shared | row for row in rows])
    return [first, *others]
