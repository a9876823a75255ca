"""The faults that a simulator can have, and the points of a request at which they strike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from etl.simulator import turns
from etl.simulator.account_limit import AccountLimit
from etl.simulator.answers.envelopes import LOGIN_PAGE, Answer, PagedAnswer
from etl.simulator.faults import connection_faults, page_faults, query_faults, record_faults, request_faults
from etl.simulator.turns import Turn


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault by name. Where it strikes: `request`, `token`, `grant`, `use`, `page`, `answer`, `body` or `send`."""

    name: str
    words: str
    default: str  #: the argument when none is given; empty: it takes none
    strikes: str
    act: Callable[..., Any]


_REQUEST, _PAGE, _RECORD, _CONNECTION = request_faults, page_faults, record_faults, connection_faults
_ALL = (
    FaultSpec("token-expiry", "an access token is good for this many calls", "20", "use", _REQUEST.token_expiry),
    FaultSpec("token-errors", "the token endpoint fails this many times", "2", "token", _REQUEST.token_errors),
    FaultSpec("token-blocked", "a firewall answers 403 this many times", "2", "token", _REQUEST.token_blocked),
    FaultSpec(
        "token-refused", "the token endpoint refuses: invalid_grant or invalid_client",
        "invalid_grant", "token", _REQUEST.token_refused,
    ),
    FaultSpec(
        "token-answer", "odd: html, no-token, no-expiry, text-expiry, zero-expiry, negative-expiry or other-type",
        "no-expiry", "grant", _REQUEST.token_answer,
    ),
    FaultSpec(
        "unauthorized-always", "401 for each call, with any token",
        "", "request", _REQUEST.unauthorized_always,
    ),
    FaultSpec(
        "unauthorized", "401 below this path, while other calls succeed",
        "Claims", "request", _REQUEST.unauthorized,
    ),
    FaultSpec("forbidden", "403 below this path", "Claims", "request", _REQUEST.forbidden),
    FaultSpec("not-found", "404 as JSON below this path", "Claims", "request", _REQUEST.not_found),
    FaultSpec("wrong-verb", "405 below this path", "Claims", "request", _REQUEST.wrong_verb),
    FaultSpec("not-offered", "the help page in HTML below this path", "Claims", "request", _REQUEST.not_offered),
    FaultSpec(
        "no-answer", "neither a list nor an object for paths with this text, and its form: 204, empty, null, object, "
        "text, no-data, null-data, zero (null-data with a total of 0) or no-items",
        "AccountInfo,null", "request", _REQUEST.no_answer,
    ),
    FaultSpec(
        "rate-limit", "429 at the first request, with this Retry-After in seconds (`date`: as a date)",
        "1", "request", _REQUEST.rate_limit,
    ),
    FaultSpec(
        "account-limit", "401 above this many calls of the account in this many seconds, and its form: "
        "fixed (window), text, json, html or empty, others=N (calls of another integration)",
        "60/60,text", "use", _REQUEST.account_limit,
    ),
    FaultSpec("call-limit", "429 above this many calls in any second", "20", "use", _REQUEST.call_limit),
    FaultSpec("call-quota", "429 for two hours above this many calls", "500", "use", _REQUEST.call_quota),
    FaultSpec(
        "server-errors", "500, 502, 503, 504 for the first requests, this many (`always`: for all)",
        "2", "request", _REQUEST.server_errors,
    ),
    FaultSpec("html-login", "a login page with 200 for this many requests", "1", "request", _REQUEST.html_login),
    FaultSpec(
        "redirect-login", "a redirect to this address at the first request",
        "http://localhost:9/login", "request", _REQUEST.redirect_login,
    ),
    FaultSpec(
        "odd-success", "this status with an empty body at the first request",
        "204", "request", _REQUEST.odd_success,
    ),
    FaultSpec(
        "gzip-bomb", "this many mebibytes of blanks in a small body at the first request",
        "64", "request", _REQUEST.gzip_bomb,
    ),
    FaultSpec(
        "long-window", "an error for windows above this many days, and its status",
        "366,504", "request", query_faults.long_window,
    ),
    FaultSpec("silent-window", "no answer to windows above this many days", "366", "send", query_faults.silent_window),
    FaultSpec(
        "page-drift", "this many records leave the list between two pages (negative: enter it)",
        "1", "page", _PAGE.page_drift,
    ),
    FaultSpec("repeated-page", "the list never ends: its last page repeats", "", "page", _PAGE.repeated_page),
    FaultSpec(
        "empty-middle-page", "a middle page is empty for this many requests",
        "1", "page", _PAGE.empty_middle_page,
    ),
    FaultSpec(
        "wrong-total", "the total is off by this number (or `null`, `text`, `negative`)",
        "7", "page", _PAGE.wrong_total,
    ),
    FaultSpec(
        "duplicate-records", "this many records at the start of a page are repeated",
        "1", "page", _PAGE.duplicate_records,
    ),
    FaultSpec("null-modified", "no record has a modification date", "", "page", _PAGE.null_modified),
    FaultSpec(
        "strange-modified", "all records were modified at this time",
        "0001-01-01T00:00:00", "page", _PAGE.strange_modified,
    ),
    FaultSpec(
        "id-form", "ids of every second page are text, padded, float or list instead of numbers",
        "text", "page", _RECORD.id_form,
    ),
    FaultSpec("no-id", "this many records at the start of a page have no id", "1", "page", _RECORD.no_id),
    FaultSpec(
        "time-form", "times are written as z, offset, seven (digits), us or ticks", "z", "page", _RECORD.time_form
    ),
    FaultSpec(
        "set-field", "a field of every record has this value: NAME=JSON",
        "Email=null", "page", _RECORD.set_field,
    ),
    FaultSpec("lost-field", "no record has this field", "Email", "page", _RECORD.lost_field),
    FaultSpec("second-tenant", "every second enterprise row is of another tenant", "", "page", _RECORD.second_tenant),
    FaultSpec(
        "large-record", "the first record of a page has this many mebibytes, for the first request",
        "11", "page", _RECORD.large_record,
    ),
    FaultSpec(
        "foreign-links", "the links of a page lead to another address",
        "http://localhost:9/v1/", "page", _RECORD.foreign_links,
    ),
    FaultSpec(
        "is-success-false", "a 200 whose envelope reports a failure, for this many requests",
        "1", "answer", _PAGE.is_success_false,
    ),
    FaultSpec("rename-field", "a field has another name: OLD=NEW", "Email=Mail", "body", _PAGE.rename_field),
    FaultSpec(
        "id-casing", "names in another casing: swap (Id for ID and the reverse) or lower for ids, every for all keys",
        "swap", "body", _PAGE.id_casing,
    ),
    FaultSpec("bad-json", "JSON that ends in the middle, for this many requests", "1", "body", _PAGE.bad_json),
    FaultSpec("slow", "each answer starts this many seconds late", "1", "send", _CONNECTION.slow),
    FaultSpec("drip", "each answer arrives at this many bytes a second", "1", "send", _CONNECTION.drip),
    FaultSpec(
        "stall", "the body follows the headers this many seconds later, for the first request",
        "60", "send", _CONNECTION.stall,
    ),
    FaultSpec(
        "cut-body", "the connection closes in the middle of the body, for this many requests",
        "1", "send", _CONNECTION.cut_body,
    ),
    FaultSpec("reset", "the connection is reset after this many bytes, the first time", "0", "send", _CONNECTION.reset),
    FaultSpec(
        "wrong-encoding", "the headers name an encoding that the body does not have, for this many requests",
        "1", "send", _CONNECTION.wrong_encoding,
    ),
    FaultSpec(
        "wrong-charset", "the headers name this charset, the body is UTF-8", "utf-16", "send", _CONNECTION.wrong_charset
    ),
    FaultSpec("clock-skew", "the Date header is off by this many seconds", "3600", "send", _CONNECTION.clock_skew),
)  # fmt: skip
FAULTS: dict[str, FaultSpec] = {fault.name: fault for fault in _ALL}


class Faults:
    """The faults of one server, in the order in which they were planned."""

    def __init__(self, specs: tuple[str, ...]) -> None:
        defaults = {name: fault.default for name, fault in FAULTS.items()}
        self._turns = [turns.read(spec, defaults) for spec in specs]

    @property
    def account_limit(self) -> AccountLimit | None:
        """The call limit of the account as it has been used so far, None where there is none."""
        return next((turn.limit for turn in self._turns if turn.limit is not None), None)

    def _at(self, point: str) -> list[tuple[Turn, Callable[..., Any]]]:
        return [(turn, FAULTS[turn.name].act) for turn in self._turns if FAULTS[turn.name].strikes == point]

    def of_request(self, request: web.Request) -> web.Response | None:
        """Return the response in place of a call; None when the call is to be answered."""
        path, key = request.path.removeprefix("/v1/"), _key(request)
        authorization = request.headers.get("Authorization", "")
        for turn, act in self._at("use"):
            if response := act(turn, authorization, path):
                return response  # type: ignore[no-any-return]
        return next((answer for turn, act in self._at("request") if (answer := act(turn, key, path))), None)

    def of_token(self, request: web.Request) -> web.Response | None:
        """Return the response in place of the token endpoint; None when it is to answer."""
        return next((answer for turn, act in self._at("token") if (answer := act(turn, _key(request), ""))), None)

    def of_grant(self, request: web.Request, grant: dict[str, Any]) -> web.Response:
        """Return the answer that grants a token."""
        for turn, act in self._at("grant"):
            changed = act(turn, _key(request), grant)
            if changed is None:
                return request_faults.html(200, LOGIN_PAGE)
            grant = changed
        return web.json_response(grant)

    def rewrite(self, request: web.Request, answer: Answer, again: Callable[[int], PagedAnswer]) -> Answer:
        """Return an answer with the faults of pages. An answer that is not really paged (page 0) has none."""
        key = _key(request)
        if isinstance(answer, PagedAnswer) and answer.number:
            for turn, act in self._at("page"):
                answer = act(turn, key, answer, again)
        for turn, act in self._at("answer"):
            answer = act(turn, key, answer)
        return answer

    def spoil(self, request: web.Request, body: bytes) -> bytes:
        """Return a body with the faults of bodies."""
        for turn, act in self._at("body"):
            body = act(turn, _key(request), body)
        return body

    async def deliver(self, request: web.Request, response: web.Response) -> web.StreamResponse:
        """Return the response to send, or the one that a fault has sent already."""
        for turn, act in self._at("send"):
            if (sent := await act(turn, _key(request), request, response)) is not None:
                return sent  # type: ignore[no-any-return]
        return response


def _key(request: web.Request) -> str:
    return f"{request.method} {request.path_qs}"
