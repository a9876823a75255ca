"""The API client: sends a call with retries and returns its answer. The only layer that retries."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from random import Random
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp

from etl.api.auth.authenticator import Authenticator, History, Unauthorized
from etl.api.auth.credentials import Credential, TokenProvider, fixed_credential
from etl.api.auth.token_protocol import TokenRequest, TokenResponse, parse_token_response
from etl.api.auth.token_store import MemoryTokenStore, SharedTokenStore
from etl.api.auth.unauthorized import is_call_limit, is_invalid_token, vendor_sentence
from etl.api.clock import ApiClock, largest_ahead
from etl.api.concurrency import ConcurrencyLimiter
from etl.api.protocol.answers import PERHAPS_PASSING, Answer, check_answer
from etl.api.protocol.calls import Call
from etl.api.protocol.pages import read_page
from etl.api.protocol.waiting import http_date, retry_after
from etl.api.rate_limit.limiter import Permit, PermitOutcome, RateLimiter
from etl.api.rate_limit.stores import choose_store
from etl.api.rate_limit.window import WindowRules
from etl.api.retry_policy import CircuitBreaker, RetryPolicy
from etl.api.retry_state import RetryContext, RetryState
from etl.api.traffic import Traffic
from etl.api.transport import Limits, Reply, Transport
from etl.config.logs import get_logger, log_context
from etl.config.rate_limit import DEFAULT, VENDOR_DOMAIN, parse_rate_limit
from etl.config.redaction import escape_control_characters, hide_secrets, redact_text
from etl.config.settings import Settings
from etl.errors import (
    ApiUnavailable,
    CallFailed,
    CredentialsRefused,
    EndpointRefused,
    RateLimited,
    Refusal,
    SettingsError,
    TokenUnavailable,
    TooLarge,
)
from etl.ledger.executor import LedgerExecutor
from etl.ledger.transaction import Ledger

#: The API's cheapest call, which shows whether a credential is valid.
PING = "BusinessLogic/Ping"
#: Seconds for which a good answer shows that the API is up, for a call that is tried only once.
ANSWERED_SHORTLY_BEFORE = 10.0

log = get_logger(__name__)


def utc_now() -> datetime:
    """Return the time of this machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of the API and its reply."""

    reply: Reply
    credential: Credential
    permit: Permit
    requested_at: datetime  #: by the API's clock
    seconds: float


class ApiClient:
    """The API of one account, for one run. Use it in `async with`, from one event loop.

    With a ledger, the token is shared with all workers of the tenant and the call limit with all of the account.
    """

    def __init__(  # noqa: PLR0913 (clocks, randomness and budgets are parameters so that tests need not wait)
        self,
        settings: Settings,
        *,
        ledger: Ledger | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        random: Random | None = None,
        limits: Limits | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._settings = settings
        self._clock, self._now = clock, now
        self._answered_at = float("-inf")  # the last good answer, by the clock
        self.traffic = Traffic()
        self.api_clock = ApiClock(largest_ahead(settings.etl_overlap))
        random, limits = random or Random(), limits or Limits()  # noqa: S311 (jitter, not secrecy)
        self._retry = RetryContext(policy or RetryPolicy(), CircuitBreaker(), self.traffic, clock, sleep, random)
        self._transport = Transport(settings.etl_concurrency, limits)
        self._concurrency = ConcurrencyLimiter(settings.etl_concurrency)
        self._database = LedgerExecutor(ledger) if ledger is not None else None
        rules = WindowRules(settings.rate_limit.calls, settings.rate_limit.seconds, limits.total)
        self._limiter = RateLimiter(rules, choose_store(settings, self._database, clock), sleep, clock)
        tokens = SharedTokenStore(settings, self._database) if self._database else MemoryTokenStore()
        credentials = fixed_credential(settings) or TokenProvider(settings, self._request_token, clock, tokens)
        self._authenticator = Authenticator(credentials, self._limiter, self._ping, sleep)

    async def __aenter__(self) -> Self:
        if missing := self._settings.missing_credentials():
            raise SettingsError(f"To talk to QQCatalyst, {', '.join(missing)} must be set.")
        hide_secrets(*self._settings.secrets())
        if is_above_vendor_limit(self._settings):
            limit = str(self._settings.rate_limit)
            log.warning("the call limit is set higher than QQCatalyst allows", limit=limit, advised=DEFAULT)
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)
        try:
            await self._limiter.close()
        finally:
            if self._database is not None:
                self._database.close()

    def server_now(self) -> datetime:
        """Return the time of the API's clock, or of ours until it has answered."""
        return self.api_clock.at(self._now())

    async def sign_in(self) -> datetime:
        """Get a credential, try it, and return the time of the API's clock.

        So refused credentials end a run before it starts. Raises CredentialsRefused, QuotaSpent or ApiUnavailable.
        """
        await self._authenticator.sign_in()
        return self.server_now()

    async def fetch(self, call: Call) -> Answer:
        """Return the answer to a call with its records split, after at most the attempts of the retry policy.

        Raises ApiUnavailable (with `retry_after` if the API named a time), QuotaSpent, EndpointRefused, NotFound,
        UnexpectedResponse, CredentialsRefused or CertificateRefused.
        """
        state, history = RetryState(call, self._retry), History()
        with log_context(request=uuid4().hex[:12], call=str(call)):
            while True:
                self._authenticator.check_open(call)
                state.begin()
                try:
                    async with self._concurrency.permit(call):
                        exchange = await self._request(str(call), call.method, call.target, state, call.body)
                        answer = self._read_answer(call, exchange, state)
                        await self._authenticator.opened(exchange.credential, exchange.permit, call.resource)
                        return answer
                except (ApiUnavailable, EndpointRefused, Unauthorized) as error:
                    await self._prepare_retry(error, call, state, history)

    async def _prepare_retry(
        self, error: ApiUnavailable | EndpointRefused | Unauthorized, call: Call, state: RetryState, history: History
    ) -> None:
        """Return when a call can be repeated after an error; raise the error that ends it."""
        match error:
            case RateLimited():
                pass  # it waits for its next permit like all others
            case Unauthorized():
                await self._authenticator.handle_unauthorized(error, call, history)
            case EndpointRefused():
                # RFC 9110, 15.5.4: a 403 is not repeated with the same credentials, even as a web page.
                is_final = error.status == HTTPStatus.FORBIDDEN or error.reason not in PERHAPS_PASSING
                if is_final or not call.documented:
                    raise error
                await state.backoff(error)
            case TooLarge():
                raise EndpointRefused(call, HTTPStatus.OK, Refusal.TOO_LARGE) from None
            case TokenUnavailable():
                raise error  # it was already retried, and retries must not multiply
            case _:
                if state.may_be_absent(error) and await self._is_answering_others(recently=state.is_tried_once):
                    error = CallFailed(str(error))
                await state.backoff(error)

    async def _is_answering_others(self, *, recently: bool) -> bool:
        """Return whether the API answers the cheapest call; with `recently`, a good answer shortly before counts."""
        since = self._clock()
        if recently and self._answered_at > since - ANSWERED_SHORTLY_BEFORE:
            return True
        with suppress(ApiUnavailable, Unauthorized):
            await self._ping()
        return self._answered_at >= since

    def _read_answer(self, call: Call, exchange: Exchange, state: RetryState) -> Answer:
        """Return the answer to a call; raise what its status or body says against it."""
        reply, milliseconds = exchange.reply, exchange.seconds * 1000
        check_answer(call, reply.status, reply.headers, reply.body, exchange.requested_at)
        page = read_page(call, reply.status, reply.headers, reply.body)
        self._retry.circuit.succeeded(call.resource)
        self._answered_at = self._clock()
        log.debug("answered", status=reply.status, milliseconds=round(milliseconds, 1), bytes=len(reply.body))
        return Answer(
            status=reply.status,
            headers=reply.headers,
            body=reply.body,
            page=page,
            milliseconds=milliseconds,
            attempts=state.attempts,
            requested_at=exchange.requested_at,
            date=http_date(reply.headers.get("Date")),
        )

    async def _ping(self) -> None:
        """Make the cheapest call; raise Unauthorized if the API refuses it."""
        state = RetryState("ping", self._retry)
        while True:
            state.begin()
            try:
                # Its answer decides about the calls that wait: after a hold, they would go before it one by one.
                exchange = await self._request("ping", "GET", PING, state, is_first=True)
            except RateLimited:
                continue
            except TokenUnavailable:
                raise
            except ApiUnavailable as error:
                await state.backoff(error)
                continue
            reply = exchange.reply
            if reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                if reply.status < HTTPStatus.MULTIPLE_CHOICES:
                    self._answered_at = self._clock()
                return await self._authenticator.opened(exchange.credential, exchange.permit, "ping")
            asked = retry_after(reply.headers, self._now())
            await state.backoff(ApiUnavailable(f"ping: QQCatalyst answered {reply.status}.", retry_after=asked))

    async def _request(
        self,
        what: str,
        method: str,
        target: str,
        state: RetryState,
        body: bytes | None = None,
        *,
        is_first: bool = False,
    ) -> Exchange:
        """Send one API request when the call limit permits it, and return it with its reply; `is_first`: before others.

        Reads the API's clock, and records the outcome for the rate limiter. Raises RateLimited or Unauthorized.
        """
        begun_at = self._clock()
        async with self._limiter.permit(is_first=is_first) as permit:
            state.waited(self._clock() - begun_at)
            credential = await self._authenticator.credential()
            sent_at, started = self._clock(), self._now()
            headers = {"Authorization": credential.header}
            if body is not None:
                headers["Content-Type"] = "application/json"
            self.traffic.calls += 1
            permit.outcome = PermitOutcome.ENDED
            url = f"{self._settings.qqcatalyst_api_url}/{target}"
            reply = await self._transport.send(what, method, url, headers, body)
            self.traffic.received_bytes += len(reply.body)
            self.api_clock.read(reply.headers.get("Date"), self._now())
            self._judge(what, reply, credential, permit)
        return Exchange(reply, credential, permit, self.api_clock.at(started), self._clock() - sent_at)

    def _judge(self, what: str, reply: Reply, credential: Credential, permit: Permit) -> None:
        """Record what a reply says about its permit; raise RateLimited or Unauthorized."""
        is_unauthorized = reply.status == HTTPStatus.UNAUTHORIZED
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS or (
            is_unauthorized and is_call_limit(reply.headers, reply.body)
        ):
            self.traffic.refused += 1
            permit.outcome = PermitOutcome.REFUSED
            permit.retry_after = retry_after(reply.headers, self._now()) or 0.0
            raise RateLimited(f"{what}: the call limit is reached.")
        if is_unauthorized:
            expired = self._clock() >= credential.expires_at or is_invalid_token(reply.headers, reply.body)
            sentence = escape_control_characters(redact_text(vendor_sentence(reply.headers, reply.body)))
            raise Unauthorized(credential, permit, sentence, expired=expired)
        if reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            permit.outcome = PermitOutcome.ACCEPTED

    async def _request_token(self, request: TokenRequest) -> TokenResponse:
        """Return the token that the token address grants; retry temporary failures."""
        what = "token address"  # not "token": redaction takes what follows it for a secret
        state = RetryState(what, self._retry)
        url = self._settings.qqcatalyst_token_url
        while True:
            self.traffic.logins += 1
            try:
                form = aiohttp.FormData(request.form)
                reply = await self._transport.send(what, "POST", url, request.headers, form)
                return parse_token_response(
                    reply.status, reply.headers, reply.body, self._now(), is_refresh=request.is_refresh
                )
            except CredentialsRefused as error:
                raise type(error)(escape_control_characters(redact_text(str(error)))) from None
            except TokenUnavailable as error:
                raise type(error)(escape_control_characters(redact_text(str(error)))) from None
            except ApiUnavailable as error:
                if isinstance(error, RateLimited):
                    error.retry_after = max(error.retry_after or 0.0, self._limiter.window)
                try:
                    await state.backoff(error)
                except ApiUnavailable as last:
                    raise TokenUnavailable(str(last), retry_after=last.retry_after) from None


def is_above_vendor_limit(settings: Settings) -> bool:
    """Return whether the settings allow more calls than the vendor's host accepts."""
    host = urlsplit(settings.qqcatalyst_api_url).hostname or ""
    is_vendor = host == VENDOR_DOMAIN or host.endswith(f".{VENDOR_DOMAIN}")
    return is_vendor and settings.rate_limit.exceeds(parse_rate_limit(DEFAULT))
