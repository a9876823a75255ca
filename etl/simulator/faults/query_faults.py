"""Faults that depend on the parameters of a call."""

import asyncio
from datetime import date
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from etl.simulator.faults.request_faults import refusal
from etl.simulator.faults.spec import fault
from etl.simulator.planned_faults import PlannedFault

#: The names of the two ends of a window, in lower case.
WINDOWS = (("startdate", "enddate"), ("modifiedstartdate", "modifiedenddate"))

SILENCE = 3600.0  #: seconds, longer than anybody waits


@fault("request", "an error for windows above this many days, and its status", "366,504")
def long_window(fault: PlannedFault, key: str, _path: str) -> web.Response | None:
    """Answer with an error to a window of more than this many days, as a server does that runs out of time."""
    most, _, status = fault.argument.partition(",")
    return refusal(int(status or 504), "The request timed out.") if window_days(key) > int(most) else None


@fault("send", "no answer to windows above this many days", "366")
async def silent_window(
    fault: PlannedFault, key: str, _request: web.Request, _response: web.Response
) -> web.StreamResponse | None:
    """Send no answer to a window of more than this many days."""
    if window_days(key) > int(fault.argument):
        await asyncio.sleep(SILENCE)
    return None


def window_days(key: str) -> int:
    """Return the days of the window that a request asks for, 0 without one."""
    query = {name.lower(): value for name, value in parse_qsl(urlsplit(key).query)}
    return max((_days(query[first], query[last]) for first, last in WINDOWS if {first, last} <= set(query)), default=0)


def _days(first: str, last: str) -> int:
    """Return the days between two dates; 0 when one of them is not a date, which is refused elsewhere."""
    try:
        return (date.fromisoformat(last[:10]) - date.fromisoformat(first[:10])).days
    except ValueError:
        return 0
