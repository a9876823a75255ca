"""The HTTP server: from a request to the answer of its call, with the vendor's refusals."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NamedTuple

from aiohttp import web

from etl.simulator import routes
from etl.simulator.access import Access, other_envelope
from etl.simulator.answers.api_request import ApiRequest, RefusedRequest
from etl.simulator.answers.envelopes import HELP_PAGE, PagedAnswer
from etl.simulator.faults.faults import Faults
from etl.simulator.settings import SimulatorSettings
from etl.simulator.tokens import Tokens
from etl.simulator.world import World

API, TOKEN = "/v1/", "/oauth/token"
KEPT_REQUESTS = 1_000_000
OK = 200


class LoggedRequest(NamedTuple):
    """A request, and the status with which it was answered (or was to be, before the connection failed)."""

    method: str
    path: str
    query: str
    status: int


class Server:
    """The web application over a world. All that touches the world happens under the lock."""

    def __init__(self, settings: SimulatorSettings, world: World, lock: threading.RLock) -> None:
        self.settings = settings
        self.world = world
        self.lock = lock
        self.tokens = Tokens(settings)
        self.access = Access(settings)
        self.faults = Faults(settings.faults)
        self.requests: deque[LoggedRequest] = deque(maxlen=KEPT_REQUESTS)
        self.clock: Callable[[], datetime] | None = None  #: replaces the clock of the settings; it may jump

    def application(self) -> web.Application:
        """Return the application to be served."""
        application = web.Application(client_max_size=2**20)
        application.router.add_route("*", "/{path:.*}", self.serve)
        return application

    def now(self) -> datetime:
        """Return the time by the simulator's clock."""
        return self.clock() if self.clock is not None else self.settings.now or datetime.now(UTC)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a request and keep note of it."""
        if self.settings.latency:
            await asyncio.sleep(self.settings.latency)
        response = await self._respond(request)
        response.headers.setdefault("Date", format_datetime(self.now().astimezone(UTC), usegmt=True))
        self.requests.append(LoggedRequest(request.method, request.path, request.query_string, response.status))
        return await self.faults.deliver(request, response)

    async def _respond(self, request: web.Request) -> web.Response:
        if request.path == TOKEN:
            return self.faults.of_token(request) or await self._token(request)
        if not request.path.startswith(API):
            return web.Response(status=404, body=HELP_PAGE, content_type="text/html")
        if not self.tokens.admits(request.headers.get("Authorization", "")):
            return self._denied()
        return self.faults.of_request(request) or await self._call(request)

    def _denied(self) -> web.Response:
        """Return the answer to a request without a token that is good."""
        if self.settings.denial == "empty":
            return web.Response(status=401)
        words = "Authorization has been denied for this request."
        if self.settings.denial == "invalid_token":
            return self._json(401, {"Message": words}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return self._json(401, {"Message": words}, {"WWW-Authenticate": "Bearer", "QQ-Error-Message": words})

    async def _token(self, request: web.Request) -> web.Response:
        if request.method != "POST":
            return self._wrong_verb(request, "POST")
        form = {name: str(value) for name, value in (await request.post()).items()}
        status, grant = self.tokens.grant(form, request.headers.get("Authorization", ""))
        return self.faults.of_grant(request, grant) if status == OK else self._json(status, grant)

    async def _call(self, request: web.Request) -> web.Response:
        match = routes.find(request.path.removeprefix(API))
        if match is None:
            return web.Response(status=404, body=HELP_PAGE, content_type="text/html")
        route, ids = match
        return self._closed(request, route) or await self._answer(request, route, ids)

    def _closed(self, request: web.Request, route: routes.Route) -> web.Response | None:
        """Return the answer of a call that is not open to the request; None when it is open."""
        if not self.access.is_offered(route) and (response := self.access.refuse()):
            return response
        if request.method != route.verb:
            return self._wrong_verb(request, route.verb)
        has_bearer = request.headers.get("Authorization", "").startswith("Bearer ")
        return self.access.refuse_bearer() if has_bearer and self.access.needs_enterprise(route) else None

    async def _answer(self, request: web.Request, route: routes.Route, ids: tuple[int, ...]) -> web.Response:
        try:
            api_request = await self._api_request(request, ids)
            with self.lock:
                answer = route.answer(self.world, api_request)
                answer = self.faults.rewrite(request, answer, lambda number: self._again(route, api_request, number))
        except RefusedRequest as error:
            return self._json(error.status, {"Message": error.message})
        if not self.access.is_offered(route):
            answer = other_envelope(answer)
        body = self.faults.spoil(request, answer.body())
        return web.Response(body=body, content_type="application/json", charset="utf-8")

    def _again(self, route: routes.Route, api_request: ApiRequest, number: int) -> PagedAnswer:
        """Answer the same call for another page number, under each of the names that calls have for it."""
        query = api_request.query | {"pagenumber": str(number), "page": str(number)}
        answer = route.answer(self.world, replace(api_request, query=query, body=api_request.body | {"pageno": number}))
        return answer if isinstance(answer, PagedAnswer) else PagedAnswer((), number, 0, 0, 0, api_request.href)

    async def _api_request(self, request: web.Request, ids: tuple[int, ...]) -> ApiRequest:
        query = {name.lower(): value for name, value in request.query.items()}
        body = await _body(request) if request.method == "POST" else {}
        return ApiRequest(
            ids, query, body, str(request.url), self.settings.end_inclusive, self.settings.max_page,
            self.settings.policy_info_spelling,
        )  # fmt: skip

    def _wrong_verb(self, request: web.Request, allowed: str) -> web.Response:
        words = f"The requested resource does not support http method '{request.method}'."
        return self._json(405, {"Message": words}, {"Allow": allowed})

    @staticmethod
    def _json(status: int, item: dict[str, Any], headers: dict[str, str] | None = None) -> web.Response:
        return web.json_response(item, status=status, headers=headers)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        raise RefusedRequest(400, "The request is invalid: the body is not JSON.") from None
    if not isinstance(body, dict):
        raise RefusedRequest(400, "The request is invalid: the body is not an object.")
    return {name.lower(): value for name, value in body.items()}
