"""Splits a window into date ranges to read. Pure: totals from the API come in as arguments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from math import ceil
from zoneinfo import ZoneInfo

from etl.catalogue.resource import Resource
from etl.ledger.slices import Slice
from etl.window import Window

DAY = timedelta(days=1)
QUARTER = timedelta(days=91)

#: Ranges of up to this many days are read without asking for their total first.
SHORT_RANGE_DAYS = 3

#: Ranges of up to this many days are not split where the server fails at them: without a bound, an outage would leave a
#: range for each day, and a call for each.
SHORTEST_SPLIT_DAYS = 91

#: A range with more pages is split: deep pages are slow at the API, and shift when records change.
MAX_PAGES = 40

#: First pages of date ranges that are kept in memory between planning and reading.
MAX_FIRST_PAGES = 8


@dataclass(frozen=True, slots=True)
class DateRange:
    """Calendar days as the API names them: from the first day to the midnight that begins the last."""

    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days


@dataclass(slots=True)
class RangeLimits:
    """The lengths of date ranges, in days, that a list answered and failed to answer."""

    answered: int | None = None  #: the longest that was answered
    failed: int | None = None  #: the shortest that failed
    is_new: bool = False  #: whether this run learned it

    def record_answer(self, days: int) -> None:
        """Record that a range was answered."""
        if days > (self.answered or 0):
            self.answered = days
            self.is_new |= self.failed is not None

    def record_failure(self, days: int) -> None:
        """Record that the server failed at a range."""
        self.failed = min(days, self.failed or days)
        self.answered = self.answered if self.answered and self.answered < self.failed else None
        self.is_new = True

    def split(self, date_range: DateRange) -> list[DateRange]:
        """Return a range in parts that are shorter than what failed: as long as what was answered, else half of it."""
        if self.failed is None or len(date_range) < self.failed or len(date_range) <= 1:
            return [date_range]
        longest = self.answered or max(1, self.failed // 2)
        return split_evenly(date_range, ceil(len(date_range) / longest))


def split_evenly(date_range: DateRange, parts: int) -> list[DateRange]:
    """Return a range in this many parts of about equal length."""
    edges = [date_range.first + timedelta(days=len(date_range) * number // parts) for number in range(parts + 1)]
    return [DateRange(first, last) for first, last in pairwise(edges) if first < last]


def date_range_of(window: Window, overlap: timedelta, zone: str) -> DateRange:
    """Return the days to request: the start moved back by the overlap, the end rounded up to the next midnight.

    The API filters by days of its own time zone. A range that is too wide costs only records that are then skipped.
    """
    api_zone = ZoneInfo(zone)
    first = (window.start - overlap).astimezone(api_zone).date()
    end = window.end.astimezone(api_zone)
    last = end.date() if end.timetz().replace(tzinfo=None) == time.min else end.date() + DAY
    return DateRange(first, last)


def split_by_total(date_range: DateRange, total: int, page_size: int) -> list[DateRange]:
    """Return the range split so that each part holds at most MAX_PAGES pages if records are spread evenly."""
    parts = min(len(date_range), ceil(total / (page_size * MAX_PAGES)))
    if parts <= 1:
        return [date_range]
    return split_evenly(date_range, parts)


def split_by_quarter(date_range: DateRange) -> list[DateRange]:
    """Return the range split into quarters at most: how it is read when the API reports no total."""
    count = ceil(len(date_range) / QUARTER.days)
    edges = [*(date_range.first + number * QUARTER for number in range(count)), date_range.last]
    return [DateRange(first, last) for first, last in pairwise(edges)]


def split_ended_days(date_range: DateRange, now: datetime) -> list[DateRange]:
    """Return the days that have ended and the days that have not, as separate ranges.

    The total of ended days can be verified, because records only leave them. Records that move while the other days are
    read come again with the next window, whose overlap covers those days.
    """
    edge = (now - DAY).date()
    if is_short(date_range) or not date_range.first < edge < date_range.last:
        return [date_range]
    return [DateRange(date_range.first, edge), DateRange(edge, date_range.last)]


def is_short(date_range: DateRange) -> bool:
    """Return whether a range is read without splitting."""
    return len(date_range) <= SHORT_RANGE_DAYS


def is_too_long(date_range: DateRange, total: int, page_size: int) -> bool:
    """Return whether a range holds too many pages and can still be split."""
    return len(date_range) > 1 and total > page_size * MAX_PAGES


def make_slices(resource: Resource, ranges: dict[int, list[DateRange]]) -> Iterator[Slice]:
    """Yield the numbered slices of a resource: the date ranges of each endpoint, or the endpoint as a whole."""
    number = 0
    for endpoint_index, endpoint in enumerate(resource.endpoints):
        for date_range in ranges[endpoint_index] if endpoint.dates else (None,):
            first, last = (None, None) if date_range is None else (date_range.first, date_range.last)
            yield Slice(number, endpoint_index, first, last)
            number += 1


def days_of(date_slice: Slice) -> DateRange:
    """Return the days of a slice of a feed."""
    if date_slice.first_day is None or date_slice.last_day is None:
        raise ValueError(f"Slice {date_slice.number} is a whole list and has no days.")
    return DateRange(date_slice.first_day, date_slice.last_day)


def has_unfinished_day(date_slice: Slice, now: datetime) -> bool:
    """Return whether a slice includes a day that has not ended, so that its total may still change."""
    return date_slice.last_day is None or datetime.combine(date_slice.last_day, time.min, UTC) > now - DAY
