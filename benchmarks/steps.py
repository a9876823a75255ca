"""One step of one candidate, run as a separate program: its time, memory, calls and rows."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta

from benchmarks.book import FIRST_DAY, RECORDS_PER_DAY, last_day
from benchmarks.candidates import CHANGE, Candidate
from benchmarks.memory import MemoryWatch
from benchmarks.peers.measured import DATABASE
from benchmarks.servers import ROOT, Cluster, Server

#: The end of a window that includes everything.
FOREVER = date(2099, 1, 1)


@dataclass(frozen=True)
class Book:
    """The number of records in each feed."""

    records: int
    changed: int


@dataclass(frozen=True)
class StepOutcome:
    """The result of a step."""

    seconds: float
    memory: tuple[float, ...]  #: peak MiB of the program, then of its workers
    calls: int
    bytes: int
    versions: dict[str, str]
    rows: tuple[int, ...] = ()  #: contacts and policies, as counted in the database


@dataclass(frozen=True)
class Stage:
    """The servers, database and folder of a candidate's steps."""

    cluster: Cluster
    server: Server
    book: Book
    database: str
    scratch: str

    def run(self, candidate: Candidate, step: str) -> StepOutcome:
        """Run one step; raise SystemExit when it fails or writes the wrong rows."""
        outcome = self.measure(candidate, step)
        self.check(candidate, step)
        return replace(outcome, rows=self.count((candidate.contacts, candidate.policies)))

    def measure(self, candidate: Candidate, step: str) -> StepOutcome:
        """Run one step without checking its rows; raise SystemExit when it fails."""
        self.cluster.checkpoint()
        self.server.show_changes(shown=step == CHANGE)
        self.server.counted()
        output, memory = run_watched(self.command(candidate, step), self.database)
        counters = self.server.counted()
        result = json.loads(output.rstrip().rpartition("\n")[2])
        seconds = result["seconds"] * self.scale(candidate, step)
        return StepOutcome(seconds, memory, counters["calls"], counters["bytes"], result["versions"])

    def read(self, candidate: Candidate) -> int:
        """Return the number of records of each feed that a candidate reads in a full step."""
        return min(self.book.records, (candidate.most or 2 * self.book.records) // 2)

    def scale(self, candidate: Candidate, step: str) -> float:
        """Return the factor that scales a candidate's time up to the whole data set."""
        return 1.0 if step == CHANGE else self.book.records / self.read(candidate)

    def command(self, candidate: Candidate, step: str) -> list[str]:
        """Return the command line of a step."""
        since = last_day(self.book.records) if step == CHANGE else FIRST_DAY - timedelta(days=1)
        until = FIRST_DAY + timedelta(days=-(-self.read(candidate) // RECORDS_PER_DAY))
        until = FOREVER if step == CHANGE or self.read(candidate) == self.book.records else until
        return [
            *(str(candidate.python), "-m", f"benchmarks.peers.{candidate.module}", step, "--api", self.server.api),
            *("--since", str(since), "--until", str(until), "--scratch", self.scratch),
        ]

    def check(self, candidate: Candidate, step: str) -> None:
        """Count a candidate's rows; raise SystemExit when they are not those of the data set."""
        tables = (candidate.contacts, candidate.policies)
        expected = self.read(candidate)
        if step != CHANGE or expected == self.book.records:  # otherwise the change adds rows that were not read before
            self.expect(candidate, step, tables, expected)
        if step == CHANGE and candidate.changed:
            conditions = zip(tables, candidate.changed, strict=True)
            changed = [f"{table} AND {condition}" for table, condition in conditions]
            self.expect(candidate, step, changed, self.book.changed)

    def expect(self, candidate: Candidate, step: str, tables: Sequence[str], number: int) -> None:
        """Raise SystemExit unless each of these tables has `number` rows."""
        counts = self.count(tables)
        if any(count != number for count in counts):
            raise SystemExit(f"{candidate.label}, {step}: {counts} rows instead of {number} each")

    def count(self, tables: Sequence[str]) -> tuple[int, ...]:
        """Return the row count of each of these tables."""
        query = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
        return self.cluster.row(f"SELECT {query}", self.database)


@contextmanager
def open_stage(cluster: Cluster, server: Server, book: Book, candidate: Candidate) -> Iterator[Stage]:
    """Yield a stage with a new database that is prepared for the candidate."""
    database = cluster.create_database(candidate.name)
    if candidate.prepare:
        candidate.prepare(database)
    with tempfile.TemporaryDirectory(prefix="qqetl-benchmark-") as scratch:
        yield Stage(cluster, server, book, database, scratch)


def run_watched(command: list[str], database: str) -> tuple[str, tuple[float, ...]]:
    """Return a program's output and memory; raise SystemExit with its error output when it fails."""
    environment = os.environ | {DATABASE: database}
    with (
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program,
        MemoryWatch(program.pid) as watch,
    ):
        output, errors = program.communicate()
    if program.returncode:
        raise SystemExit(f"{' '.join(command[1:4])} failed:\n{errors[-4000:]}")
    return output, watch.mebibytes
