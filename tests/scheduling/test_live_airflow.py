"""Airflow as it lives, over two agencies: a task is killed, a run fails for good, and both are whole afterwards."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from against_the_oracle import compare
from airflow_home import DAGS, Home, of_account
from holding import Held, holding
from live_airflow import Airflow, in_session, kill_task, living
from mail_sink import Sink, mail_sink
from sqlalchemy import Engine
from workbench import agency, break_with

from etl.dags.names import WAVES
from etl.extract.patience import Patience
from etl.resources import CATALOGUE
from etl.simulator import Simulator

SYNC, ALL = "qqcatalyst_sync", "qqcatalyst_agencies_sync"

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
    with agency() as north, agency(seed=21) as south:
        for name, simulator in (("north", north), ("south", south)):
            (folder / name).mkdir(parents=True)
            lines = [f"{key}={value}" for key, value in of_account(simulator, database_url).items()]
            (folder / name / ".env").write_text("\n".join(lines))
        yield north, south


def home_of(folder: Path, metadata: str, sink_port: int) -> Home:
    """Return a home whose folder of DAGs has ours as a link, beside the one of somebody else."""
    dags = folder / "dags"
    dags.mkdir()
    (dags / "qqcatalyst").symlink_to(DAGS)
    (dags / "report.py").write_text(REPORT)
    mail = {
        "ETL_SMTP_URL": f"smtp://127.0.0.1:{sink_port}",
        "ETL_MAIL_FROM": "qqetl@example.com",
        "ETL_MAIL_TO": "operations@example.com",
    }
    (folder / "airflow").mkdir()
    return Home(folder / "airflow", metadata, {"ETL_AGENCIES": str(folder / "agencies"), **mail}, dags)


@pytest.mark.timeout(900)
def test_two_agencies_live_through_a_killed_task_and_a_run_that_fails_for_good(
    database_url: str, metadata: str, engine: Engine, tmp_path: Path
) -> None:
    with two_agencies(tmp_path / "agencies", database_url) as (north, south), mail_sink() as (sink, port):
        home = home_of(tmp_path, metadata, port)
        break_with(north, "server-errors:always")
        with holding(south, "/v1/Commissions/AgencyRules") as held, living(home, {SYNC, ALL, "report"}) as airflow:
            airflow.unpause(SYNC)
            airflow.unpause("report")
            starts_one_run_for_each(airflow)
            later = fails_for_good_and_is_mailed(airflow, north, sink)
            is_killed_and_tried_again(airflow, held)
            assert airflow.run_ends(SYNC, later) == "success"
            assert "over" in airflow.until(lambda: sink.subjects[1:])[0]
            assert airflow.until(lambda: set(airflow.runs("report").values()), {"success"}.__eq__)
            sessions = [one.pid for one in airflow.processes.values()]
            assert all(in_session(one) for one in sessions)
        assert [number for one in sessions for number in in_session(one)] == []
        assert pages_read_twice(south) == []
        for name, source in (("north", north), ("south", south)):
            assert compare(engine, name, source.world, [one.name for one in CATALOGUE], swept=True) == []
    assert [one for one in handed_on(metadata) if not is_of_ids(one)] == []


def starts_one_run_for_each(airflow: Airflow) -> None:
    """See the agencies begin, once: there would be another run of each when an hour ends meanwhile."""
    airflow.unpause(ALL)
    airflow.until(lambda: set(airflow.runs(ALL).values()), {"success"}.__eq__)
    airflow.pause(ALL)


def pages_read_twice(simulator: Simulator) -> list[str]:
    """Return the pages that were asked for again although they had been committed."""
    pages = Counter((one.path, one.query) for one in simulator.requests if "pageSize=500" in one.query)
    assert len(pages) > 3
    return [path for (path, _), times in pages.items() if times > 1]


def handed_on(metadata: str) -> list[Any]:
    """Return what tasks of the runs have handed on to others, as Airflow keeps it."""
    with psycopg.connect(metadata.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT value FROM xcom WHERE dag_id = %s", [SYNC]).fetchall()
    assert len(found) == 2 * (1 + len(WAVES)), "a batch, and the pieces of each wave, of the two runs that began"
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
    (subject,) = airflow.until(lambda: sink.subjects)
    assert "north" in subject
    break_with(north)
    return airflow.trigger(SYNC, agency="north")


def is_killed_and_tried_again(airflow: Airflow, held: Held) -> None:
    """Kill the task that waits for an answer, and see the run come to a good end."""
    run = run_of(airflow, "south")
    airflow.until(held.asked.is_set)
    read = airflow.tasks(SYNC, run)["wave_1.read[0]"]
    kill_task(read["id"])
    held.let_go.set()
    assert airflow.run_ends(SYNC, run) == "success"
    tries = {name: one["try_number"] for name, one in airflow.tasks(SYNC, run).items() if one["try_number"] != 1}
    assert tries == {"wave_1.read[0]": 2}
