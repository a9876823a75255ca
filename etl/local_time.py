"""Times as text for people, in the zone that a command shows."""

from datetime import UTC, datetime, time, timedelta, tzinfo


class PeopleZone:
    """The time zone of the times that people read. JSON, the log and the database have UTC."""

    current: tzinfo | None = None  #: None: the machine's


def show_times_in(zone: tzinfo | None) -> None:
    """Show times in this zone from now on; None: in the machine's."""
    PeopleZone.current = zone


def to_local(when: datetime) -> datetime:
    """Return a time in the zone in which times are shown."""
    return when.astimezone(PeopleZone.current)


def zone_label(now: datetime) -> str:
    """Return the abbreviation of the zone for the head of a column: `UTC`, `CST`."""
    return to_local(now).tzname() or "local"


def format_time(when: datetime | None, now: datetime) -> str:
    """Return a time to the minute for a column whose head has `zone_label(now)`; a dash for None.

    A time on the other side of the change to summer time gets its own label.
    """
    if when is None:
        return "-"
    local = to_local(when)
    same_offset = local.utcoffset() == to_local(now).utcoffset()
    return f"{local:%Y-%m-%d %H:%M}" + ("" if same_offset else f" {local.tzname()}")


def format_moment(when: datetime | None, now: datetime | None = None) -> str:
    """Return a time for a sentence: `2025-06-02 10:30 CDT`; with `now` also how long ago that is; a dash for None."""
    if when is None:
        return "-"
    local = to_local(when)
    return f"{local:%Y-%m-%d %H:%M} {local.tzname()}" + (f" ({format_ago(now - when)})" if now is not None else "")


def format_ago(elapsed: timedelta) -> str:
    """Return how long ago something was, in its largest unit: `just now`, `2 min ago`, `3 d ago`."""
    seconds = round(elapsed.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= size:
            number = f"{abs(seconds) // size} {unit}"
            return f"{number} ago" if seconds > 0 else f"in {number}"
    return "just now"


def format_bound(bound: datetime) -> str:
    """Return the start or end of a window: a day of the API as its date, another time as a moment."""
    in_utc = bound.astimezone(UTC)
    return f"{in_utc:%Y-%m-%d}" if in_utc.time() == time() else format_moment(bound)
