"""A running Airflow: two agencies whose tasks are killed and whose runs fail, and four workers at one call limit."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from airflow_home import DAGS, AirflowHome, account_settings, mail_settings
from holding import HeldResponses, hold_responses
from live_airflow import Airflow, kill_task, processes_of_session, running_airflow
from mail_sink import Sink, mail_sink
from oracle_compare import compare
from sites import serve_agency, set_faults
from sqlalchemy import Engine, text

from etl.api.retry_policy import RetryPolicy
from etl.dags.names import LEVELS
from etl.resources import CATALOGUE
from etl.simulator import ENTERPRISE_CALLS, EXTRA_CALLS, Simulator

#: As many agencies of one account as the tests' Airflow has workers: one run of each keeps all of them busy.
AGENCIES = ("east", "north", "south", "west")
#: 60 calls per 6 s in place of 60 a minute, of which two are left over.
ALLOWED, SET, SECONDS = "60/6", "58/6s", 6

SYNC, ALL, RECONCILE = "qqcatalyst_sync", "qqcatalyst_agencies_sync", "qqcatalyst_reconcile"

#: A DAG of somebody else that runs on fresh data.
REPORT = """
from datetime import datetime
from airflow.sdk import DAG, Asset, task

with DAG("report", schedule=[Asset("qqcatalyst://south/policies")], start_date=datetime(2026, 1, 1), catchup=False):
    @task
    def count(*, triggering_asset_events=None):
        (event,) = triggering_asset_events[Asset("qqcatalyst://south/policies")]
        return event.extra["rows"]

    count()
"""


@contextmanager
def two_agencies(folder: Path, database_url: str) -> Iterator[tuple[Simulator, Simulator]]:
    """Give two agencies, each with a folder with its settings."""
    all_calls = (*EXTRA_CALLS, *ENTERPRISE_CALLS)
    with serve_agency(offered=all_calls) as north, serve_agency(seed=21, offered=all_calls) as south:
        for name, simulator in (("north", north), ("south", south)):
            write_settings(folder / name, account_settings(simulator, database_url))
        yield north, south


def write_settings(folder: Path, settings: dict[str, str]) -> None:
    """Write the settings of an agency that reads all resources into its folder."""
    folder.mkdir(parents=True)
    settings = {**settings, "ETL_RESOURCES": "+drivers,+vehicles,+endorsements"}
    (folder / ".env").write_text("\n".join(f"{key}={value}" for key, value in settings.items()))


def home_of(folder: Path, metadata: str, sink_port: int) -> AirflowHome:
    """Return an Airflow home whose DAG folder contains a link to ours, and a DAG of somebody else."""
    dags = folder / "dags"
    dags.mkdir()
    (dags / "qqcatalyst").symlink_to(DAGS)
    (dags / "report.py").write_text(REPORT)
    (folder / "airflow").mkdir()
    return AirflowHome(
        folder / "airflow", metadata, {"ETL_AGENCIES": str(folder / "agencies"), **mail_settings(sink_port)}, dags
    )


@pytest.mark.timeout(900)
def test_two_agencies_recover_from_killed_tasks_and_failed_runs(
    database_url: str, metadata: str, engine: Engine, tmp_path: Path
) -> None:
    with two_agencies(tmp_path / "agencies", database_url) as (north, south), mail_sink() as (sink, port):
        home = home_of(tmp_path, metadata, port)
        set_faults(north, "server-errors:always")
        with (
            hold_responses(south, "/v1/Commissions/AgencyRules") as held,
            running_airflow(home, {SYNC, ALL, "report"}) as airflow,
        ):
            for dag in (SYNC, RECONCILE, "report"):
                airflow.unpause(dag)
            start_one_run_per_agency(airflow)
            later = check_failed_run_is_reported(airflow, north, sink)
            airflow.until(held.asked.is_set)
            check_killed_run_is_reported(airflow, metadata, sink)
            check_killed_task_is_retried(airflow, held)
            assert airflow.run_ends(SYNC, later) == "success"
            for name in ("north", "south"):
                assert airflow.until(partial(subjects_of, sink, name), has_two) == [
                    "the run failed",
                    "resolved: the run failed",
                ]
            assert airflow.until(lambda: set(airflow.runs("report").values()), {"success"}.__eq__)
            sessions = [process.pid for process in airflow.processes.values()]
            assert all(processes_of_session(session) for session in sessions)
        assert [number for session in sessions for number in processes_of_session(session)] == []
        assert pages_read_twice(south) == []
        for name, source in (("north", north), ("south", south)):
            assert compare(engine, name, source.world, [resource.name for resource in CATALOGUE], swept=True) == []
    assert [value for value in xcom_value(metadata) if not is_of_ids(value)] == []


def start_one_run_per_agency(airflow: Airflow) -> None:
    """Start one run of each agency; then pause, because another would start at the next full hour."""
    airflow.unpause(ALL)
    airflow.until(lambda: set(airflow.runs(ALL).values()), {"success"}.__eq__)
    airflow.pause(ALL)


def subjects_of(sink: Sink, agency_name: str) -> list[str]:
    """Return the subjects of the emails about an agency."""
    start = f"qqetl {agency_name}: "
    return [subject.removeprefix(start) for subject in sink.subjects if subject.startswith(start)]


def has_two(subjects: list[str]) -> bool:
    """Return whether there are two subjects, or more."""
    return len(subjects) > 1


def pages_read_twice(simulator: Simulator, readers: int = 1) -> list[str]:
    """Return the pages that were requested again although each reader had committed them.

    The task that plans asks for the first page of a feed to learn its total; another task reads it.
    """
    pages = Counter((request.path, request.query) for request in simulator.requests if "pageSize=500" in request.query)
    assert len(pages) > 3
    is_planned = re.compile("Date.*&pageNumber=1&", re.IGNORECASE).search
    return [path for (path, query), times in pages.items() if times > readers * (2 if is_planned(query) else 1)]


def xcom_value(metadata: str) -> list[Any]:
    """Return the values that tasks of the runs passed to other tasks, as stored by Airflow."""
    with psycopg.connect(metadata.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT value FROM xcom WHERE dag_id = %s", [SYNC]).fetchall()
    assert len(rows) == 2 * (1 + len(LEVELS)), "the batch, and the chunks of each level, of two runs"
    return [value for (value,) in rows]


def is_of_ids(value: Any) -> bool:
    """Return whether a value is a batch id, or chunks of resource names with slice numbers."""
    if isinstance(value, str):
        return str(UUID(value)) == value
    names = {resource.name for resource in CATALOGUE}
    items = [item for chunk in value for item in chunk]
    return all(
        name in names and all(isinstance(number, int) for number in numbers) and isinstance(budget, int | None)
        for name, numbers, budget in items
    )


def run_of(airflow: Airflow, agency_name: str) -> str:
    """Wait for the run of an agency, and return its id."""
    return next(iter(airflow.until(lambda: [run for run in airflow.runs(SYNC) if run.startswith(agency_name)])))


def check_failed_run_is_reported(airflow: Airflow, north: Simulator, sink: Sink) -> str:
    """Check that a run fails while the API is down; start another when it is back, and return its id."""
    run = run_of(airflow, "north")
    assert airflow.run_ends(SYNC, run) == "failed"
    calls = [request for request in north.requests if not request.path.startswith("/oauth")]
    assert len(calls) == RetryPolicy().attempts, "Airflow does not multiply them"
    assert airflow.tasks(SYNC, run)["begin[-1]"]["try_number"] == 1
    assert airflow.until(lambda: subjects_of(sink, "north")) == ["the run failed"]
    set_faults(north)
    return airflow.trigger(SYNC, agency="north")


def check_killed_run_is_reported(airflow: Airflow, metadata: str, sink: Sink) -> None:
    """Kill the first task of a run, which waits for the agency's other run to end, in each of its attempts."""
    run = airflow.trigger(RECONCILE, agency="south")
    for attempt in range(1, 4):
        airflow.until(partial(begin_of, airflow, run), ("running", attempt).__eq__)
        assert subjects_of(sink, "south") == []
        kill_task(airflow.tasks(RECONCILE, run)["begin[-1]"]["id"])
        airflow.until(partial(begin_of, airflow, run), ("running", attempt).__ne__)
        skip_retry_delay(metadata)
    assert airflow.run_ends(RECONCILE, run) == "failed"
    assert airflow.until(lambda: subjects_of(sink, "south")) == ["the run failed"]
    assert f"`begin` of {RECONCILE}/{run} ended unexpectedly on every attempt" in sink.text()


def begin_of(airflow: Airflow, run: str) -> tuple[str | None, int | None]:
    """Return the state and the attempt number of the first task of a full read."""
    begin = airflow.tasks(RECONCILE, run).get("begin[-1]", {})
    return begin.get("state"), begin.get("try_number")


def skip_retry_delay(metadata: str) -> None:
    """Remove the retry delay of waiting tasks."""
    with psycopg.connect(metadata.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE task_instance SET retry_delay_override = 0 WHERE state = 'up_for_retry'")


def check_killed_task_is_retried(airflow: Airflow, held: HeldResponses) -> None:
    """Kill the task that waits for the held response, and check that the run succeeds."""
    run = run_of(airflow, "south")
    name, read = next(
        (name, task)
        for name, task in airflow.tasks(SYNC, run).items()
        if ".read[" in name and task["state"] == "running"
    )
    kill_task(read["id"])
    held.released.set()
    assert airflow.run_ends(SYNC, run) == "success"
    tries = {name: task["try_number"] for name, task in airflow.tasks(SYNC, run).items() if task["try_number"] != 1}
    assert tries == {name: 2}


@pytest.mark.timeout(600)
def test_four_workers_share_the_call_limit_of_their_account(
    database_url: str, metadata: str, engine: Engine, tmp_path: Path
) -> None:
    with serve_agency(contacts=5, faults=(f"account-limit:{ALLOWED},empty",)) as simulator:
        settings = account_settings(simulator, database_url) | {"ETL_RATE": "", "ETL_RATE_LIMIT": SET}
        for name in AGENCIES:
            write_settings(tmp_path / "agencies" / name, settings)
        home = AirflowHome(tmp_path, metadata, {"ETL_AGENCIES": str(tmp_path / "agencies")})
        with running_airflow(home, {SYNC}) as airflow:
            airflow.unpause(SYNC)
            runs = [airflow.trigger(SYNC, agency=name) for name in AGENCIES]
            assert [airflow.run_ends(SYNC, run) for run in runs] == ["success"] * len(runs)
            tasks = [task for run in runs for name, task in airflow.tasks(SYNC, run).items() if ".read[" in name]
        assert most_at_once(tasks) == len(AGENCIES)
        assert fullest_window(engine) > 50, "the workers together need more calls than the limit allows"
        paths = [request.path for request in simulator.requests]
        assert sum(request.status == 401 for request in simulator.requests) <= 0.005 * len(paths)
        assert sum(path.startswith("/oauth") for path in paths) == len(AGENCIES), "one token per agency"
        assert pages_read_twice(simulator, readers=len(AGENCIES)) == []
        for name in AGENCIES:
            assert compare(engine, name, simulator.world, [resource.name for resource in CATALOGUE], swept=True) == []


def most_at_once(tasks: list[dict[str, Any]]) -> int:
    """Return how many tasks ran at the same time at most."""
    spans = [(task["start_date"], task["end_date"]) for task in tasks]
    return max(len([start for start, end in spans if start <= moment < end]) for moment, _ in spans)


def fullest_window(engine: Engine) -> int:
    """Return the most calls for records that any window of the call limit holds."""
    query = f"""
        SELECT max(calls) FROM (
            SELECT count(*) OVER (ORDER BY requested_at RANGE BETWEEN CURRENT ROW AND '{SECONDS} s' FOLLOWING) AS calls
            FROM etl.requests
        ) AS windows
    """
    with engine.connect() as connection:
        calls: int = connection.execute(text(query)).scalar_one()
    return calls
