"""A small client of the simulator for its tests; it retries nothing, so that each fault shows."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from etl.simulator import Simulator


class NoRedirects(HTTPRedirectHandler):
    """Leaves a redirect as the answer."""

    def redirect_request(self, *_: Any) -> None:
        return None


OPENER = build_opener(NoRedirects)


class Client:
    """Asks a simulator, as an integration would."""

    def __init__(self, simulator: Simulator, authorization: str | None = None) -> None:
        self.simulator = simulator
        self.authorization = authorization or f"Bearer {self.token()['access_token']}"

    def send(
        self, url: str, data: bytes | None = None, *, timeout: float = 10, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            with OPENER.open(Request(url, data=data, headers=headers), timeout=timeout) as answer:  # noqa: S310 - loopback
                return answer.status, dict(answer.headers), answer.read()
        except HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def grant(self, **form: str) -> tuple[int, Any]:
        status, _, body = self.send(self.simulator.token_url, urlencode(form).encode())
        return status, json.loads(body)

    def token(self) -> Any:
        names = {"client_id": "demo", "client_secret": "demo-secret", "username": "demo", "password": "demo-password"}
        return self.grant(grant_type="password", **names)[1]

    def raw(self, path: str, body: Any = None, timeout: float = 10) -> tuple[int, dict[str, str], bytes]:
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.simulator.api_url}/{path}"
        return self.send(url, data, timeout=timeout, Authorization=self.authorization)

    def get(self, path: str, body: Any = None) -> Any:
        status, _, answer = self.raw(path, body)
        assert status == 200, answer
        return json.loads(answer)


def feed(name: str, **query: object) -> str:
    return f"{name}/LastModifiedCreated?{urlencode(query)}"
