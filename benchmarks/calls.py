"""The calls of a whole first sync and of three days afterwards, against the simulator, in compressed time."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks.candidates import DLT
from benchmarks.clock import JumpingClock
from benchmarks.peers.measured import DATABASE
from benchmarks.servers import ROOT, Cluster, cluster
from benchmarks.table import markdown
from etl.config.logs import configure_logging
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.database.migrate import upgrade
from etl.events import Event, Finished
from etl.pipeline import Options, Summary, sync
from etl.pipeline.watcher import Watcher
from etl.resources import USEFUL
from etl.simulator import Simulator, SimulatorSettings
from etl.simulator.routes import find
from etl.status.format import format_duration

#: The vendor's limit, our setting, and the seconds of the window that is a minute.
LIMIT, SET = 60, 58
API = "/v1/"
UNAUTHORIZED = 401
HOURS, DAYS = 24, 3
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass
class Period:
    """What the simulator counted in a part of the benchmark."""

    label: str
    calls: Counter[str] = field(default_factory=Counter)  #: accepted, by kind
    refused: int = 0
    minutes: float = 0.0  #: in windows of the limit; 0: not measured
    useful_minutes: float | None = None

    @property
    def accepted(self) -> int:
        """The number of accepted calls."""
        return self.calls.total()

    @property
    def used(self) -> float:
        """The share of the setting that was used."""
        return self.accepted / (SET * self.minutes) if self.minutes else 0.0


@dataclass
class Agency:
    """An agency, its database, and the clock that both share."""

    simulator: Simulator
    database: str
    clock: JumpingClock
    window: float  #: seconds that are a minute

    def settings(self) -> Settings:
        """Return the settings of a run."""
        own = self.simulator.settings
        return Settings.load(
            database_url=self.database,
            qqcatalyst_api_url=self.simulator.api_url,
            qqcatalyst_token_url=self.simulator.token_url,
            qqcatalyst_client_id=own.client_id,
            qqcatalyst_client_secret=own.client_secret,
            qqcatalyst_username=own.username,
            qqcatalyst_password=own.password,
            etl_rate_limit=f"{SET}/{max(1, round(self.window))}s",
            log_level="ERROR",
        )

    def run(self, watcher: Watcher) -> Summary:
        """Run one sync; raise SystemExit if it fails."""
        engine = make_engine(self.database)
        try:
            summary = sync(engine, self.settings(), None, Options(), watcher)
        finally:
            engine.dispose()
        if summary.exit_status:
            raise SystemExit(f"The sync ended as {summary.batch.status}: {summary.batch.error}")
        return summary

    def count(self, period: Period) -> None:
        """Move what the simulator has logged into a period."""
        requests = list(self.simulator.requests)
        self.simulator.requests.clear()
        for request in requests:
            if request.path.startswith(API) and request.status == UNAUTHORIZED:
                period.refused += 1
            elif request.path.startswith(API):
                match = find(request.path.removeprefix(API))
                period.calls[match[0].name if match else "other"] += 1


def measure_calls(customers: int, window: float, days: int = DAYS) -> None:
    """Print the calls of a first sync and of the days afterwards, beside what dlt does with the same endpoints."""
    with cluster() as postgres:
        periods = measure_ours(postgres, customers, window, days)
        print(f"A minute of the limit takes {window:g} s; the server allows {LIMIT} calls in it, we make {SET}.\n")
        print(format_periods(periods))
        print(f"\ndlt rest_api: {measure_dlt(postgres, customers, window)}")


def measure_ours(postgres: Cluster, customers: int, window: float, days: int) -> list[Period]:
    """Return what our first sync and the days afterwards took."""
    database = postgres.create_database("calls")
    upgrade(database)
    clock = JumpingClock(database)
    with Simulator(account(customers, window)) as simulator:
        simulator.server.clock = clock.now
        agency = Agency(simulator, database, clock, window)
        configure_logging(agency.settings())  # the clock jumps on purpose
        first = measure_first_sync(agency)
        describe_book(simulator)
        return [first, *(measure_day(agency, number) for number in range(1, days + 1))]


def account(customers: int, window: float) -> SimulatorSettings:
    """Return an ordinary account with the vendor's call limit."""
    limit = f"account-limit:{LIMIT}/{window:g},text"
    return SimulatorSettings(contacts=customers, documented_only=True, faults=(limit,))


def measure_first_sync(agency: Agency) -> Period:
    """Return what the first sync took, run after run, until its details are complete."""
    period, begun, left = Period("first sync"), time.monotonic(), set(USEFUL)

    def watch(event: Event) -> None:
        if isinstance(event, Finished) and event.resource in left:
            left.discard(event.resource)
            if not left:
                period.useful_minutes = (time.monotonic() - begun) / agency.window

    watcher = Watcher(watch, clock=lambda: time.monotonic() * 60 / agency.window)
    while True:
        run_begun = time.monotonic()
        summary = agency.run(watcher)
        agency.clock.skip(timedelta(minutes=(time.monotonic() - run_begun) / agency.window))
        if not summary.has_backlog:
            break
    period.minutes = (time.monotonic() - begun) / agency.window
    agency.count(period)
    return period


def measure_day(agency: Agency, number: int) -> Period:
    """Return what a day takes in which 1 % of customers and policies change; the idle time of each hour is skipped."""
    period = Period(f"day {number}")
    world = agency.simulator.world
    changes = max(1, (len(world.contacts) + len(world.policies)) // (100 * HOURS))
    for _ in range(HOURS):
        agency.clock.skip(HOUR)
        agency.simulator.change(changes)
        while agency.run(Watcher()).has_backlog:
            pass
    agency.count(period)
    return period


def describe_book(simulator: Simulator) -> None:
    """Print the size of the book."""
    world = simulator.world
    changed = sum(bool(world.policies[key].get("HasBeenModified")) for key in world.policies)
    share = changed / max(1, len(world.policies))
    print(
        f"The book: {simulator.settings.contacts:,} customers and prospects, {len(world.policies):,} policies, "
        f"{share:.0%} of them ever changed."
    )


def format_periods(periods: Sequence[Period]) -> str:
    """Return the calls by kind, and the figures of each period."""
    kinds = sorted({kind for period in periods for kind in period.calls})
    rows = [[kind, *(f"{period.calls[kind]:,}" for period in periods)] for kind in kinds]
    rows.append(["**calls**", *(f"{period.accepted:,}" for period in periods)])
    rows.append(["refused", *(f"{period.refused:,}" for period in periods)])
    rows.append(["useful database", *(format_minutes(period.useful_minutes) for period in periods)])
    rows.append(["complete", *(format_minutes(period.minutes or None) for period in periods)])
    rows.append(["limit used", *(f"{period.used:.1%}" if period.minutes else "" for period in periods)])
    return markdown(["", *(period.label for period in periods)], rows)


def format_minutes(minutes: float | None) -> str:
    """Return minutes of the limit as a duration."""
    return "" if minutes is None else format_duration(minutes * 60)


def measure_dlt(postgres: Cluster, customers: int, window: float) -> str:
    """Return what dlt's rest_api source does with the same endpoints under the same limit."""
    if not DLT.python.exists():
        return "not measured, because its environment does not exist. Create it: python -m benchmarks prepare"
    with Simulator(account(customers, window)) as simulator:
        command = [str(DLT.python), "-m", "benchmarks.peers.dlt_calls", "--api", simulator.base_url]
        environment = os.environ | {DATABASE: postgres.create_database("dlt_calls")}
        begun = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - begun
        answers = Counter(request.status for request in simulator.requests if request.path.startswith(API))
    accepted = answers.total() - answers[UNAUTHORIZED]
    figures = f"{accepted:,} calls answered, {answers[UNAUTHORIZED]:,} refused, {seconds / window:.1f} minutes"
    if done.returncode == 0:
        return f"complete; {figures}"
    return f"ended by the limit; {figures}. Its last line: {(done.stdout + done.stderr).strip().splitlines()[-1][:200]}"
