"""Runs that end early: stopped, killed, or competing with another run."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from sites import Site, environment_of, serve_agency
from snapshots import differences, digest, value, values
from sqlalchemy import Engine, text

from etl.errors import Interrupted, LeaseHeld, LeaseLost
from etl.events import Advanced, Event
from etl.ledger.leases import TTL, hold_lease
from etl.ledger.transaction import Ledger
from etl.models.states import BatchState
from etl.pipeline import Summary, Watcher, retry
from etl.simulator import Simulator

#: A run in its own process, which can be killed. It reports its progress: one line per commit.
PROGRAM = """
import sys
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.events import Advanced
from etl.pipeline import Watcher, sync

def tell(event):
    if isinstance(event, Advanced):
        print(event.resource, flush=True)

settings = Settings.load()
sync(make_engine(settings.database_url.get_secret_value()), settings, watcher=Watcher(tell))
"""


def killed_after(site: Site, commits: int) -> None:
    """Run a sync in its own process, and kill it with all its children after a number of commits."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment_of(site.with_settings(etl_page_size=4)),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for _ in range(commits):
            if not process.stdout.readline():
                break
        os.killpg(process.pid, signal.SIGKILL)


def expire_leases(engine: Engine) -> None:
    """Let the leases expire that nobody renews."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE etl.leases SET expires_at = now() - interval '1 second'"))


class StopAfter:
    """Asks a run to stop after a number of commits."""

    def __init__(self, commits: int) -> None:
        self.left = commits
        self.watcher = Watcher(self.watch, threading.Event())

    def watch(self, event: Event) -> None:
        self.left -= isinstance(event, Advanced)
        if self.left <= 0:
            self.watcher.stop.set()


@pytest.mark.parametrize("commits", [1, 9])
def test_a_stopped_run_resumes_where_it_stopped(site: Site, synced: Site, commits: int) -> None:
    with pytest.raises(Interrupted):
        site.sync_once(watcher=StopAfter(commits).watcher)
    assert values(site.engine, "SELECT status FROM etl.batches") == [BatchState.FAILED]
    assert site.sync_once().exit_status == 0
    assert set(values(site.engine, "SELECT status FROM etl.batches")) == {BatchState.COMPLETED}
    assert differences(digest(site.engine), digest(synced.engine)) == []
    read_twice = (
        "SELECT count(*) FROM etl.requests WHERE page > 0 GROUP BY batch_id, path, parameters HAVING count(*) > 1"
    )
    assert values(site.engine, read_twice) == []


def test_retry_completes_an_interrupted_run(site: Site, synced: Site) -> None:
    with pytest.raises(Interrupted):
        site.sync_once(watcher=StopAfter(5).watcher)
    assert retry(site.engine, site.settings).exit_status == 0
    assert values(site.engine, "SELECT status FROM etl.batches") == [BatchState.COMPLETED]
    assert differences(digest(site.engine), digest(synced.engine)) == []


def assert_whole(site: Site, summary: Summary) -> None:
    """Check that a summary has the records, calls and rows of all batches and all their runs."""
    fetched, findings = values(site.engine, "SELECT sum(fetched) FROM etl.batch_resources UNION ALL "
                                            "SELECT count(*) FROM etl.findings WHERE state = 'open'")  # fmt: skip
    assert sum(part.counts["fetched"] for part in summary.parts) == fetched
    assert summary.open_findings == findings > 0
    assert summary.calls == value(site.engine, "SELECT sum(calls) FROM etl.batches")
    assert summary.calls >= value(site.engine, "SELECT sum(attempts) FROM etl.requests") > 0
    written = sum(counts["inserted"] for counts in summary.tables.values())
    assert written == value(site.engine, "SELECT sum(inserted) FROM etl.sync_history") > 0


@pytest.mark.timeout(120)
def test_the_run_that_takes_up_a_killed_batch_reports_all_of_it(site: Site) -> None:
    killed_after(site, 9)
    expire_leases(site.engine)
    read_before = value(site.engine, "SELECT count(*) FROM etl.requests")
    with site.engine.begin() as connection:  # as if the first part had taken 20 s
        connection.execute(text("UPDATE etl.batches SET started_at = started_at - interval '20 s'"))
    summary = site.sync_once()
    assert read_before > 0
    assert summary.resumed_batch is not None
    assert summary.resumed_batch != summary.batch.id
    assert summary.seconds > 20
    assert_whole(site, summary)


def test_a_retry_reports_the_whole_batch(site: Site) -> None:
    with pytest.raises(Interrupted):
        site.sync_once(watcher=StopAfter(9).watcher)
    summary = retry(site.engine, site.settings)
    assert summary.resumed_batch is None, "its own batch"
    assert_whole(site, summary)


@pytest.mark.timeout(120)
def test_a_run_that_is_killed_repeatedly_ends_with_the_same_tables(site: Site, synced: Site) -> None:
    dice = random.Random(7)
    for _ in range(3):
        killed_after(site, dice.randrange(1, 20))
        expire_leases(site.engine)
    summary = site.sync_once()
    assert summary.exit_status == 0, summary.batch.error
    assert value(site.engine, "SELECT count(*) FROM etl.batches WHERE status <> 'completed'") == 0
    assert differences(digest(site.engine), digest(synced.engine)) == []


def test_a_run_that_died_before_its_batch_was_finished_is_finished_by_the_next(
    site: Site, synced: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All resources were done, and only the computed columns were left."""

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["etl.pipeline.sync"], "complete_batch", dies)
    with pytest.raises(KeyboardInterrupt):
        site.sync_once()
    monkeypatch.undo()
    assert site.sync_once().exit_status == 0
    assert differences(digest(site.engine), digest(synced.engine)) == []
    assert set(values(site.engine, "SELECT status FROM etl.batches")) == {BatchState.COMPLETED}


def test_computed_columns_of_an_interrupted_run_are_filled_by_a_run_of_another_window(site: Site, synced: Site) -> None:
    """Links and premiums depend on the batch that wrote their rows, which was never finished."""
    with pytest.raises(Interrupted):
        site.sync_once(watcher=StopAfter(25).watcher)
    assert site.sync_once(full=True, resources=("locations",)).exit_status == 0
    assert site.sync_once().exit_status == 0
    assert differences(digest(site.engine), digest(synced.engine)) == []


def test_the_second_of_two_runs_learns_which_run_is_active(synced: Site) -> None:
    with hold_lease(synced.engine, "default", ["contacts"]), pytest.raises(LeaseHeld, match=r"contacts by .*:"):
        synced.sync_once()
    assert synced.sync_once().exit_status == 0


def test_runs_of_different_resources_do_not_conflict(synced: Site) -> None:
    with hold_lease(synced.engine, "default", ["contacts"]):
        assert synced.sync_once(resources=("locations",)).exit_status == 0


def test_an_expired_lease_of_a_dead_run_is_taken_over(synced: Site) -> None:
    dead = """
        INSERT INTO etl.leases VALUES ('default', 'contacts', 'gone:1', 4, now() + interval '20 s')
        ON CONFLICT (tenant, resource) DO UPDATE
        SET holder = excluded.holder, token = excluded.token, expires_at = excluded.expires_at
    """
    with synced.engine.begin() as connection:
        connection.execute(text(dead))
    with pytest.raises(LeaseHeld, match=f"gone:1.*{TTL} seconds"):
        synced.sync_once()
    expire_leases(synced.engine)
    assert synced.sync_once().exit_status == 0
    assert value(synced.engine, "SELECT token FROM etl.leases WHERE resource = 'contacts'") == 5


def test_a_stalled_run_cannot_commit_after_another_took_over(synced: Site) -> None:
    with hold_lease(synced.engine, "default", ["contacts"]) as stalled:
        expire_leases(synced.engine)
        with hold_lease(synced.engine, "default", ["contacts"]):
            ledger = Ledger(synced.engine, "default", stalled)
            with pytest.raises(LeaseLost):
                ledger.commit(lambda connection: connection.execute(text("DELETE FROM document_policies")))
    assert value(synced.engine, "SELECT count(*) FROM document_policies") > 0


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give the agency of this module."""
    with serve_agency() as served:
        yield served
