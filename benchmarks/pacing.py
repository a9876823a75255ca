"""How much of the call limit is used, and how many calls are refused: workers against a server that counts."""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date

from benchmarks.servers import ROOT, Cluster, cluster
from benchmarks.table import figure, markdown
from etl.api.client import ApiClient
from etl.api.protocol import page_call
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.database.migrate import upgrade
from etl.errors import TryAgain
from etl.ledger.transaction import Ledger
from etl.resources import find_resource
from etl.simulator import Simulator, SimulatorSettings

#: The vendor's limit in a shorter window: calls, seconds, and how long each answer takes.
CALLS, WINDOW, LATENCY = 60, 6, 0.1
#: The setting, and the calls that another integration uses in each window.
SET = 58
SCENES = {"only our workers": 0, "with another integration": 20}
#: The targets, without and with another integration: least share of calls used, largest share of calls refused.
AIMS = {0: (0.97, 0.005), 20: (0.8, 0.03)}
TENANT = "bench"


@dataclass(frozen=True)
class Outcome:
    """The result of one measurement."""

    granted: int
    refused: int
    seconds: float
    others: int  #: calls that another integration tries in a window
    served: int = 0  #: calls of the other integration that were accepted, in all

    @property
    def used(self) -> float:
        """The share of the calls that were left to us that was used."""
        windows = self.seconds / WINDOW
        return self.granted / min(SET * windows, CALLS * windows - self.served)

    @property
    def share_of_others(self) -> str:
        """The share of the other integration's calls that were accepted."""
        return f"{self.served / (self.others * self.seconds / WINDOW):.0%}" if self.others else ""

    @property
    def share(self) -> float:
        """The share of calls that were refused."""
        return self.refused / max(1, self.granted + self.refused)

    def row(self, label: str, workers: int) -> list[str]:
        """Return the row of the table."""
        least, most = AIMS[self.others]
        met = self.used >= least and self.share <= most
        figures = [figure(self.granted / self.seconds), f"{self.used:.1%}", f"{self.share:.2%}", self.share_of_others]
        return [label, str(workers), *figures, "met" if met else "**not met**"]


def pacing(seconds: float) -> None:
    """Print calls a second against the call limit and the share of refused calls, for one and for two workers."""
    rows = []
    with cluster() as postgres:
        for label, others in SCENES.items():
            for workers in (1, 2):
                done = measured(postgres, f"limit_{others}_{workers}", others, workers, max(seconds, 10 * WINDOW))
                rows.append(done.row(label, workers))
    print(f"The server allows {CALLS} calls in any {WINDOW} s, and each answer takes {LATENCY * 1000:.0f} ms.\n")
    print(markdown(["scene", "workers", "calls/s", "of what is left", "refused", "others accepted", "target"], rows))


def measured(postgres: Cluster, name: str, others: int, workers: int, seconds: float) -> Outcome:
    """Let workers call for this many seconds, and return what the server counted."""
    url = postgres.create_database(name)
    upgrade(url)
    faults = (f"account-limit:{CALLS}/{WINDOW},text,others={others}",)
    with Simulator(SimulatorSettings(contacts=20, latency=LATENCY, faults=faults)) as simulator:
        with working(simulator, url, workers) as processes:
            wait_for_calls(simulator)
            simulator.requests.clear()
            served = count_served(simulator)
            time.sleep(seconds)
            served = count_served(simulator) - served
            seen = Counter(request.status for request in list(simulator.requests) if request.path.startswith("/v1/"))
        failed = [process.returncode for process in processes if process.returncode > 0]
    if failed:
        raise SystemExit(f"{len(failed)} workers failed; their output is above.")
    return Outcome(seen[200], seen[401], seconds, others, served)


def count_served(simulator: Simulator) -> int:
    """Return the calls of the other integration that were accepted so far."""
    limit = simulator.server.faults.account_limit
    return limit.taken_by_others if limit is not None else 0


def wait_for_calls(simulator: Simulator) -> None:
    """Wait until the first worker calls; raise SystemExit if none does."""
    deadline = time.monotonic() + 60
    while not any(request.path.endswith("LastModifiedCreated") for request in list(simulator.requests)):
        if time.monotonic() > deadline:
            raise SystemExit("No worker called within a minute; their output is above.")
        time.sleep(0.01)


@contextmanager
def working(simulator: Simulator, url: str, workers: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Yield worker processes that call until the block ends."""
    environment = os.environ | {
        "DATABASE_URL": url,
        "QQCATALYST_API_URL": simulator.api_url,
        "QQCATALYST_TOKEN_URL": simulator.token_url,
        "QQCATALYST_CLIENT_ID": simulator.settings.client_id,
        "QQCATALYST_CLIENT_SECRET": simulator.settings.client_secret,
        "QQCATALYST_USERNAME": simulator.settings.username,
        "QQCATALYST_PASSWORD": simulator.settings.password,
        "ETL_RATE_LIMIT": f"{SET}/{WINDOW}s",
        "ETL_TENANT": TENANT,
    }
    command = [sys.executable, "-m", "benchmarks.pacing"]
    processes = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(workers)]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
            process.wait()


async def work(settings: Settings, ledger: Ledger) -> None:
    """Call as fast as the limit allows, with as many calls under way as a run has, until the process is stopped."""
    feed = find_resource("contacts")
    call = page_call(feed, feed.endpoints[0], date(2000, 1, 1), date(2100, 1, 1), 1, 1)

    async def caller() -> None:
        while True:
            with suppress(TryAgain):
                await client.fetch(call)

    async with ApiClient(settings, ledger=ledger) as client:
        await client.sign_in()
        await asyncio.gather(*(caller() for _ in range(settings.etl_concurrency)))


def main() -> None:
    """Run one worker."""
    argparse.ArgumentParser(prog="python -m benchmarks.pacing", description=__doc__).parse_args()
    settings = Settings.load()
    engine = make_engine(settings.database_url.get_secret_value() if settings.database_url else "")
    asyncio.run(work(settings, Ledger(engine, settings.etl_tenant)))


if __name__ == "__main__":
    main()
