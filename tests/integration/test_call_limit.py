"""The call limit against the simulator: one window for threads, processes and runs, however the limit is said."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from client_bench import CREDENTIALS, QUICK, feed
from sqlalchemy import Engine, text

from etl.api.client import ApiClient
from etl.api.rate_limit.stores import FileStore, decode_state
from etl.config.settings import Settings
from etl.errors import QuotaSpent
from etl.ledger.transaction import Ledger
from etl.simulator import Simulator, SimulatorSettings

pytestmark = pytest.mark.timeout(120)

#: The vendor's 60 calls a minute, of which two are left over, in a window of a second.
ALLOWED, SET = "60/1", "58/1s"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own proxies out of the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextmanager
def limited(form: str = ALLOWED, **settings: Any) -> Iterator[Simulator]:
    """Give a simulator that limits the account."""
    with Simulator(SimulatorSettings(contacts=5, faults=(f"account-limit:{form}",), **settings)) as simulator:
        yield simulator


def statuses(simulator: Simulator, path: str = "/v1/") -> list[int]:
    return [request.status for request in simulator.requests if request.path.startswith(path)]


def settings_of(simulator: Simulator, **more: Any) -> Settings:
    arguments = {"etl_rate_limit": SET, "etl_tenant": "limited", **CREDENTIALS, **more}
    return Settings(
        _env_file=None, qqcatalyst_api_url=simulator.api_url, qqcatalyst_token_url=simulator.token_url, **arguments
    )


def client_of(simulator: Simulator, engine: Engine | None, **more: Any) -> ApiClient:
    settings = settings_of(simulator, **more)
    return ApiClient(settings, ledger=Ledger(engine, settings.etl_tenant) if engine else None, limits=QUICK)


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(work())


async def fetch_all(client: ApiClient, calls: int) -> None:
    """Fetch one page this many times, as many at once as the client allows."""
    async with client:
        await asyncio.gather(*(client.fetch(feed()) for _ in range(calls)))


def test_an_idle_account_answers_a_small_sync_at_once(engine: Engine) -> None:
    with limited("60/60") as simulator:
        begun = time.monotonic()
        run(lambda: fetch_all(client_of(simulator, engine, etl_rate_limit="58/60s"), 20))
        assert time.monotonic() - begun < 5
    assert statuses(simulator) == [200] * 20


@pytest.mark.parametrize("form", ["text", "json", "html", "empty", "fixed,text", "fixed,json", "fixed,empty"])
def test_a_limit_that_is_lower_than_the_setting_costs_waits_and_no_token(engine: Engine, form: str) -> None:
    with limited(f"20/1,{form}") as simulator:
        run(lambda: fetch_all(client_of(simulator, engine, etl_rate_limit="30/1s"), 100))
    assert statuses(simulator, "/v1/Contacts").count(200) == 100
    assert len(statuses(simulator, "/oauth")) == 1


def test_the_limit_is_never_exceeded_and_nearly_all_of_it_is_used(engine: Engine) -> None:
    windows, begun = 6, time.monotonic()
    with limited() as simulator:
        run(lambda: fetch_all(client_of(simulator, engine), 58 * windows))
        seconds = time.monotonic() - begun
    assert statuses(simulator) == [200] * (58 * windows)
    assert seconds < 1.5 * windows


def test_a_run_that_follows_within_the_window_continues_counting(engine: Engine) -> None:
    with limited("60/3") as simulator:
        for _ in range(2):
            run(lambda: fetch_all(client_of(simulator, engine, etl_rate_limit="58/3s"), 50))
    assert statuses(simulator) == [200] * 100


def test_two_tenants_of_one_account_share_its_limit(engine: Engine) -> None:
    with limited() as simulator:

        async def work() -> None:
            tenants = [client_of(simulator, engine, etl_tenant=name) for name in ("north", "south")]
            await asyncio.gather(*(fetch_all(client, 100) for client in tenants))

        run(work)
    assert statuses(simulator) == [200] * 200
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM etl.call_limits")).scalar_one() == 1


@pytest.mark.fact("limit-account")
def test_the_key_is_that_of_the_account_or_of_the_client(tmp_path: Path) -> None:
    with limited() as simulator:
        account, other = (settings_of(simulator, qqcatalyst_username=name) for name in ("one", "other"))
        assert account.account_key != other.account_key
        wide = [settings_of(simulator, qqcatalyst_username=n, etl_rate_limit_shared="client") for n in ("one", "other")]
        assert len({settings.account_key for settings in wide}) == 1
        assert "demo" not in account.account_key


@pytest.mark.parametrize("denial", ["json", "empty", "invalid_token"])
def test_a_token_that_dies_at_the_limit_is_renewed_once(engine: Engine, denial: str) -> None:
    with limited("20/1,empty", denial=denial) as simulator:

        async def work() -> int:
            async with client_of(simulator, engine, etl_rate_limit="30/1s") as client:
                for _ in range(2):
                    await asyncio.gather(*(client.fetch(feed()) for _ in range(40)))
                    simulator.expire_tokens()
                await asyncio.gather(*(client.fetch(feed()) for _ in range(40)))
                return client.traffic.logins

        logins = run(work)
    assert statuses(simulator, "/v1/Contacts").count(200) == 120
    assert 3 <= logins <= 4


def test_a_limit_that_lets_nothing_through_ends_the_run_resumable(engine: Engine) -> None:
    with limited("1/3600") as simulator:

        async def work() -> None:
            async with client_of(simulator, engine, etl_rate_limit="5/1s") as client:
                await asyncio.gather(*(client.fetch(feed()) for _ in range(3)))

        with pytest.raises(QuotaSpent, match="call limit is used up until") as error:
            run(work)
    assert error.value.exit_status == 1
    assert len(statuses(simulator, "/oauth")) == 1


def test_without_a_database_a_locked_file_counts_and_the_database_takes_it_over(engine: Engine, tmp_path: Path) -> None:
    overrides = {"etl_data_dir": tmp_path, "etl_rate_limit": "58/3s"}
    with limited("60/3") as simulator:
        run(lambda: fetch_all(client_of(simulator, None, **overrides), 40))
        (file,) = tmp_path.glob("call-limit-*.json")
        assert len(decode_state(file.read_bytes()).permits) == 40
        assert file.stat().st_mode & 0o077 == 0
        run(lambda: fetch_all(client_of(simulator, engine, **overrides), 40))
    assert not file.exists()
    assert statuses(simulator) == [200] * 80


def test_a_broken_file_counts_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "call-limit.json"
    path.write_text("{")
    assert asyncio.run(FileStore(path).change(lambda state, _: (state, len(state.permits)))) == 0


def test_no_limit_costs_no_statement(engine: Engine) -> None:
    with Simulator(SimulatorSettings(contacts=5)) as simulator:
        run(lambda: fetch_all(client_of(simulator, engine, etl_rate_limit="off"), 30))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM etl.call_limits")).scalar_one() == 0


WORKER = """
import asyncio, sys
from client_bench import feed
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.api.client import ApiClient
from etl.ledger.transaction import Ledger

async def work():
    settings = Settings.load()
    engine = make_engine(settings.database_url.get_secret_value())
    async with ApiClient(settings, ledger=Ledger(engine, settings.etl_tenant)) as client:
        await client.sign_in()
        print("ready", flush=True)
        await asyncio.gather(*(client.fetch(feed()) for _ in range(int(sys.argv[1]))))
    engine.dispose()

asyncio.run(work())
"""


@contextmanager
def workers(simulator: Simulator, url: str, number: int, calls: int) -> "Iterator[list[subprocess.Popen[str]]]":
    """Give processes that each make this many calls."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join((str(Path.cwd()), str(Path(__file__).parent))),
        "DATABASE_URL": url,
        "QQCATALYST_API_URL": simulator.api_url,
        "QQCATALYST_TOKEN_URL": simulator.token_url,
        "ETL_RATE_LIMIT": "58/6s",
        "ETL_TENANT": "limited",
        **{name.upper(): value for name, value in CREDENTIALS.items()},
    }
    command = [sys.executable, "-c", WORKER, str(calls)]
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(number)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_four_processes_share_one_window(database_url: str) -> None:
    with limited("60/6") as simulator, workers(simulator, database_url, 4, 40) as processes:
        assert [process.wait() for process in processes] == [0] * 4
    assert set(statuses(simulator)) == {200}
    assert len(statuses(simulator)) == 4 * 41
    assert len(statuses(simulator, "/oauth")) == 1


def test_a_killed_run_and_the_one_after_it_share_a_window(database_url: str) -> None:
    with limited("60/6", latency=0.05) as simulator:
        with workers(simulator, database_url, 1, 40) as (first,):
            while len(simulator.requests) < 30:
                time.sleep(0.01)
            first.send_signal(signal.SIGKILL)
            first.wait()
        with workers(simulator, database_url, 1, 60) as (second,):
            assert second.wait() == 0
    assert set(statuses(simulator)) == {200}
