"""The temporary PostgreSQL of a test run: one server, one migrated template, one cloned database per test."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from databases import MIGRATED, clone_database, on_server, with_database
from folders import create_folder
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from etl.config import redaction
from etl.database.connect import make_engine
from etl.database.embedded.os_user import server_user
from etl.database.embedded.server import EmbeddedPostgres, remove_server
from etl.database.migrate import upgrade

pytest_plugins = ["last_limit", "long_first", "shared_simulators", "short_form"]

# Outputs show times in the machine's time zone; expected outputs have UTC.
os.environ["TZ"] = "UTC"
time.tzset()

# The time of an example depends on the load of the machine; a test that hangs has a timeout anyway.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

#: Fast settings without durability: a test run may lose its data in a power cut.
UNSAFE_AND_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file lock that excludes the other worker processes of this test run."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _shared_server(shared: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(shared, settings=UNSAFE_AND_FAST, programs=_programs(shared.parent))


def _programs(folder: Path) -> Path | None:
    """Return the programs that TEST_POSTGRES_BIN names, copied to where the user of root's servers can reach them."""
    folder_name = os.environ.get("TEST_POSTGRES_BIN")
    if not folder_name or server_user(folder / "home/data").can_enter(Path(folder_name)):
        return Path(folder_name) if folder_name else None
    copy = folder / "programs"
    if not copy.exists():
        shutil.copytree(Path(folder_name).parent, copy, symlinks=True)
    return copy / Path(folder_name).name


def _run_folder(base: Path) -> Path:
    """Return the folder of this run's server."""
    note = base / "server-folder"
    if not note.exists():
        note.write_text(str(create_folder()))
    return Path(note.read_text())


def _ensure_template(url: str) -> None:
    with psycopg.connect(url) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [MIGRATED]).fetchone():
            return
    on_server(url, "CREATE DATABASE {}", MIGRATED)
    upgrade(with_database(url, MIGRATED))


@pytest.fixture(autouse=True)
def secrets_of_earlier_tests() -> Iterator[None]:
    """Forget the secrets that a test made known: `another` would be redacted in the mails of later tests."""
    before = set(redaction._secrets)
    yield
    redaction._secrets.intersection_update(before)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres]:
    """Return the server of this test run, with the migrated template; all workers of the run share it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if hasattr(request.config, "workerinput") else base
    with locked(base / "server.lock"):
        folder = _run_folder(base)
        (folder / f"user-{os.getpid()}").touch()
        running = _shared_server(folder / "home")
        running.start()
        _ensure_template(running.url)
    try:
        yield running
    finally:
        with locked(base / "server.lock"):
            (folder / f"user-{os.getpid()}").unlink()
            last = not any(folder.glob("user-*"))
            running.close()
            if last:
                remove_server(folder / "home")
                shutil.rmtree(folder)


@pytest.fixture
def database_url(server: EmbeddedPostgres) -> Iterator[str]:
    """Return the URL of an empty database for this test, at the newest migration."""
    with clone_database(server.url, MIGRATED) as url:
        yield url


@pytest.fixture
def empty_database_url(server: EmbeddedPostgres) -> Iterator[str]:
    """Return the URL of a database for this test without any tables."""
    with clone_database(server.url, "template0") as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Return an engine for the database of this test."""
    created = make_engine(database_url)
    yield created
    created.dispose()


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """Return a folder for a test's own server, which is removed at the end."""
    folder = create_folder()
    yield folder
    remove_server(folder / "home")
    shutil.rmtree(folder)
