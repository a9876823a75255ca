"""Run the SQL, Python and shell examples of the documentation against a small synced agency."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from pages import Example, examples
from psycopg import sql

from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.database.embedded.server import EmbeddedPostgres
from etl.database.migrate import upgrade
from etl.pipeline import sync
from etl.simulator import Simulator, SimulatorSettings

#: Enough for each query that must return rows.
CONTACTS = 60

SQL, PYTHON, BASH = (examples(language) for language in ("sql", "python", "bash"))
RUN_PYTHON = [example for example in PYTHON if "run" in example.labels]
RUN_BASH = [example for example in BASH if "run" in example.labels]


@dataclass(frozen=True)
class SyncedAgency:
    """A made-up agency, its API, and the database that it was synced into."""

    url: str
    simulator: Simulator

    def environment(self, url: str) -> dict[str, str]:
        """Return the settings for the API and a database."""
        login = self.simulator.settings
        return {
            "DATABASE_URL": url,
            "ETL_RATE": "0",
            "QQCATALYST_API_URL": self.simulator.api_url,
            "QQCATALYST_TOKEN_URL": self.simulator.token_url,
            "QQCATALYST_CLIENT_ID": login.client_id,
            "QQCATALYST_CLIENT_SECRET": login.client_secret,
            "QQCATALYST_USERNAME": login.username,
            "QQCATALYST_PASSWORD": login.password,
        }


@contextmanager
def database(server: EmbeddedPostgres, template: str = "template0") -> Iterator[str]:
    """Yield the URL of a new database, copied from a template."""
    name = sql.Identifier(f"docs_{uuid4().hex[:12]}")
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template {}").format(name, sql.Identifier(template)))
        try:
            yield urlsplit(server.url)._replace(path=f"/{name.as_string().strip(chr(34))}").geturl()
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture(scope="module")
def agency(server: EmbeddedPostgres) -> Iterator[SyncedAgency]:
    with database(server) as url, Simulator(SimulatorSettings(contacts=CONTACTS)) as simulator:
        upgrade(url)
        synced = SyncedAgency(url, simulator)
        settings = {name.lower(): value for name, value in synced.environment(url).items()}
        engine = make_engine(url)
        assert sync(engine, Settings.load(**settings)).exit_status == 0
        engine.dispose()
        yield synced


@pytest.fixture
def environment(agency: SyncedAgency, server: EmbeddedPostgres) -> Iterator[dict[str, str]]:
    """Yield the settings for the agency and a copy of its database, which a test may change."""
    with database(server, urlsplit(agency.url).path.lstrip("/")) as url:
        yield agency.environment(url)


@pytest.mark.parametrize("example", SQL, ids=str)
def test_a_query_runs_and_returns_rows_if_labeled(example: Example, agency: SyncedAgency) -> None:
    with psycopg.connect(agency.url) as connection:
        connection.read_only = True
        rows = connection.execute(example.text).fetchall()
    assert rows or "rows" not in example.labels


@pytest.mark.parametrize("example", PYTHON, ids=str)
def test_a_python_example_compiles(example: Example) -> None:
    compile(textwrap.dedent(example.text), str(example), "exec")


@pytest.mark.parametrize("example", RUN_PYTHON, ids=str)
def test_a_python_example_runs(
    example: Example, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # a folder without .env
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(example.text, str(example), "exec"), names)  # noqa: S102 (our own pages)
    if (engine := names.get("engine")) is not None:
        engine.dispose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("example", RUN_BASH, ids=str)
def test_a_shell_example_runs(example: Example, environment: dict[str, str], tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    completed = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", example.text],
        cwd=tmp_path,
        env={**environment, "PATH": path, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    assert "Traceback" not in completed.stderr


def test_the_executed_examples_include_the_services() -> None:
    text = "".join(example.text for example in RUN_PYTHON)
    assert all(name in text for name in ("extract_data(", "transform_batch(", "load_batch(", "Session(", "sync(engine"))
