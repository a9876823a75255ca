"""What is sent for a token and what the answer grants. Pure."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec

from etl.api.protocol.answers import is_html
from etl.api.protocol.waiting import retry_after
from etl.config.settings import Settings, secret_text
from etl.errors import ApiUnavailable, CredentialsRefused, UnexpectedResponse

#: The life of a token whose answer does not say it, in seconds.
USUAL_LIFE = 3600.0
LONGEST_LIFE = 86_400.0
_LONGEST_TOKEN = 16_384

_APPLICATION = "QQCATALYST_CLIENT_ID and QQCATALYST_CLIENT_SECRET"
_USER = "QQCATALYST_USERNAME and QQCATALYST_PASSWORD"
#: Which settings to look at, by the error codes of RFC 6749, 5.2.
_CURES = {
    "invalid_client": _APPLICATION,
    "unauthorized_client": _APPLICATION,
    "invalid_grant": _USER,
    "unsupported_grant_type": "QQCATALYST_AUTH and QQCATALYST_TOKEN_URL",
    "invalid_request": "QQCATALYST_TOKEN_URL",
}
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class RefreshRefused(CredentialsRefused):
    """The refresh token was not taken; the password may still be."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request for a token."""

    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """A token as it was granted."""

    access_token: str
    seconds: float
    refresh_token: str | None


def by_password(settings: Settings) -> Question:
    """Return the request for a token by user name and password (RFC 6749, 4.3; client credentials in the form)."""
    form = {
        "grant_type": "password",
        "client_id": secret_text(settings.qqcatalyst_client_id),
        "client_secret": secret_text(settings.qqcatalyst_client_secret),
        "username": secret_text(settings.qqcatalyst_username),
        "password": secret_text(settings.qqcatalyst_password),
    }
    return Question(form, {})


def by_refresh(settings: Settings, refresh_token: str) -> Question:
    """Return the request for a token by a refresh token (RFC 6749, 6; client credentials in the header)."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return Question(form, {"Authorization": basic(settings, "utf-8")})


def basic(settings: Settings, encoding: str = "iso-8859-1") -> str:
    """Return the Basic header of client id and secret; enterprise access wants ISO-8859-1."""
    pair = f"{secret_text(settings.qqcatalyst_client_id)}:{secret_text(settings.qqcatalyst_client_secret)}"
    return "Basic " + base64.b64encode(pair.encode(encoding)).decode("ascii")


def granted(status: int, headers: Mapping[str, str], body: bytes, now: datetime, *, refreshing: bool = False) -> Grant:
    """Return what an answer of the token address grants.

    Raises CredentialsRefused (RefreshRefused where a refresh token was sent) when the answer is final, ApiUnavailable
    when it may pass, UnexpectedResponse when the token is of a type that nobody here can use.
    """
    answer = _decoded(body)
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.OK:
        raise ApiUnavailable(f"The token address answered {status}.", retry_after=retry_after(headers, now))
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise ApiUnavailable(f"The token address redirected ({status}); redirects are not followed.")
    if status >= HTTPStatus.BAD_REQUEST:
        raise _refusal(status, answer, refreshing=refreshing)
    if is_html(headers, body) or not answer:
        raise ApiUnavailable("The token address answered with something other than a token.")
    return _grant(answer)


def _decoded(body: bytes) -> dict[str, Any]:
    """Return the answer's fields, none when it is no JSON object."""
    try:
        answer = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(status: int, answer: Mapping[str, Any], *, refreshing: bool) -> CredentialsRefused:
    """Return the error of a final answer; it names the settings to look at, never their values."""
    code = answer.get("error")
    known = code if isinstance(code, str) and code in _CURES else None
    absent = status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
    cure = "QQCATALYST_TOKEN_URL" if absent else _CURES.get(known or "", f"{_APPLICATION}, {_USER}")
    words = f"QQCatalyst refused to give a token ({known or status}). Check {cure}; they are not tried again."
    return RefreshRefused(words) if refreshing else CredentialsRefused(words)


def _grant(answer: Mapping[str, Any]) -> Grant:
    """Return the grant that a good answer holds."""
    token = answer.get("access_token")
    if not _is_token(token):
        raise ApiUnavailable("The token address answered without a usable token.")
    kind = answer.get("token_type")
    if isinstance(kind, str) and kind.strip().lower() not in {"", "bearer"}:
        raise UnexpectedResponse("The token address gives tokens of a type other than bearer. Check QQCATALYST_TOKEN_URL.")
    refresh = answer.get("refresh_token")
    return Grant(str(token), life(answer.get("expires_in")), refresh if _is_token(refresh) else None)


def _is_token(value: object) -> bool:
    """Tell whether a value can stand in a header."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_TOKEN
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def life(value: object) -> float:
    """Return the seconds that a token lives: as the answer says where it says something usable, else an hour."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = float(value.strip()[:20])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        return USUAL_LIFE
    return float(min(value, LONGEST_LIFE))
