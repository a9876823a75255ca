"""What opens the API: a token that is renewed before it expires, once for all workers, or a fixed credential."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from etl.api.auth.cipher import Token
from etl.api.auth.token_protocol import (
    ClientRefused,
    PasswordRefused,
    RefreshRefused,
    TokenRequest,
    TokenResponse,
    UnclearAnswer,
    basic_header,
    by_password,
    by_refresh,
)
from etl.api.auth.token_store import StoredToken, TokenStore
from etl.config.redaction import hide_secrets
from etl.config.settings import Settings, secret_text
from etl.errors import ApiUnavailable, CredentialsRefused, EtlError

#: A token is renewed so many seconds before it expires; a short-lived one when half of its life is over.
MARGIN = 60.0
#: Seconds between two looks while another worker renews the token, and between two signs of life while we do.
POLL, HEARTBEAT = 0.1, 5.0
#: Seconds that another worker is given for a renewal; it has tried again and again by then.
LONGEST_RENEWAL = 900.0
#: How often it is noted that a token opened something, in seconds.
NOTED_EVERY = 300.0
#: Runs in a row that may get an unclear answer before the credentials are not sent for a while.
UNCLEAR_RUNS = 3

#: Sends one request for a token, tried again as often as is sensible.
RequestToken = Callable[[TokenRequest], Awaitable[TokenResponse]]


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """What a request carries to be let in; the number tells renewed ones apart."""

    header: str
    number: int
    expires_at: float = float("inf")  #: by the client's clock


class CredentialProvider(Protocol):
    """Where requests get their credential, and what is known of it."""

    can_renew: bool
    refusal: str  #: what to say when the API refuses it

    @property
    def is_new(self) -> bool:
        """Whether it took a refused one's place, and has opened nothing yet."""

    @property
    def opened_lately(self) -> bool:
        """Whether it, or one before it, opened something in this run or in the last hour."""

    @property
    def opened_ever(self) -> bool:
        """Whether it, or one before it, ever opened something."""

    async def credential(self) -> Credential:
        """Return a credential that is good for this moment; raises CredentialsRefused when there is none."""

    async def renewed(self, refused: Credential) -> Credential:
        """Return a newer credential than a refused one."""

    def is_outdated(self, credential: Credential) -> bool:
        """Tell whether there is a newer credential."""

    async def opened(self, credential: Credential) -> None:
        """Note that the API took a credential."""


class FixedCredential:
    """A credential that cannot be renewed: a copied token, or the key of enterprise access."""

    can_renew = False
    is_new = False

    def __init__(self, header: str, refusal: str) -> None:
        self.refusal = refusal
        self.opened_lately = self.opened_ever = False
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
        """Note that the API took it."""
        self.opened_lately = self.opened_ever = True


def fixed_credential(settings: Settings) -> FixedCredential | None:
    """Return the credential that the settings hold ready-made, None where a token has to be asked for."""
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
    """The token of a client, one with that of all clients that have the same store."""

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
        self._noted_at = float("-inf")  # when it was last noted that a token opened something
        self._failed: EtlError | None = None  # why no token is asked for any more in this run
        self.is_new = self.opened_lately = self.opened_ever = False

    async def credential(self) -> Credential:
        """Return a token that lives long enough for the next request."""
        async with self._lock:
            if self._credential is None or self._clock() >= self._renew_at:
                return await self._newer_than(self._credential.number if self._credential else 0, refreshed=True)
            return self._credential

    async def renewed(self, refused: Credential) -> Credential:
        """Return a newer token than the refused one, asking for it once however many workers were refused.

        It is asked for by password: a refresh token of a session that the API ended would be refused too, and cost
        one more attempt of the few before an account is locked. For the same reason a token that came in a refused
        one's place is not replaced in turn before it has opened anything.
        """
        async with self._lock:
            if self._credential is not None and (self._credential.number > refused.number or self.is_new):
                return self._credential
            credential = await self._newer_than(refused.number, refreshed=False)
            self.is_new = True
            return credential

    def is_outdated(self, credential: Credential) -> bool:
        """Tell whether there is a newer token."""
        return self._credential is not None and self._credential.number > credential.number

    async def opened(self, credential: Credential) -> None:
        """Note that the API took a token: in this run at once, for other runs every few minutes."""
        if self._credential is None or credential.number != self._credential.number:
            return
        self.opened_lately = self.opened_ever = True
        if self.is_new or self._clock() - self._noted_at >= NOTED_EVERY:
            self.is_new, self._noted_at = False, self._clock()
            await self._store.note_opened(credential.number)

    async def _newer_than(self, number: int, *, refreshed: bool) -> Credential:
        """Return a newer token: another worker's, or else one that this one gets. What was refused is not sent."""
        deadline = self._clock() + LONGEST_RENEWAL
        while self._clock() < deadline:
            if self._failed is not None:
                raise self._failed
            stored = await self._store.load()
            self.opened_lately = self.opened_lately or stored.opened_lately
            self.opened_ever = self.opened_ever or stored.opened_ever
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
        """Get the token that takes a claimed one's place, and use it once it is stored.

        Returns None where another worker, thinking this one dead, has renewed it in the meantime.
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
            kept = await self._store.save(stored.number, token, left, is_new=not refreshed, basic_header=basic)
        return self._use(token, stored.number + 1, left, response.seconds) if kept else None

    @asynccontextmanager
    async def _claimed(self, number: int) -> AsyncIterator[None]:
        """Hold a claim by signs of life while the block runs, and give it back when the block fails."""
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
                self._failed = CredentialsRefused(f"{error} That was so in {UNCLEAR_RUNS} runs in a row.")
                await self._store.refuse(number, str(self._failed), for_good=False)
            raise self._failed from None
        except BaseException:
            with suppress(EtlError):
                await self._store.release(number)
            raise
        finally:
            heartbeat.cancel()

    async def _prolong(self, number: int) -> None:
        """Claim again and again; where that fails, the claim runs out by itself."""
        while True:
            await asyncio.sleep(HEARTBEAT)
            with suppress(EtlError):
                await self._store.claim(number)

    async def _by_refresh(self, number: int, refresh: str) -> TokenResponse | None:
        """Return what a refresh token brings, None where it is not taken."""
        try:
            return await self._request(by_refresh(self._settings, refresh))
        except RefreshRefused:
            await self._store.forget(number)
            return None

    async def _by_password(self, *, basic: bool) -> tuple[TokenResponse, bool]:
        """Return what the password brings, and whether client id and secret had to go in a Basic header."""
        try:
            return await self._request(by_password(self._settings, basic=basic)), basic
        except ClientRefused:
            if basic:
                raise
            return await self._request(by_password(self._settings, basic=True)), True

    def _use(self, token: Token, number: int, seconds: float, life: float | None = None) -> Credential:
        """Use a token from now on; it is to be renewed after so many seconds."""
        hide_secrets(token.access, token.refresh or "")
        now = self._clock()
        self._renew_at = now + seconds
        self._credential = Credential(f"Bearer {token.access}", number, now + (life or seconds + MARGIN))
        return self._credential
