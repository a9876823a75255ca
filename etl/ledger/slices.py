"""Slices of a window and the requests that read them: where a resource stands, page by page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Text, bindparam, cast, func, insert, select, text, update

from etl.copy_text import format_array
from etl.models.bookkeeping import requests, slices
from etl.models.states import SliceState


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of a resource that is read page by page: some days of a feed, or a whole list.

    What is asked for per parent has slices only where several tasks share it: each then is a part of the parents.
    """

    number: int
    endpoint: int  #: which of the resource's calls
    first_day: date | None = None
    last_day: date | None = None
    reading: int = 1  #: grows when the slice is read anew because its totals did not agree


@dataclass(frozen=True, slots=True)
class SliceReading:
    """What one reading of a slice brought."""

    slice: Slice
    total: int | None  #: as the last page's envelope said
    distinct: int  #: ids received in this reading
    union: int  #: ids received in all readings of the slice
    max_total: int | None = None  #: the largest total that any of its pages named
    min_total: int | None = None  #: the smallest
    has_changed_total: bool = False  #: whether totals differed, between its pages or between the readings of the slice

    @property
    def is_consistent(self) -> bool:
        """Whether as many ids arrived as the API says there are, and none left the list while it was read.

        One that leaves moves the others forward, over the edge of a page that was read already.
        """
        return self.total is None or (self.distinct == self.total and self.total == (self.max_total or self.total))


def write_slices(connection: Connection, batch_id: UUID, resource: str, planned: Iterable[Slice]) -> None:
    """Write the slices of a resource, once a batch."""
    rows = [
        {
            "batch_id": batch_id,
            "resource": resource,
            "number": one.number,
            "endpoint": one.endpoint,
            "first_day": one.first_day,
            "last_day": one.last_day,
        }
        for one in planned
    ]
    connection.execute(insert(slices), rows)


def read_open_slices(connection: Connection, batch_id: UUID, resource: str) -> list[Slice] | None:
    """Return the slices that are still to be read, None when the resource was not planned yet."""
    mine = (slices.c.batch_id == batch_id) & (slices.c.resource == resource)
    rows = connection.execute(select(slices).where(mine).order_by(slices.c.number)).all()
    return [to_slice(row) for row in rows if row.status != SliceState.DONE] if rows else None


def count_slices(connection: Connection, batch_id: UUID, resource: str) -> int:
    """Return in how many slices a resource was planned."""
    mine = (slices.c.batch_id == batch_id) & (slices.c.resource == resource)
    number: int = connection.execute(select(func.count()).select_from(slices).where(mine)).scalar_one()
    return number


def to_slice(row: Any) -> Slice:
    """Return a row of `etl.slices` as a slice."""
    return Slice(row.number, row.endpoint, row.first_day, row.last_day, row.reading)


def read_page_sizes(connection: Connection, batch_id: UUID, resource: str, one: Slice) -> dict[int, int]:
    """Return the pages of a slice's current reading that are staged, with the number of items each held."""
    mine = (requests.c.batch_id == batch_id) & (requests.c.resource == resource) & (requests.c.slice == one.number)
    query = select(requests.c.page, requests.c["items"].label("number")).where(mine, requests.c.reading == one.reading)
    return {row.page: row.number for row in connection.execute(query)}


def reserve_request_ids(connection: Connection, number: int) -> list[int]:
    """Return ids for so many requests, for the records that they brought to name."""
    statement = "SELECT nextval(pg_get_serial_sequence('etl.requests', 'id')) FROM generate_series(1, :number)"
    return list(connection.execute(text(statement), {"number": number}).scalars())


def write_requests(connection: Connection, rows: Sequence[Mapping[str, Any]], ids: Sequence[int]) -> None:
    """Write the facts of some requests under ids from `new_ids`; their items' ids travel as the text of an array."""
    statement = insert(requests).values(ids=cast(bindparam("item_ids", type_=Text), requests.c.ids.type))
    facts = [{**row, "id": number} for number, row in zip(ids, rows, strict=True)]
    connection.execute(statement, [fact | {"item_ids": format_array(fact.pop("ids"))} for fact in facts])


def write_repeated_requests(connection: Connection, rows: Sequence[Mapping[str, Any]], earlier: Sequence[int]) -> None:
    """Write the facts of requests that brought the same records as earlier ones, whose ids they therefore have."""
    copied = ("ids", "records", "contents")
    given = [bindparam(f"fact_{name}", type_=requests.c[name].type).label(name) for name in rows[0]]
    same = select(*given, *(requests.c[name] for name in copied)).where(requests.c.id == bindparam("earlier"))
    statement = insert(requests).from_select([*rows[0], *copied], same)
    facts = [{f"fact_{name}": value for name, value in row.items()} for row in rows]
    connection.execute(statement, [fact | {"earlier": one} for fact, one in zip(facts, earlier, strict=True)])


def summarize_readings(
    connection: Connection, batch_id: UUID, resource: str, some: Sequence[Slice]
) -> list[SliceReading]:
    """Return what the current reading of each slice brought: the total of its last page and its distinct ids."""
    rows = connection.execute(
        text("""
            SELECT wanted.number, last.total, received.current, received.union, received.most, received.least,
                   received.totals > 1 AS moved
            FROM unnest(CAST(:numbers AS integer[]), CAST(:readings AS integer[])) AS wanted (number, reading)
            LEFT JOIN LATERAL (
                SELECT total FROM etl.requests AS request
                WHERE request.batch_id = :batch_id AND request.resource = :resource
                  AND request.slice = wanted.number AND request.reading = wanted.reading AND total IS NOT NULL
                ORDER BY requested_at DESC, id DESC LIMIT 1
            ) AS last ON true
            CROSS JOIN LATERAL (
                SELECT count(DISTINCT item) FILTER (WHERE request.reading = wanted.reading) AS current,
                       count(DISTINCT item) AS union,
                       max(request.total) FILTER (WHERE request.reading = wanted.reading) AS most,
                       min(request.total) FILTER (WHERE request.reading = wanted.reading) AS least,
                       count(DISTINCT request.total) AS totals
                FROM etl.requests AS request LEFT JOIN LATERAL unnest(request.ids) AS item ON true
                WHERE request.batch_id = :batch_id AND request.resource = :resource AND request.slice = wanted.number
            ) AS received
            ORDER BY wanted.number
        """),
        {
            "batch_id": batch_id,
            "resource": resource,
            "numbers": [one.number for one in some],
            "readings": [one.reading for one in some],
        },
    )
    by_number = {one.number: one for one in some}
    return [
        SliceReading(by_number[row.number], row.total, row.current, row.union, row.most, row.least, row.moved)
        for row in rows
    ]


def finish_slices(connection: Connection, batch_id: UUID, resource: str, agreed: Iterable[SliceReading]) -> None:
    """Mark slices as read to the end."""
    for reading in agreed:
        finish_slice(connection, batch_id, resource, reading.slice.number, reading.total)


def finish_slice(connection: Connection, batch_id: UUID, resource: str, number: int, total: int | None = None) -> None:
    """Mark one slice as read to the end."""
    mine = (slices.c.batch_id == batch_id) & (slices.c.resource == resource) & (slices.c.number == number)
    connection.execute(update(slices).where(mine).values(status=SliceState.DONE, total=total))


def start_new_readings(connection: Connection, batch_id: UUID, resource: str, some: Iterable[Slice]) -> list[Slice]:
    """Begin another reading of some slices and return them as they are to be read."""
    anew = [Slice(one.number, one.endpoint, one.first_day, one.last_day, one.reading + 1) for one in some]
    for one in anew:
        mine = (slices.c.batch_id == batch_id) & (slices.c.resource == resource) & (slices.c.number == one.number)
        connection.execute(update(slices).where(mine).values(reading=one.reading))
    return anew
