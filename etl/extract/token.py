"""The header that opens the API: a token that is renewed before it expires, once for all workers, or a fixed key."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from etl.config.redaction import conceal
from etl.config.settings import Settings
from etl.errors import CredentialsRefused
from etl.extract.grant import Grant, Question, RefreshRefused, basic, by_password, by_refresh

#: A token is renewed so many seconds before it expires; a short-lived one when half of its life is over.
MARGIN = 60.0

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

    def proved(self, key: Key) -> None:
        """Note that the API took a key."""


class EnterpriseKey:
    """The fixed key of enterprise access: client id and secret in a Basic header."""

    def __init__(self, settings: Settings) -> None:
        self._key = Key(basic(settings), 1)
        conceal(self._key.header)

    async def key(self) -> Key:
        """Return the one key."""
        return self._key

    async def renewed(self, refused: Key) -> Key:
        """Return the one key again: it cannot be renewed, so the second refusal decides."""
        return refused

    def proved(self, key: Key) -> None:
        """Note nothing: there is no other key."""


class TokenSource:
    """The token of a run, shared by all its workers."""

    def __init__(self, settings: Settings, ask: Ask, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._ask = ask
        self._clock = clock
        self._lock = asyncio.Lock()
        self._key: Key | None = None
        self._refresh_token: str | None = None
        self._renew_at = 0.0
        self._doubted = False  # whether the key took a refused one's place and has opened nothing yet
        self._refused: str | None = None

    async def key(self) -> Key:
        """Return a token that lives long enough for the next request."""
        async with self._lock:
            if self._key is None or self._clock() >= self._renew_at:
                return await self._renew(self._refresh_token)
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
            return await self._renew(None)

    def proved(self, key: Key) -> None:
        """Note that the API took a key."""
        if self._key is not None and key.number == self._key.number:
            self._doubted = False

    async def _renew(self, refresh_token: str | None) -> Key:
        """Ask for a token; what was refused once is never sent again."""
        if self._refused is not None:
            raise CredentialsRefused(self._refused)
        begun = self._clock()
        try:
            grant = await self._granted(refresh_token)
        except CredentialsRefused as error:
            self._refused = str(error)
            raise
        conceal(grant.access_token, grant.refresh_token or "")
        self._refresh_token = grant.refresh_token or refresh_token
        self._renew_at = begun + grant.seconds - min(MARGIN, grant.seconds / 2)
        self._key = Key(f"Bearer {grant.access_token}", self._key.number + 1 if self._key else 1)
        return self._key

    async def _granted(self, refresh_token: str | None) -> Grant:
        """Return a grant by the refresh token if there is one, else, or when it is not taken, by password."""
        if refresh_token is not None:
            try:
                return await self._ask(by_refresh(self._settings, refresh_token))
            except RefreshRefused:
                self._refresh_token = None
        return await self._ask(by_password(self._settings))
