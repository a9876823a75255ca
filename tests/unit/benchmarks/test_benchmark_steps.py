"""A step of a benchmark: memory measurement, failures, and row counts."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchmarks.book import FIRST_DAY, RECORDS_PER_DAY, last_day
from benchmarks.candidates import CHANGE, COPY, FULL, NAIVE, OURS
from benchmarks.memory import PROC
from benchmarks.servers import Cluster, Server
from benchmarks.steps import FOREVER, Book, Stage, run_watched

HOLDS = "import time; held = bytearray({size} << 20); time.sleep({seconds})"
BEGETS = "import subprocess, sys; held = bytearray(40 << 20); subprocess.run([sys.executable, '-c', {child!r}])"


class Counted(Cluster):
    """A database with fixed row counts."""

    def __init__(self, *rows: int) -> None:
        super().__init__("postgresql:///none")
        self.rows = rows
        self.asked: list[str] = []

    def row(self, query: str, database: str | None = None) -> tuple[Any, ...]:
        self.asked.append(query)
        return self.rows


def stage(*rows: int, records: int = 20) -> Stage:
    return Stage(Counted(*rows), Server("http://127.0.0.1:1"), Book(records, 2), "postgresql:///none", "/scratch")


def test_the_memory_peaks_of_a_program_and_its_worker_are_measured() -> None:
    child = HOLDS.format(size=80, seconds=0.3)
    _, memory = run_watched([sys.executable, "-c", BEGETS.format(child=child)], "")
    assert [size // 40 for size in memory] == ([1, 2] if PROC.is_dir() else [])


def test_a_failed_program_ends_the_benchmark_with_its_error_output() -> None:
    with pytest.raises(SystemExit, match="the peer gave up"):
        run_watched([sys.executable, "-c", "import sys; sys.exit('the peer gave up')"], "")


def test_a_program_gets_its_database_from_the_environment_and_not_as_an_argument() -> None:
    output, _ = run_watched(
        [sys.executable, "-c", "import os; print(os.environ['BENCHMARK_DATABASE'])"], "postgresql:///mine"
    )
    assert output == "postgresql:///mine\n"


def test_the_expected_row_counts_pass() -> None:
    stage(20, 20).check(OURS, FULL)


@pytest.mark.parametrize("rows", [(20, 19), (21, 20)])
def test_unexpected_row_counts_end_the_benchmark(rows: tuple[int, int]) -> None:
    with pytest.raises(SystemExit, match="instead of 20 each"):
        stage(*rows).check(OURS, FULL)


def test_changed_rows_are_counted_after_the_change() -> None:
    with pytest.raises(SystemExit, match="instead of 2 each"):
        stage(20, 20).check(OURS, CHANGE)


def test_a_candidate_that_reads_a_part_is_scaled_and_reads_fewer_days() -> None:
    large_stage = stage(records=100_000)
    command = large_stage.command(NAIVE, FULL)
    last = date.fromisoformat(command[command.index("--until") + 1])
    assert (last - FIRST_DAY).days * RECORDS_PER_DAY == large_stage.read(NAIVE) == 10_000
    assert large_stage.scale(NAIVE, FULL) == 10
    assert large_stage.scale(NAIVE, CHANGE) == large_stage.scale(COPY, FULL) == 1


def test_the_changed_step_starts_with_the_last_day_before_the_change() -> None:
    command = stage(records=1_000).command(OURS, CHANGE)
    assert command[command.index("--since") + 1] == str(last_day(1_000))
    assert command[command.index("--until") + 1] == str(FOREVER)


def test_a_candidate_runs_in_its_own_environment() -> None:
    assert stage().command(OURS, FULL)[0] == sys.executable
    assert Path(stage().command(NAIVE, FULL)[0]).parts[-4:] == (".venvs", "naive", "bin", "python")
