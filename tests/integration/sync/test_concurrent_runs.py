"""Two runs at once: one does the work, a dead or stalled one is replaced, and the tables equal those of one run.

Everything is tested twice: over direct connections, and through a pooler that changes the session per transaction.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest
from pooler import run_pooler
from sites import Site, environment_of, open_site, serve_agency
from snapshots import changed_tables, differences, digest, row_versions, value, values
from sqlalchemy import text
from test_interruption import expire_leases
from test_signals import await_waiting, locked

from etl.database.embedded.file_lock import wait_until
from etl.models.states import BatchState
from etl.simulator import Simulator

#: `qqetl` with an idle timeout of one second, which reports each commit, and stops in a COPY if requested.
PROGRAM = """
import os
import signal
import sys
from etl.cli import main, run_command
from etl.database import bulk_copy
from etl.ledger import transaction
transaction.TTL = 1

class ReportingWatcher(run_command.Watcher):
    def __init__(self, watch, stop):
        def report(event):
            print(type(event).__name__, flush=True)
            watch(event)
        super().__init__(report, stop)

run_command.Watcher = ReportingWatcher

def stopping_in_copy(lines):
    table = sys._getframe(1).f_locals["table"]
    for block in encode_blocks(lines):
        yield block[:1]
        if table == os.environ["STOP_IN_COPY"]:
            os.kill(os.getpid(), signal.SIGSTOP)
        yield block[1:]

if "STOP_IN_COPY" in os.environ:
    encode_blocks, bulk_copy.encode_blocks = bulk_copy.encode_blocks, stopping_in_copy
sys.exit(main.main(sys.argv[1:]))
"""
WAYS: dict[str, Callable[[str], AbstractContextManager[str]]] = {"direct": nullcontext, "pooler": run_pooler}
SECONDS = 100.0
WINDOW = ("--from", "2000-01-01", "--to", "2999-01-01")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give the agency of this module."""
    with serve_agency() as served:
        yield served


@pytest.fixture(params=WAYS)
def two(request: pytest.FixtureRequest, simulator: Simulator, database_url: str) -> Iterator[Site]:
    """Give the agency and an empty database that processes reach directly or through a pooler."""
    with WAYS[request.param](database_url) as url, open_site(simulator, url) as opened_site:
        yield opened_site


BEGUN: list["subprocess.Popen[str]"] = []


@pytest.fixture
def synced(synced: Site) -> Iterator[Site]:
    """Give the database of one undisturbed run, and end the processes of a failed test.

    They end before any database is dropped: PostgreSQL waits with the drop for every session, and for one in a COPY
    until the COPY ends.
    """
    yield synced
    while BEGUN:
        with BEGUN.pop() as process:
            process.kill()


def qqetl(site: Site, *words: str, **more: str) -> "subprocess.Popen[str]":
    """Start a command in its own process."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words], env={**environment_of(site), "ETL_PAGE_SIZE": "100", **more},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    BEGUN.append(process)
    return process


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for the end of a command and return its exit status and error output."""
    stderr = process.communicate(timeout=SECONDS)[1]
    return process.returncode, stderr


def after_commits(process: "subprocess.Popen[str]", number: int) -> None:
    """Wait until a run has reported a number of commits."""
    assert process.stdout is not None
    while number:
        line = process.stdout.readline()
        assert line, "the run ended before"
        number -= line.strip() == "Advanced"


def test_one_of_two_runs_does_the_work_and_the_other_reports_it(two: Site, synced: Site) -> None:
    with locked(two.engine, "policies"):
        both = [qqetl(two, "sync", *WINDOW) for _ in range(2)]
        assert wait_until(lambda: any(process.poll() is not None for process in both), SECONDS)
    results = sorted(ended(process) for process in both)
    assert [status for status, _ in results] == [0, 3], results
    assert "Another run is active" in results[1][1]
    assert values(two.engine, "SELECT status FROM etl.batches") == [BatchState.COMPLETED]
    assert differences(digest(two.engine), digest(synced.engine)) == []


def test_concurrent_overlapping_windows_lead_to_the_tables_of_one_run(two: Site, synced: Site) -> None:
    windows = [("--from", "2000-01-01", "--to", "2024-06-01"), ("--from", "2023-01-01", "--to", "2999-01-01")]
    left = {window: qqetl(two, "sync", *window) for window in windows}
    while left:
        for window in list(left):
            status, stderr = ended(left.pop(window))
            assert status in (0, 3), stderr
            if status == 3:  # another session holds the lock: try again
                left[window] = qqetl(two, "sync", *window)
    assert set(values(two.engine, "SELECT status FROM etl.batches")) == {BatchState.COMPLETED}
    assert differences(digest(two.engine), digest(synced.engine)) == []


def test_a_killed_run_is_replaced_at_once(two: Site, synced: Site) -> None:
    killed = qqetl(two, "sync")
    after_commits(killed, 3)
    killed.kill()
    ended(killed)
    status, stderr = ended(qqetl(two, "sync"))
    assert status == 0, stderr
    assert differences(digest(two.engine), digest(synced.engine)) == []


def between_commits(site: Site) -> "subprocess.Popen[str]":
    """Return a run that was stopped soon after a commit."""
    stalled = qqetl(site, "sync")
    after_commits(stalled, 2)
    stalled.send_signal(signal.SIGSTOP)
    return stalled


def in_a_transaction(site: Site) -> "subprocess.Popen[str]":
    """Return a run that was stopped while one of its statements waited."""
    stalled = qqetl(site, "sync")
    with locked(site.engine, "etl.findings"):
        await_waiting(site.engine)
        stalled.send_signal(signal.SIGSTOP)
    return stalled


def in_a_copy(site: Site) -> "subprocess.Popen[str]":
    """Return a run that was stopped between two blocks of a COPY, which no server timeout ends."""
    stalled = qqetl(site, "sync", STOP_IN_COPY="raw.raw_contacts")
    os.waitpid(stalled.pid, os.WUNTRACED)
    return stalled


@pytest.mark.parametrize("stalling", [between_commits, in_a_transaction, in_a_copy])
def test_a_stalled_run_is_replaced_and_commits_nothing_when_it_wakes(
    two: Site, synced: Site, stalling: Callable[[Site], "subprocess.Popen[str]"]
) -> None:
    stalled = stalling(two)
    expire_leases(two.engine)
    assert two.sync_once().exit_status == 0
    token = "SELECT token FROM etl.leases WHERE resource = 'contacts'"
    assert value(two.engine, token) == 2
    before = row_versions(two.engine)
    stalled.send_signal(signal.SIGCONT)
    status, stderr = ended(stalled)
    assert status == 1, stderr
    assert "took over the lease" in stderr
    assert changed_tables(before, row_versions(two.engine)) == set()
    assert set(values(two.engine, "SELECT status FROM etl.batches")) == {BatchState.COMPLETED}
    assert differences(digest(two.engine), digest(synced.engine)) == []


def test_a_sync_through_a_pooler_leaves_nothing_in_its_sessions(simulator: Simulator, database_url: str) -> None:
    with run_pooler(database_url) as url, open_site(simulator, url) as site:
        assert site.sync_once().exit_status == 0
        for _ in range(8):  # any session
            with site.engine.connect() as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                assert driver.execute("SHOW statement_timeout").fetchone() == ("0",)
                connection.rollback()
        assert values(site.engine, "SELECT count(*) FROM pg_prepared_statements") == [0]
        condition = (
            "database = (SELECT oid FROM pg_database WHERE datname = current_database())"  # not those of other tests
        )
        assert values(site.engine, f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND {condition}") == [0]
        with site.engine.begin() as connection:
            assert connection.execute(text("SELECT count(*) FROM pg_class WHERE relpersistence = 't'")).scalar() == 0
