"""The stretch of time a sync covers, and the rule that decides what a window may write."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from etl.errors import WindowError

FIRST_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open interval `[start, end)` of aware UTC instants."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            object.__setattr__(self, name, parse_instant(getattr(self, name), name))
        if self.start >= self.end:
            raise WindowError(f"The window {self} is empty or reversed: its start must lie before its end.")

    @classmethod
    def of(cls, given: "Window | Mapping[str, Any]") -> Self:
        """Make a window from a `Window` or a mapping with `start_date` and `end_date`.

        Values may be a datetime, a date or ISO text; naive ones mean UTC; the end is exclusive.
        Raises WindowError when a key is missing, a value unreadable, or the interval empty.
        """
        if isinstance(given, Window):
            return cls(given.start, given.end)
        try:
            return cls(given["start_date"], given["end_date"])
        except (KeyError, TypeError) as error:
            raise WindowError("A sync window is a Window or a mapping with start_date and end_date.") from error

    def clipped_to(self, now: datetime) -> Self:
        """Return the part of the window that lies before `now`; raise WindowError when none does."""
        if self.start >= now:
            raise WindowError(f"The window {self} lies wholly in the future (now is {now:%Y-%m-%dT%H:%M:%SZ}).")
        return type(self)(self.start, min(self.end, now))

    def widened(self, overlap: timedelta) -> Self:
        """Return the window with its start moved back by `overlap`."""
        return type(self)(self.start - overlap, self.end)

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%dT%H:%M:%SZ}, {self.end:%Y-%m-%dT%H:%M:%SZ})"


def parse_instant(value: object, name: str = "time") -> datetime:
    """Read a datetime, date or ISO text as an aware UTC instant; raise WindowError otherwise."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise WindowError(
                f"{name} is not an ISO date or time, such as 2026-01-31 or 2026-01-31T08:00:00Z."
            ) from None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise WindowError(f"{name} must be a date, a datetime or ISO text, not {type(value).__name__}.")


#: Which incoming version of a record may be written over the stored row; the loader binds the window.
#: An older version never steps in, a strictly newer one is never turned away; in between the window decides:
#: the row was last synced before its end, and the record was created or modified inside it. Records that show no
#: date of their own belong to the window of the batch that read them.
WINDOW_RULE = """
    incoming.version_at > stored.version_at
    OR incoming.version_at = stored.version_at
       AND stored.last_synced_at < :window_end
       AND (
           incoming.undated
           OR incoming.version_at >= :window_start AND incoming.version_at < :window_end
           OR incoming.source_created_at >= :window_start AND incoming.source_created_at < :window_end
       )
"""
