"""One step of one candidate, run as a program of its own: seconds, memory, calls, and the rows that it left."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta

from benchmarks.book import A_DAY, FIRST_DAY, last_day
from benchmarks.candidates import CHANGE, Candidate
from benchmarks.memory import Watch
from benchmarks.peers.measured import DATABASE
from benchmarks.scene import ROOT, Cluster, Server

#: The end of a window that leaves nothing out.
FOREVER = date(2099, 1, 1)


@dataclass(frozen=True)
class Book:
    """How much there is to read, of each feed."""

    records: int
    changed: int


@dataclass(frozen=True)
class Outcome:
    """How a step went."""

    seconds: float
    memory: tuple[float, ...]  #: MiB at most, the program first, then its workers
    calls: int
    bytes: int
    versions: dict[str, str]
    rows: tuple[int, ...] = ()  #: contacts and policies, as counted in the database


@dataclass(frozen=True)
class Stage:
    """Where a candidate's steps take place."""

    cluster: Cluster
    server: Server
    book: Book
    database: str
    scratch: str

    def run(self, candidate: Candidate, step: str) -> Outcome:
        """Run one step; raise SystemExit when it fails or leaves other rows than it should."""
        done = self.measure(candidate, step)
        self.check(candidate, step)
        return replace(done, rows=self.count((candidate.contacts, candidate.policies)))

    def measure(self, candidate: Candidate, step: str) -> Outcome:
        """Run one step and look at its rows no further; raise SystemExit when it fails."""
        self.cluster.settle()
        self.server.show_changes(shown=step == CHANGE)
        self.server.counted()
        said, memory = watched(self.command(candidate, step), self.database)
        counted = self.server.counted()
        told = json.loads(said.rstrip().rpartition("\n")[2])
        seconds = told["seconds"] * self.scale(candidate, step)
        return Outcome(seconds, memory, counted["calls"], counted["bytes"], told["versions"])

    def read(self, candidate: Candidate) -> int:
        """Return how many records of each feed a candidate reads in a full step."""
        return min(self.book.records, (candidate.most or 2 * self.book.records) // 2)

    def scale(self, candidate: Candidate, step: str) -> float:
        """Return by what a candidate's time is multiplied for what it did not read."""
        return 1.0 if step == CHANGE else self.book.records / self.read(candidate)

    def command(self, candidate: Candidate, step: str) -> list[str]:
        """Return the command line of a step."""
        since = last_day(self.book.records) if step == CHANGE else FIRST_DAY - timedelta(days=1)
        until = FIRST_DAY + timedelta(days=-(-self.read(candidate) // A_DAY))
        until = FOREVER if step == CHANGE or self.read(candidate) == self.book.records else until
        return [
            *(str(candidate.python), "-m", f"benchmarks.peers.{candidate.module}", step, "--api", self.server.api),
            *("--since", str(since), "--until", str(until), "--scratch", self.scratch),
        ]

    def check(self, candidate: Candidate, step: str) -> None:
        """Count a candidate's rows; raise SystemExit when they are not those of the book."""
        tables = (candidate.contacts, candidate.policies)
        expected = self.read(candidate)
        if step != CHANGE or expected == self.book.records:  # else the change brings rows that were not read before
            self.expect(candidate, step, tables, expected)
        if step == CHANGE and candidate.changed:
            conditions = zip(tables, candidate.changed, strict=True)
            changed = [f"{table} AND {condition}" for table, condition in conditions]
            self.expect(candidate, step, changed, self.book.changed)

    def expect(self, candidate: Candidate, step: str, tables: Sequence[str], number: int) -> None:
        """Raise SystemExit unless each of these holds so many rows."""
        found = self.count(tables)
        if any(one != number for one in found):
            raise SystemExit(f"{candidate.label}, {step}: {found} rows where {number} of each belong")

    def count(self, tables: Sequence[str]) -> tuple[int, ...]:
        """Return how many rows each of these holds."""
        query = ", ".join(f"(SELECT count(*) FROM {one})" for one in tables)
        return self.cluster.row(f"SELECT {query}", self.database)


@contextmanager
def staged(cluster: Cluster, server: Server, book: Book, candidate: Candidate) -> Iterator[Stage]:
    """Give a stage with an empty database of the candidate's own, prepared for it."""
    database = cluster.fresh(candidate.name)
    if candidate.prepare:
        candidate.prepare(database)
    with tempfile.TemporaryDirectory(prefix="qqetl-benchmark-") as scratch:
        yield Stage(cluster, server, book, database, scratch)


def watched(command: list[str], database: str) -> tuple[str, tuple[float, ...]]:
    """Return what a program printed and the memory it took; raise SystemExit with its own words when it fails."""
    environment = os.environ | {DATABASE: database}
    with (
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program,
        Watch(program.pid) as watch,
    ):
        said, complaints = program.communicate()
    if program.returncode:
        raise SystemExit(f"{' '.join(command[1:4])} failed:\n{complaints[-4000:]}")
    return said, watch.mebibytes
