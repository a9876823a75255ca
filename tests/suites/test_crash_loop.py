"""The crash loop: real processes are killed at the n-th call of a seam, and a rerun ends with the same tables.

TEST_CRASHES is the number of calls of each seam at which every command is killed, evenly spread from an offset that
TEST_SEED draws; `all` means every call.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import psycopg
import pytest
from command_line import CommandLine, settings_of
from crash_runner import KILLED, SEAMS, ForkServer, RunResult, start_fork_server
from databases import MIGRATED, clone_database
from sites import serve_agency
from snapshots import Digest, differences, digest

from etl.database.connect import make_engine
from etl.database.embedded.server import EmbeddedPostgres
from etl.simulator import Simulator

CRASHES = os.environ.get("TEST_CRASHES", "2")
SEED = int(os.environ.get("TEST_SEED", "1"))
THEN = datetime(2025, 6, 2, 15, 30, tzinfo=UTC)
LATER = THEN + timedelta(days=2)
#: One resource of each way of reading; the first sync, of all resources, is killed too.
SOME = "contacts policies policy_details coverages drivers billing_records quotes documents".split()
SOME_RESOURCES = tuple(word for name in SOME for word in ("--resource", name))


@dataclass(frozen=True)
class Scenario:
    """A command to kill, the state of the database before it, and the command to run after the kill."""

    begins: str  #: the state of the database
    command: tuple[str, ...]
    again: tuple[str, ...] = ()  #: if not the command itself

    @property
    def rerun(self) -> tuple[str, ...]:
        return self.again or self.command


SCENARIOS: Mapping[str, Scenario] = {
    "first sync": Scenario("empty", ("sync",)),
    "next sync": Scenario("synced", ("sync", *SOME_RESOURCES)),
    "next sync, then retry": Scenario("synced", ("sync", *SOME_RESOURCES), ("retry",)),
    "retry": Scenario("interrupted", ("retry",)),
    "reconcile": Scenario("synced", ("reconcile", "--resource", "contacts", "--resource", "policies")),
    "replay --apply": Scenario("damaged", ("replay", "--apply")),
    "forget": Scenario("synced", ("forget", "41002", "--yes")),
}

#: What a replay fixes: values, rows and deletion marks that contradict the raw rows.
DAMAGE = """
    UPDATE public.contacts SET status = 'X', customer_number = NULL, deleted_at = NULL;
    UPDATE public.policies SET total_premium = total_premium + 1;
    DELETE FROM public.coverages; DELETE FROM public.billing_record_policies; DELETE FROM public.document_policies;
"""


@dataclass(frozen=True)
class Bench:
    """A simulator, the initial states of databases, and the fork server."""

    simulator: Simulator
    server: str
    forks: ForkServer

    def run(self, url: str, *words: str, seam: str = "", at: int = 0) -> RunResult:
        settings = {**settings_of(self.simulator), "DATABASE_URL": url, "ETL_PAGE_SIZE": "2"}
        return self.forks.run(*words, environment=settings, seam=seam, at=at)

    def sound(self, url: str, *words: str) -> RunResult:
        done = self.run(url, *words)
        assert done.status == 0, done.said[-3000:]
        return done

    def again(self, url: str, scenario: Scenario) -> RunResult:
        """Run a command again after a kill.

        After a kill before the batch was created or after it was closed, there is nothing to resume: then a new sync
        starts, and the batch of a retry is already complete.
        """
        done = self.run(url, *scenario.rerun)
        if "nothing to resume" not in done.said:
            return done
        return self.run(url, *scenario.command) if scenario.command != scenario.rerun else replace(done, status=0)

    @contextmanager
    def state(self, name: str) -> Iterator[str]:
        """Give a database in a named state."""
        with clone_database(self.server, MIGRATED if name == "empty" else self.template(name)) as url:
            yield url

    @cache  # noqa: B019 (one bench a module)
    def template(self, name: str) -> str:
        """Return the name of a template database in a named state."""
        database_name = f"suite_{name}_{os.getpid()}"
        with psycopg.connect(self.server, autocommit=True) as server:
            origin = MIGRATED if name == "synced" else self.template("synced")
            server.execute(f"CREATE DATABASE {database_name} TEMPLATE {origin}".encode())
        url = urlsplit(self.server)._replace(path=f"/{database_name}").geturl()
        if name == "synced":
            self.at_first(url)
        elif name == "interrupted":
            stopped = self.run(url, "sync", *SOME_RESOURCES, seam="commit", at=25)
            assert stopped.status == KILLED
            expire_leases(url)
        else:
            with psycopg.connect(url) as database:
                database.execute(DAMAGE.encode())
        return database_name

    def at_first(self, url: str) -> None:
        """Sync a database, then advance the clock and make changes at the source."""
        self.sound(url, "sync")
        world = self.simulator.world
        with self.simulator.lock:
            at(self.simulator, LATER)
            world.tick(LATER - timedelta(hours=1), 12)
            world.keep("coverages", int(next(iter(world.policies))), [])
            world.policies.change(next(iter(world.policies)), LATER - timedelta(minutes=5))
            world.contacts.drop(list(world.contacts)[-1])

    @cache  # noqa: B019
    def run_without_kill(self, scenario: Scenario) -> tuple[Mapping[str, int], Digest]:
        """Return the number of calls of each seam in a run without a kill, and the production tables after it."""
        with self.state(scenario.begins) as url:
            done = self.sound(url, *scenario.command)
            return done.calls, tables(url)


def at(simulator: Simulator, moment: datetime) -> None:
    simulator.server.settings = replace(simulator.server.settings, now=moment)


def tables(url: str) -> Digest:
    engine = make_engine(url)
    try:
        return digest(engine)
    finally:
        engine.dispose()


def expire_leases(url: str) -> None:
    """Expire the lease of a killed run."""
    with psycopg.connect(url) as database:
        database.execute("UPDATE etl.leases SET expires_at = now() - interval '1 second'")


@pytest.fixture(scope="module")
def bench(server: EmbeddedPostgres) -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="qqetl-"))
    environment = CommandLine(folder, {}).environment
    try:
        with (
            serve_agency(seed=3, contacts=3, founded=THEN, now=THEN) as simulator,
            start_fork_server(folder, environment) as forks,
        ):
            del simulator.world.agency_rules[9:]
            new_bench = Bench(simulator, server.url, forks)
            new_bench.template("synced")
            yield new_bench
    finally:
        shutil.rmtree(folder)


def chosen(scenario: str, seam: str, calls: int) -> Sequence[int]:
    """Return the numbers of the calls of a seam at which a command is killed."""
    if CRASHES == "all":
        return range(1, calls + 1)
    stride = max(1, calls // int(CRASHES))
    return range(1 + Random(f"{SEED}:{scenario}:{seam}").randrange(stride), calls + 1, stride)


@pytest.mark.timeout(36_000 if CRASHES == "all" else 300)
@pytest.mark.parametrize("seam", SEAMS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_killed_command_run_again_ends_with_the_same_tables(bench: Bench, name: str, seam: str) -> None:
    scenario = SCENARIOS[name]
    calls, wanted = bench.run_without_kill(scenario)
    wrong = []
    for number in chosen(name, seam, calls.get(seam, 0)):
        with bench.state(scenario.begins) as url:
            killed = bench.run(url, *scenario.command, seam=seam, at=number)
            expire_leases(url)
            done = bench.again(url, scenario) if killed.status == KILLED else killed
            differing = differences(tables(url), wanted)
        if done.status or differing:
            wrong.append(f"{name} killed at {seam} {number}: {done.status} {done.said[-600:]} {differing[:5]}")
    repeat = f"TEST_SEED={SEED} TEST_CRASHES={CRASHES} ./run test tests/suites/test_crash_loop.py -k '{name}-{seam}'"
    assert not wrong, "\n".join([f"again with: {repeat}", *wrong])
