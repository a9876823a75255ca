"""The client: its requests, its tokens, and a whole run against the simulator."""

import asyncio
import base64
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from client_bench import CREDENTIALS, HTML, QUICK, Use, against, details, feed
from scripted_api import ScriptedApi, Step, answer, cut, page, token

from etl.api.client import ApiClient
from etl.api.protocol import Answer, page_call
from etl.config.settings import Settings
from etl.errors import ApiUnavailable, CredentialsRefused, SettingsError, UnexpectedResponse
from etl.resources import find_resource
from etl.simulator import Simulator, SimulatorSettings

pytestmark = pytest.mark.timeout(30)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own proxies and authorities out of the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(seed=1, contacts=40, port=0)) as served:
        yield served


def at(simulator: Simulator, use: Use, **overrides: Any) -> Any:
    settings = Settings(
        _env_file=None,
        **{
            "etl_rate": 0,
            "qqcatalyst_api_url": simulator.api_url,
            "qqcatalyst_token_url": simulator.token_url,
            **CREDENTIALS,
            **overrides,
        },
    )

    async def run() -> Any:
        async with ApiClient(settings) as client:
            return await use(client)

    return asyncio.run(run())


def test_a_page_comes_with_all_that_the_ledger_keeps_of_it(simulator: Simulator) -> None:
    contacts = find_resource("contacts")
    call = page_call(contacts, contacts.endpoints[0], date(2000, 1, 1), date(2100, 1, 1), 1, 500)

    async def use(client: ApiClient) -> tuple[Answer, ApiClient]:
        return await client.fetch(call), client

    got, client = at(simulator, use)
    number = len(simulator.world.contacts)  # customers, carriers and staff
    assert (got.status, got.attempts, got.page.total, len(got.page.items)) == (200, 1, number, number)
    assert got.milliseconds > 0
    assert abs(got.requested_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert (client.traffic.calls, client.traffic.logins, client.traffic.retries) == (1, 1, 0)
    assert client.traffic.received_bytes == len(got.body)


def test_many_calls_at_once_share_one_token(simulator: Simulator) -> None:
    simulator.requests.clear()

    async def use(client: ApiClient) -> list[Answer]:
        return await asyncio.gather(*(client.fetch(feed()) for _ in range(30)))

    assert len(at(simulator, use, etl_concurrency=4)) == 30
    assert sum("oauth" in str(request) for request in simulator.requests) == 1


def test_tokens_that_expire_in_mid_run_cost_no_page(simulator: Simulator) -> None:
    async def use(client: ApiClient) -> list[int]:
        statuses = []
        for _ in range(3):
            statuses.append((await client.fetch(feed())).status)
            simulator.expire_tokens()
        return [*statuses, client.traffic.logins]

    assert at(simulator, use) == [200, 200, 200, 3]


def test_wrong_credentials_are_refused_after_one_request(simulator: Simulator) -> None:
    simulator.requests.clear()
    with pytest.raises(CredentialsRefused) as error:
        at(simulator, lambda client: client.fetch(feed()), qqcatalyst_password="wrong-password")
    assert "wrong-password" not in str(error.value)
    assert len(simulator.requests) == 1


@pytest.mark.fact("enterprise-key")
def test_enterprise_access_needs_no_user(simulator: Simulator) -> None:
    overrides = {"qqcatalyst_auth": "enterprise", "qqcatalyst_username": None, "qqcatalyst_password": None}
    assert at(simulator, lambda client: client.fetch(feed("drivers")), **overrides).status == 200


def test_a_request_says_who_asks_and_what_for() -> None:
    outcome = against(ScriptedApi([page(1)]), feed())
    (request,) = outcome.api.calls()
    assert (
        request.target
        == "/v1/Contacts/LastModifiedCreated?startDate=2026-01-01&endDate=2026-02-01&pageNumber=1&pageSize=500"
    )
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("qqcatalyst-etl/")
    assert request.headers["authorization"] == "Bearer t"
    (login,) = outcome.api.logins()
    assert parse_qs(login.body.decode())["grant_type"] == ["password"]


def test_no_more_calls_are_under_way_than_the_setting_allows() -> None:
    under_way, most = 0, 0

    async def slow(writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        writer.write(page(1))
        await writer.drain()

    async def use(client: ApiClient) -> list[Answer]:
        return await asyncio.gather(*(client.fetch(feed()) for _ in range(20)))

    assert len(against(ScriptedApi([slow]), use=use, etl_concurrency=3).result) == 20
    assert most == 3


def test_a_search_is_posted_as_json() -> None:
    outcome = against(ScriptedApi([page()]), feed("commission_rules"))
    (request,) = outcome.api.calls()
    assert (request.method, request.headers["content-type"], request.body) == (
        "POST",
        "application/json",
        b'{"PageNo":1,"PageSize":500}',
    )


def test_an_id_with_a_slash_stays_in_its_place() -> None:
    outcome = against(ScriptedApi([answer(200, [])]), details(parent_id="../1?x"))
    assert outcome.api.calls()[0].target == "/v1/Policies/..%2F1%3Fx/Quotes"


@pytest.mark.fact("credentials")
def test_missing_credentials_are_named_before_anything_is_sent() -> None:
    api = ScriptedApi([page(1)])
    with pytest.raises(SettingsError, match="QQCATALYST_USERNAME, QQCATALYST_PASSWORD"):
        against(api, feed(), qqcatalyst_username=None, qqcatalyst_password=None)
    assert not api.asked


def test_a_token_is_renewed_before_it_expires_and_the_refresh_token_is_the_newest() -> None:
    now = [0.0]
    api = ScriptedApi(
        [page(1)], [token("a", 600, refresh_token="r1"), token("b", 600, refresh_token="r2"), token("c", 600)]
    )

    async def run() -> list[str]:
        async with api:
            settings = Settings(
                _env_file=None,
                etl_rate=0,
                qqcatalyst_api_url=f"{api.address}/v1",
                qqcatalyst_token_url=f"{api.address}/oauth/token",
                **CREDENTIALS,
            )
            async with ApiClient(settings, clock=lambda: now[0], limits=QUICK) as client:
                for now[0] in (0, 500, 545, 1090):
                    await client.fetch(feed())
        return [request.headers["authorization"] for request in api.calls()]

    assert asyncio.run(run()) == ["Bearer a", "Bearer a", "Bearer b", "Bearer c"]
    refreshes = [parse_qs(login.body.decode()) for login in api.logins()[1:]]
    assert [form["refresh_token"] for form in refreshes] == [["r1"], ["r2"]]
    assert base64.b64decode(api.logins()[1].headers["authorization"].removeprefix("Basic ")) == b"demo:demo-secret"


@pytest.mark.parametrize(
    "trouble",
    [
        answer(500),
        answer(503),
        answer(429),
        answer(403, b"<html>Request blocked</html>"),
        answer(400, {"error": "temporarily_unavailable"}),
        HTML,
        answer(200, {}),
        answer(200, b"{"),
        answer(302, Location="https://x.example/"),
        cut(b""),
    ],
)
def test_trouble_at_the_token_address_is_waited_out(trouble: Step) -> None:
    outcome = against(ScriptedApi([page(1)], [trouble, trouble, token()]), feed())
    assert outcome.ids
    assert (len(outcome.api.logins()), len(outcome.slept)) == (3, 2)


@pytest.mark.parametrize("sentence", [b"Maximum admitted 60 requests per Minute", b""])
def test_the_call_limit_at_the_token_address_is_waited_for_one_window(sentence: bytes) -> None:
    refusal = answer(401 if sentence else 429, sentence)
    outcome = against(
        ScriptedApi([page(1)], [refusal, refusal, token()]), feed(), etl_rate=None, etl_rate_limit="60/6s"
    )
    assert outcome.ids
    assert len(outcome.api.logins()) == 3
    assert [seconds for seconds in outcome.slept if seconds >= 6][:2] == pytest.approx([6.5, 6.5], abs=0.5)


def test_tries_for_a_token_do_not_multiply_with_tries_for_a_page() -> None:
    outcome = against(ScriptedApi([page(1)], [answer(500)]), feed())
    assert isinstance(outcome.result, ApiUnavailable)
    assert (len(outcome.api.logins()), len(outcome.api.calls())) == (5, 0)


@pytest.mark.parametrize("seconds", [None, "120", 0, -5, "soon"])
def test_odd_lives_of_tokens_do_not_end_in_a_loop(seconds: object) -> None:
    outcome = against(ScriptedApi([page(1)], [token(seconds=seconds)]), feed(), feed())
    assert len(outcome.api.logins()) == 1


def test_an_unusable_type_of_token_is_reported() -> None:
    outcome = against(ScriptedApi([page(1)], [answer(200, {"access_token": "x", "token_type": "mac"})]), feed())
    assert isinstance(outcome.result, UnexpectedResponse)
