"""Which stretches of days a window is read in. Pure: what the API said of totals comes in as arguments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from math import ceil
from zoneinfo import ZoneInfo

from etl.catalogue import Resource
from etl.ledger.slices import Slice
from etl.window import Window

DAY = timedelta(days=1)
QUARTER = timedelta(days=91)

#: Stretches of so few days are read as they are, without asking first how much they hold.
SHORT = 3

#: A stretch is cut when it holds more pages: deep pages are slow at the API, and drift under changes.
MOST_PAGES = 40


@dataclass(frozen=True, slots=True)
class Days:
    """A stretch of calendar days as the API names them: from the first to the midnight that begins the last."""

    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days


def days_of(window: Window, overlap: timedelta, zone: str) -> Days:
    """Return the days to ask for: the start moved back by the overlap, the end up to the next midnight.

    The API filters by days of its own zone; a stretch too wide costs records that are then left out.
    """
    there = ZoneInfo(zone)
    first = (window.start - overlap).astimezone(there).date()
    end = window.end.astimezone(there)
    last = end.date() if end.timetz().replace(tzinfo=None) == time.min else end.date() + DAY
    return Days(first, last)


def cut(days: Days, total: int, page_size: int) -> list[Days]:
    """Return the stretch in pieces that would hold no more than MOST_PAGES if its records were spread evenly."""
    pieces = min(len(days), ceil(total / (page_size * MOST_PAGES)))
    if pieces <= 1:
        return [days]
    edges = [days.first + timedelta(days=len(days) * number // pieces) for number in range(pieces + 1)]
    return [Days(first, last) for first, last in pairwise(edges) if first < last]


def quarters(days: Days) -> list[Days]:
    """Return the stretch in pieces of a quarter at most: how it is read when nobody says how much it holds."""
    edges = [*(days.first + number * QUARTER for number in range(ceil(len(days) / QUARTER.days))), days.last]
    return [Days(first, last) for first, last in pairwise(edges)]


def parted(days: Days, now: datetime) -> list[Days]:
    """Return the days that have ended and those that have not, as stretches of their own.

    The total of ended days can be proved, since records only leave them; what moves while the others are read comes
    again with the next window, whose overlap reaches back to them.
    """
    edge = (now - DAY).date()
    if is_short(days) or not days.first < edge < days.last:
        return [days]
    return [Days(days.first, edge), Days(edge, days.last)]


def is_short(days: Days) -> bool:
    """Tell whether a stretch is read as it is."""
    return len(days) <= SHORT


def is_too_long(days: Days, total: int, page_size: int) -> bool:
    """Tell whether a stretch holds too many pages and can still be cut."""
    return len(days) > 1 and total > page_size * MOST_PAGES


def slices(resource: Resource, stretches: dict[int, list[Days]]) -> Iterator[Slice]:
    """Yield the slices of a resource, numbered: each endpoint's stretches, or the endpoint as a whole."""
    number = 0
    for place, endpoint in enumerate(resource.endpoints):
        for days in stretches[place] if endpoint.dates else (None,):
            yield Slice(number, place) if days is None else Slice(number, place, days.first, days.last)
            number += 1


def is_open(one: Slice, now: datetime) -> bool:
    """Tell whether a slice reaches into a day that has not ended, so that its total may still move."""
    return one.last_day is None or datetime.combine(one.last_day, time.min, UTC) > now - DAY
