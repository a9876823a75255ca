"""Numbers, durations and times as text for people."""

from datetime import UTC, datetime, time, timedelta, tzinfo

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
#: Seconds below which tenths are shown.
_SHOW_TENTHS_BELOW = 10


def format_number(value: int) -> str:
    """Return a number with thousands separators."""
    return f"{value:,}"


def format_count(value: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 record`, `2,000 records`."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def format_duration(seconds: float | timedelta) -> str:
    """Return a duration in its two largest units: `0.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if total < _SHOW_TENTHS_BELOW:
        return f"{total:.1f} s"
    total_seconds = round(total)
    for size, larger, smaller in ((_DAY, "d", "h"), (_HOUR, "h", "min"), (_MINUTE, "min", "s")):
        if total_seconds >= size:
            remainder = total_seconds % size // {"h": _HOUR, "min": _MINUTE, "s": 1}[smaller]
            return f"{total_seconds // size} {larger}" + (f" {remainder} {smaller}" if remainder else "")
    return f"{total_seconds} s"


def format_rate(per_second: float, unit: str = "") -> str:
    """Return a rate as text: `40 calls/s`, or `12 calls/min` if it is slow; without a unit `40/s`."""
    label = f" {unit}" if unit else ""
    return f"{per_second:,.0f}{label}/s" if per_second >= 1 else f"{per_second * _MINUTE:,.0f}{label}/min"


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
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if abs(seconds) >= size:
            number = f"{abs(seconds) // size} {unit}"
            return f"{number} ago" if seconds > 0 else f"in {number}"
    return "just now"


def format_bound(bound: datetime) -> str:
    """Return the start or end of a window: a day of the API as its date, another time as a moment."""
    in_utc = bound.astimezone(UTC)
    return f"{in_utc:%Y-%m-%d}" if in_utc.time() == time() else format_moment(bound)


def join_words(words: list[str]) -> str:
    """Return words as a list for a sentence: `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
