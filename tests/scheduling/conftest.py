"""Fixtures of the Airflow tests: a metadata database, created once and copied for each test."""

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from airflow_home import AirflowHome, airflow_database_url
from databases import clone_database

from etl.database.embedded.server import EmbeddedPostgres

TEMPLATE = "template_airflow"
#: An advisory lock number that nothing else on this server uses.
LOCK = 3302


@pytest.fixture(scope="session")
def template(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of a template database with Airflow's tables; the first worker of a test run creates it."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            with clone_database(server.url, "template0") as draft:
                AirflowHome(tmp_path_factory.mktemp("airflow"), airflow_database_url(draft)).migrate()
                with suppress(psycopg.errors.DuplicateDatabase):  # another worker was faster
                    connection.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE {draft.rpartition('/')[2]}".encode())
    return TEMPLATE


@pytest.fixture
def metadata(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """Give the URL, in Airflow's format, of a metadata database only for this test."""
    with clone_database(server.url, template) as url:
        yield airflow_database_url(url)
