"""The forms in which the API writes a date or a time, read without ever filling in from today.

ISO 8601 with or without time, fraction and offset; year-first with slashes; `7/19/2012 1:41:59 PM`, as the older
service wrote; `/Date(1342705319000-0500)/`, as .NET serialises by default. Nothing else: `Sep`, `5`, `10am` or `now`
are no dates.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

from etl.values.base import Complaint, Kind
from etl.values.text import word_of

FIRST_YEAR, LAST_YEAR = 1900, 2200
#: .NET's smallest date stands for "no date".
_NEVER = date(1, 1, 1)
_LONGEST = 60
_NOON = 12
_TIME = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9})[0-9]*)?)?"
_OFFSET = r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
_YEAR_FIRST = re.compile(
    rf"([0-9]{{4}})([-/])([0-9]{{1,2}})\2([0-9]{{1,2}})(?:(?:T| )\s*{_TIME}\s*{_OFFSET}?)?", re.ASCII | re.IGNORECASE
)
_MONTH_FIRST = re.compile(
    rf"([0-9]{{1,2}})/([0-9]{{1,2}})/([0-9]{{4}})(?:,? {_TIME}\s*(?:([AP])\.?M\.?)?)?", re.ASCII | re.IGNORECASE
)
_TICKS = re.compile(r"/Date\((-?[0-9]{1,18})([+-][0-9]{4})?\)/", re.ASCII)
_TIME_ONLY = re.compile(rf"{_TIME}\s*(?:[AP]\.?M\.?)?|[0-9]{{1,2}} ?[AP]M", re.ASCII | re.IGNORECASE)
_TWO_DIGIT_YEAR = re.compile(r"[0-9]{1,2}[/-][0-9]{1,2}[/-][0-9]{2}(?: .*)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(raw: object, kind: type[Kind]) -> datetime | Complaint | None:
    """Return the moment as written (naive without an offset), None when absent, or the kind's Complaint.

    .NET's "never", 0001-01-01, is absent. What is no text has no form of a date: numbers are complained of.
    """
    if isinstance(raw, date):
        moment = raw if isinstance(raw, datetime) else datetime.combine(raw, time())
        return in_range(moment, kind)
    if raw is not None and not isinstance(raw, str):
        return kind.wrong_type(raw)
    text = word_of(raw, kind, _LONGEST)
    return _read(text, kind) if isinstance(text, str) else text


def _read(text: str, kind: type[Kind]) -> datetime | Complaint | None:
    """Return the moment that the text writes, None for "never", or the kind's Complaint."""
    try:
        moment = _year_first(text) or _month_first(text) or _ticks(text)
    except (ValueError, OverflowError):
        return kind.complain("impossible", "is a day or time that does not exist")
    return _fault(text, kind) if moment is None else in_range(moment, kind)


def in_range(moment: datetime, kind: type[Kind]) -> datetime | Complaint | None:
    """Return the moment, None for "never", or the kind's Complaint when no record can speak of that year."""
    if FIRST_YEAR <= moment.year <= LAST_YEAR:
        return moment
    if moment.date() == _NEVER:
        return None
    return kind.complain("range", f"is before {FIRST_YEAR} or after {LAST_YEAR}")


def _year_first(text: str) -> datetime | None:
    """Return the moment of an ISO or year-first text, None for another; raise ValueError when it does not exist."""
    parts = _YEAR_FIRST.fullmatch(text)
    if parts is None:
        return None
    year, _, month, day, hour, minute, second, fraction, offset = parts.groups()
    moment = _moment(year, month, day, hour, minute, second, fraction)
    return moment.replace(tzinfo=_zone(offset)) if offset else moment


def _month_first(text: str) -> datetime | None:
    """Return the moment of a US text, None for another; raise ValueError when it does not exist."""
    parts = _MONTH_FIRST.fullmatch(text)
    if parts is None:
        return None
    month, day, year, hour, minute, second, fraction, half = parts.groups()
    if half:
        if not 1 <= int(hour) <= _NOON:
            raise ValueError(hour)
        hour = str(int(hour) % _NOON + (_NOON if half.upper() == "P" else 0))
    return _moment(year, month, day, hour, minute, second, fraction)


def _ticks(text: str) -> datetime | None:
    """Return the moment of a .NET JSON date in its own offset, None for another; raise OverflowError when too far."""
    parts = _TICKS.fullmatch(text)
    if parts is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=int(parts[1]))
    return moment.astimezone(_zone(parts[2])) if parts[2] else moment


def _moment(year: str, month: str, day: str, *rest: str | None) -> datetime:
    """Return the naive moment of these digits and those of `rest`: hour, minute, second and fraction, where given.

    What is finer than a microsecond is cut, not rounded: rounding could carry into the next day.
    """
    hour, minute, second = (int(part or 0) for part in rest[:3])
    microsecond = int((rest[3] or "")[:6].ljust(6, "0"))
    return datetime(int(year), int(month), int(day), hour, minute, second, microsecond)  # noqa: DTZ001 (zone follows)


def _zone(offset: str) -> timezone:
    """Return the zone of an offset such as Z, +05, +0530 or +05:30; raise ValueError beyond a day."""
    if offset.upper() == "Z":
        return UTC
    away = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]) if len(offset) > len("+05") else 0)
    return timezone(-away if offset[0] == "-" else away)


def _fault(text: str, kind: type[Kind]) -> Complaint:
    """Return the Complaint that says why a text in no known form is no date."""
    if _TIME_ONLY.fullmatch(text):
        return kind.complain("no-day", "has a time but no day")
    if _TWO_DIGIT_YEAR.fullmatch(text):
        return kind.complain("two-digit-year", "has a year of two digits, which can be read in several ways")
    return kind.complain("format", "is not written in a form of year, month and day that is known")
