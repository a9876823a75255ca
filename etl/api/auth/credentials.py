"""The header that opens the API: a token that is renewed before it expires, once for all workers, or a fixed key."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from etl.api.auth.cipher import Token
from etl.api.auth.grant import Grant, Question, RefreshRefused, basic, by_password, by_refresh
from etl.api.auth.token_store import Standing, TokenStore
from etl.config.redaction import hide_secrets
from etl.config.settings import Settings
from etl.errors import ApiUnavailable, CredentialsRefused, EtlError

#: A token is renewed so many seconds before it expires; a short-lived one when half of its life is over.
MARGIN = 60.0
#: Seconds between two looks while another worker renews the token, and between two signs of life while we do.
GLANCE, BEAT = 0.1, 5.0
#: Seconds that another worker is given for it; it has tried again and again by then.
LONGEST_RENEWAL = 900.0

#: Sends one request for a token, tried again as often as is sensible.
Ask = Callable[[Question], Awaitable[Grant]]


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """What a request carries to be let in; the number tells renewed ones apart."""

    header: str
    number: int


class KeySource(Protocol):
    """Where requests get their key."""

    async def key(self) -> Key:
        """Return a key that is good for this moment; raises CredentialsRefused when there is none."""

    async def renewed(self, refused: Key) -> Key:
        """Return a newer key than one that the API did not take; raises CredentialsRefused when there is none."""

    async def proved(self, key: Key) -> None:
        """Note that the API took a key."""


class EnterpriseKey:
    """The fixed key of enterprise access: client id and secret in a Basic header."""

    def __init__(self, settings: Settings) -> None:
        self._key = Key(basic(settings), 1)
        hide_secrets(self._key.header)

    async def key(self) -> Key:
        """Return the one key."""
        return self._key

    async def renewed(self, refused: Key) -> Key:
        """Return the one key again: it cannot be renewed, so the second refusal decides."""
        return refused

    async def proved(self, key: Key) -> None:
        """Note nothing: there is no other key."""


class TokenSource:
    """The token of a client, one with that of all clients which have the same store."""

    def __init__(self, settings: Settings, ask: Ask, clock: Callable[[], float], store: TokenStore) -> None:
        self._settings = settings
        self._ask = ask
        self._clock = clock
        self._store = store
        self._lock = asyncio.Lock()
        self._key: Key | None = None
        self._renew_at = 0.0
        self._doubted = False  # whether the key took a refused one's place and has opened nothing yet
        self._refused: str | None = None

    async def key(self) -> Key:
        """Return a token that lives long enough for the next request."""
        async with self._lock:
            if self._key is None or self._clock() >= self._renew_at:
                return await self._newer_than(self._key.number if self._key else 0, refreshed=True)
            return self._key

    async def renewed(self, refused: Key) -> Key:
        """Return a newer token than the refused one, asking for it once however many workers were refused.

        It is asked for by password: a refresh token of a session that the API ended would be refused too, and cost
        one more attempt of the few before an account is locked. For the same reason a token that came in a refused
        one's place is not replaced in turn before it has opened anything.
        """
        async with self._lock:
            if self._key is not None and (self._key.number > refused.number or self._doubted):
                return self._key
            self._doubted = True
            return await self._newer_than(refused.number, refreshed=False)

    async def proved(self, key: Key) -> None:
        """Note that the API took a key."""
        if self._doubted and self._key is not None and key.number == self._key.number:
            self._doubted = False
            await self._store.prove(key.number)

    async def _newer_than(self, number: int, *, refreshed: bool) -> Key:
        """Return a newer token: another worker's, or else one that this one renews. What was refused is not sent."""
        deadline = self._clock() + LONGEST_RENEWAL
        while self._clock() < deadline:
            if self._refused is not None:
                raise CredentialsRefused(self._refused)
            standing = await self._store.look()
            if standing.refusal is not None:
                self._refused = standing.refusal
            elif standing.number > number and standing.token is not None and standing.seconds > 0:
                self._doubted = self._doubted or standing.doubted
                return self._take(standing.token, standing.number, standing.seconds)
            elif await self._store.claim(standing.number):
                if (key := await self._renew(standing, refreshed=refreshed)) is not None:
                    return key
            else:
                await asyncio.sleep(GLANCE)
        raise ApiUnavailable("Another worker has been renewing the token for too long. Run `qqetl retry`.")

    async def _renew(self, standing: Standing, *, refreshed: bool) -> Key | None:
        """Ask for the token that takes a claimed one's place, and use it once it is kept.

        Returns None where another worker, thinking this one dead, has renewed it in the meantime.
        """
        begun = self._clock()
        async with self._claimed(standing.number):
            refresh = standing.token.refresh if refreshed and standing.token is not None else None
            grant, refresh = await self._granted(standing.number, refresh)
            hide_secrets(grant.access_token, grant.refresh_token or "")
            token = Token(grant.access_token, grant.refresh_token or refresh)
            left = grant.seconds - min(MARGIN, grant.seconds / 2) - (self._clock() - begun)
            kept = await self._store.keep(standing.number, token, left, doubted=not refreshed)
        return self._take(token, standing.number + 1, left) if kept else None

    @asynccontextmanager
    async def _claimed(self, number: int) -> AsyncIterator[None]:
        """Hold a claim by signs of life while the block runs, and give it back when the block fails."""
        beat = asyncio.create_task(self._beat(number))
        try:
            yield
        except CredentialsRefused as error:
            self._refused = str(error)
            await self._store.refuse(number, self._refused)
            raise
        except BaseException:
            with suppress(EtlError):
                await self._store.release(number)
            raise
        finally:
            beat.cancel()

    async def _beat(self, number: int) -> None:
        """Claim again and again; where that fails, the claim runs out by itself."""
        while True:
            await asyncio.sleep(BEAT)
            with suppress(EtlError):
                await self._store.claim(number)

    async def _granted(self, number: int, refresh: str | None) -> tuple[Grant, str | None]:
        """Return a grant by the refresh token if there is one, else, or when it is not taken, by password.

        Returned beside it is the refresh token that is still good where the grant brought no other.
        """
        if refresh is not None:
            try:
                return await self._ask(by_refresh(self._settings, refresh)), refresh
            except RefreshRefused:
                await self._store.forget(number)
        return await self._ask(by_password(self._settings)), None

    def _take(self, token: Token, number: int, seconds: float) -> Key:
        """Use a token from now on."""
        hide_secrets(token.access, token.refresh or "")
        self._renew_at = self._clock() + seconds
        self._key = Key(f"Bearer {token.access}", number)
        return self._key
