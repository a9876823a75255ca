"""Airflow as it lives, over two agencies: tasks are killed, runs fail for good, and both are whole afterwards."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from against_the_oracle import compare
from airflow_home import DAGS, AirflowHome, account_settings, mail_settings
from holding import HeldResponses, hold_responses
from live_airflow import Airflow, kill_task, processes_of_session, running_airflow
from mail_sink import Sink, mail_sink
from sites import serve_agency, set_faults
from sqlalchemy import Engine

from etl.api.retry_policy import Patience
from etl.dags.names import LEVELS
from etl.resources import CATALOGUE
from etl.simulator import Simulator

SYNC, ALL, RECONCILE = "qqcatalyst_sync", "qqcatalyst_agencies_sync", "qqcatalyst_reconcile"

#: What somebody else makes of fresh data.
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
    """Give two agencies, each with a folder that holds its settings."""
    with serve_agency() as north, serve_agency(seed=21) as south:
        for name, simulator in (("north", north), ("south", south)):
            (folder / name).mkdir(parents=True)
            lines = [f"{key}={value}" for key, value in account_settings(simulator, database_url).items()]
            (folder / name / ".env").write_text("\n".join(lines))
        yield north, south


def home_of(folder: Path, metadata: str, sink_port: int) -> AirflowHome:
    """Return a home whose folder of DAGs has ours as a link, beside the one of somebody else."""
    dags = folder / "dags"
    dags.mkdir()
    (dags / "qqcatalyst").symlink_to(DAGS)
    (dags / "report.py").write_text(REPORT)
    (folder / "airflow").mkdir()
    return AirflowHome(
        folder / "airflow", metadata, {"ETL_AGENCIES": str(folder / "agencies"), **mail_settings(sink_port)}, dags
    )


@pytest.mark.timeout(900)
def test_two_agencies_live_through_tasks_that_are_killed_and_runs_that_fail_for_good(
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
            starts_one_run_for_each(airflow)
            later = fails_for_good_and_is_mailed(airflow, north, sink)
            airflow.until(held.asked.is_set)
            dies_for_good_and_is_mailed(airflow, metadata, sink)
            is_killed_and_tried_again(airflow, held)
            assert airflow.run_ends(SYNC, later) == "success"
            for name in ("north", "south"):
                assert airflow.until(partial(told, sink, name), is_of_two) == [
                    "the run failed",
                    "resolved: the run failed",
                ]
            assert airflow.until(lambda: set(airflow.runs("report").values()), {"success"}.__eq__)
            sessions = [one.pid for one in airflow.processes.values()]
            assert all(processes_of_session(one) for one in sessions)
        assert [number for one in sessions for number in processes_of_session(one)] == []
        assert pages_read_twice(south) == []
        for name, source in (("north", north), ("south", south)):
            assert compare(engine, name, source.world, [one.name for one in CATALOGUE], swept=True) == []
    assert [one for one in xcom_value(metadata) if not is_of_ids(one)] == []


def starts_one_run_for_each(airflow: Airflow) -> None:
    """See the agencies begin, once: there would be another run of each when an hour ends meanwhile."""
    airflow.unpause(ALL)
    airflow.until(lambda: set(airflow.runs(ALL).values()), {"success"}.__eq__)
    airflow.pause(ALL)


def told(sink: Sink, agency_name: str) -> list[str]:
    """Return what the mails of an agency are about."""
    start = f"qqetl {agency_name}: "
    return [one.removeprefix(start) for one in sink.subjects if one.startswith(start)]


def is_of_two(some: list[str]) -> bool:
    """Tell whether there are two, or more than there should be."""
    return len(some) > 1


def pages_read_twice(simulator: Simulator) -> list[str]:
    """Return the pages that were asked for again although they had been committed."""
    pages = Counter((one.path, one.query) for one in simulator.requests if "pageSize=500" in one.query)
    assert len(pages) > 3
    return [path for (path, _), times in pages.items() if times > 1]


def xcom_value(metadata: str) -> list[Any]:
    """Return what tasks of the runs have handed on to others, as Airflow keeps it."""
    with psycopg.connect(metadata.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT value FROM xcom WHERE dag_id = %s", [SYNC]).fetchall()
    assert len(found) == 2 * (1 + len(LEVELS)), "a batch, and the pieces of each wave, of the two runs that began"
    return [value for (value,) in found]


def is_of_ids(value: Any) -> bool:
    """Tell whether a value is the id of a batch, or names resources with the numbers of their slices."""
    if isinstance(value, str):
        return str(UUID(value)) == value
    names = {one.name for one in CATALOGUE}
    shares = [share for piece in value for share in piece]
    return all(
        name in names and all(isinstance(one, int) for one in numbers) and isinstance(budget, int | None)
        for name, numbers, budget in shares
    )


def run_of(airflow: Airflow, agency_name: str) -> str:
    """Wait for the run of an agency to be there, and return its id."""
    return next(iter(airflow.until(lambda: [one for one in airflow.runs(SYNC) if one.startswith(agency_name)])))


def fails_for_good_and_is_mailed(airflow: Airflow, north: Simulator, sink: Sink) -> str:
    """See a run fail while the API is away, and let another begin now that it is back; return that one's id."""
    run = run_of(airflow, "north")
    assert airflow.run_ends(SYNC, run) == "failed"
    calls = [one for one in north.requests if not one.path.startswith("/oauth")]
    assert len(calls) == Patience().attempts, "Airflow has not multiplied them"
    assert airflow.tasks(SYNC, run)["begin[-1]"]["try_number"] == 1
    assert airflow.until(lambda: told(sink, "north")) == ["the run failed"]
    set_faults(north)
    return airflow.trigger(SYNC, agency="north")


def dies_for_good_and_is_mailed(airflow: Airflow, metadata: str, sink: Sink) -> None:
    """Kill the first task of a run, which waits for the agency's other run to end, on every try that it has."""
    run = airflow.trigger(RECONCILE, agency="south")
    for attempt in range(1, 4):
        airflow.until(partial(begin_of, airflow, run), ("running", attempt).__eq__)
        assert told(sink, "south") == []
        kill_task(airflow.tasks(RECONCILE, run)["begin[-1]"]["id"])
        airflow.until(partial(begin_of, airflow, run), ("running", attempt).__ne__)
        let_no_time_pass_until_the_next_try(metadata)
    assert airflow.run_ends(RECONCILE, run) == "failed"
    assert airflow.until(lambda: told(sink, "south")) == ["the run failed"]
    assert f"`begin` of {RECONCILE}/{run} died" in sink.text()


def begin_of(airflow: Airflow, run: str) -> tuple[str | None, int | None]:
    """Return how the first task of a full reading stands, and which try of it that is."""
    begin = airflow.tasks(RECONCILE, run).get("begin[-1]", {})
    return begin.get("state"), begin.get("try_number")


def let_no_time_pass_until_the_next_try(metadata: str) -> None:
    """Let the tasks that wait for their next try have waited long enough."""
    with psycopg.connect(metadata.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE task_instance SET retry_delay_override = 0 WHERE state = 'up_for_retry'")


def is_killed_and_tried_again(airflow: Airflow, held: HeldResponses) -> None:
    """Kill the task that waits for an answer, and see the run come to a good end."""
    run = run_of(airflow, "south")
    read = airflow.tasks(SYNC, run)["wave_1.read[0]"]
    kill_task(read["id"])
    held.released.set()
    assert airflow.run_ends(SYNC, run) == "success"
    tries = {name: one["try_number"] for name, one in airflow.tasks(SYNC, run).items() if one["try_number"] != 1}
    assert tries == {"wave_1.read[0]": 2}
