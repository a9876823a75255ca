"""The DAGs in Airflow: they parse, and a run does a complete sync; run twice, it makes no call twice."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import web
from airflow_home import DAGS, AirflowHome, account_settings, mail_settings
from mail_sink import mail_sink

from etl.api.retry_policy import RetryPolicy
from etl.config.agency import load_agency_settings
from etl.errors import SettingsError
from etl.resources import CATALOGUE
from etl.simulator import Simulator, SimulatorSettings

SYNC = "qqcatalyst_sync"

PARSE = """
import json, sys
before = set(sys.modules)
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
dags = {name: [dag.max_active_runs, dag.catchup, sorted(dag.task_ids)] for name, dag in bag.dags.items()}
heavy = [name for name in ("etl.resources", "etl.models", "etl.pipeline", "aiohttp") if name in sys.modules]
print()
print(json.dumps([bag.import_errors, dags, heavy]))
"""


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Give a simulator with a small agency."""
    with Simulator(SimulatorSettings(seed=20, contacts=10)) as served:
        yield served


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def parse_dags(home: AirflowHome) -> Any:
    """Return the result of parsing the DAGs in Airflow: errors, DAGs, and heavy modules that were imported."""
    return json.loads(home.run(sys.executable, "-c", PARSE, str(home.dags)).stdout.splitlines()[-1])


@pytest.mark.timeout(300)
def test_the_dags_parse_without_importing_the_catalogue(tmp_path: Path) -> None:
    errors, dags, heavy = parse_dags(AirflowHome(tmp_path, "sqlite://"))
    assert (errors, heavy) == ({}, [])
    assert set(dags) == {SYNC, "qqcatalyst_reconcile"}
    for most, catchup, tasks in dags.values():
        assert (most, catchup) == (1, False)
        assert {"begin", "wave_1.plan", "wave_1.read", "close", "verdict"} <= set(tasks)


@pytest.mark.timeout(300)
def test_several_agencies_have_one_run_each(tmp_path: Path) -> None:
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".env").write_text("QQCATALYST_USERNAME=somebody\n")
    (tmp_path / "airflow").mkdir()
    errors, dags, _ = parse_dags(AirflowHome(tmp_path / "airflow", "sqlite://", {"ETL_AGENCIES": str(tmp_path)}))
    assert errors == {}
    assert set(dags) == {
        SYNC, "qqcatalyst_reconcile", "qqcatalyst_agencies_sync", "qqcatalyst_agencies_reconcile"
    }  # fmt: skip
    assert dags["qqcatalyst_agencies_sync"][0] == 1
    assert dags[SYNC][0] == 2, "one run for each agency; its own lock keeps an agency to one"


def test_an_agency_has_its_own_settings_and_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    north = tmp_path / "north"
    north.mkdir()
    (tmp_path / "password").write_text("of north\n")
    (north / ".env").write_text(
        f"QQCATALYST_USERNAME=north\nQQCATALYST_PASSWORD_FILE={tmp_path}/password\nETL_RATE=3\n"
    )
    monkeypatch.setenv("QQCATALYST_USERNAME", "another")
    monkeypatch.setenv("QQCATALYST_CLIENT_ID", "of another")
    monkeypatch.setenv("ETL_RATE", "9")
    settings = load_agency_settings(north)
    assert settings.etl_tenant == "north"
    assert settings.etl_rate == 3
    assert settings.qqcatalyst_password is not None
    assert settings.qqcatalyst_password.get_secret_value() == "of north"
    assert settings.missing_credentials() == ["QQCATALYST_CLIENT_ID", "QQCATALYST_CLIENT_SECRET"]
    with pytest.raises(SettingsError, match="agency south does not exist"):
        load_agency_settings(tmp_path / "south")


@pytest.mark.timeout(400)
def test_a_run_in_one_process_on_sqlite_does_a_complete_sync(
    simulator: Simulator, database_url: str, tmp_path: Path
) -> None:
    home = AirflowHome(tmp_path, f"sqlite:///{tmp_path}/airflow.db", account_settings(simulator, database_url))
    home.migrate()
    run_and_check_sync(home, database_url, simulator)


@pytest.mark.timeout(400)
def test_a_run_in_one_process_on_postgresql_does_a_complete_sync(
    simulator: Simulator, database_url: str, metadata: str, tmp_path: Path
) -> None:
    run_and_check_sync(
        AirflowHome(tmp_path, metadata, account_settings(simulator, database_url)), database_url, simulator
    )


def run_and_check_sync(home: AirflowHome, database_url: str, simulator: Simulator) -> None:
    """Run the hourly DAG in one process and check its result."""
    run = home.dag_test(SYNC)
    assert run["state"] == "success", run
    assert set(run["tasks"].values()) == {"success"}
    assert rows(database_url, "SELECT status FROM etl.batches") == [("completed",)]
    done = rows(database_url, "SELECT resource FROM etl.batch_resources WHERE status = 'done'")
    default = {resource.name for resource in CATALOGUE if not resource.is_optional}
    assert {name for (name,) in done} == default - {"drivers", "vehicles", "endorsements"}, "without enterprise access"
    calls, _ = stored_traffic(database_url)
    assert calls == len(calls_of(simulator)) > 0, "the calls of all tasks"


def calls_of(simulator: Simulator) -> list[str]:
    """Return the API calls so far, without those for a token."""
    return [
        f"{request.path}?{request.query}" for request in simulator.requests if not request.path.startswith("/oauth/")
    ]


def stored_traffic(database_url: str) -> tuple[int, float]:
    """Return the number of calls and the seconds of waiting stored with the batches."""
    ((calls, waited),) = rows(database_url, "SELECT sum(calls), sum(waited_seconds) FROM etl.batches")
    return int(calls), float(waited)


@pytest.mark.timeout(400)
def test_airflow_does_not_multiply_the_retries_of_a_page_that_always_fails(
    simulator: Simulator, database_url: str, metadata: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: web.Request) -> web.Response | None:
        return web.Response(status=503) if is_the_page(request.path_qs) else None

    monkeypatch.setattr(simulator.server.faults, "of_request", answer)
    with mail_sink() as (sink, port):
        home = AirflowHome(tmp_path, metadata, account_settings(simulator, database_url) | mail_settings(port))
        run = home.dag_test(SYNC, resources=["locations"])
    assert sink.subjects == ["qqetl default: agencies and locations failed"], "only the end of the run sends an email"
    assert run["state"] == "failed"
    assert [name for name, state in run["tasks"].items() if state == "failed"] == ["verdict[-1]"]
    requests = calls_of(simulator)
    assert sum(map(is_the_page, requests)) == RetryPolicy().attempts
    calls, waited = stored_traffic(database_url)
    assert calls == len(requests)
    assert waited > RetryPolicy().first_pause / 2, "between the attempts"
    assert rows(database_url, "SELECT DISTINCT status FROM etl.batch_resources") == [("failed",)]


def is_the_page(call: str) -> bool:
    """Return whether a call is for the page that fails, a documented list without a date range that could be halved."""
    return call.partition("?")[0].endswith("/UserLocationsV2")


TWICE = """
import sys
from etl.dags import steps
from etl.dags.names import LEVELS

def whole_run():
    batch = steps.start_batch(None, "hourly/1", {}, full=False)
    for level in range(len(LEVELS)):
        for chunk in steps.plan_chunks(None, "hourly/1", batch, level):
            steps.process_chunk(None, "hourly/1", batch, chunk)
    tenant, summary = steps.close_batch(None, "hourly/1", batch)
    return batch, summary.exit_status

assert whole_run() == whole_run()
assert steps.start_batch(None, "hourly/2", {"resources": ["claims"], "from": "2026-01-01"}, full=False)
assert steps.start_batch(None, "hourly/3", {"resources": ["claims"]}, full=False) is None, "another run is active"
"""


@pytest.mark.timeout(300)
def test_the_tasks_of_one_interval_run_twice_make_each_call_once(simulator: Simulator, database_url: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", **account_settings(simulator, database_url)}
    done = subprocess.run(
        [sys.executable, "-c", TWICE], env=environment, cwd=DAGS.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert rows(database_url, "SELECT status, command FROM etl.batches ORDER BY started_at") == [
        ("completed", "sync"), ("created", "sync")
    ]  # fmt: skip
    twice = "SELECT path FROM etl.requests GROUP BY resource, path, parameters, reading HAVING count(*) > 1"
    assert rows(database_url, twice) == []
