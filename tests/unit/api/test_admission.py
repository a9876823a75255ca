"""Admission: a key that is refused twice is wrong, has expired meanwhile, or does not open the resource."""

import asyncio
from collections.abc import Callable

import pytest

from etl.api.auth.admission import Admission
from etl.api.auth.credentials import Key
from etl.api.protocol import Call, Refused, page_call
from etl.errors import CredentialsRefused
from etl.resources import resource

FEED = resource("contacts")
CALL: Call = page_call(FEED, FEED.endpoints[0], None, None, 1, 100)


class Keys:
    """Keys that follow each other, of which each is given out when the one before was refused."""

    def __init__(self, last: int = 1000) -> None:
        self.now, self.last = 1, last

    async def key(self) -> Key:
        return Key("Bearer x", self.now)

    async def renewed(self, refused: Key) -> Key:
        if refused.number == self.now:
            self.now = min(self.now + 1, self.last)
        return await self.key()

    async def proved(self, key: Key) -> None:
        """Take note of nothing."""


def admission(good: Callable[[Key], bool], keys: Keys | None = None) -> Admission:
    """Return an admission over keys of which the cheapest call says whether they are good."""

    async def ping(key: Key) -> int:
        return 200 if good(key) else 401

    return Admission(keys or Keys(), ping)


async def refused(gate: Admission, times: int) -> int:
    """Let a call be refused so many times, each with the key of that time; return how often it may try again."""
    for number in range(times):
        await gate.refused(CALL, await gate.key(), again=number > 0)
    return times


def test_a_key_that_opened_something_and_expired_is_renewed_however_often() -> None:
    async def scene() -> int:
        gate = admission(lambda _: False)
        for number in range(1, 10):
            await gate.opened(Key("Bearer x", number))  # by calls beside this one
        return await refused(gate, 8)

    assert asyncio.run(scene()) == 8


def test_a_good_key_that_is_refused_is_the_resources_refusal() -> None:
    gate = admission(lambda _: True)
    with pytest.raises(Refused):
        asyncio.run(refused(gate, 2))


def test_a_key_that_never_opened_anything_is_wrong() -> None:
    gate = admission(lambda _: False)
    with pytest.raises(CredentialsRefused):
        asyncio.run(refused(gate, 2))


def test_a_key_that_cannot_be_renewed_is_revoked_when_the_ping_says_so() -> None:
    async def scene() -> None:
        gate = admission(lambda _: False, Keys(last=1))
        await gate.opened(Key("Bearer x", 1))
        await refused(gate, 2)

    with pytest.raises(CredentialsRefused):
        asyncio.run(scene())
