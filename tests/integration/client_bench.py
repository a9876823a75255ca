"""A client against a scripted server: what it made of each call. Its waits pass by themselves, in a time of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from scripted_api import ScriptedApi, answer

from etl.api.client import ApiClient
from etl.api.protocol import Answer, Call, page_call, parent_call
from etl.api.transport import Limits
from etl.config.settings import Settings
from etl.resources import find_resource

CREDENTIALS: dict[str, Any] = {
    "qqcatalyst_client_id": "demo",
    "qqcatalyst_client_secret": "demo-secret",
    "qqcatalyst_username": "demo",
    "qqcatalyst_password": "demo-password",
}
QUICK = Limits(total=2.0, connect=1.0, read=1.0, size=100_000)
UNAUTHORIZED = answer(401, {"Message": "no"})
HTML = answer(200, b"<html>log in</html>", Content_Type="text/html")


def feed(name: str = "contacts", number: int = 1) -> Call:
    resource = find_resource(name)
    return page_call(resource, resource.endpoints[0], date(2026, 1, 1), date(2026, 2, 1), number, 500)


def details(name: str = "quotes", parent_id: str = "88") -> Call:
    resource = find_resource(name)
    return parent_call(resource, resource.endpoints[0], parent_id)


@dataclass
class Seen:
    """What a client made of a script."""

    api: ScriptedApi
    client: ApiClient
    results: list[Any] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def result(self) -> Any:
        (result,) = self.results
        return result

    @property
    def ids(self) -> list[bytes]:
        assert isinstance(self.result, Answer), self.result
        return self.result.page.items


Use = Callable[[ApiClient], Awaitable[Any]]


def against(
    api: ScriptedApi, *calls: Call, limits: Limits = QUICK, seed: int = 1, use: Use | None = None, **overrides: Any
) -> Seen:
    """Fetch calls one after the other from a scripted server, and return what came of each: an answer or an error."""

    async def run() -> Seen:
        async with api:
            slept: list[float] = []
            time = [1000.0]

            async def sleep(seconds: float) -> None:
                slept.append(seconds)
                time[0] += seconds
                await asyncio.sleep(0)

            addresses = {
                "qqcatalyst_api_url": f"{api.address}/v1",
                "qqcatalyst_token_url": f"{api.address}/oauth/token",
            }
            settings = Settings(_env_file=None, **{"etl_rate": 0, **addresses, **CREDENTIALS, **overrides})
            clocks: dict[str, Any] = {"sleep": sleep, "clock": lambda: time[0]}
            async with ApiClient(settings, random=Random(seed), limits=limits, **clocks) as client:
                outcome = Seen(api, client, slept=slept)
                for work in [client.fetch(call) for call in calls] if use is None else [use(client)]:
                    try:
                        outcome.results.append(await work)
                    except Exception as error:  # noqa: BLE001 (the result that is looked at)
                        outcome.results.append(error)
                return outcome

    return asyncio.run(run())
