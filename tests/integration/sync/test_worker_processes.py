"""Worker processes lead to the same rows as threads, and a lost process is reported."""

import subprocess
import sys
from pathlib import Path

import pytest
from sites import Site
from snapshots import digest

from etl.engine import workers
from etl.engine.page_writer import PageGroup
from etl.engine.workers import WorkerPool, WorkerProcess
from etl.errors import Interrupted, WorkerDied
from etl.pipeline import Watcher


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> list[WorkerProcess]:
    """Write everything in processes, and give the processes that were started."""
    begun: list[WorkerProcess] = []

    class Noted(WorkerProcess):
        def __init__(self, setup: workers.WorkerSetup) -> None:
            super().__init__(setup)
            begun.append(self)

    monkeypatch.setattr(workers, "PROCESS_THRESHOLD", 0)
    monkeypatch.setattr(workers, "WorkerProcess", Noted)
    return begun


def test_processes_lead_to_the_same_rows_as_threads(
    site: Site, as_synced: Site, in_processes: list[WorkerProcess]
) -> None:
    assert site.sync_once().exit_status == 0
    assert len(in_processes) == workers.WORKERS
    assert digest(site.engine) == digest(as_synced.engine)


def test_the_processes_end_with_their_run(site: Site, in_processes: list[WorkerProcess]) -> None:
    site.sync_once(resources=("contacts",))
    assert [process._process.poll() for process in in_processes] == [0] * workers.WORKERS


def test_a_stopped_run_leaves_no_process(site: Site, in_processes: list[WorkerProcess]) -> None:
    watcher = Watcher(watch=lambda _: watcher.stop.set() if in_processes else None)
    with pytest.raises(Interrupted):
        site.sync_once(watcher=watcher)
    assert all(process._process.poll() == 0 for process in in_processes)


def test_a_process_that_dies_leaves_a_resumable_batch(
    site: Site, as_synced: Site, in_processes: list[WorkerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = WorkerPool.write

    def kill_and_write(self: WorkerPool, group: PageGroup) -> object:
        if len(in_processes) == workers.WORKERS:
            in_processes[0]._process.kill()
        return write(self, group)

    monkeypatch.setattr(WorkerPool, "write", kill_and_write)
    with pytest.raises(WorkerDied):
        site.sync_once()
    monkeypatch.undo()
    assert site.sync_once().exit_status == 0
    assert digest(site.engine) == digest(as_synced.engine)


def test_a_process_that_is_already_dead_is_reported_and_can_be_closed() -> None:
    process = WorkerProcess(dict)  # type: ignore[arg-type]  # no process is left to call it
    process._process.kill()
    process._process.wait()
    with pytest.raises(WorkerDied):
        process.write(PageGroup("contacts", [], None))
    process.close_input()
    process.wait_for_exit()


def test_a_script_without_a_main_guard_can_sync_a_large_book(site: Site, tmp_path: Path) -> None:
    """A multiprocessing pool would import the calling script again in each process."""
    script = tmp_path / "nightly.py"
    script.write_text(
        "from etl.config.settings import Settings\n"
        "from etl.database.connect import make_engine\n"
        "from etl.engine import workers\n"
        "from etl.pipeline import sync\n"
        "workers.PROCESS_THRESHOLD = 0\n"
        "settings = Settings.load()\n"
        "engine = make_engine(settings.database_url.get_secret_value())\n"
        "print(sync(engine, settings).exit_status)\n"
    )
    settings = site.settings
    environment = {
        "DATABASE_URL": settings.database_url.get_secret_value() if settings.database_url else "",
        "QQCATALYST_API_URL": settings.qqcatalyst_api_url,
        "QQCATALYST_TOKEN_URL": settings.qqcatalyst_token_url,
        "QQCATALYST_CLIENT_ID": "demo",
        "QQCATALYST_CLIENT_SECRET": "demo-secret",
        "QQCATALYST_USERNAME": "demo",
        "QQCATALYST_PASSWORD": "demo-password",
        "ETL_RATE": "0",
    }
    run = subprocess.run(
        [sys.executable, str(script)], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "0"), run.stderr
