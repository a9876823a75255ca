"""Token requests and responses (RFC 6749). Pure."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec

from etl.api.auth.unauthorized import is_call_limit, vendor_sentence
from etl.api.protocol.answers import is_html
from etl.api.protocol.waiting import retry_after
from etl.config.settings import Settings, secret_text
from etl.errors import (
    ApiUnavailable,
    ClientRefused,
    CredentialsRefused,
    PasswordRefused,
    RateLimited,
    RefreshRefused,
    UnclearAnswer,
    UnexpectedResponse,
)

#: The life of a token if the response does not state it, in seconds.
USUAL_LIFE = 3600.0
LONGEST_LIFE = 86_400.0
_LONGEST_TOKEN = 16_384

#: The vendor's walkthrough names a second address. It is shown if the first one fails, and never tried automatically.
SECOND_ADDRESS = "https://app.qqcatalyst.com/oauth/token"
_ELSEWHERE = f" If the vendor gave you another address, set QQCATALYST_TOKEN_URL; some accounts use {SECOND_ADDRESS}."

_APPLICATION = "QQCATALYST_CLIENT_ID and QQCATALYST_CLIENT_SECRET"
_USER = "QQCATALYST_USERNAME and QQCATALYST_PASSWORD"
#: Which settings to check, by the error codes of RFC 6749, 5.2.
_CURES = {
    "invalid_client": _APPLICATION,
    "unauthorized_client": _APPLICATION,
    "invalid_grant": _USER,
    "invalid_scope": "QQCATALYST_TOKEN_URL",
    "unsupported_grant_type": "QQCATALYST_AUTH and QQCATALYST_TOKEN_URL",
    "invalid_request": "QQCATALYST_TOKEN_URL",
}
#: Codes that some servers send with a 4xx while they are busy (RFC 6749, 4.1.2.1; RFC 8628, 3.5).
_BUSY = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
#: With these, the vendor's sentence may name the call limit, as a 401 of the API does.
_PERHAPS_LIMIT = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_TRANSIENT = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request for a token."""

    form: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def is_refresh(self) -> bool:
        """Whether it uses a refresh token."""
        return self.form["grant_type"] == "refresh_token"


@dataclass(frozen=True, slots=True, repr=False)
class TokenResponse:
    """A granted token."""

    access_token: str
    seconds: float
    refresh_token: str | None


def by_password(settings: Settings, *, basic: bool = False) -> TokenRequest:
    """Return the request for a token by user name and password (RFC 6749, 4.3).

    The client id and secret are in the form, or in a Basic header if the form was refused.
    """
    user = {
        "grant_type": "password",
        "username": secret_text(settings.qqcatalyst_username),
        "password": secret_text(settings.qqcatalyst_password),
    }
    if basic:
        return TokenRequest(user, {"Authorization": basic_header(settings, "utf-8")})
    client = {
        "client_id": secret_text(settings.qqcatalyst_client_id),
        "client_secret": secret_text(settings.qqcatalyst_client_secret),
    }
    return TokenRequest(user | client, {})


def by_refresh(settings: Settings, refresh_token: str) -> TokenRequest:
    """Return the request for a token by a refresh token (RFC 6749, 6; client credentials in the header)."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return TokenRequest(form, {"Authorization": basic_header(settings, "utf-8")})


def basic_header(settings: Settings, encoding: str = "iso-8859-1") -> str:
    """Return the Basic header of client id and secret; enterprise access requires ISO-8859-1."""
    pair = f"{secret_text(settings.qqcatalyst_client_id)}:{secret_text(settings.qqcatalyst_client_secret)}"
    return "Basic " + base64.b64encode(pair.encode(encoding)).decode("ascii")


def parse_token_response(
    status: int, headers: Mapping[str, str], body: bytes, now: datetime, *, is_refresh: bool = False
) -> TokenResponse:
    """Return the token in an answer of the token address.

    Raises CredentialsRefused (or a subclass) if the refusal is final, UnclearAnswer if it has no known code,
    RateLimited if it is the call limit, ApiUnavailable if it may be temporary, UnexpectedResponse if the token has an
    unusable type. The message contains the vendor's sentence: redact it before it is shown.
    """
    answer = _decoded(body)
    code = answer.get("error")
    is_known = isinstance(code, str) and code in _CURES
    is_limit = status in _PERHAPS_LIMIT and not is_known and is_call_limit(headers, body)
    if is_limit or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimited("The token address names the call limit.", retry_after=retry_after(headers, now))
    is_busy = status >= HTTPStatus.BAD_REQUEST and isinstance(code, str) and code in _BUSY
    if is_busy or status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.OK:
        raise ApiUnavailable(f"The token address answered {status}.", retry_after=retry_after(headers, now))
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise ApiUnavailable(f"The token address redirected ({status}); redirects are not followed.")
    if status >= HTTPStatus.BAD_REQUEST:
        raise _refusal(status, code, vendor_sentence(headers, body), is_refresh=is_refresh)
    if is_html(headers, body) or not answer:
        raise ApiUnavailable("The token address answered without a token.")
    return _response(answer)


def _decoded(body: bytes) -> dict[str, Any]:
    """Return the answer's fields; an empty dict if it is not a JSON object."""
    try:
        answer = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(status: int, code: object, sentence: str, *, is_refresh: bool) -> CredentialsRefused | UnclearAnswer:
    """Return the error of a final answer; it names the settings to check, never their values."""
    says = f' QQCatalyst says: "{sentence}".' if sentence and sentence != code else ""
    if is_refresh:
        return RefreshRefused(f"QQCatalyst refused the refresh token ({status}).{says}")
    if not isinstance(code, str) or code not in _CURES:
        is_known = status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}
        cure = f"{_APPLICATION}, {_USER}" if is_known else "QQCATALYST_TOKEN_URL"
        return UnclearAnswer(
            f"The token address answered {status} without a known reason.{says} Check {cure}.{_ELSEWHERE} It is "
            "requested again in the next run."
        )
    kind = {"invalid_client": ClientRefused, "invalid_grant": PasswordRefused}.get(code, CredentialsRefused)
    elsewhere = "" if kind is PasswordRefused else _ELSEWHERE
    return kind(
        f"QQCatalyst refused to give a token ({code}).{says} Check {_CURES[code]}; they are not tried again.{elsewhere}"
    )


def _response(answer: Mapping[str, Any]) -> TokenResponse:
    """Return the token in a successful answer."""
    token = answer.get("access_token")
    if not _is_token(token):
        raise ApiUnavailable("The token address answered without a usable token.")
    kind = answer.get("token_type")
    if isinstance(kind, str) and kind.strip().lower() not in {"", "bearer"}:
        raise UnexpectedResponse(
            "The token address issues tokens of a type other than bearer. Check QQCATALYST_TOKEN_URL."
        )
    refresh = answer.get("refresh_token")
    return TokenResponse(str(token), token_life(answer.get("expires_in")), refresh if _is_token(refresh) else None)


def _is_token(value: object) -> bool:
    """Return whether a value is allowed in a header."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_TOKEN
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def token_life(value: object) -> float:
    """Return the life of a token in seconds: as stated if usable, otherwise an hour."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = float(value.strip()[:20])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        return USUAL_LIFE
    return float(min(value, LONGEST_LIFE))
