"""Numbers, durations and lists as text for people."""

from datetime import timedelta

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


def join_words(words: list[str]) -> str:
    """Return words as a list for a sentence: `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
