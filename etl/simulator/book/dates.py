"""The forms in which the API writes a moment or a day."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from datetime import UTC, date, datetime, timedelta

DAY = timedelta(days=1)


def plain(moment: datetime) -> str:
    """Write a moment the usual way: no zone, and a fraction as short as it can be (`2023-05-04T14:11:09.13`)."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return text.rstrip("0") if moment.microsecond else text


def midnight(day: date) -> str:
    """Write a calendar day as the API does: its midnight, without a zone."""
    return f"{day.isoformat()}T00:00:00"


def seven_digits(moment: datetime) -> str:
    """Write a moment with offset and seven fraction digits, as billing and enterprise rows carry it."""
    at = moment.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}0+00:00"


def american(moment: datetime) -> str:
    """Write a moment in the form of the `...String` and `...Formated` twins (`7/19/2012 1:41:59 PM`)."""
    half = "AM" if moment.hour < 12 else "PM"  # noon
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S} {half}"


def american_day(moment: datetime) -> str:
    """Write a day in the form of the `...String` twins (`7/19/2012`)."""
    return f"{moment.month}/{moment.day}/{moment.year}"


def read(text: str) -> datetime:
    """Return the aware UTC moment of a text in any of the forms above."""
    if "/" in text:
        return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at_midnight(day: date) -> datetime:
    """Return the midnight UTC that begins a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def between(dice: random.Random, first: datetime, last: datetime) -> datetime:
    """Return a moment between two others, to the millisecond; `first` when `last` is not later."""
    span = max(0, round((last - first).total_seconds() * 1000))
    return first + timedelta(milliseconds=int(dice.random() * span))


def office_hours(dice: random.Random, day: date) -> datetime:
    """Return a moment of a day at which an American office is open (13 to 23 o'clock UTC)."""
    return at_midnight(day) + timedelta(hours=13, milliseconds=int(dice.random() * 36_000_000))
