"""Faults that depend on the parameters of a call."""

from datetime import date
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from etl.simulator.request_faults import refusal
from etl.simulator.turns import Turn

#: The names of the two ends of a window, in lower case.
WINDOWS = (("startdate", "enddate"), ("modifiedstartdate", "modifiedenddate"))


def long_window(turn: Turn, key: str, _path: str) -> web.Response | None:
    """Answer 504 to a window of more than this many days, as a server does that runs out of time."""
    query = {name.lower(): value for name, value in parse_qsl(urlsplit(key).query)}
    days = max((_days(query[first], query[last]) for first, last in WINDOWS if {first, last} <= set(query)), default=0)
    return refusal(504, "The request timed out.") if days > int(turn.argument) else None


def _days(first: str, last: str) -> int:
    """Return the days between two dates; 0 when one of them is not a date, which is refused elsewhere."""
    try:
        return (date.fromisoformat(last[:10]) - date.fromisoformat(first[:10])).days
    except ValueError:
        return 0
