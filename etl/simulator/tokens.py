"""The token endpoint and the guard at the door: password and refresh grants, expiry, Basic enterprise access."""

import base64
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from etl.simulator.settings import SimulatorSettings


@dataclass(slots=True)
class Tokens:
    """The tokens given out so far."""

    settings: SimulatorSettings
    clock: Callable[[], float] = time.monotonic
    issued: int = 0
    _expiry: dict[str, float] = field(default_factory=dict)
    _refresh: set[str] = field(default_factory=set)

    def grant(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Return status and body of the answer to a token request."""
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        kind = form.get("grant_type", "")
        if kind == "password":
            good = (form.get("username"), form.get("password")) == (self.settings.username, self.settings.password)
            return self._issue() if good else (400, {"error": "invalid_grant"})
        if kind == "refresh_token":
            good = form.get("refresh_token", "") in self._refresh
            self._refresh.discard(form.get("refresh_token", ""))
            return self._issue() if good else (400, {"error": "invalid_grant"})
        return 400, {"error": "unsupported_grant_type"}

    def _is_client(self, form: Mapping[str, str], authorization: str) -> bool:
        in_body = (form.get("client_id"), form.get("client_secret"))
        in_form = in_body == (self.settings.client_id, self.settings.client_secret)
        in_header = self._is_basic(authorization)
        return {"form": in_form, "header": in_header}.get(self.settings.client_in, in_form or in_header)

    def _is_basic(self, authorization: str) -> bool:
        pair = f"{self.settings.client_id}:{self.settings.client_secret}".encode("iso-8859-1")
        return authorization == f"Basic {base64.b64encode(pair).decode()}"

    def _issue(self) -> tuple[int, dict[str, Any]]:
        token, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._expiry[token] = self.clock() + self.settings.token_seconds
        self._refresh.add(refresh)
        self.issued += 1
        return 200, {
            "access_token": token, "token_type": "Bearer", "expires_in": self.settings.token_seconds,
            "refresh_token": refresh,
        }  # fmt: skip

    def admits(self, authorization: str) -> bool:
        """Return whether an Authorization header is valid: a living token, or the enterprise key and secret."""
        token = authorization.removeprefix("Bearer ")
        return self._expiry.get(token, float("-inf")) > self.clock() or self._is_basic(authorization)

    def expire(self) -> None:
        """Let all access tokens be out of date; refresh tokens stay good."""
        self._expiry.clear()
