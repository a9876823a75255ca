"""Parsing of the date and time formats that the API uses; missing parts are never filled in from today.

ISO 8601 with or without time, fraction and offset; year-first with slashes; `7/19/2012 1:41:59 PM`, as the older
service wrote; `/Date(1342705319000-0500)/`, the .NET default. Nothing else: `Sep`, `5`, `10am` and `now` are not
dates.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

from etl.values.base import Kind, Violation
from etl.values.text import clean_word

FIRST_YEAR, LAST_YEAR = 1900, 2200
#: .NET's smallest date means "no date".
_DOTNET_MIN_DATE = date(1, 1, 1)
_LONGEST = 60
_NOON = 12
#: RFC 3339 5.6: the hours and minutes of an offset.
_MAX_OFFSET_HOUR, _MAX_OFFSET_MINUTE = 23, 59
_TIME = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9})[0-9]*)?)?"
_OFFSET = r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
_YEAR_FIRST = re.compile(
    rf"([0-9]{{4}})([-/])([0-9]{{1,2}})\2([0-9]{{1,2}})(?:(?:T| )\s*{_TIME}\s*{_OFFSET}?)?", re.ASCII | re.IGNORECASE
)
_MONTH_FIRST = re.compile(
    rf"([0-9]{{1,2}})/([0-9]{{1,2}})/([0-9]{{4}})(?:,? {_TIME}\s*(?:([AP])\.?M\.?)?)?", re.ASCII | re.IGNORECASE
)
_DOTNET_DATE = re.compile(r"/Date\((-?[0-9]{1,18})([+-][0-9]{4})?\)/", re.ASCII)
_TIME_ONLY = re.compile(rf"{_TIME}\s*(?:[AP]\.?M\.?)?|[0-9]{{1,2}} ?[AP]M", re.ASCII | re.IGNORECASE)
_TWO_DIGIT_YEAR = re.compile(r"[0-9]{1,2}[/-][0-9]{1,2}[/-][0-9]{2}(?: .*)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_datetime(raw: object, kind: type[Kind]) -> datetime | Violation | None:
    """Return the datetime as written (naive without an offset), None when absent, or the kind's Violation.

    .NET's smallest date, 0001-01-01, is absent. JSON types other than text are violations, numbers included.
    """
    if isinstance(raw, date):
        moment = raw if isinstance(raw, datetime) else datetime.combine(raw, time())
        return check_year(moment, kind)
    if raw is not None and not isinstance(raw, str):
        return kind.type_violation(raw)
    text = clean_word(raw, kind, _LONGEST)
    return _parse(text, kind) if isinstance(text, str) else text


def _parse(text: str, kind: type[Kind]) -> datetime | Violation | None:
    """Return the datetime that the text means, None for .NET's smallest date, or the kind's Violation."""
    try:
        moment = _parse_year_first(text) or _parse_month_first(text) or _parse_dotnet_date(text)
    except (ValueError, OverflowError):
        return kind.violation("impossible", "is a date or time that does not exist")
    return _datetime_violation(text, kind) if moment is None else check_year(moment, kind)


def check_year(moment: datetime, kind: type[Kind]) -> datetime | Violation | None:
    """Return the datetime, None for .NET's smallest date, or the kind's Violation for an implausible year."""
    if FIRST_YEAR <= moment.year <= LAST_YEAR:
        return moment
    if moment.date() == _DOTNET_MIN_DATE:
        return None
    return kind.violation("range", f"is before {FIRST_YEAR} or after {LAST_YEAR}")


def _parse_year_first(text: str) -> datetime | None:
    """Return the datetime of an ISO or year-first text, None for other text; raise ValueError if it does not exist."""
    parts = _YEAR_FIRST.fullmatch(text)
    if parts is None:
        return None
    year, _, month, day, hour, minute, second, fraction, offset = parts.groups()
    moment = _build_datetime(year, month, day, hour, minute, second, fraction)
    return moment.replace(tzinfo=_parse_offset(offset)) if offset else moment


def _parse_month_first(text: str) -> datetime | None:
    """Return the datetime of a US-style text, None for other text; raise ValueError if it does not exist."""
    parts = _MONTH_FIRST.fullmatch(text)
    if parts is None:
        return None
    month, day, year, hour, minute, second, fraction, half = parts.groups()
    if half:
        if not 1 <= int(hour) <= _NOON:
            raise ValueError(hour)
        hour = str(int(hour) % _NOON + (_NOON if half.upper() == "P" else 0))
    return _build_datetime(year, month, day, hour, minute, second, fraction)


def _parse_dotnet_date(text: str) -> datetime | None:
    """Return the datetime of a .NET JSON date in its offset, None for other text; raise OverflowError if too far."""
    parts = _DOTNET_DATE.fullmatch(text)
    if parts is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=int(parts[1]))
    return moment.astimezone(_parse_offset(parts[2])) if parts[2] else moment


def _build_datetime(year: str, month: str, day: str, *time_parts: str | None) -> datetime:
    """Return the naive datetime of these digits; `time_parts` are hour, minute, second and fraction, each optional.

    Digits beyond a microsecond are cut, not rounded: rounding could carry into the next day.
    """
    hour, minute, second = (int(part or 0) for part in time_parts[:3])
    microsecond = int((time_parts[3] or "")[:6].ljust(6, "0"))
    return datetime(int(year), int(month), int(day), hour, minute, second, microsecond)  # noqa: DTZ001 (zone follows)


def _parse_offset(offset: str) -> timezone:
    """Return the zone of an offset such as Z, +05, +0530 or +05:30; raise ValueError for one that no clock shows."""
    if offset.upper() == "Z":
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[-2:]) if len(offset) > len("+05") else 0
    if hours > _MAX_OFFSET_HOUR or minutes > _MAX_OFFSET_MINUTE:
        raise ValueError(offset)
    away = timedelta(hours=hours, minutes=minutes)
    return timezone(-away if offset[0] == "-" else away)


def _datetime_violation(text: str, kind: type[Kind]) -> Violation:
    """Return the Violation that says why a text in an unknown format is not a date."""
    if _TIME_ONLY.fullmatch(text):
        return kind.violation("no-day", "has a time but no date")
    if _TWO_DIGIT_YEAR.fullmatch(text):
        return kind.violation("two-digit-year", "has a year of two digits, so the century is unknown")
    return kind.violation("format", "is not in a known date format")
