"""The calls of first syncs and of the days afterwards, against the simulator, in compressed time."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from benchmarks.calls_agency import API, UNAUTHORIZED, Agency
from benchmarks.calls_book import LIMIT, SET, BookSize, describe_book, open_account
from benchmarks.calls_figures import Life, Period, Useful
from benchmarks.calls_report import format_forecasts, format_periods, format_targets
from benchmarks.candidates import DLT
from benchmarks.clock import JumpingClock
from benchmarks.pacing import SCENES, measured
from benchmarks.peers.measured import DATABASE
from benchmarks.servers import ROOT, Cluster, cluster
from etl.config.logs import configure_logging
from etl.database.migrate import upgrade
from etl.errors import Interrupted
from etl.events import Event, Finished, Started
from etl.pipeline.watcher import Watcher
from etl.resources import BY_NAME, USEFUL
from etl.simulator import Simulator
from etl.simulator.world import World

HOURS, DAYS = 24, 3
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
#: The share of customers and policies that changes in a day.
CHANGED_A_DAY = 0.01
#: Seconds that are a minute where the target is a time: processor time counts ten times as much as in real time.
SLOW_WINDOW = 6.0
PAGE_SIZES = (500, 100)


def measure_calls(books: Sequence[BookSize], window: float, days: int = DAYS) -> None:
    """Print the calls of first syncs and of the days afterwards, the targets, and what dlt does with the same calls."""
    print(f"The server allows {LIMIT} calls a minute, and we make {SET}. A minute takes {window:g} s.")
    with cluster() as postgres:
        lives = []
        for number, book in enumerate(books):
            lives.append(measure_life(postgres.create_database(f"calls_{number}"), book, window, days))
            print(f"\n{lives[-1].description}\n\n{format_periods([lives[-1].first, *lives[-1].days])}\n")
            print(f"Calls that were forecast, and those then made:\n\n{format_forecasts(lives[-1])}", flush=True)
        useful = [measure_useful(postgres.create_database(f"useful_{size}"), books[0], size) for size in PAGE_SIZES]
        paces = [measured(postgres, f"pace_{others}", others, 1, 10 * SLOW_WINDOW) for others in SCENES.values()]
        print(f"\n{format_targets(lives, useful, paces)}")
        print(f"\ndlt rest_api with the same book: {measure_dlt(postgres, books[0], window)}")


def report(progress: str) -> None:
    """Print progress where it does not mix with the tables."""
    print(f"calls: {progress}", file=sys.stderr, flush=True)


def measure_life(database: str, book: BookSize, window: float, days: int) -> Life:
    """Return what our first sync of a book and the days afterwards took."""
    with open_account(book, window) as simulator:
        agency = open_agency(simulator, database, window)
        configure_logging(agency.settings().log)  # without warnings: the clock jumps on purpose
        description = describe_book(simulator.world)
        agency.examine()
        before = {planned.resource: planned.range for planned in agency.forecast().resources if not planned.is_added}
        agency.count(Period("doctor and forecast"))
        first, due = measure_first_sync(agency)
        measured_days = [measure_day(agency, number) for number in range(1, days + 1)]
        idle = measure_idle_run(agency)
    return Life(book, description, first, measured_days, idle, before, due)


def open_agency(simulator: Simulator, database: str, window: float) -> Agency:
    """Return an agency with an empty migrated database, whose clock the simulator shares."""
    upgrade(database)
    agency = Agency(simulator, database, JumpingClock(database), window)
    simulator.server.clock = agency.clock.now
    return agency


def measure_first_sync(agency: Agency) -> tuple[Period, dict[str, int]]:
    """Return what the first sync took until its details are complete, and the details due once the lists were read."""
    period, begun, left = Period("first sync"), time.monotonic(), set(USEFUL)
    due: dict[str, int] = {}

    def watch(event: Event) -> None:
        if isinstance(event, Finished) and event.resource in left:
            left.discard(event.resource)
            if not left:
                period.useful_calls = agency.count_logged()
                period.useful_minutes = (time.monotonic() - begun) / agency.window
        if isinstance(event, Started) and BY_NAME[event.resource].parent is not None and not due:
            due.update(agency.count_due())

    watcher = Watcher(watch, clock=lambda: time.monotonic() * 60 / agency.window)
    has_backlog = True
    while has_backlog:
        run_begun = time.monotonic()
        has_backlog = agency.run(watcher).has_backlog
        agency.clock.skip(timedelta(minutes=(time.monotonic() - run_begun) / agency.window))
        agency.count(period)
        report(f"{period.label}: {period.accepted:,} calls")
    period.minutes = (time.monotonic() - begun) / agency.window
    return period, due


def measure_day(agency: Agency, number: int) -> Period:
    """Return what a day of hourly runs takes in which customers and policies change; idle time is skipped."""
    period, began, world = Period(f"day {number}"), agency.clock.now(), agency.simulator.world
    records = len(world.clients) + len(world.policies)
    for hour in range(1, HOURS + 1):
        agency.clock.skip(HOUR)
        while count_changed(world, began) < records * CHANGED_A_DAY * hour / HOURS:
            agency.simulator.change()
        while agency.run(Watcher()).has_backlog:
            pass
    period.changed = count_changed(world, began)
    agency.count(period)
    report(f"{period.label}: {period.accepted:,} calls")
    return period


def count_changed(world: World, since: datetime) -> int:
    """Return how many customers and policies were entered or changed since a moment."""
    return len(world.contacts.within(since, None, "latest")) + len(world.policies.within(since, None, "latest"))


def measure_idle_run(agency: Agency) -> Period:
    """Return what a run without changes takes. The run before it reads what is due: lists of a day, details by age."""
    period = Period("a run without changes")
    agency.clock.skip(HOUR)
    agency.run(Watcher())
    agency.count(Period("before"))
    agency.clock.skip(MINUTE)
    agency.run(Watcher())
    agency.count(period)
    return period


def measure_useful(database: str, book: BookSize, page_size: int) -> Useful:
    """Return how long a useful database of a book takes with pages of a size, in a slower time."""
    with open_account(book, SLOW_WINDOW, page_size) as simulator:
        agency, begun = open_agency(simulator, database, SLOW_WINDOW), time.monotonic()
        ends: dict[str, float] = {}

        def watch(event: Event) -> None:
            if isinstance(event, Finished) and event.resource in USEFUL:
                ends[event.resource] = (time.monotonic() - begun) / SLOW_WINDOW
                if set(ends) == set(USEFUL):
                    watcher.stop.set()

        watcher = Watcher(watch)
        with suppress(Interrupted):
            agency.run(watcher)
        calls = agency.count_logged()
    last = ends.pop("billing_records")
    return Useful(page_size, calls, max(last, *ends.values()), max(ends.values()))


def measure_dlt(postgres: Cluster, book: BookSize, window: float) -> str:
    """Return what dlt's rest_api source does with the same endpoints under the same limit."""
    if not DLT.python.exists():
        return "not measured, because its environment does not exist. Create it: python -m benchmarks prepare"
    with open_account(book, window) as simulator:
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
