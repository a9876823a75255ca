"""Windows: the period that a sync covers, and the rule for the rows that a window may overwrite."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from etl.errors import WindowError

FIRST_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open interval `[start, end)` of times in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            object.__setattr__(self, name, parse_instant(getattr(self, name), name))
        if self.start >= self.end:
            raise WindowError(f"The window {self} is empty or reversed. Its start must be before its end.")

    @classmethod
    def of(cls, given: "Window | Mapping[str, Any]") -> Self:
        """Make a window from a `Window` or a mapping with `start_date` and `end_date`.

        A value is a datetime, a date or ISO text; a naive value is UTC; the end is exclusive. Raises WindowError when
        a key is missing, a value is invalid, or the window is empty.
        """
        if isinstance(given, Window):
            return cls(given.start, given.end)
        try:
            return cls(given["start_date"], given["end_date"])
        except (KeyError, TypeError) as error:
            raise WindowError("A sync window must be a Window or a mapping with start_date and end_date.") from error

    def clipped_to(self, now: datetime) -> Self:
        """Return the part of the window before `now`; raise WindowError when the whole window is in the future."""
        if self.start >= now:
            raise WindowError(f"The window {self} is in the future (now is {now:%Y-%m-%dT%H:%M:%SZ}).")
        return type(self)(self.start, min(self.end, now))

    def widened(self, overlap: timedelta) -> Self:
        """Return the window with its start moved back by `overlap`."""
        return type(self)(self.start - overlap, self.end)

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%dT%H:%M:%SZ}, {self.end:%Y-%m-%dT%H:%M:%SZ})"


def parse_instant(value: object, name: str = "time") -> datetime:
    """Convert a datetime, date or ISO text to a time in UTC; raise WindowError for any other value."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise WindowError(
                f"{name} must be an ISO date or time, such as 2026-01-31 or 2026-01-31T08:00:00Z."
            ) from None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise WindowError(f"{name} must be a date, a datetime or ISO text, not {type(value).__name__}.")


#: The condition for an incoming version of a record to overwrite the stored row; the loader binds the window.
#: A newer version always overwrites, an older version never does. For the same version the window decides: the row
#: was last synced before its end, and the record was created or modified inside it. A record without a date belongs to
#: the window of the batch that read it.
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
