"""Slices of a window and the requests that read them: the progress of a resource, page by page."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Text, bindparam, cast, func, insert, select, text, update

from etl.copy_text import format_array
from etl.models.bookkeeping import requests, slices
from etl.models.states import SliceState
from etl.queries import Queries

SQL = Queries(__file__)


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a resource that is read page by page: a range of days of a feed, or a whole list.

    A resource that is read per parent has slices only if several tasks share it: each slice is a chunk of the parents.
    """

    number: int
    endpoint: int  #: index of the resource's endpoint
    first_day: date | None = None
    last_day: date | None = None
    reading: int = 1  #: incremented when the slice is read again because its totals did not match
    page_size: int | None = None  #: requested in all pages of the reading: pages of two sizes overlap or leave gaps
    split_from: int | None = None  #: the planned slice that this one was a part of

    @property
    def days(self) -> int:
        """The number of days, 0 for a whole list."""
        return (self.last_day - self.first_day).days if self.first_day and self.last_day else 0

    def is_in(self, numbers: Collection[int]) -> bool:
        """Return whether this slice, or the planned one that it was a part of, has one of these numbers."""
        return self.number in numbers or self.split_from in numbers


@dataclass(frozen=True, slots=True)
class SliceReading:
    """The totals and the received ids of one reading of a slice."""

    slice: Slice
    total: int | None  #: reported by the last page
    distinct: int  #: number of ids received in this reading
    union: int  #: number of ids received in all readings of the slice
    max_total: int | None = None  #: the largest total that a page of this reading reported
    min_total: int | None = None  #: the smallest
    has_changed_total: bool = False  #: whether pages or readings of the slice reported different totals
    has_gap: bool = False  #: whether a page of this reading was empty and a later one was not

    @property
    def is_consistent(self) -> bool:
        """Whether the number of ids equals the reported total, and no record left the list during the reading.

        A record that leaves the list moves the following records to a page that was read already. Without a total, only
        a gap shows that records are missing.
        """
        if self.total is None:
            return not self.has_gap
        return self.distinct == self.total and self.total == (self.max_total or self.total)

    @property
    def mismatch(self) -> str:
        """What disagrees, as a clause."""
        if self.total is None:
            return "API returned an empty page before others with records"
        return f"API reported {self.total} records but returned {self.distinct}"


def write_slices(connection: Connection, batch_id: UUID, resource: str, planned_slices: Iterable[Slice]) -> None:
    """Insert the slices of a resource, once per batch."""
    rows = [
        {
            "batch_id": batch_id,
            "resource": resource,
            "number": planned_slice.number,
            "endpoint": planned_slice.endpoint,
            "first_day": planned_slice.first_day,
            "last_day": planned_slice.last_day,
        }
        for planned_slice in planned_slices
    ]
    connection.execute(insert(slices), rows)


def read_open_slices(connection: Connection, batch_id: UUID, resource: str) -> list[Slice] | None:
    """Return the slices that are not fully read, None when the resource has no slices yet."""
    is_resource = (slices.c.batch_id == batch_id) & (slices.c.resource == resource)
    rows = connection.execute(select(slices).where(is_resource).order_by(slices.c.number)).all()
    return [to_slice(row) for row in rows if row.status != SliceState.DONE] if rows else None


def read_slices(connection: Connection, batch_id: UUID, resource: str, numbers: Collection[int]) -> list[Slice]:
    """Return some slices of a resource, read or not."""
    is_slice = (slices.c.batch_id == batch_id) & (slices.c.resource == resource) & slices.c.number.in_(sorted(numbers))
    return [to_slice(row) for row in connection.execute(select(slices).where(is_slice).order_by(slices.c.number))]


def count_slices(connection: Connection, batch_id: UUID, resource: str) -> int:
    """Return the number of slices of a resource."""
    is_resource = (slices.c.batch_id == batch_id) & (slices.c.resource == resource)
    number: int = connection.execute(select(func.count()).select_from(slices).where(is_resource)).scalar_one()
    return number


def to_slice(row: Any) -> Slice:
    """Convert a row of `etl.slices` to a slice."""
    return Slice(row.number, row.endpoint, row.first_day, row.last_day, row.reading, row.page_size, row.split_from)


def read_page_sizes(connection: Connection, batch_id: UUID, resource: str) -> dict[tuple[int, int], dict[int, int]]:
    """Return the staged pages by slice and reading, with the number of items of each page."""
    is_resource = (requests.c.batch_id == batch_id) & (requests.c.resource == resource)
    query = select(requests.c.slice, requests.c.reading, requests.c.page, requests.c["items"].label("number"))
    pages: dict[tuple[int, int], dict[int, int]] = {}
    for row in connection.execute(query.where(is_resource)):
        pages.setdefault((row.slice, row.reading), {})[row.page] = row.number
    return pages


def reserve_request_ids(connection: Connection, number: int) -> list[int]:
    """Reserve ids for requests, so that their records can refer to them."""
    statement = "SELECT nextval(pg_get_serial_sequence('etl.requests', 'id')) FROM generate_series(1, :number)"
    return list(connection.execute(text(statement), {"number": number}).scalars())


def write_requests(connection: Connection, rows: Sequence[Mapping[str, Any]], ids: Sequence[int]) -> None:
    """Insert requests under ids from `reserve_request_ids`; the ids of their items are sent as array text."""
    statement = insert(requests).values(ids=cast(bindparam("item_ids", type_=Text), requests.c.ids.type))
    facts = [{**row, "id": number} for number, row in zip(ids, rows, strict=True)]
    connection.execute(statement, [fact | {"item_ids": format_array(fact.pop("ids"))} for fact in facts])


def write_repeated_requests(
    connection: Connection, rows: Sequence[Mapping[str, Any]], earlier_ids: Sequence[int]
) -> None:
    """Insert requests that returned the same records as earlier requests, with the item ids of those requests."""
    copied_columns = ("ids", "records", "contents")
    bound_columns = [bindparam(f"fact_{name}", type_=requests.c[name].type).label(name) for name in rows[0]]
    source_query = select(*bound_columns, *(requests.c[name] for name in copied_columns)).where(
        requests.c.id == bindparam("earlier")
    )
    statement = insert(requests).from_select([*rows[0], *copied_columns], source_query)
    facts = [{f"fact_{name}": value for name, value in row.items()} for row in rows]
    connection.execute(
        statement, [fact | {"earlier": earlier_id} for fact, earlier_id in zip(facts, earlier_ids, strict=True)]
    )


def summarize_readings(
    connection: Connection, batch_id: UUID, resource: str, open_slices: Sequence[Slice]
) -> list[SliceReading]:
    """Return the totals and the number of distinct ids of each slice's current reading."""
    rows = connection.execute(
        SQL["slice_readings"],
        {
            "batch_id": batch_id,
            "resource": resource,
            "numbers": [open_slice.number for open_slice in open_slices],
            "readings": [open_slice.reading for open_slice in open_slices],
        },
    )
    by_number = {open_slice.number: open_slice for open_slice in open_slices}
    return [
        SliceReading(
            by_number[row.number], row.total, row.current, row.union, row.most, row.least, row.moved, row.has_gap
        )
        for row in rows
    ]


def finish_slices(
    connection: Connection, batch_id: UUID, resource: str, consistent_readings: Iterable[SliceReading]
) -> None:
    """Mark slices as fully read."""
    for reading in consistent_readings:
        finish_slice(connection, batch_id, resource, reading.slice.number, reading.total)


def finish_slice(connection: Connection, batch_id: UUID, resource: str, number: int, total: int | None = None) -> None:
    """Mark one slice as fully read."""
    is_slice = (slices.c.batch_id == batch_id) & (slices.c.resource == resource) & (slices.c.number == number)
    connection.execute(update(slices).where(is_slice).values(status=SliceState.DONE, total=total))


def start_new_readings(
    connection: Connection, batch_id: UUID, resource: str, slices_to_read: Iterable[Slice]
) -> list[Slice]:
    """Start another reading of slices, and return the slices with the new reading number."""
    new_readings = [replace(slice_to_read, reading=slice_to_read.reading + 1) for slice_to_read in slices_to_read]
    for slice_to_read in new_readings:
        update_slice(connection, batch_id, resource, slice_to_read)
    return new_readings


def update_slice(connection: Connection, batch_id: UUID, resource: str, changed_slice: Slice) -> None:
    """Store the last day, the reading and the page size of a slice."""
    is_slice = (
        (slices.c.batch_id == batch_id) & (slices.c.resource == resource) & (slices.c.number == changed_slice.number)
    )
    connection.execute(
        update(slices)
        .where(is_slice)
        .values(last_day=changed_slice.last_day, reading=changed_slice.reading, page_size=changed_slice.page_size)
    )
