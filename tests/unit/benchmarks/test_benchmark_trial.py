"""A step of a benchmark: its memory is seen from outside, its failure has its own words, its rows are counted."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchmarks.book import FIRST_DAY, RECORDS_PER_DAY, last_day
from benchmarks.candidates import CHANGE, COPY, FULL, NAIVE, OURS
from benchmarks.memory import PROC
from benchmarks.scene import Cluster, Server
from benchmarks.trial import FOREVER, Book, Stage, run_watched

HOLDS = "import time; held = bytearray({size} << 20); time.sleep({seconds})"
BEGETS = "import subprocess, sys; held = bytearray(40 << 20); subprocess.run([sys.executable, '-c', {child!r}])"


class Counted(Cluster):
    """A database that holds given numbers of rows."""

    def __init__(self, *rows: int) -> None:
        super().__init__("postgresql:///none")
        self.rows = rows
        self.asked: list[str] = []

    def row(self, query: str, database: str | None = None) -> tuple[Any, ...]:
        self.asked.append(query)
        return self.rows


def stage(*rows: int, records: int = 20) -> Stage:
    return Stage(Counted(*rows), Server("http://127.0.0.1:1"), Book(records, 2), "postgresql:///none", "/scratch")


def test_the_peaks_of_a_program_and_its_worker_are_seen_where_the_kernel_shows_them() -> None:
    child = HOLDS.format(size=80, seconds=0.3)
    _, memory = run_watched([sys.executable, "-c", BEGETS.format(child=child)], "")
    assert [size // 40 for size in memory] == ([1, 2] if PROC.is_dir() else [])


def test_a_program_that_fails_ends_the_benchmark_with_its_own_words() -> None:
    with pytest.raises(SystemExit, match="the peer gave up"):
        run_watched([sys.executable, "-c", "import sys; sys.exit('the peer gave up')"], "")


def test_a_program_is_told_its_database_by_the_environment_and_not_by_an_argument() -> None:
    said, _ = run_watched(
        [sys.executable, "-c", "import os; print(os.environ['BENCHMARK_DATABASE'])"], "postgresql:///mine"
    )
    assert said == "postgresql:///mine\n"


def test_the_rows_of_the_book_are_the_right_ones() -> None:
    stage(20, 20).check(OURS, FULL)


@pytest.mark.parametrize("rows", [(20, 19), (21, 20)])
def test_other_rows_than_the_books_end_the_benchmark(rows: tuple[int, int]) -> None:
    with pytest.raises(SystemExit, match="instead of 20 each"):
        stage(*rows).check(OURS, FULL)


def test_after_the_change_what_changed_is_counted_too() -> None:
    with pytest.raises(SystemExit, match="instead of 2 each"):
        stage(20, 20).check(OURS, CHANGE)


def test_who_reads_a_part_of_the_book_is_scaled_and_asked_for_so_many_days() -> None:
    some = stage(records=100_000)
    command = some.command(NAIVE, FULL)
    last = date.fromisoformat(command[command.index("--until") + 1])
    assert (last - FIRST_DAY).days * RECORDS_PER_DAY == some.read(NAIVE) == 10_000
    assert some.scale(NAIVE, FULL) == 10
    assert some.scale(NAIVE, CHANGE) == some.scale(COPY, FULL) == 1


def test_the_changed_step_begins_with_the_last_day_before_the_change() -> None:
    command = stage(records=1_000).command(OURS, CHANGE)
    assert command[command.index("--since") + 1] == str(last_day(1_000))
    assert command[command.index("--until") + 1] == str(FOREVER)


def test_a_candidate_runs_in_its_own_environment() -> None:
    assert stage().command(OURS, FULL)[0] == sys.executable
    assert Path(stage().command(NAIVE, FULL)[0]).parts[-4:] == (".venvs", "naive", "bin", "python")
