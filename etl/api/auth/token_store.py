"""Stores of a tenant's token: the database for all workers, or memory for one client."""

import os
import socket
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import uuid4

from etl.api.auth.cipher import Token, TokenCipher
from etl.config.settings import Settings
from etl.ledger.account import tokens
from etl.ledger.account.tokens import NewToken, RenewalClaim, TokenRow
from etl.ledger.executor import LedgerExecutor


@dataclass(frozen=True, slots=True, repr=False)
class StoredToken:
    """The stored token and its history."""

    number: int  #: grows with each token
    token: Token | None = None  #: None if there is none for the current credentials
    seconds: float = 0.0  #: until it must be renewed
    is_new: bool = False  #: whether it replaced a refused one, and was never accepted
    refusal: str | None = None  #: why the credentials must not be sent
    was_accepted_recently: bool = False  #: whether a token of these credentials was accepted in the last hour
    was_ever_accepted: bool = False
    basic_header: bool = False  #: whether client id and secret are sent in a Basic header


class TokenStore(Protocol):
    """A store of a token. The token is committed when `save` returns."""

    async def load(self) -> StoredToken:
        """Return the stored token."""

    async def claim(self, number: int) -> bool:
        """Claim the right to renew the token with a number; return whether the claim succeeded."""

    async def save(self, number: int, token: Token, seconds: float, *, is_new: bool, basic_header: bool) -> bool:
        """Store the token that replaces a claimed one; return whether the claim was still valid."""

    async def note_opened(self, number: int) -> None:
        """Record that the API accepted the token with a number."""

    async def forget(self, number: int) -> None:
        """Delete a claimed token whose renewal was refused."""

    async def discard(self, number: int) -> None:
        """Delete a token that the API refused, so that the next run requests another one."""

    async def refuse(self, number: int, refusal: str, *, for_good: bool) -> None:
        """Record that the credentials were refused, and release the claim."""

    async def note_unclear(self, number: int) -> int:
        """Record an unclear answer, release the claim, and return how many consecutive runs got one."""

    async def release(self, number: int) -> None:
        """Release a claim."""


@dataclass(slots=True)
class MemoryTokenStore:
    """The token of one client, which makes one request at a time, so claims always succeed."""

    stored: StoredToken = field(default_factory=lambda: StoredToken(0))

    async def load(self) -> StoredToken:
        """Return the stored token; the client's clock decides when it is due."""
        return self.stored

    async def claim(self, number: int) -> bool:
        """Return whether the token is still the one with this number."""
        return self.stored.number == number

    async def save(self, number: int, token: Token, seconds: float, *, is_new: bool, basic_header: bool) -> bool:
        """Store the token."""
        self.stored = StoredToken(number + 1, token, seconds, is_new, basic_header=basic_header)
        return True

    async def note_opened(self, number: int) -> None:
        """Do nothing: the client knows it."""

    async def forget(self, number: int) -> None:  # noqa: ARG002 (there is one token)
        """Delete the token."""
        self.stored = replace(self.stored, token=None, seconds=0.0)

    async def discard(self, number: int) -> None:
        """Do nothing: there is no next run."""

    async def refuse(self, number: int, refusal: str, *, for_good: bool) -> None:  # noqa: ARG002 (one run)
        """Record that the credentials were refused."""
        self.stored = StoredToken(number, refusal=refusal)

    async def note_unclear(self, number: int) -> int:  # noqa: ARG002 (there is one token)
        """Return 1: there is no other run."""
        return 1

    async def release(self, number: int) -> None:
        """Do nothing: there is no claim."""


class SharedTokenStore:
    """The encrypted token of a tenant in the database, for every worker with the same credentials."""

    def __init__(self, settings: Settings, database: LedgerExecutor) -> None:
        self._settings = settings
        self._database = database
        self._tenant = database.tenant
        self._claimant = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._cipher: TokenCipher | None = None

    async def load(self) -> StoredToken:
        """Return the stored token for the current credentials."""
        row = await self._database.commit(partial(tokens.read_token, tenant=self._tenant))
        if self._cipher is None:
            self._cipher = await self._database.work(partial(TokenCipher.of, self._settings, row.salt))
        if row.account != self._cipher.account:
            return StoredToken(row.number)
        return StoredToken(
            row.number,
            self._cipher.decrypt(row.account, row.ciphertext),
            row.seconds,
            row.doubted,
            self._refusal(row),
            row.was_accepted_recently,
            row.was_ever_accepted,
            row.basic_header,
        )

    async def claim(self, number: int) -> bool:
        """Claim the right to renew, or extend the claim."""
        return await self._database.commit(partial(tokens.claim, renewal=self._claim_of(number)))

    async def save(self, number: int, token: Token, seconds: float, *, is_new: bool, basic_header: bool) -> bool:
        """Encrypt and store a token; it is committed when this returns."""
        cipher = self._loaded_cipher()
        new = NewToken(cipher.account, cipher.encrypt(token), seconds, is_new, basic_header)
        return await self._database.commit(partial(tokens.save_token, renewal=self._claim_of(number), token=new))

    async def note_opened(self, number: int) -> None:
        """Record for all workers that the API accepted the token."""
        await self._database.commit(partial(tokens.note_opened, tenant=self._tenant, number=number))

    async def forget(self, number: int) -> None:
        """Delete the token for all workers."""
        await self._database.commit(partial(tokens.forget, renewal=self._claim_of(number)))

    async def discard(self, number: int) -> None:
        """Delete the token for all workers that have not read it."""
        await self._database.commit(partial(tokens.discard, tenant=self._tenant, number=number))

    async def refuse(self, number: int, refusal: str, *, for_good: bool) -> None:
        """Record for all workers that the credentials were refused."""
        renewal, account = self._claim_of(number), self._loaded_cipher().account
        refuse = partial(tokens.refuse, renewal=renewal, account=account, refusal=refusal, for_good=for_good)
        await self._database.commit(refuse)

    async def note_unclear(self, number: int) -> int:
        """Record an unclear answer for all workers."""
        renewal, account = self._claim_of(number), self._loaded_cipher().account
        return await self._database.commit(partial(tokens.note_unclear, renewal=renewal, account=account))

    async def release(self, number: int) -> None:
        """Release the claim for all workers."""
        await self._database.commit(partial(tokens.release, renewal=self._claim_of(number)))

    def _claim_of(self, number: int) -> RenewalClaim:
        """Return the claim of this client."""
        return RenewalClaim(self._tenant, self._claimant, number)

    def _loaded_cipher(self) -> TokenCipher:
        """Return the keys that `load` created."""
        if self._cipher is None:
            raise RuntimeError("Load the token before you change it.")
        return self._cipher

    def _refusal(self, row: TokenRow) -> str | None:
        """Return why the credentials must not be sent, and what a person can do."""
        if row.refusal is None:
            return None
        cure = f"UPDATE etl.tokens SET refused_until = NULL WHERE tenant = '{self._tenant}'"  # noqa: S608 (for a person)
        until = "you change them"
        if row.resting < tokens.PERMANENT:
            until = f"{datetime.now(UTC) + timedelta(seconds=row.resting):%Y-%m-%d %H:%M} UTC"
        return (
            f"{row.refusal} This happened in an earlier call. They are not sent again until {until}, so that the "
            "account is not locked out; other credentials are sent at once. If QQCatalyst has unlocked the account: "
            f"{cure}."
        )
