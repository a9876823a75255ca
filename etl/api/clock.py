"""The API's clock, from its Date headers, as far as it is trusted."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from etl.api.protocol.waiting import http_date
from etl.config.logs import get_logger

#: The clock difference from which a warning is logged.
LARGE_DIFFERENCE = timedelta(minutes=5)
#: The clock difference up to which the API's clock is trusted: a wrong time zone explains no more.
LARGEST_TRUSTED = timedelta(hours=24)
#: How far ahead the API's clock is trusted, also if windows overlap by less.
LEAST_AHEAD = LARGE_DIFFERENCE
#: The Date header has whole seconds: within two of them the clocks count as equal, and ours is more precise.
SAME_TIME = timedelta(seconds=2)

log = get_logger(__name__)


def largest_ahead(overlap: timedelta) -> timedelta:
    """Return how far ahead the API's clock is trusted if windows overlap by this much.

    If it was wrong, the next window reads again what changed after our time, as far back as windows overlap.
    """
    return min(max(overlap, LEAST_AHEAD), LARGEST_TRUSTED)


def choose_difference(stated: timedelta, last: timedelta | None, ahead: timedelta = LARGEST_TRUSTED) -> timedelta:
    """Return the difference to use (the API's clock minus ours) for a stated one and the last one used.

    Beyond the bounds (`ahead`, and LARGEST_TRUSTED behind) the last one stays. Without one, the earlier of the two
    clocks counts: a window that ends too early is continued by the next run, while changes before an end that lies too
    late would never be requested.
    """
    if abs(stated) <= SAME_TIME:
        return timedelta()
    if -LARGEST_TRUSTED <= stated <= ahead:
        return stated
    return last if last is not None else min(stated, timedelta())


@dataclass(slots=True)
class ApiClock:
    """The difference between the API's clock and ours."""

    ahead: timedelta = LARGEST_TRUSTED  #: how far ahead the API's clock is trusted
    stated: timedelta | None = None  #: the API's clock minus ours, by the newest answer
    used: timedelta | None = None  #: the difference that is trusted; None before the first answer

    def read(self, date: str | None, now: datetime) -> None:
        """Take the Date header of an answer that arrived at `now`; log a large difference once."""
        there = http_date(date)
        if there is None:
            return
        was_large = self.stated is not None and abs(self.stated) > LARGE_DIFFERENCE
        self.stated = there - now
        self.used = choose_difference(self.stated, self.used, self.ahead)
        if abs(self.stated) > LARGE_DIFFERENCE and not was_large:
            seconds = round(self.stated.total_seconds())
            log.warning("clocks differ", api_is_ahead_by_seconds=seconds, is_believed=not self.is_doubted)

    def at(self, now: datetime) -> datetime:
        """Return the time of the API's clock at our time `now`, or our time until the API has answered."""
        return now + (self.used or timedelta())

    @property
    def is_doubted(self) -> bool:
        """Whether the newest answer stated a time that is not trusted."""
        return self.stated is not None and not -LARGEST_TRUSTED <= self.stated <= self.ahead
