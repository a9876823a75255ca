"""The client: one call in, one good answer out, or an error that says what to do. The only layer that tries again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from random import Random
from types import TracebackType
from typing import Self
from uuid import uuid4

import aiohttp

from etl.api.auth.admission import PING, Admission, Unauthorized
from etl.api.auth.credentials import EnterpriseKey, Key, TokenSource
from etl.api.auth.grant import Grant, Question, granted
from etl.api.auth.token_store import MemoryTokens, SharedTokens
from etl.api.concurrency import Slots
from etl.api.protocol.answers import PERHAPS_PASSING, Answer, Refusal, Refused, TooMany, decipher
from etl.api.protocol.calls import Call
from etl.api.protocol.pages import read
from etl.api.protocol.waiting import http_date, retry_after
from etl.api.rate_limit.buckets import MemoryBucket, SharedBucket
from etl.api.rate_limit.pacer import Pacer
from etl.api.retry_policy import Circuit, Patience
from etl.api.retry_state import Means, Trial
from etl.api.traffic import Traffic
from etl.api.transport import Limits, Reply, TooLarge, Transport
from etl.config.logs import get_logger, log_context
from etl.config.redaction import hide_secrets
from etl.config.settings import Settings
from etl.errors import ApiUnavailable, QuotaSpent, SettingsError
from etl.ledger.executor import LedgerExecutor
from etl.ledger.transaction import Ledger

#: From this difference of clocks on, a warning is logged.
SKEW_WORTH_A_WORD = timedelta(minutes=5)
#: The Date header is cut to seconds: within two of them the clocks agree, and ours is the finer one.
_SAME_TIME = timedelta(seconds=2)

log = get_logger(__name__)


def utc_now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)


class TokenUnavailable(ApiUnavailable):
    """The token address did not answer as it should, however often it was asked."""


class ApiClient:
    """The API of one account, for one run. Use it in `async with`, from one event loop.

    With a ledger, token and pace are shared with all workers of the tenant; without one they are this client's own.
    """

    def __init__(  # noqa: PLR0913 (clocks, chance and budgets come from outside so that tests need not wait)
        self,
        settings: Settings,
        *,
        ledger: Ledger | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        random: Random | None = None,
        limits: Limits | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._settings = settings
        self._clock, self._now = clock, now
        self.traffic = Traffic()
        self.clock_skew: timedelta | None = None  #: the API's clock less ours, as the last answer showed
        chance = random or Random()  # noqa: S311 (jitter, not secrecy)
        self._means = Means(patience or Patience(), Circuit(), self.traffic, clock, sleep, chance)
        self._transport = Transport(settings.etl_concurrency, limits or Limits())
        self._slots = Slots(settings.etl_concurrency)
        self._beside = LedgerExecutor(ledger) if ledger is not None else None
        bucket = SharedBucket(self._beside) if self._beside else MemoryBucket(clock)
        tokens = SharedTokens(settings, self._beside) if self._beside else MemoryTokens()
        self._pacer = Pacer(settings.etl_rate, bucket, sleep, clock)
        enterprise = settings.qqcatalyst_auth == "enterprise"
        keys = EnterpriseKey(settings) if enterprise else TokenSource(settings, self._ask_for_token, clock, tokens)
        self._admission = Admission(keys, self._ping)

    async def __aenter__(self) -> Self:
        if missing := self._settings.missing_credentials():
            raise SettingsError(f"To talk to QQCatalyst, {', '.join(missing)} must be set.")
        hide_secrets(*self._settings.secrets())
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)
        if self._beside is not None:
            self._beside.close()

    def server_now(self) -> datetime:
        """Return the time by the API's clock, by ours until it has answered."""
        return self._now() + (self.clock_skew or timedelta())

    async def sign_in(self) -> datetime:
        """Get a key, try it, and return the time by the API's clock.

        So credentials that are refused end a run before it begins. Raises CredentialsRefused, QuotaSpent or
        ApiUnavailable.
        """
        await self._pacer.begin()
        await self._admission.sign_in()
        return self.server_now()

    async def fetch(self, call: Call) -> Answer:
        """Return the answer to a call, its records split, after as many attempts as it takes and patience allows.

        Raises ApiUnavailable (with `retry_after` where the API named a time), QuotaSpent, Refused, Vanished,
        UnexpectedResponse, CredentialsRefused or CertificateRefused.
        """
        with log_context(request=uuid4().hex[:12], call=str(call)):
            return await self._answer(call)

    async def _answer(self, call: Call) -> Answer:
        """Return the answer to a call, after as many attempts as it takes."""
        trial = Trial(call, self._means)
        while True:
            trial.begin()
            try:
                return await self._attempt(call, trial)
            except Unauthorized as error:
                await self._admission.refused(call, error.key, again=trial.unauthorized)
                trial.unauthorized = True
            except TooMany as error:
                await self._heed(error, trial)
            except Refused as refusal:
                if not call.proven or refusal.reason not in PERHAPS_PASSING:
                    raise
                await trial.bear(refusal)
            except TooLarge:
                raise Refused(call, HTTPStatus.OK, Refusal.TOO_LARGE) from None
            except TokenUnavailable:
                raise  # it was tried again already, and tries must not multiply
            except ApiUnavailable as error:
                await trial.bear(error)

    async def _attempt(self, call: Call, trial: Trial) -> Answer:
        """Return the answer to one request."""
        async with self._slots.taken(call):
            self.traffic.waited_seconds += await self._pacer.turn()
            key = await self._admission.key()
            trial.sent, started = self._clock(), self._now()
            reply = await self._send(str(call), call.method, call.target, key, call.body)
            seconds = self._clock() - trial.sent
        if reply.status == HTTPStatus.UNAUTHORIZED:
            raise Unauthorized(key)
        requested_at = started + (self.clock_skew or timedelta())
        decipher(call, reply.status, reply.headers, reply.body, requested_at)
        page = read(call, reply.status, reply.headers, reply.body)
        self._means.circuit.succeeded(call.resource)
        await self._admission.opened(key)
        await self._pacer.took(call.resource, seconds)
        log.debug("answered", status=reply.status, milliseconds=round(seconds * 1000, 1), bytes=len(reply.body))
        return Answer(
            status=reply.status,
            headers=reply.headers,
            body=reply.body,
            page=page,
            milliseconds=seconds * 1000,
            attempts=trial.attempts,
            requested_at=requested_at,
            date=http_date(reply.headers.get("Date")),
        )

    async def _heed(self, error: TooMany, trial: Trial) -> None:
        """Slow down and wait as the API asked; raises QuotaSpent when that is longer than a run waits."""
        await self._pacer.complain(trial.sent, error.retry_after)
        try:
            await trial.obey(error)
        except TooMany as last:
            raise QuotaSpent(last.retry_after) from None

    async def _ping(self, key: Key) -> int:
        """Return the status that the API's cheapest call gets with a key, once the API answers at all."""
        trial = Trial("ping", self._means)
        while True:
            trial.begin()
            self.traffic.waited_seconds += await self._pacer.turn()
            trial.sent = self._clock()
            try:
                reply = await self._send("ping", "GET", PING, key)
            except ApiUnavailable as error:
                await trial.bear(error)
                continue
            wait = retry_after(reply.headers, self._now())
            if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                await self._heed(TooMany(retry_after=wait), trial)
            elif reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                await trial.bear(ApiUnavailable(f"ping: QQCatalyst answered {reply.status}.", retry_after=wait))
            else:
                return reply.status

    async def _send(self, what: str, method: str, target: str, key: Key, body: bytes | None = None) -> Reply:
        """Return the reply to one request of the API, and read its clock."""
        headers = {"Authorization": key.header} | ({"Content-Type": "application/json"} if body is not None else {})
        self.traffic.calls += 1
        url = f"{self._settings.qqcatalyst_api_url}/{target}"
        reply = await self._transport.send(what, method, url, headers, body)
        self.traffic.received_bytes += len(reply.body)
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            self.traffic.refused += 1
        self._read_clock(reply)
        return reply

    def _read_clock(self, reply: Reply) -> None:
        """Note how far the API's clock is from ours, and say so once when it is far."""
        there = http_date(reply.headers.get("Date"))
        if there is None:
            return
        skew = there - self._now()
        if abs(skew) > SKEW_WORTH_A_WORD and (self.clock_skew is None or abs(self.clock_skew) <= SKEW_WORTH_A_WORD):
            log.warning("clocks differ", api_is_ahead_by_seconds=round(skew.total_seconds()))
        self.clock_skew = skew if abs(skew) > _SAME_TIME else timedelta()

    async def _ask_for_token(self, question: Question) -> Grant:
        """Return what the token address grants, trying again while its answer may pass."""
        trial = Trial("token", self._means)
        refreshing = question.form["grant_type"] == "refresh_token"
        url = self._settings.qqcatalyst_token_url
        while True:
            self.traffic.logins += 1
            try:
                form = aiohttp.FormData(question.form)
                reply = await self._transport.send("token", "POST", url, question.headers, form)
                return granted(reply.status, reply.headers, reply.body, self._now(), refreshing=refreshing)
            except ApiUnavailable as error:
                try:
                    await trial.bear(error)
                except ApiUnavailable as last:
                    raise TokenUnavailable(str(last), retry_after=last.retry_after) from None
