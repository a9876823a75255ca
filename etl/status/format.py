"""Numbers, lengths of time and moments as a person reads them."""

from datetime import UTC, datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
#: Below so many seconds a tenth is worth showing.
_FINE = 10


def number(value: int) -> str:
    """Return a number with thousands set apart."""
    return f"{value:,}"


def counted(value: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 record`, `2,000 records`."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def length(seconds: float | timedelta) -> str:
    """Return a length of time in its two largest units: `0.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if total < _FINE:
        return f"{total:.1f} s"
    whole = round(total)
    for size, larger, smaller in ((_DAY, "d", "h"), (_HOUR, "h", "min"), (_MINUTE, "min", "s")):
        if whole >= size:
            rest = whole % size // {"h": _HOUR, "min": _MINUTE, "s": 1}[smaller]
            return f"{whole // size} {larger}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"


def pace(a_second: float) -> str:
    """Return how fast something goes: `40 a second`, and `12 a minute` where it is slow."""
    return f"{a_second:,.0f} a second" if a_second >= 1 else f"{a_second * _MINUTE:,.0f} a minute"


def moment(when: datetime | None) -> str:
    """Return a moment to the minute, in UTC; a dash when there is none."""
    return "-" if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M}"


def listed(words: list[str]) -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
