"""One token for all workers of a tenant: kept before it is used, renewed by one of them, in threads and processes."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import pytest
from client_bench import CREDENTIALS, QUICK, UNAUTHORIZED, feed
from scripted_api import ScriptedApi, answer, page, token
from sqlalchemy import Engine, text

from etl.api.auth import credentials as renewal
from etl.api.client import ApiClient
from etl.api.connection import connected
from etl.config.settings import Settings
from etl.errors import DatabaseNotReady, EtlError
from etl.ledger.transaction import Ledger
from etl.simulator import Simulator, SimulatorSettings

TENANT = "shared"
INVALID_TOKEN = answer(401, {"Message": "no"}, WWW_Authenticate='Bearer error="invalid_token"')


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own proxies out of the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(contacts=5)) as served:
        yield served


def settings_of(address: str, **more: Any) -> Settings:
    urls = {"qqcatalyst_api_url": f"{address}/v1", "qqcatalyst_token_url": f"{address}/oauth/token"}
    return Settings(_env_file=None, **{"etl_rate": 0, "etl_tenant": TENANT, **urls, **CREDENTIALS, **more})


async def once(api: ScriptedApi, engine: Engine, **more: Any) -> str:
    """Let a new client fetch one page, and return how that ended."""
    client_options = {name: more.pop(name) for name in ("clock",) if name in more}
    settings = settings_of(api.address, **more)
    try:
        async with ApiClient(settings, ledger=Ledger(engine, TENANT), limits=QUICK, **client_options) as client:
            await client.fetch(feed())
    except EtlError as error:
        return f"{type(error).__name__}: {error}"
    return "fetched"


def script(api: ScriptedApi, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        async with api:
            return await work()

    return asyncio.run(run())


def row(engine: Engine) -> Any:
    with engine.connect() as connection:
        return connection.execute(text("SELECT * FROM etl.tokens WHERE tenant = :tenant"), {"tenant": TENANT}).one()


def change(engine: Engine, what: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE etl.tokens SET {what} WHERE tenant = :tenant"), {"tenant": TENANT})


def logins(api: ScriptedApi) -> list[str]:
    """Return how each token was asked for: by `password`, or the refresh token."""
    forms = [parse_qs(login.body.decode()) for login in api.logins()]
    return [form.get("refresh_token", ["password"])[0] for form in forms]


def test_the_next_process_continues_with_the_token_of_the_one_before(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [token("a", refresh_token="r1")])

    async def work() -> list[str]:
        return [await once(api, engine) for _ in range(3)]

    assert script(api, work) == ["fetched"] * 3
    assert logins(api) == ["password"]
    assert {request.headers["authorization"] for request in api.calls()} == {"Bearer a"}


def test_a_token_that_is_due_is_refreshed_and_the_rotated_refresh_token_is_the_next_ones(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [token(name, refresh_token=f"r-{name}") for name in ("a", "b", "c")])

    async def work() -> list[str]:
        ended = []
        for _ in range(3):
            ended.append(await once(api, engine))
            change(engine, "renew_at = now()")
        return ended

    assert script(api, work) == ["fetched"] * 3
    assert logins(api) == ["password", "r-a", "r-b"]
    assert [request.headers["authorization"] for request in api.calls()] == ["Bearer a", "Bearer b", "Bearer c"]


@pytest.mark.fact("token-refresh")
def test_a_rotated_refresh_token_is_committed_before_a_call_uses_the_token_that_came_with_it(engine: Engine) -> None:
    numbers: list[int] = []

    async def look(writer: asyncio.StreamWriter) -> None:
        numbers.append(await asyncio.to_thread(lambda: row(engine).number))
        writer.write(page(1))
        await writer.drain()

    api = ScriptedApi([look], [token(name, refresh_token=f"r-{name}") for name in ("a", "b")])

    async def work() -> None:
        await once(api, engine)
        change(engine, "renew_at = now()")
        await once(api, engine)

    script(api, work)
    assert numbers == [1, 2]


def test_a_token_that_could_not_be_kept_is_not_used(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: Any, **__: Any) -> bool:
        raise DatabaseNotReady("no right")

    monkeypatch.setattr("etl.ledger.account.tokens.save_token", lost)
    api = ScriptedApi([page(1)], [token("a", refresh_token="r1")])
    assert script(api, lambda: once(api, engine)).startswith("DatabaseNotReady")
    assert (api.calls(), logins(api)) == ([], ["password"])
    assert (row(engine).number, row(engine).claimed_until) == (0, None)


def test_nothing_is_readable_at_rest(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [token("access-mark", refresh_token="refresh-mark")])
    script(api, lambda: once(api, engine))
    stored = repr(row(engine))
    assert not any(word in stored for word in ("mark", "demo-secret", "demo-password"))
    assert bytes(row(engine).sealed) not in (b"", None)


@pytest.mark.parametrize("changed", ["sealed = 'garbage'", "sealed = NULL", "account = 'other'", "salt = 'another'"])
def test_a_token_that_cannot_be_read_any_more_is_as_if_there_were_none(engine: Engine, changed: str) -> None:
    api = ScriptedApi([page(1)], [token("a"), token("b")])

    async def work() -> list[str]:
        first = await once(api, engine)
        change(engine, changed)
        return [first, await once(api, engine), await once(api, engine)]

    assert script(api, work) == ["fetched"] * 3
    assert logins(api) == ["password"] * 2


def test_other_credentials_never_use_the_token_of_the_first(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [token("a"), token("b")])

    async def work() -> list[str]:
        return [await once(api, engine), await once(api, engine, qqcatalyst_username="another")]

    assert script(api, work) == ["fetched"] * 2
    assert [request.headers["authorization"] for request in api.calls()] == ["Bearer a", "Bearer b"]


def test_a_refused_refresh_token_is_sent_once_and_the_password_instead(engine: Engine) -> None:
    refusal = answer(400, {"error": "invalid_grant"})
    api = ScriptedApi([page(1)], [token("a", refresh_token="r1"), refusal, answer(400, {"error": "invalid_grant"})])

    async def work() -> list[str]:
        first = await once(api, engine)
        change(engine, "renew_at = now()")
        second = await once(api, engine)
        change(engine, "refused_until = NULL")
        return [first, second[:18], (await once(api, engine))[:18]]

    assert script(api, work) == ["fetched", *["CredentialsRefused"] * 2]
    assert logins(api) == ["password", "r1", "password", "password"]


def test_refused_credentials_are_not_sent_again_by_the_next_process(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [answer(400, {"error": "invalid_grant"})])

    async def work() -> list[str]:
        return [await once(api, engine) for _ in range(3)]

    first, *later = script(api, work)
    assert "Check QQCATALYST_USERNAME and QQCATALYST_PASSWORD" in first
    assert all("Check QQCATALYST_USERNAME" in message and "UPDATE etl.tokens" in message for message in later)
    assert (logins(api), api.calls()) == (["password"], [])


def test_corrected_credentials_are_sent_at_once(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [answer(400, {"error": "invalid_grant"}), token("a")])

    async def work() -> list[str]:
        return [await once(api, engine, qqcatalyst_password="mistyped"), await once(api, engine)]

    first, second = script(api, work)
    assert (first.partition(":")[0], second) == ("CredentialsRefused", "fetched")
    assert (row(engine).refusals, row(engine).refused_until) == (0, None)


def test_refused_credentials_rest_longer_after_each_refusal(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [answer(400, {"error": "unauthorized_client"})])
    rests: list[float] = []

    async def work() -> None:
        for _ in range(6):
            await once(api, engine)
            with engine.connect() as connection:
                left = "SELECT extract(epoch FROM refused_until - now())::float8 FROM etl.tokens"
                rests.append(connection.execute(text(left)).scalar_one())
            change(engine, "refused_until = now()")

    script(api, work)
    assert [round(rest / 900) for rest in rests] == [1, 4, 16, 64, 96, 96]
    assert len(logins(api)) == 6


def test_a_renewal_of_another_worker_is_waited_for(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [token("a"), token("b")])

    async def work() -> str:
        await once(api, engine)
        change(engine, "renew_at = now(), claimant = 'another', claimed_until = now() + interval '1 minute'")
        waiting = asyncio.create_task(once(api, engine))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        change(engine, "number = number + 1, renew_at = now() + interval '1 hour', claimed_until = NULL")
        return await waiting

    assert script(api, work) == "fetched"
    assert logins(api) == ["password"]


def test_a_claim_of_a_worker_that_died_runs_out(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [token("a"), token("b")])

    async def work() -> str:
        await once(api, engine)
        change(engine, "renew_at = now(), claimant = 'dead', claimed_until = now() + interval '0.3 seconds'")
        return await once(api, engine)

    assert script(api, work) == "fetched"
    assert [request.headers["authorization"] for request in api.calls()] == ["Bearer a", "Bearer b"]


def test_a_worker_that_was_thought_dead_does_not_overwrite_its_successors_token(engine: Engine) -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        change(engine, "claimant = 'successor', number = number + 1, claimed_until = NULL")
        writer.write(token("late"))
        await writer.drain()

    api = ScriptedApi([page(1)], [slow, token("b")])
    assert script(api, lambda: once(api, engine)) == "fetched"
    assert api.calls()[0].headers["authorization"] == "Bearer b"
    assert row(engine).number == 2


def test_a_claim_is_kept_alive_while_the_token_address_is_slow(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "HEARTBEAT", 0.05)
    left: list[float] = []

    def look() -> float:
        with engine.connect() as connection:
            seconds = "SELECT extract(epoch FROM claimed_until - now())::float8 FROM etl.tokens"
            return float(connection.execute(text(seconds)).scalar_one())

    async def slow(writer: asyncio.StreamWriter) -> None:
        left.append(look())
        change(engine, "claimed_until = now() + interval '1 second'")
        for _ in range(500):
            if look() > 10:
                break
            await asyncio.sleep(0.02)
        left.append(look())
        writer.write(token("a"))
        await writer.drain()

    api = ScriptedApi([page(1)], [slow])
    assert script(api, lambda: once(api, engine)) == "fetched"
    assert all(seconds > 10 for seconds in left)


@pytest.mark.parametrize("refused", [False, True])
def test_many_clients_at_once_make_one_renewal(engine: Engine, refused: bool) -> None:
    old, new = token("a", refresh_token="r1"), token("b", refresh_token="r2")
    api = ScriptedApi([page(1)], [old, new, token("c")], by_key={"Bearer a": INVALID_TOKEN} if refused else {})

    async def work() -> list[str]:
        if not refused:
            await once(api, engine)
            change(engine, "renew_at = now()")
        return list(await asyncio.gather(*(once(api, engine) for _ in range(4))))

    assert script(api, work) == ["fetched"] * 4
    assert logins(api) == (["password", "password"] if refused else ["password", "r1"])


def test_when_all_is_refused_to_all_clients_one_token_is_asked_for(engine: Engine) -> None:
    api = ScriptedApi([UNAUTHORIZED], [token("a"), token("b"), token("c")])

    async def together() -> list[str]:
        clients = [ApiClient(settings_of(api.address), ledger=Ledger(engine, TENANT), limits=QUICK) for _ in range(3)]
        for client in clients:
            await client.__aenter__()
        try:
            ended = await asyncio.gather(*(client.fetch(feed()) for client in clients), return_exceptions=True)
        finally:
            for client in clients:
                await client.__aexit__(None, None, None)
        return [type(result).__name__ for result in ended]

    assert script(api, together) == ["CredentialsRefused"] * 3
    assert logins(api) == ["password"]


def test_a_refused_token_is_not_used_again_by_the_next_run(engine: Engine) -> None:
    """Only a fresh token that has opened nothing is refused: that of an earlier run is not fresh."""
    api = ScriptedApi([UNAUTHORIZED], [token("a"), token("b"), token("c")], by_key={"Bearer c": page(1)})

    async def work() -> list[str]:
        ended = [(await once(api, engine)).partition(":")[0] for _ in range(3)]
        assert len(logins(api)) == 2, "if all tokens are refused, not every run requests one"
        change(engine, "doubted_until = now()")
        return [*ended, *[(await once(api, engine)).partition(":")[0] for _ in range(2)]]

    assert script(api, work) == ["CredentialsRefused"] * 4 + ["fetched"]
    assert len(logins(api)) == 3


def test_a_refused_password_is_never_sent_again_by_itself(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [answer(400, {"error": "invalid_grant"})])

    async def work() -> str:
        await once(api, engine)
        return await once(api, engine)

    message = script(api, work)
    assert "not sent again until you change them" in message
    assert logins(api) == ["password"]


def test_an_unclear_answer_is_sent_once_a_run_and_rests_after_the_third_in_a_row(engine: Engine) -> None:
    api = ScriptedApi([page(1)], [answer(400, {"error": "odd"})])

    async def work() -> list[str]:
        return [(await once(api, engine)).partition(":")[0] for _ in range(5)]

    assert script(api, work) == ["UnclearAnswer", "UnclearAnswer", *["CredentialsRefused"] * 3]
    assert len(logins(api)) == 3


@pytest.mark.fact("token-basic-header")
def test_the_way_in_which_the_client_was_taken_is_remembered(engine: Engine) -> None:
    answers = [answer(401, {"error": "invalid_client"}), token("a"), token("b")]
    api = ScriptedApi([page(1)], answers)

    async def work() -> list[str]:
        first = await once(api, engine)
        change(engine, "renew_at = now()")
        return [first, await once(api, engine)]

    assert script(api, work) == ["fetched"] * 2
    assert ["authorization" in login.headers for login in api.logins()] == [False, True, True]


def test_a_token_that_opened_something_in_the_last_hour_is_never_declared_refused(engine: Engine) -> None:
    api = ScriptedApi([page(1), UNAUTHORIZED], [token("a"), token("b"), token("c")])

    async def work() -> list[str]:
        return [(await once(api, engine)).partition(":")[0] for _ in range(2)]

    assert script(api, work) == ["fetched", "QuotaSpent"]
    assert len(logins(api)) == 2


WORKER = """
import asyncio, json, sys
from client_bench import feed
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.api.client import ApiClient
from etl.ledger.transaction import Ledger

async def work():
    settings = Settings.load()
    engine = make_engine(settings.database_url.get_secret_value())
    async with ApiClient(settings, ledger=Ledger(engine, settings.etl_tenant)) as client:
        print(json.dumps("ready"), flush=True)
        for line in sys.stdin:
            answer = await client.fetch(feed())
            print(json.dumps([answer.status, client.traffic.logins]), flush=True)
    engine.dispose()

asyncio.run(work())
"""


def test_processes_share_one_token_and_a_401_that_all_see_makes_one_renewal(
    database_url: str, simulator: Simulator
) -> None:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join((os.getcwd(), os.path.dirname(__file__))),  # noqa: PTH109, PTH120
        "DATABASE_URL": database_url,
        "QQCATALYST_API_URL": simulator.api_url,
        "QQCATALYST_TOKEN_URL": simulator.token_url,
        "ETL_TENANT": TENANT,
        "ETL_RATE": "0",
        **{name.upper(): value for name, value in CREDENTIALS.items()},
    }
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]

    def ask(worker: "subprocess.Popen[str]", line: str = "go") -> Any:
        assert worker.stdin is not None
        assert worker.stdout is not None
        print(line, file=worker.stdin, flush=True)
        return json.loads(worker.stdout.readline() or "null")

    try:
        with ThreadPoolExecutor(len(workers)) as threads:
            assert [json.loads(process.stdout.readline()) for process in workers if process.stdout] == ["ready"] * 3
            first = list(threads.map(ask, workers))
            simulator.expire_tokens()
            second = list(threads.map(ask, workers))
    finally:
        for process in workers:
            process.communicate()
    assert [status for status, _ in first + second] == [200] * 6
    assert (sum(count for _, count in first), sum(count for _, count in second)) == (1, 2)


def test_threads_with_a_connection_each_share_one_token(engine: Engine, simulator: Simulator) -> None:
    settings = settings_of(simulator.base_url)
    simulator.requests.clear()
    together = threading.Barrier(3)

    def work(_: int) -> int:
        together.wait(timeout=30)
        with connected(settings, engine=engine) as api:
            return api.event_loop.run(api.api.fetch(feed())).status

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(work, range(3))) == [200] * 3
    assert sum(request.path == "/oauth/token" for request in simulator.requests) == 1


def test_no_token_is_asked_for_while_a_transaction_is_open(engine: Engine) -> None:
    idle: list[int] = []

    async def look(writer: asyncio.StreamWriter) -> None:
        def open_transactions() -> int:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            with engine.connect() as connection:
                return int(connection.execute(text(query)).scalar_one())

        idle.append(await asyncio.to_thread(open_transactions))
        writer.write(token("a"))
        await writer.drain()

    api = ScriptedApi([page(1)], [look])
    assert script(api, lambda: once(api, engine)) == "fetched"
    assert idle == [0]
