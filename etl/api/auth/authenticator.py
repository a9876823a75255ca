"""The authenticator: provides credentials, and decides what a 401 means."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

from etl.api.auth.credentials import Credential, CredentialProvider
from etl.api.auth.unauthorized import AuthAction, UnauthorizedFacts, needs_another_answer, next_step
from etl.api.protocol.calls import Call
from etl.api.rate_limit.limiter import Permit, RateLimiter
from etl.config.logs import get_logger
from etl.errors import CredentialsRefused, EndpointRefused, EtlError, Refusal

log = get_logger(__name__)


class Unauthorized(EtlError):
    """The API answered 401 and did not name the call limit."""

    def __init__(self, credential: Credential, permit: Permit, sentence: str, *, expired: bool) -> None:
        super().__init__()
        self.credential = credential
        self.permit = permit
        self.sentence = sentence  #: the vendor's, redacted; may be empty
        self.expired = expired


@dataclass(slots=True)
class History:
    """The 401s of one call, and the reactions to them."""

    credential: int = 0  #: the number of the credential that the holds belong to
    holds: int = 0
    refused_at: int = 0  #: the serial of the permit of the previous 401; 0: none
    waits: int = 0
    renewed: bool = False


class Authenticator:
    """Decides what the 401s of one client mean."""

    def __init__(
        self,
        credentials: CredentialProvider,
        limiter: RateLimiter,
        ping: Callable[[], Awaitable[None]],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        """Take credentials from a provider; `ping` makes the cheapest call, and raises Unauthorized."""
        self._credentials = credentials
        self._limiter = limiter
        self._ping = ping
        self._sleep = sleep
        self._pinging = asyncio.Lock()
        # Permit serials: of any accepted call, of any call with a 401, of a refused ping.
        self._newest_success = self._newest_unauthorized = self._newest_refusal = 0
        self._answered: set[str] = set()  # resources that have answered
        self._closed: set[str] = set()  # resources that refuse a token that others accept
        self._vain_holds = 0  # since a call was accepted with the newest credential
        self._credential = 0  # the number of that credential
        self._held_to = 0  # the serial of the newest permit at the last hold: a 401 of an older one belongs to it
        self._refused: str | None = None

    async def credential(self) -> Credential:
        """Return a credential for the next request; raise CredentialsRefused if there is none."""
        if self._refused is not None:
            raise CredentialsRefused(self._refused)
        return await self._credentials.credential()

    async def sign_in(self) -> None:
        """Try the credentials until the API accepts or refuses them; raise CredentialsRefused or QuotaSpent."""
        history = History()
        while True:
            try:
                return await self._ping()
            except Unauthorized as error:
                await self._act(error, "ping", history, self._facts_of(error, "ping", history))

    async def opened(self, credential: Credential, permit: Permit, resource: str) -> None:
        """Record that the API accepted a credential."""
        self._newest_success = max(self._newest_success, permit.serial)
        self._vain_holds = 0
        self._answered.add(resource)
        await self._credentials.opened(credential)

    def check_open(self, call: Call) -> None:
        """Raise EndpointRefused if the endpoint is known to be closed to this account."""
        if call.resource in self._closed:
            raise EndpointRefused(call, HTTPStatus.UNAUTHORIZED, Refusal.UNAUTHORIZED)

    async def handle_unauthorized(self, error: Unauthorized, call: Call, history: History) -> None:
        """Return when the call can be repeated after a 401.

        Raises EndpointRefused if other calls accept the token, CredentialsRefused if none does.
        """
        self.check_open(call)
        if self._credentials.is_outdated(error.credential):
            return  # another call has renewed it
        facts = self._facts_of(error, call.resource, history)
        # Of a token that died, all calls that wait for their turn get a 401. They share one ping, and one hold.
        is_repeated = self._newest_unauthorized > self._newest_success
        self._newest_unauthorized = max(self._newest_unauthorized, error.permit.serial)
        if needs_another_answer(facts) or (is_repeated and next_step(facts) is AuthAction.HOLD):
            facts = replace(facts, works_elsewhere=await self._is_accepted_elsewhere(error))
        if await self._act(error, call.resource, history, facts) is AuthAction.CLOSED:
            if call.resource not in self._answered:
                self._closed.add(call.resource)
            raise EndpointRefused(call, HTTPStatus.UNAUTHORIZED, Refusal.UNAUTHORIZED)

    def _facts_of(self, error: Unauthorized, resource: str, history: History) -> UnauthorizedFacts:
        """Return what is known when a 401 arrives, without a look at other calls; add the 401 to the history."""
        provider = self._credentials
        if history.credential != error.credential.number:
            history.credential, history.holds, history.refused_at = error.credential.number, 0, 0
        if self._credential != error.credential.number:
            self._credential, self._vain_holds = error.credential.number, 0
        facts = UnauthorizedFacts(
            expired=error.expired,
            worked_since=0 < history.refused_at < self._newest_success,
            answered_before=resource in self._answered,
            waits=history.waits,
            is_limit_unlikely=self._limiter.is_limit_unlikely,
            renewed=history.renewed,
            holds=history.holds,
            # A call that was sent before the last hold says nothing about what it changed.
            vain_holds=self._vain_holds - (error.permit.serial <= self._held_to),
            can_renew=provider.can_renew,
            is_new=provider.is_new,
            was_accepted_recently=provider.was_accepted_recently,
            was_ever_accepted=provider.was_ever_accepted,
        )
        history.refused_at = error.permit.serial
        return facts

    async def _act(self, error: Unauthorized, resource: str, history: History, facts: UnauthorizedFacts) -> AuthAction:
        """Decide what a 401 means, and act on it."""
        provider = self._credentials
        step = next_step(facts)
        log.info("unauthorized", resource=resource, step=step.value, sentence=error.sentence)
        if step is AuthAction.RENEW:
            history.renewed = True
            await provider.renewed(error.credential)
        elif step is AuthAction.WAIT_ALONE:
            history.waits += 1
            await self._sleep(self._limiter.window)
        elif step is AuthAction.HOLD:
            history.holds += 1
            if error.permit.serial > self._held_to:
                self._vain_holds, self._held_to = self._vain_holds + 1, self._limiter.newest_serial
            self._limiter.hold(error.permit)
        elif step is AuthAction.REFUSED:
            says = f' QQCatalyst says: "{error.sentence}".' if error.sentence else ""
            self._refused = f"{provider.refusal}{says}"
            await provider.discard(error.credential)
            raise CredentialsRefused(self._refused)
        return step

    async def _is_accepted_elsewhere(self, error: Unauthorized) -> bool:
        """Return whether a call sent after the refused one succeeded; if necessary, send a ping."""
        serial = error.permit.serial
        async with self._pinging:
            if max(self._newest_success, self._newest_refusal) <= serial:
                try:
                    await self._ping()
                except Unauthorized as refusal:
                    self._newest_refusal = refusal.permit.serial
            return self._newest_success > serial
