"""A run on two Celery workers, one of which is killed in the middle of a slice.

The name keeps it out of the suite: it needs Redis and takes minutes. To run it: `./run test -s` with its path.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from airflow_home import AirflowHome, account_settings, free_port
from holding import HeldResponses, hold_responses
from live_airflow import Airflow, running_airflow
from oracle_compare import compare
from pooler import ensure_program
from sites import serve_agency
from snapshots import value, values
from sqlalchemy import Engine

from etl.resources import CATALOGUE

SYNC = "qqcatalyst_sync"
WORKERS = ("first", "second")
#: A feed of the last dependency level; its third page is held back.
HELD = "vehicles"
#: Calls per second, for both workers together.
RATE = 60

#: The maximum number of calls that started within one second, according to the ledger.
BUSIEST = """
    SELECT max(number) FROM (
        SELECT count(*) OVER (ORDER BY requested_at RANGE BETWEEN CURRENT ROW AND interval '1 second' FOLLOWING)
            AS number
        FROM etl.requests
    ) AS seconds
"""
READ_TWICE = """
    SELECT path FROM etl.requests WHERE page > 0 GROUP BY batch_id, resource, slice, path, parameters, reading
    HAVING count(*) > 1
"""
UNREAD = "SELECT resource FROM etl.slices WHERE status <> 'done'"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Give the URL of a Redis server without persistence."""
    port = free_port()
    program = ensure_program("redis-server", "redis")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log, subprocess.Popen(command, stdout=log) as server:
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def worker(folder: Path, name: str) -> tuple[str, ...]:
    """Return the command of a worker."""
    alone = ("--without-mingle", "--without-gossip", "--skip-serve-logs", "--pid", str(folder / f"{name}.pid"))
    return ("airflow", "celery", "worker", "--concurrency", "2", "--celery-hostname", name, *alone)


def settings_of_celery(broker: str, metadata: str) -> dict[str, str]:
    """Return the settings for Celery, with timeouts short enough to detect a dead worker during the test."""
    return {
        "AIRFLOW__CELERY__BROKER_URL": broker,
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{metadata}",
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "live_airflow.name_of_program",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
        "C_FORCE_ROOT": "1",
        "PYTHONPATH": str(Path(__file__).parents[1] / "servers"),
        "ETL_RATE": str(RATE),
        "ETL_PAGE_SIZE": "20",
    }


@pytest.mark.timeout(1800)
def test_two_workers_share_a_run_and_one_is_killed(
    database_url: str, metadata: str, engine: Engine, tmp_path: Path
) -> None:
    with serve_agency(contacts=300) as simulator, redis(tmp_path) as broker:
        settings = account_settings(simulator, database_url) | settings_of_celery(broker, metadata)
        home = AirflowHome(tmp_path, metadata, settings)
        workers = {name: worker(tmp_path, name) for name in WORKERS}
        with (
            hold_responses(simulator, "/v1/enterprise/personalvehicles", "pageNumber=3&pageSize=20") as held,
            running_airflow(home, {SYNC}, "CeleryExecutor", **workers) as airflow,
        ):
            airflow.unpause(SYNC)
            run = airflow.until(lambda: [*airflow.runs(SYNC)])[0]
            times = [time.monotonic()]
            dead, piece = kill_busy_worker(airflow, run, held)
            times.append(time.monotonic())
            assert airflow.run_ends(SYNC, run) == "success"
            times.append(time.monotonic())
            tasks = airflow.tasks(SYNC, run)
        assert compare(engine, "default", simulator.world, [resource.name for resource in CATALOGUE], swept=True) == []
    tell(engine, tasks, times)
    assert tasks[piece]["try_number"] == 2
    assert tasks[piece]["hostname"] != dead
    assert values(engine, READ_TWICE) == []
    assert values(engine, UNREAD) == []
    assert set(read_by(tasks)) == set(WORKERS), "both have finished chunks"
    assert RATE / 2 < value(engine, BUSIEST) <= RATE * 1.1, "both share one call limit"


def kill_busy_worker(airflow: Airflow, run: str, held: HeldResponses) -> tuple[str, str]:
    """Kill the worker that waits for the held response; return its name and its task."""
    airflow.until(held.asked.is_set)
    chunks = airflow.xcom_value(SYNC, run, "wave_4.plan")
    (number,) = [number for number, piece in enumerate(chunks) if HELD in {share[0] for share in piece}]
    piece = f"wave_4.read[{number}]"
    dead = airflow.tasks(SYNC, run)[piece]["hostname"]
    airflow.kill(dead)
    held.released.set()
    return dead, piece


def read_by(tasks: dict[str, dict[str, Any]]) -> Counter[str]:
    """Return the number of chunks that each worker finished."""
    return Counter(task["hostname"] for name, task in tasks.items() if ".read[" in name and task["state"] == "success")


def tell(engine: Engine, tasks: dict[str, dict[str, Any]], times: list[float]) -> None:
    """Print the measurements; `-s` shows them."""
    began, died, ended = times
    chunks = ", ".join(f"{name} {number}" for name, number in sorted(read_by(tasks).items()))
    sys.stdout.write(
        f"\n{ended - began:.0f} s for {value(engine, 'SELECT sum(calls) FROM etl.batches')} calls at {RATE} a second; "
        f"a worker was killed after {died - began:.0f} s; chunks finished: {chunks}; "
        f"calls in the busiest second: {value(engine, BUSIEST)}\n"
    )
