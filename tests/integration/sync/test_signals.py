"""SIGTERM: the current chunk is committed or rolled back, the process ends in time, and the batch is resumable."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sites import Site, environment_of
from snapshots import differences, digest, value, values
from sqlalchemy import Engine, text
from test_interruption import expire_leases
from test_stepwise import EVER

from etl.engine.workers import PROCESS_THRESHOLD
from etl.errors import Interrupted
from etl.events import Advanced, Event
from etl.extract import ExtractService
from etl.load import LoadService
from etl.models.states import BatchState
from etl.pipeline import retry
from etl.transform import TransformService

#: `qqetl` with a short grace period, and worker processes for every feed if requested.
PROGRAM = """
import sys
from etl.cli import main
from etl.cli.ui import signals
from etl.engine import workers
signals.PAGE_GRACE, signals.EXIT_GRACE, workers.PROCESS_THRESHOLD = {grace}, 12, {little}
sys.exit(main.main(sys.argv[1:]))
"""
#: The table whose lock blocks each command.
LOCKED = {"sync": "raw.raw_policies", "transform": "etl.findings", "load": "policies"}
WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
PATIENCE = 30.0


def qqetl(site: Site, *words: str, grace: int = 15, little: int = PROCESS_THRESHOLD) -> "subprocess.Popen[str]":
    """Start a command in its own process."""
    program = PROGRAM.format(grace=grace, little=little)
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        env=environment_of(site.with_settings(etl_page_size=4)),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for the end of a command and return its exit status and error output."""
    stderr = process.communicate(timeout=PATIENCE)[1]
    return process.returncode, stderr


@contextmanager
def locked(engine: Engine, table: str) -> Iterator[None]:
    """Lock a table against all others."""
    with engine.begin() as connection:
        connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield


def await_waiting(engine: Engine) -> None:
    """Wait until a session waits for a lock."""
    give_up = time.monotonic() + PATIENCE
    while not value(engine, WAITING):
        assert time.monotonic() < give_up, "no session waits for the lock"
        time.sleep(0.02)


def before(site: Site, command: str) -> list[str]:
    """Run the steps before a command, and return the command's arguments."""
    if command == "sync":
        return [command]
    batch_id = ExtractService(site.engine, settings=site.settings).extract_data(EVER)
    if command == "load":
        TransformService(site.engine, settings=site.settings).transform_batch(batch_id)
    return [command, str(batch_id)]


def state(engine: Engine) -> tuple[str, bool]:
    """Return the state of the only batch, and whether a lease is still held."""
    held = bool(value(engine, "SELECT count(*) FROM etl.leases WHERE expires_at > now()"))
    return value(engine, "SELECT status FROM etl.batches"), held


@pytest.mark.parametrize(
    ("command", "little"),
    [("sync", PROCESS_THRESHOLD), ("sync", 0), ("transform", PROCESS_THRESHOLD), ("load", PROCESS_THRESHOLD)],
    ids=["sync", "sync-in-processes", "transform", "load"],
)
def test_a_hanging_transaction_is_rolled_back_and_the_batch_is_resumable(
    site: Site, synced: Site, command: str, little: int
) -> None:
    words = before(site, command)
    with locked(site.engine, LOCKED[command]):
        process = qqetl(site, *words, grace=1, little=little)
        await_waiting(site.engine)
        process.send_signal(signal.SIGTERM)
        status, stderr = ended(process)
        assert (status, state(site.engine)) == (1, (BatchState.FAILED, False)), stderr
    assert "Traceback" not in stderr
    assert retry(site.engine, site.settings).exit_status == 0
    assert differences(digest(site.engine), digest(synced.engine)) == []


@pytest.mark.parametrize("command", ["transform", "load"])
def test_a_running_transaction_is_committed_and_no_other_starts(site: Site, synced: Site, command: str) -> None:
    words = before(site, command)
    with locked(site.engine, LOCKED[command]):
        process = qqetl(site, *words)
        await_waiting(site.engine)
        process.send_signal(signal.SIGTERM)
    status, stderr = ended(process)
    assert (status, state(site.engine)) == (1, (BatchState.FAILED, False)), stderr
    assert value(site.engine, "SELECT error LIKE '%The run was stopped%' FROM etl.batches")
    assert retry(site.engine, site.settings).exit_status == 0
    assert differences(digest(site.engine), digest(synced.engine)) == []


def test_a_second_signal_ends_the_process_at_once(site: Site, synced: Site) -> None:
    words = before(site, "load")
    with locked(site.engine, LOCKED["load"]):
        process = qqetl(site, *words)
        await_waiting(site.engine)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while "Press Ctrl-C again to quit now" not in process.stderr.readline():
            assert process.poll() is None
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 1
        assert time.monotonic() - started < 5
        process.stderr.close()
    expire_leases(site.engine)
    assert retry(site.engine, site.settings).exit_status == 0
    assert differences(digest(site.engine), digest(synced.engine)) == []


class StopAfter:
    """Asks a step to stop after a number of chunks."""

    def __init__(self, chunks: int) -> None:
        self.left = chunks
        self.event = threading.Event()

    def watch(self, event: Event) -> None:
        self.left -= isinstance(event, Advanced)
        if self.left <= 0:
            self.event.set()


def test_the_services_stop_between_two_chunks_and_resume_there(site: Site, synced: Site) -> None:
    batch_id = ExtractService(site.engine, settings=site.settings).extract_data(EVER)
    stop = StopAfter(5)
    with pytest.raises(Interrupted):
        TransformService(site.engine, settings=site.settings, watch=stop.watch, stop=stop.event).transform_batch(
            batch_id
        )
    assert values(site.engine, "SELECT status FROM etl.batches") == [BatchState.FAILED]
    TransformService(site.engine, settings=site.settings).transform_batch(batch_id)
    stop = StopAfter(5)
    with pytest.raises(Interrupted):
        LoadService(site.engine, settings=site.settings, watch=stop.watch, stop=stop.event).load_batch(batch_id, EVER)
    assert values(site.engine, "SELECT status FROM etl.batches") == [BatchState.FAILED]
    LoadService(site.engine, settings=site.settings).load_batch(batch_id, EVER)
    assert values(site.engine, "SELECT status FROM etl.batches") == [BatchState.COMPLETED]
    assert differences(digest(site.engine), digest(synced.engine)) == []
