"""Memory: pages are streamed, so that a book eight times as large takes hardly more of it."""

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
NAMES = ("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD")
FEW, MANY = 1_000, 8_000
#: What may be held at once whatever the size of the book: pages under way, a group in each lane, caches that fill.
MEBIBYTES = 48


@pytest.fixture
def databases(database_url: str, empty_database_url: str) -> tuple[str, str]:
    """Give two migrated databases."""
    upgrade(empty_database_url)
    return database_url, empty_database_url


def peak(folder: Path, url: str, records: int) -> int:
    """Return the peak of a first sync of a book, in mebibytes."""
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
            [sys.executable, "-c", PROGRAM], cwd=folder, env=shell.environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False, timeout=110,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout.rsplit("PEAK", 1)[1]) // 1024


def test_o8_a_book_eight_times_as_large_takes_hardly_more_memory(tmp_path: Path, databases: tuple[str, str]) -> None:
    few, many = (peak(tmp_path, url, records) for url, records in zip(databases, (FEW, MANY), strict=True))
    assert many - few < MEBIBYTES, (few, many)
