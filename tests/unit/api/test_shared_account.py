"""The whole client at the simulator's call limit beside another integration, in a time that passes by itself."""

import asyncio
import json
import random
from collections.abc import Mapping
from datetime import date
from typing import Any, Self

import pytest
from virtual_time import VirtualLoop, play

from etl.api import client as client_module
from etl.api.client import ApiClient
from etl.api.protocol import Call, page_call
from etl.api.rate_limit.stores import MemoryStore
from etl.api.transport import Reply
from etl.config.settings import Settings
from etl.resources import find_resource
from etl.simulator.account_limit import AccountLimit

#: The vendor's window, and as many of them as show a rate.
WINDOW, WINDOWS = 60.0, 30
JSON = {"Content-Type": "application/json"}
PAGE = json.dumps({"Data": [{"EntityID": 1}], "TotalItems": 1, "IsSuccess": True}).encode()
TOKEN = json.dumps({"access_token": "t", "token_type": "bearer", "expires_in": 86_400}).encode()
NAMES = ("client_id", "client_secret", "username", "password")
CREDENTIALS: dict[str, Any] = {f"qqcatalyst_{name}": "demo" for name in NAMES}


class LimitedServer:
    """Replaces the network: answers within a tenth of a second, and refuses what is above the limit."""

    def __init__(self, limit: AccountLimit, loop: VirtualLoop) -> None:
        self.limit = limit
        self.accepted = self.logins = 0
        self._loop = loop
        self._dice = random.Random(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def send(self, what: str, method: str, url: str, headers: Mapping[str, str], body: Any = None) -> Reply:
        del what, method, headers, body
        await asyncio.sleep(self._dice.uniform(0.01, 0.05))
        reply = self._answer(url)
        await asyncio.sleep(self._dice.uniform(0.01, 0.05))
        return reply

    def _answer(self, url: str) -> Reply:
        if url.endswith("/oauth/token"):
            self.logins += 1
            return Reply(200, JSON, TOKEN)
        if not self.limit.admits(self._loop.time()):
            refusal = self.limit.answer()
            return Reply(refusal.status, refusal.headers, refusal.body if isinstance(refusal.body, bytes) else b"")
        self.accepted += 1
        return Reply(200, JSON, PAGE)


def feed() -> Call:
    contacts = find_resource("contacts")
    return page_call(contacts, contacts.endpoints[0], date(2026, 1, 1), date(2026, 2, 1), 1, 500)


async def repeat(client: ApiClient) -> None:
    while True:
        await client.fetch(feed())


@pytest.mark.parametrize("window", ["sliding", "fixed"])
@pytest.mark.parametrize("body", ["text", "empty"])
@pytest.mark.parametrize("others", [10, 20, 30])
def test_most_of_what_another_integration_leaves_is_used_and_few_calls_are_refused(
    window: str, body: str, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(loop: VirtualLoop) -> LimitedServer:
        server = LimitedServer(AccountLimit.parse(f"60/{WINDOW:g},{window},{body},others={others}"), loop)
        monkeypatch.setattr(client_module, "Transport", lambda *_: server)
        monkeypatch.setattr(client_module, "choose_store", lambda *_: MemoryStore(loop.time))
        settings = Settings(_env_file=None, **CREDENTIALS)
        client = ApiClient(settings, clock=loop.time, random=random.Random(1))
        with pytest.raises(TimeoutError):
            async with client, asyncio.timeout(WINDOWS * WINDOW):
                await asyncio.gather(*(repeat(client) for _ in range(settings.etl_concurrency)))
        return server

    server = play(scene)
    refused, left = server.limit.refused, WINDOWS * 60 - server.limit.taken_by_others
    assert server.accepted / left >= 0.8
    assert refused / (server.accepted + refused) <= 0.03
    assert server.logins == 1, "no refusal costs a token"
