"""What an answer means before its records are read: success, or an error."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from etl.api.protocol.calls import Call
from etl.api.protocol.pages import Page
from etl.api.protocol.waiting import retry_after
from etl.errors import ApiUnavailable, CallFailed, EndpointRefused, NotFound, RateLimited, Refusal


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API, with its timing."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    page: Page
    milliseconds: float  #: of the attempt that succeeded
    attempts: int
    requested_at: datetime  #: by the API's clock
    date: datetime | None  #: the answer's Date header


#: Refusals that may be temporary; retried if every account has the resource.
PERHAPS_PASSING = frozenset({Refusal.METHOD, Refusal.MISSING, Refusal.HTML})


def check_answer(call: Call, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Return if the answer may contain records; raise an error otherwise.

    A 401 concerns the credential, so the caller decides about it; here it counts as a refusal. Raises EndpointRefused,
    NotFound, RateLimited or ApiUnavailable.
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimited(f"{call}: the call limit is reached.", retry_after=retry_after(headers, now))
    if status in _AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        asked = retry_after(headers, now)
        is_of_call = status in {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.NOT_IMPLEMENTED}
        kind = CallFailed if is_of_call else ApiUnavailable
        # An account that lacks an undocumented call may answer 502 to it, at any size: a smaller call is not tried.
        is_perhaps_absent = status == HTTPStatus.BAD_GATEWAY and not call.documented
        is_overload = status >= HTTPStatus.INTERNAL_SERVER_ERROR and asked is None and not is_perhaps_absent
        raise kind(f"{call}: QQCatalyst answered {status}.", retry_after=asked, is_overload=is_overload)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise ApiUnavailable(f"{call}: QQCatalyst redirected ({status}); redirects are not followed.")
    if status == HTTPStatus.FORBIDDEN and (wait := retry_after(headers, now)) is not None:
        raise CallFailed(f"{call}: QQCatalyst answered {status} and named a time to wait.", retry_after=wait)
    if status >= HTTPStatus.BAD_REQUEST:
        _refuse(call, status, headers, body)
    if status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        raise ApiUnavailable(f"{call}: QQCatalyst answered {status}, which is not a page.")
    if status == HTTPStatus.OK and is_html(headers, body):
        raise EndpointRefused(call, status, Refusal.HTML)


#: Temporary 4xx: the server took too long to read the request, or was not ready for it.
_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED})


def _refuse(call: Call, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise the error that a 4xx means."""
    absent = status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
    if is_html(headers, body) and (absent or status in _REASONS):
        raise EndpointRefused(call, status, Refusal.HTML)
    if absent and call.parent_id is not None:
        raise NotFound(f"{call}: QQCatalyst no longer has this record.")
    reason = Refusal.MISSING if absent else _REASONS.get(status, Refusal.REQUEST)
    text = body[:10_000].lower()
    explanation = _NO_USER if b"user cannot be identified" in text else ""
    # The words of this refusal are not known: of a documented list any 400 may be one. An undocumented call answers 400
    # where an account lacks it, so it must name the size.
    may_concern_size = status == HTTPStatus.BAD_REQUEST and not explanation and (call.documented or b"size" in text)
    raise EndpointRefused(call, status, reason, explanation, may_concern_size=may_concern_size)


#: The explanation of an answer to a token that was issued for `client_credentials`.
_NO_USER = (
    ' QQCatalyst says: "User cannot be identified". The token belongs to no user: request one with user name and '
    "password."
)

_REASONS: Mapping[int, Refusal] = {
    HTTPStatus.UNAUTHORIZED: Refusal.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: Refusal.FORBIDDEN,
    HTTPStatus.METHOD_NOT_ALLOWED: Refusal.METHOD,
}


def is_html(headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether an answer is a web page, such as a login form, even if its content type differs."""
    start = body[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"<") or (not start.startswith((b"{", b"[")) and "html" in headers.get("Content-Type", ""))
