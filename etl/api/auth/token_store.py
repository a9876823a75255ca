"""Where the token of a tenant is stored: in the database, for all workers of all runs, or in memory, for one client."""

import os
import socket
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import uuid4

from etl.api.auth.cipher import Token, TokenCipher
from etl.config.settings import Settings
from etl.ledger import tokens
from etl.ledger.executor import LedgerExecutor
from etl.ledger.tokens import Claim, NewToken, TokenRow


@dataclass(frozen=True, slots=True, repr=False)
class StoredToken:
    """What is known of the token."""

    number: int  #: grows with each token
    token: Token | None = None  #: None when there is none, or none for the credentials as they are set
    seconds: float = 0.0  #: until it is to be renewed
    is_new: bool = False  #: whether it took a refused one's place, and has opened nothing yet
    refusal: str | None = None  #: why the credentials are not to be sent
    opened_lately: bool = False  #: whether a token of these credentials opened something in the last hour
    opened_ever: bool = False
    basic_header: bool = False  #: whether client id and secret go in a Basic header


class TokenStore(Protocol):
    """The place of a token. What it keeps is kept for good when `save` returns."""

    async def load(self) -> StoredToken:
        """Return what is known of the token."""

    async def claim(self, number: int) -> bool:
        """Claim the right to renew the token with a number; tell whether it is given."""

    async def save(self, number: int, token: Token, seconds: float, *, is_new: bool, basic_header: bool) -> bool:
        """Store the token that takes a claimed one's place; tell whether the claim still held."""

    async def note_opened(self, number: int) -> None:
        """Note that the API took the token with a number."""

    async def forget(self, number: int) -> None:
        """Forget a claimed token, whose renewal was refused."""

    async def refuse(self, number: int, refusal: str, *, for_good: bool) -> None:
        """Note that the credentials were refused, and give the claim back."""

    async def note_unclear(self, number: int) -> int:
        """Note an unclear answer, give the claim back, and return how many runs in a row got one."""

    async def release(self, number: int) -> None:
        """Give a claim back."""


@dataclass(slots=True)
class MemoryTokenStore:
    """The token of one client, which asks for one thing at a time: what it claims is free."""

    stored: StoredToken = field(default_factory=lambda: StoredToken(0))

    async def load(self) -> StoredToken:
        """Return what is known of the token; the client's own clock knows when it is due."""
        return self.stored

    async def claim(self, number: int) -> bool:
        """Tell whether the token is still the one with this number."""
        return self.stored.number == number

    async def save(self, number: int, token: Token, seconds: float, *, is_new: bool, basic_header: bool) -> bool:
        """Store the token."""
        self.stored = StoredToken(number + 1, token, seconds, is_new, basic_header=basic_header)
        return True

    async def note_opened(self, number: int) -> None:
        """Do nothing: the client itself knows."""

    async def forget(self, number: int) -> None:  # noqa: ARG002 (there is one token)
        """Forget the token."""
        self.stored = replace(self.stored, token=None, seconds=0.0)

    async def refuse(self, number: int, refusal: str, *, for_good: bool) -> None:  # noqa: ARG002 (one run)
        """Note that the credentials were refused."""
        self.stored = StoredToken(number, refusal=refusal)

    async def note_unclear(self, number: int) -> int:  # noqa: ARG002 (there is one token)
        """Return 1: no other run is known of."""
        return 1

    async def release(self, number: int) -> None:
        """Do nothing: there is no claim."""


class SharedTokenStore:
    """The token of a tenant in the database, encrypted, for every worker that has the same credentials."""

    def __init__(self, settings: Settings, database: LedgerExecutor) -> None:
        self._settings = settings
        self._database = database
        self._tenant = database.tenant
        self._claimant = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._cipher: TokenCipher | None = None

    async def load(self) -> StoredToken:
        """Return what is known of the token for the credentials as they are set."""
        row = await self._database.commit(partial(tokens.look, tenant=self._tenant))
        if self._cipher is None:
            self._cipher = await self._database.work(partial(TokenCipher.of, self._settings, row.salt))
        if row.account != self._cipher.account:
            return StoredToken(row.number)
        return StoredToken(
            row.number,
            self._cipher.decrypt(row.account, row.sealed),
            row.seconds,
            row.doubted,
            self._refusal(row),
            row.opened_lately,
            row.opened_ever,
            row.basic_header,
        )

    async def claim(self, number: int) -> bool:
        """Claim the right to renew, for as long as signs of life are given by claiming again."""
        return await self._database.commit(partial(tokens.claim, mine=self._mine(number)))

    async def save(self, number: int, token: Token, seconds: float, *, is_new: bool, basic_header: bool) -> bool:
        """Store a token, encrypted; it is committed when this returns."""
        cipher = self._known_cipher()
        new = NewToken(cipher.account, cipher.encrypt(token), seconds, is_new, basic_header)
        return await self._database.commit(partial(tokens.keep, mine=self._mine(number), token=new))

    async def note_opened(self, number: int) -> None:
        """Note for all that the API took the token."""
        await self._database.commit(partial(tokens.note_opened, tenant=self._tenant, number=number))

    async def forget(self, number: int) -> None:
        """Forget the token for all."""
        await self._database.commit(partial(tokens.forget, mine=self._mine(number)))

    async def refuse(self, number: int, refusal: str, *, for_good: bool) -> None:
        """Note for all that the credentials were refused."""
        mine, account = self._mine(number), self._known_cipher().account
        refuse = partial(tokens.refuse, mine=mine, account=account, refusal=refusal, for_good=for_good)
        await self._database.commit(refuse)

    async def note_unclear(self, number: int) -> int:
        """Note an unclear answer for all."""
        mine, account = self._mine(number), self._known_cipher().account
        return await self._database.commit(partial(tokens.note_unclear, mine=mine, account=account))

    async def release(self, number: int) -> None:
        """Give the claim back to all."""
        await self._database.commit(partial(tokens.release, mine=self._mine(number)))

    def _mine(self, number: int) -> Claim:
        """Return the claim of this client."""
        return Claim(self._tenant, self._claimant, number)

    def _known_cipher(self) -> TokenCipher:
        """Return the keys, which `load` made."""
        if self._cipher is None:
            raise RuntimeError("Load the token before you change it.")
        return self._cipher

    def _refusal(self, row: TokenRow) -> str | None:
        """Return why the credentials are not to be sent, and what a person can do."""
        if row.refusal is None:
            return None
        cure = f"UPDATE etl.tokens SET refused_until = NULL WHERE tenant = '{self._tenant}'"  # noqa: S608 (for a person)
        until = "you change them"
        if row.resting < tokens.FOR_GOOD:
            until = f"{datetime.now(UTC) + timedelta(seconds=row.resting):%Y-%m-%d %H:%M} UTC"
        return (
            f"{row.refusal} That was in an earlier call. They are not sent again until {until}, so that the account is "
            f"not locked out; other credentials are sent at once. If QQCatalyst has unlocked the account: {cure}."
        )
