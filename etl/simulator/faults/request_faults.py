"""Faults that answer in place of a call, or of the token endpoint."""

import gzip
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from etl.simulator.account_limit import account_limit as of_account
from etl.simulator.answers.envelopes import HELP_PAGE, LOGIN_PAGE
from etl.simulator.faults.spec import fault
from etl.simulator.planned_faults import PlannedFault

DAY = 86_400.0
#: The bodies of answers that hold nothing.
NOTHING = {
    "empty": b"", "null": b"null", "object": b"{}", "text": b'""',
    "no-data": b'{"PageNumber":1,"TotalItems":7,"IsSuccess":true}',
    "null-data": b'{"Data":null,"PageNumber":1,"IsSuccess":true}',
    "zero": b'{"Data":null,"PageNumber":1,"TotalItems":0,"IsSuccess":true}',
    "no-items": b'{"Data":[],"PageNumber":1,"TotalItems":7,"IsSuccess":true}',
}  # fmt: skip
STATUSES = (503, 500, 502, 504)


def refusal(status: int, words: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an error as the vendor's server writes it."""
    return web.json_response({"Message": words}, status=status, headers=headers)


def html(status: int, page: bytes) -> web.Response:
    """Return a web page where JSON is expected."""
    return web.Response(status=status, body=page, content_type="text/html")


@fault("request", "401 for each call, with any token")
def unauthorized_always(_fault: PlannedFault, _key: str, _path: str) -> web.Response | None:
    """Answer 401 for any token."""
    return refusal(401, "Authorization has been denied for this request.", {"WWW-Authenticate": "Bearer"})


@fault("request", "429 at the first request, with this Retry-After in seconds (`date`: as a date)", "1")
def rate_limit(fault: PlannedFault, key: str, _path: str) -> web.Response | None:
    """Answer 429 the first time."""
    if not fault.due(key):
        return None
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    return refusal(429, "Too many requests.", {"Retry-After": at if fault.argument == "date" else fault.argument})


@fault("use", "429 above this many calls in any second", "20")
def call_limit(fault: PlannedFault, _key: str, _path: str) -> web.Response | None:
    """Answer 429 to calls above this number in any second."""
    if fault.admitted(time.monotonic(), 1.0, int(fault.argument)):
        return None
    return refusal(429, "Too many requests.", {"Retry-After": "1"})


@fault(
    "use",
    "401 above this many calls of the account in this many seconds, and its form: fixed (window), text, "
    "json, html or empty, others=N (calls of another integration)",
    "60/60,text",
)
def account_limit(fault: PlannedFault, _key: str, _path: str) -> web.Response | None:
    """Answer 401 to calls above the call limit of the account, as the vendor's server does."""
    return of_account(fault, time.monotonic())


@fault("use", "429 for two hours above this many calls", "500")
def call_quota(fault: PlannedFault, _key: str, _path: str) -> web.Response | None:
    """Answer 429 to calls above this number in a day, and return the time of the next allowed call."""
    if fault.admitted(time.monotonic(), DAY, int(fault.argument)):
        return None
    return refusal(429, "The quota of calls is exceeded.", {"Retry-After": "7200"})


@fault("request", "500, 502, 503, 504 for the first requests, this many (`always`: for all)", "2")
def server_errors(fault: PlannedFault, key: str, _path: str) -> web.Response | None:
    """Answer with errors of the 5xx kind the first times."""
    return _failure(fault, key) if fault.due(key, fault.argument) else None


def _failure(fault: PlannedFault, key: str) -> web.Response:
    return refusal(STATUSES[(fault.asked(key) - 1) % len(STATUSES)], "An error has occurred.")


@fault("request", "a login page with 200 for this many requests", "1")
def html_login(fault: PlannedFault, key: str, _path: str) -> web.Response | None:
    """Answer with a login page and 200 the first times."""
    return html(200, LOGIN_PAGE) if fault.due(key, fault.argument) else None


@fault("request", "a redirect to this address at the first request", "http://localhost:9/login")
def redirect_login(fault: PlannedFault, key: str, _path: str) -> web.Response | None:
    """Answer with a redirect to a host of another name the first times."""
    return web.Response(status=302, headers={"Location": fault.argument}) if fault.due(key) else None


@fault("request", "this status with an empty body at the first request", "204")
def odd_success(fault: PlannedFault, key: str, _path: str) -> web.Response | None:
    """Answer with another 2xx and nothing in it the first time."""
    return web.Response(status=int(fault.argument)) if fault.due(key) else None


@fault("request", "this many mebibytes of blanks in a small body at the first request", "64")
def gzip_bomb(fault: PlannedFault, key: str, _path: str) -> web.Response | None:
    """Answer with many mebibytes of blanks, packed small, the first time."""
    if not fault.due(key):
        return None
    body = gzip.compress(b" " * (int(fault.argument) * 2**20))
    return web.Response(body=body, content_type="application/json", headers={"Content-Encoding": "gzip"})


def _concerns(fault: PlannedFault, path: str) -> bool:
    return path.lower().startswith(fault.argument.lower().lstrip("/"))


@fault("request", "403 below this path", "Claims")
def forbidden(fault: PlannedFault, _key: str, path: str) -> web.Response | None:
    """Answer 403 below a path."""
    return refusal(403, "You do not have access to this resource.") if _concerns(fault, path) else None


@fault("request", "401 below this path, while other calls succeed", "Claims")
def unauthorized(fault: PlannedFault, _key: str, path: str) -> web.Response | None:
    """Answer 401 below a path, while other calls of the same token succeed."""
    return refusal(401, "Authorization has been denied for this request.") if _concerns(fault, path) else None


@fault("request", "404 as JSON below this path", "Claims")
def not_found(fault: PlannedFault, _key: str, path: str) -> web.Response | None:
    """Answer 404 as JSON below a path."""
    return refusal(404, "No HTTP resource was found that matches the request.") if _concerns(fault, path) else None


@fault("request", "405 below this path", "Claims")
def wrong_verb(fault: PlannedFault, _key: str, path: str) -> web.Response | None:
    """Answer 405 below a path."""
    return refusal(405, "The requested resource does not support this http method.") if _concerns(fault, path) else None


@fault("request", "the help page in HTML below this path", "Claims")
def not_offered(fault: PlannedFault, _key: str, path: str) -> web.Response | None:
    """Answer with the help page below a path."""
    return html(404, HELP_PAGE) if _concerns(fault, path) else None


@fault(
    "request",
    "neither a list nor an object for paths with this text, and its form: 204, empty, null, object, "
    "text, no-data, null-data, zero (null-data with a total of 0) or no-items",
    "AccountInfo,null",
)
def no_answer(fault: PlannedFault, _key: str, path: str) -> web.Response | None:
    """Answer calls whose path holds a text with neither a list nor an object."""
    part, _, form = fault.argument.partition(",")
    if part.lower() not in path.lower():
        return None
    if form == "204":
        return web.Response(status=204)
    return web.Response(body=NOTHING[form or "null"], content_type="application/json")


@fault("use", "an access token is good for this many calls", "20")
def token_expiry(fault: PlannedFault, authorization: str, _path: str) -> web.Response | None:
    """Answer 401 when a token was used this many times."""
    if fault.due(authorization, fault.argument):
        return None
    return refusal(401, "Authorization has been denied for this request.", {"WWW-Authenticate": "Bearer"})


@fault("token", "the token endpoint fails this many times", "2")
def token_errors(fault: PlannedFault, key: str, _path: str) -> web.Response | None:
    """Answer token requests with errors of the 5xx kind the first times."""
    return _failure(fault, key) if fault.due(key, fault.argument) else None


@fault("token", "a firewall answers 403 this many times", "2")
def token_blocked(fault: PlannedFault, key: str, _path: str) -> web.Response | None:
    """Answer token requests with the page of a firewall the first times."""
    return html(403, LOGIN_PAGE) if fault.due(key, fault.argument) else None


@fault("token", "the token endpoint refuses: invalid_grant or invalid_client", "invalid_grant")
def token_refused(fault: PlannedFault, _key: str, _path: str) -> web.Response | None:
    """Refuse each token request."""
    return web.json_response({"error": fault.argument}, status=401 if fault.argument == "invalid_client" else 400)


@fault("grant", "odd: html, no-token, no-expiry, text-expiry, zero-expiry, negative-expiry or other-type", "no-expiry")
def token_answer(fault: PlannedFault, _key: str, grant: dict[str, Any]) -> dict[str, Any] | None:
    """Return a granted token with something odd about it; None for a page in HTML."""
    changes: dict[str, dict[str, Any]] = {
        "text-expiry": {"expires_in": str(grant["expires_in"])},
        "zero-expiry": {"expires_in": 0},
        "negative-expiry": {"expires_in": -1},
        "other-type": {"token_type": "mac"},
    }
    without = {"no-token": "access_token", "no-expiry": "expires_in"}.get(fault.argument)
    if fault.argument == "html":
        return None
    return {name: value for name, value in (grant | changes.get(fault.argument, {})).items() if name != without}
