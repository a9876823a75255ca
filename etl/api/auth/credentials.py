"""Credentials for the API: a token that is renewed once for all workers, or a fixed credential."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from etl.api.auth.cipher import Token
from etl.api.auth.token_protocol import TokenRequest, TokenResponse, basic_header, by_password, by_refresh
from etl.api.auth.token_store import StoredToken, TokenStore
from etl.config.redaction import hide_secrets
from etl.config.settings import Settings, secret_text
from etl.errors import (
    ApiUnavailable,
    ClientRefused,
    CredentialsRefused,
    EtlError,
    PasswordRefused,
    RefreshRefused,
    UnclearAnswer,
)

#: Seconds before its expiry at which a token is renewed; a short-lived one is renewed after half of its life.
MARGIN = 60.0
#: Seconds between checks while another worker renews the token, and between heartbeats while this one does.
POLL, HEARTBEAT = 0.1, 5.0
#: Seconds that another worker has for a renewal, including its retries.
LONGEST_RENEWAL = 900.0
#: How often the acceptance of a token is stored, in seconds.
NOTED_EVERY = 300.0
#: Consecutive runs with an unclear answer after which the credentials are not sent for a while.
UNCLEAR_RUNS = 3

#: Sends one request for a token, with retries.
RequestToken = Callable[[TokenRequest], Awaitable[TokenResponse]]


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """The authorization of a request; the number distinguishes renewed ones."""

    header: str
    number: int
    expires_at: float = float("inf")  #: by the client's clock


class CredentialProvider(Protocol):
    """Provides the credential of requests, and its history."""

    can_renew: bool
    refusal: str  #: the message if the API refuses it

    @property
    def is_new(self) -> bool:
        """Whether it replaced a refused one, and was never accepted."""

    @property
    def was_accepted_recently(self) -> bool:
        """Whether it, or one before it, was accepted in this run or in the last hour."""

    @property
    def was_ever_accepted(self) -> bool:
        """Whether it, or one before it, was ever accepted."""

    async def credential(self) -> Credential:
        """Return a currently valid credential; raise CredentialsRefused if there is none."""

    async def renewed(self, refused: Credential) -> Credential:
        """Return a newer credential than the refused one."""

    def is_outdated(self, credential: Credential) -> bool:
        """Return whether there is a newer credential."""

    async def opened(self, credential: Credential) -> None:
        """Record that the API accepted a credential."""

    async def discard(self, credential: Credential) -> None:
        """Keep a refused credential from later runs."""


class FixedCredential:
    """A credential that cannot be renewed: a copied token, or the key of enterprise access."""

    can_renew = False
    is_new = False

    def __init__(self, header: str, refusal: str) -> None:
        self.refusal = refusal
        self.was_accepted_recently = self.was_ever_accepted = False
        self._credential = Credential(header, 1)
        hide_secrets(header)

    async def credential(self) -> Credential:
        """Return the one credential."""
        return self._credential

    async def renewed(self, refused: Credential) -> Credential:
        """Return the one credential again."""
        return refused

    def is_outdated(self, credential: Credential) -> bool:  # noqa: ARG002 (there is one)
        """Return False: there is no other."""
        return False

    async def opened(self, credential: Credential) -> None:  # noqa: ARG002 (there is one)
        """Record that the API accepted it."""
        self.was_accepted_recently = self.was_ever_accepted = True

    async def discard(self, credential: Credential) -> None:
        """Do nothing: there is no other."""


def fixed_credential(settings: Settings) -> FixedCredential | None:
    """Return the credential from the settings, None if a token must be requested."""
    if token := secret_text(settings.qqcatalyst_access_token):
        return FixedCredential(
            f"Bearer {token}",
            "The copied token has expired, or QQCatalyst refuses it. Copy a new one into QQCATALYST_ACCESS_TOKEN.",
        )
    if settings.qqcatalyst_auth == "enterprise":
        return FixedCredential(
            basic_header(settings),
            "The enterprise key is refused. Check QQCATALYST_CLIENT_ID and QQCATALYST_CLIENT_SECRET, and whether "
            "Vertafore has the IP address of this machine.",
        )
    return None


class TokenProvider:
    """The token of a client, shared with all clients of the same store."""

    can_renew = True
    refusal = (
        "QQCatalyst refuses every call with the token that it granted. Check whether the user of QQCATALYST_USERNAME "
        "may use the API, and whether QQCATALYST_API_URL belongs to QQCATALYST_TOKEN_URL."
    )

    def __init__(
        self, settings: Settings, request: RequestToken, clock: Callable[[], float], store: TokenStore
    ) -> None:
        self._settings = settings
        self._request = request
        self._clock = clock
        self._store = store
        self._lock = asyncio.Lock()
        self._credential: Credential | None = None
        self._renew_at = 0.0
        self._noted_at = float("-inf")  # when the acceptance of the token was last stored
        self._failed: EtlError | None = None  # why this run no longer requests a token
        self.is_new = self.was_accepted_recently = self.was_ever_accepted = False

    async def credential(self) -> Credential:
        """Return a token that lives long enough for the next request."""
        async with self._lock:
            if self._credential is None or self._clock() >= self._renew_at:
                return await self._newer_than(self._credential.number if self._credential else 0, refreshed=True)
            return self._credential

    async def renewed(self, refused: Credential) -> Credential:
        """Return a newer token than the refused one; it is requested once, however many workers were refused.

        It is requested with the password: a refresh token of a session that the API ended would be refused too, and
        each attempt brings the account closer to being locked. For the same reason a token that replaced a refused one
        is not replaced before it was accepted.
        """
        async with self._lock:
            if self._credential is not None and (self._credential.number > refused.number or self.is_new):
                return self._credential
            credential = await self._newer_than(refused.number, refreshed=False)
            self.is_new = True
            return credential

    def is_outdated(self, credential: Credential) -> bool:
        """Return whether there is a newer token."""
        return self._credential is not None and self._credential.number > credential.number

    async def opened(self, credential: Credential) -> None:
        """Record that the API accepted a token: in this run at once, for other runs every few minutes."""
        if self._credential is None or credential.number != self._credential.number:
            return
        self.was_accepted_recently = self.was_ever_accepted = True
        if self.is_new or self._clock() - self._noted_at >= NOTED_EVERY:
            self.is_new, self._noted_at = False, self._clock()
            await self._store.note_opened(credential.number)

    async def discard(self, credential: Credential) -> None:
        """Delete a refused token: the next run requests another one, which is fresh."""
        await self._store.discard(credential.number)

    async def _newer_than(self, number: int, *, refreshed: bool) -> Credential:
        """Return a newer token: another worker's, or a newly requested one. Refused credentials are not sent."""
        deadline = self._clock() + LONGEST_RENEWAL
        while self._clock() < deadline:
            if self._failed is not None:
                raise self._failed
            stored = await self._store.load()
            self.was_accepted_recently = self.was_accepted_recently or stored.was_accepted_recently
            self.was_ever_accepted = self.was_ever_accepted or stored.was_ever_accepted
            if stored.refusal is not None:
                self._failed = CredentialsRefused(stored.refusal)
            elif stored.number > number and stored.token is not None and stored.seconds > 0:
                self.is_new = self.is_new or stored.is_new
                return self._use(stored.token, stored.number, stored.seconds)
            elif await self._store.claim(stored.number):
                if (credential := await self._renew(stored, refreshed=refreshed)) is not None:
                    return credential
            else:
                await asyncio.sleep(POLL)
        raise ApiUnavailable("Another worker has been renewing the token for too long. Run `qqetl retry`.")

    async def _renew(self, stored: StoredToken, *, refreshed: bool) -> Credential | None:
        """Request the replacement of a claimed token, store it and use it.

        Returns None if another worker has taken over the claim and renewed it.
        """
        begun = self._clock()
        async with self._claimed(stored.number):
            refresh = stored.token.refresh if refreshed and stored.token is not None else None
            response = await self._by_refresh(stored.number, refresh) if refresh is not None else None
            basic = stored.basic_header
            if response is None:
                refresh = None
                response, basic = await self._by_password(basic=basic)
            hide_secrets(response.access_token, response.refresh_token or "")
            token = Token(response.access_token, response.refresh_token or refresh)
            left = response.seconds - min(MARGIN, response.seconds / 2) - (self._clock() - begun)
            self.is_new = self.is_new or stored.is_new
            is_new = self.is_new or not refreshed
            kept = await self._store.save(stored.number, token, left, is_new=is_new, basic_header=basic)
        return self._use(token, stored.number + 1, left, response.seconds) if kept else None

    @asynccontextmanager
    async def _claimed(self, number: int) -> AsyncIterator[None]:
        """Hold a claim with heartbeats during the block; release it if the block fails."""
        heartbeat = asyncio.create_task(self._prolong(number))
        try:
            yield
        except CredentialsRefused as error:
            self._failed = CredentialsRefused(str(error))
            await self._store.refuse(number, str(error), for_good=isinstance(error, PasswordRefused))
            raise self._failed from None
        except UnclearAnswer as error:
            self._failed = error
            if await self._store.note_unclear(number) >= UNCLEAR_RUNS:
                self._failed = CredentialsRefused(f"{error} This happened in {UNCLEAR_RUNS} runs in a row.")
                await self._store.refuse(number, str(self._failed), for_good=False)
            raise self._failed from None
        except BaseException:
            with suppress(EtlError):
                await self._store.release(number)
            raise
        finally:
            heartbeat.cancel()

    async def _prolong(self, number: int) -> None:
        """Renew the claim repeatedly; if that fails, the claim expires."""
        while True:
            await asyncio.sleep(HEARTBEAT)
            with suppress(EtlError):
                await self._store.claim(number)

    async def _by_refresh(self, number: int, refresh: str) -> TokenResponse | None:
        """Return the response to a refresh token, None if it is refused."""
        try:
            return await self._request(by_refresh(self._settings, refresh))
        except RefreshRefused:
            await self._store.forget(number)
            return None

    async def _by_password(self, *, basic: bool) -> tuple[TokenResponse, bool]:
        """Return the response to the password, and whether client id and secret were sent in a Basic header."""
        try:
            return await self._request(by_password(self._settings, basic=basic)), basic
        except ClientRefused:
            if basic:
                raise
            return await self._request(by_password(self._settings, basic=True)), True

    def _use(self, token: Token, number: int, seconds: float, life: float | None = None) -> Credential:
        """Use a token from now on; renew it after `seconds`."""
        hide_secrets(token.access, token.refresh or "")
        now = self._clock()
        self._renew_at = now + seconds
        self._credential = Credential(f"Bearer {token.access}", number, now + (life or seconds + MARGIN))
        return self._credential
