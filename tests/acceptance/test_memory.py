"""Memory: pages are streamed, so that a larger book takes hardly more, and no package is loaded for nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import CommandLine

from benchmarks.scene import ROOT, page_server
from etl.database.migrate import upgrade

#: Syncs as a command does, and tells the peak of its memory, or of its largest process, in kibibytes.
PROGRAM = """
import resource, sys
from etl.cli.main import main
status = main(["sync", "--resource", "contacts"])
print("PEAK", max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
raise SystemExit(status)
"""
#: The same, and tells which packages that loaded.
LOADING = """
import sys
before = set(sys.modules)
from etl.cli.main import main
status = main(["sync", "--resource", "contacts"])
import json
from importlib.metadata import packages_distributions
known = packages_distributions()
print("LOADED", json.dumps(sorted({one for name in {*sys.modules} - before for one in known.get(name, ())})))
raise SystemExit(status)
"""
#: The distributions that a sync needs, each with what it costs: the time of every command and the memory of every run.
NEEDED = {
    *("qqcatalyst-etl", "typer", "rich", "shellingham", "annotated-doc", "Pygments"),  # the command line
    *("pydantic", "pydantic_core", "pydantic-settings", "python-dotenv", "annotated-types"),  # settings
    *("typing_extensions", "typing-inspection"),  # as above
    *("structlog", "prometheus_client"),  # what is told of a run
    *("SQLAlchemy", "greenlet", "psycopg", "psycopg-binary"),  # the database
    *("aiohttp", "aiosignal", "aiohappyeyeballs", "frozenlist", "multidict", "propcache", "yarl", "attrs"),  # the API
    *("msgspec", "phonenumbers", "email-validator", "idna"),  # records and their values
    *("cryptography", "cffi"),  # the token at rest
}
NAMES = ("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD")
FEW, MANY = 1_000, 8_000
#: What may be held at once whatever the size of the book: pages under way, a group in each lane, caches that fill.
MEBIBYTES = 48


@pytest.fixture
def databases(database_url: str, empty_database_url: str) -> tuple[str, str]:
    """Give two migrated databases."""
    upgrade(empty_database_url)
    return database_url, empty_database_url


def synced(program: str, folder: Path, url: str, records: int) -> str:
    """Run a program that makes a first sync of a book, and return what it printed."""
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
    """Return the peak of a first sync of a book, in mebibytes."""
    return int(synced(PROGRAM, folder, url, records).rsplit("PEAK", 1)[1]) // 1024


def test_o8_a_book_eight_times_as_large_takes_hardly_more_memory(tmp_path: Path, databases: tuple[str, str]) -> None:
    few, many = (peak(tmp_path, url, records) for url, records in zip(databases, (FEW, MANY), strict=True))
    assert many - few < MEBIBYTES, (few, many)


def test_a_sync_loads_only_the_packages_that_it_needs(tmp_path: Path, database_url: str) -> None:
    loaded = set(json.loads(synced(LOADING, tmp_path, database_url, 10).rsplit("LOADED", 1)[1]))
    assert {"SQLAlchemy", "aiohttp"} <= loaded
    assert loaded <= NEEDED, f"import these where they are used: {sorted(loaded - NEEDED)}"
