"""Where the token of a tenant is kept: in the database, for all workers of all runs, or in memory, for one client."""

import os
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import uuid4

from etl.api.auth.cipher import Seal, Token
from etl.config.settings import Settings
from etl.ledger import tokens
from etl.ledger.executor import LedgerExecutor
from etl.ledger.tokens import Claim, TokenRow


@dataclass(frozen=True, slots=True, repr=False)
class Standing:
    """What is known of the token."""

    number: int  #: grows with each token
    token: Token | None = None  #: None when there is none, or none for the credentials as they are set
    seconds: float = 0.0  #: until it is to be renewed
    doubted: bool = False  #: whether it took a refused one's place a moment ago, and has opened nothing yet
    refusal: str | None = None  #: why the credentials are not to be sent


class TokenStore(Protocol):
    """The place of a token. What it keeps has been kept for good when `keep` returns."""

    async def look(self) -> Standing:
        """Return how things stand."""

    async def claim(self, number: int) -> bool:
        """Claim the right to renew the token with a number; tell whether it is given."""

    async def keep(self, number: int, token: Token, seconds: float, *, doubted: bool) -> bool:
        """Keep the token that takes a claimed one's place; tell whether the claim still held."""

    async def prove(self, number: int) -> None:
        """Note that the API took the token with a number."""

    async def forget(self, number: int) -> None:
        """Forget a claimed token, whose renewal was refused."""

    async def refuse(self, number: int, refusal: str) -> None:
        """Note that the credentials were refused, and give the claim back."""

    async def release(self, number: int) -> None:
        """Give a claim back."""


@dataclass(slots=True)
class MemoryTokens:
    """The token of one client alone, which asks for one thing at a time: what it claims is free."""

    standing: Standing = field(default_factory=lambda: Standing(0))

    async def look(self) -> Standing:
        """Return how things stand; the client's own clock knows when the token is due."""
        return self.standing

    async def claim(self, number: int) -> bool:
        """Tell whether the token is still the one with this number."""
        return self.standing.number == number

    async def keep(self, number: int, token: Token, seconds: float, *, doubted: bool) -> bool:
        """Keep the token."""
        self.standing = Standing(number + 1, token, seconds, doubted)
        return True

    async def prove(self, number: int) -> None:
        """Do nothing: the client itself knows."""

    async def forget(self, number: int) -> None:
        """Forget the token."""
        self.standing = Standing(number)

    async def refuse(self, number: int, refusal: str) -> None:
        """Note that the credentials were refused."""
        self.standing = Standing(number, refusal=refusal)

    async def release(self, number: int) -> None:
        """Do nothing: there is no claim."""


class SharedTokens:
    """The token of a tenant in the database, encrypted, for every worker that has the same credentials."""

    def __init__(self, settings: Settings, beside: LedgerExecutor) -> None:
        self._settings = settings
        self._beside = beside
        self._tenant = beside.tenant
        self._claimant = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._seal: Seal | None = None

    async def look(self) -> Standing:
        """Return how things stand for the credentials as they are set."""
        row = await self._beside.commit(partial(tokens.look, tenant=self._tenant))
        if self._seal is None:
            self._seal = await self._beside.work(partial(Seal.of, self._settings, row.salt))
        if row.account != self._seal.account:
            return Standing(row.number)
        token = self._seal.open(row.account, row.sealed)
        return Standing(row.number, token, row.seconds, row.doubted, self._refusal(row))

    async def claim(self, number: int) -> bool:
        """Claim the right to renew, for as long as signs of life are given by claiming again."""
        return await self._beside.commit(partial(tokens.claim, mine=self._mine(number)))

    async def keep(self, number: int, token: Token, seconds: float, *, doubted: bool) -> bool:
        """Keep a token, encrypted; it is committed when this returns."""
        seal = self._sealed()
        sealed = seal.close(token)
        return await self._beside.commit(
            partial(
                tokens.keep,
                mine=self._mine(number),
                account=seal.account,
                sealed=sealed,
                seconds=seconds,
                doubted=doubted,
            )
        )

    async def prove(self, number: int) -> None:
        """Note for all that the API took the token."""
        await self._beside.commit(partial(tokens.prove, tenant=self._tenant, number=number))

    async def forget(self, number: int) -> None:
        """Forget the token for all."""
        await self._beside.commit(partial(tokens.forget, mine=self._mine(number)))

    async def refuse(self, number: int, refusal: str) -> None:
        """Note for all that the credentials were refused."""
        account = self._sealed().account
        await self._beside.commit(partial(tokens.refuse, mine=self._mine(number), account=account, refusal=refusal))

    async def release(self, number: int) -> None:
        """Give the claim back to all."""
        await self._beside.commit(partial(tokens.release, mine=self._mine(number)))

    def _mine(self, number: int) -> Claim:
        """Return the claim of this client."""
        return Claim(self._tenant, self._claimant, number)

    def _sealed(self) -> Seal:
        """Return the keys, which `look` made."""
        if self._seal is None:
            raise RuntimeError("Look at the token before you change it.")
        return self._seal

    def _refusal(self, row: TokenRow) -> str | None:
        """Return why the credentials are not to be sent, and what a person can do."""
        if row.refusal is None:
            return None
        until = datetime.now(UTC) + timedelta(seconds=row.resting)
        cure = f"UPDATE etl.tokens SET refused_until = NULL WHERE tenant = '{self._tenant}'"  # noqa: S608 (for a person)
        return (
            f"{row.refusal} That was in an earlier call, and they rest until {until:%Y-%m-%d %H:%M} UTC so that the "
            f"account is not locked; others are sent at once. If QQCatalyst has unlocked the account: {cure}."
        )
