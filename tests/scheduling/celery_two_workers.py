"""A run over two workers of Celery, one of which dies in the middle of a slice.

It is no part of the suite, by its name: it needs a Redis and takes minutes. `./run test -s` with its path runs it.
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
from against_the_oracle import compare
from airflow_home import AirflowHome, account_settings, free_port
from holding import HeldResponses, hold_responses
from live_airflow import Airflow, running_airflow
from pooler import ensure_program
from sites import serve_agency
from snapshots import value, values
from sqlalchemy import Engine

from etl.resources import CATALOGUE

SYNC = "qqcatalyst_sync"
WORKERS = ("first", "second")
#: A feed of the last wave; its third page is kept back.
HELD = "vehicles"
#: Calls a second, for both workers together.
RATE = 60

#: The most calls that began within any second, by the ledger's notes.
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
    """Give the address of a Redis that keeps nothing."""
    port = free_port()
    program = ensure_program("redis-server", "redis")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log, subprocess.Popen(command, stdout=log) as server:
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def worker(folder: Path, name: str) -> tuple[str, ...]:
    """Return the command of one worker."""
    alone = ("--without-mingle", "--without-gossip", "--skip-serve-logs", "--pid", str(folder / f"{name}.pid"))
    return ("airflow", "celery", "worker", "--concurrency", "2", "--celery-hostname", name, *alone)


def settings_of_celery(broker: str, metadata: str) -> dict[str, str]:
    """Return what Celery needs besides, and times after which a dead worker is noticed within a test's patience."""
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
def test_two_workers_share_a_run_and_one_of_them_dies(
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
            dead, piece = a_worker_dies(airflow, run, held)
            times.append(time.monotonic())
            assert airflow.run_ends(SYNC, run) == "success"
            times.append(time.monotonic())
            tasks = airflow.tasks(SYNC, run)
        assert compare(engine, "default", simulator.world, [one.name for one in CATALOGUE], swept=True) == []
    tell(engine, tasks, times)
    assert tasks[piece]["try_number"] == 2
    assert tasks[piece]["hostname"] != dead
    assert values(engine, READ_TWICE) == []
    assert values(engine, UNREAD) == []
    assert set(read_by(tasks)) == set(WORKERS), "both have read pieces to their end"
    assert RATE / 2 < value(engine, BUSIEST) <= RATE * 1.1, "one budget for both"


def a_worker_dies(airflow: Airflow, run: str, held: HeldResponses) -> tuple[str, str]:
    """Kill the worker that waits for an answer with all that it does; return its name and the piece that it read."""
    airflow.until(held.asked.is_set)
    pieces = airflow.xcom_value(SYNC, run, "wave_4.plan")
    (place,) = [number for number, piece in enumerate(pieces) if HELD in {share[0] for share in piece}]
    piece = f"wave_4.read[{place}]"
    dead = airflow.tasks(SYNC, run)[piece]["hostname"]
    airflow.kill(dead)
    held.released.set()
    return dead, piece


def read_by(tasks: dict[str, dict[str, Any]]) -> Counter[str]:
    """Return how many pieces each worker has read to its end."""
    return Counter(one["hostname"] for name, one in tasks.items() if ".read[" in name and one["state"] == "success")


def tell(engine: Engine, tasks: dict[str, dict[str, Any]], times: list[float]) -> None:
    """Say what was measured; `-s` shows it."""
    began, died, ended = times
    pieces = ", ".join(f"{name} {number}" for name, number in sorted(read_by(tasks).items()))
    sys.stdout.write(
        f"\n{ended - began:.0f} s for {value(engine, 'SELECT sum(calls) FROM etl.batches')} calls at {RATE} a second; "
        f"a worker was killed after {died - began:.0f} s; pieces read to their end: {pieces}; "
        f"calls in the busiest second: {value(engine, BUSIEST)}\n"
    )
