"""The faults that a simulator can have, and the points of a request at which they strike."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from etl.simulator import planned_faults
from etl.simulator.account_limit import AccountLimit
from etl.simulator.answers.envelopes import LOGIN_PAGE, Answer, PagedAnswer

# Each of these modules adds its faults to FAULTS.
from etl.simulator.faults import connection_faults, page_faults, query_faults, record_faults, request_faults  # noqa: F401
from etl.simulator.faults.spec import FAULTS
from etl.simulator.planned_faults import PlannedFault


class Faults:
    """The faults of one server, in the order in which they were planned."""

    def __init__(self, specs: tuple[str, ...]) -> None:
        defaults = {name: fault.default for name, fault in FAULTS.items()}
        self._faults = [planned_faults.read(spec, defaults) for spec in specs]
        for fault in self._faults:
            if fault.name == "account-limit":
                fault.limit = AccountLimit.parse(fault.argument)

    @property
    def account_limit(self) -> AccountLimit | None:
        """The call limit of the account as it has been used so far, None where there is none."""
        return next((fault.limit for fault in self._faults if fault.limit is not None), None)

    def _at(self, point: str) -> list[tuple[PlannedFault, Callable[..., Any]]]:
        return [(fault, FAULTS[fault.name].act) for fault in self._faults if FAULTS[fault.name].strikes == point]

    def of_request(self, request: web.Request) -> web.Response | None:
        """Return the response in place of a call; None when the call is to be answered."""
        path, key = request.path.removeprefix("/v1/"), _key(request)
        authorization = request.headers.get("Authorization", "")
        for fault, act in self._at("use"):
            if response := act(fault, authorization, path):
                return response  # type: ignore[no-any-return]
        return next((answer for fault, act in self._at("request") if (answer := act(fault, key, path))), None)

    def of_token(self, request: web.Request) -> web.Response | None:
        """Return the response in place of the token endpoint; None when it is to answer."""
        return next((answer for fault, act in self._at("token") if (answer := act(fault, _key(request), ""))), None)

    def of_grant(self, request: web.Request, grant: dict[str, Any]) -> web.Response:
        """Return the answer that grants a token."""
        for fault, act in self._at("grant"):
            changed = act(fault, _key(request), grant)
            if changed is None:
                return request_faults.html(200, LOGIN_PAGE)
            grant = changed
        return web.json_response(grant)

    def rewrite(self, request: web.Request, answer: Answer, again: Callable[[int], PagedAnswer]) -> Answer:
        """Return an answer with the faults of pages. An answer that is not really paged (page 0) has none."""
        key = _key(request)
        if isinstance(answer, PagedAnswer) and answer.number:
            for fault, act in self._at("page"):
                answer = act(fault, key, answer, again)
        for fault, act in self._at("answer"):
            answer = act(fault, key, answer)
        return answer

    def spoil(self, request: web.Request, body: bytes) -> bytes:
        """Return a body with the faults of bodies."""
        for fault, act in self._at("body"):
            body = act(fault, _key(request), body)
        return body

    async def deliver(self, request: web.Request, response: web.Response) -> web.StreamResponse:
        """Return the response to send, or the one that a fault has sent already."""
        for fault, act in self._at("send"):
            if (sent := await act(fault, _key(request), request, response)) is not None:
                return sent  # type: ignore[no-any-return]
        return response


def _key(request: web.Request) -> str:
    return f"{request.method} {request.path_qs}"
