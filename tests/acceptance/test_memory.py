"""Memory: pages are streamed, so memory does not grow with the data, and only needed packages are loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import CommandLine

from benchmarks.servers import ROOT, page_server
from etl.database.migrate import upgrade

#: Runs a sync, and prints the peak memory of the largest process in KiB.
PROGRAM = """
import resource, sys
from etl.cli.main import main
status = main(["sync", "--resource", "contacts"])
print("PEAK", max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
raise SystemExit(status)
"""
#: Runs a sync, and prints the packages that it loaded.
LOADING = """
import sys
before = set(sys.modules)
from etl.cli.main import main
status = main(["sync", "--resource", "contacts"])
import json
from importlib.metadata import packages_distributions
distributions = packages_distributions()
print("LOADED", json.dumps(sorted({item for name in {*sys.modules} - before for item in distributions.get(name, ())})))
raise SystemExit(status)
"""
#: Distributions that a sync needs; each costs start time and memory.
NEEDED = {
    *("qqcatalyst-etl", "typer", "rich", "shellingham", "annotated-doc", "Pygments"),  # the command line
    *("pydantic", "pydantic_core", "pydantic-settings", "python-dotenv", "annotated-types"),  # settings
    *("typing_extensions", "typing-inspection"),  # as above
    *("structlog", "prometheus_client"),  # log and metrics
    *("SQLAlchemy", "greenlet", "psycopg", "psycopg-binary"),  # the database
    *("aiohttp", "aiosignal", "aiohappyeyeballs", "frozenlist", "multidict", "propcache", "yarl", "attrs"),  # the API
    *("msgspec", "phonenumbers", "email-validator", "idna"),  # records and their values
    *("cryptography", "cffi"),  # the stored token
    "aiosmtplib",  # an email may follow each run
}
NAMES = ("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD")
FEW, MANY = 1_000, 8_000
#: Memory that does not depend on the number of records: pages in flight, page groups of the workers, caches.
MEBIBYTES = 48


@pytest.fixture
def databases(database_url: str, empty_database_url: str) -> tuple[str, str]:
    """Give two migrated databases."""
    upgrade(empty_database_url)
    return database_url, empty_database_url


def synced(program: str, folder: Path, url: str, records: int) -> str:
    """Run a program that syncs a new database, and return its output."""
    with page_server(records, 1) as server:
        shell = CommandLine(
            folder,
            {
                "DATABASE_URL": url,
                "ETL_RATE": "0",
                "QQCATALYST_API_URL": f"{server.api}/v1",
                "QQCATALYST_TOKEN_URL": f"{server.api}/oauth/token",
                **dict.fromkeys((f"QQCATALYST_{name}" for name in NAMES), "x"),
            },
        )
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, env=shell.environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False, timeout=110,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def peak(folder: Path, url: str, records: int) -> int:
    """Return the peak memory of a first sync, in MiB."""
    return int(synced(PROGRAM, folder, url, records).rsplit("PEAK", 1)[1]) // 1024


def test_o8_memory_hardly_grows_with_the_number_of_records(tmp_path: Path, databases: tuple[str, str]) -> None:
    few, many = (peak(tmp_path, url, records) for url, records in zip(databases, (FEW, MANY), strict=True))
    assert many - few < MEBIBYTES, (few, many)


def test_a_sync_loads_only_needed_packages(tmp_path: Path, database_url: str) -> None:
    loaded = set(json.loads(synced(LOADING, tmp_path, database_url, 10).rsplit("LOADED", 1)[1]))
    assert {"SQLAlchemy", "aiohttp"} <= loaded
    assert loaded <= NEEDED, f"import these where they are used: {sorted(loaded - NEEDED)}"
