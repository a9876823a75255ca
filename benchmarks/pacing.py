"""Use of an allowed call rate and the share of refused calls, measured with workers against a counting server."""

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
from etl.errors import RetryableError
from etl.ledger.transaction import Ledger
from etl.resources import resource
from etl.simulator import Simulator, SimulatorSettings

#: The calls that the server allows in any second, and the latency of each response.
ALLOWED, LATENCY = 20, 0.15
#: The targets: minimum share of the allowed rate used, and maximum share of calls refused.
USED, REFUSED = 0.9, 0.01
#: Values of ETL_RATE: the server's limit, more than the server allows, and no limit.
RATES = {"ETL_RATE=20": 20, "ETL_RATE=50": 50, "ETL_RATE=0": 0}
TENANT = "bench"


@dataclass(frozen=True)
class PaceOutcome:
    """The result of one measurement."""

    granted: int
    refused: int
    seconds: float

    @property
    def used(self) -> float:
        """The share of the allowed rate that was used."""
        return self.granted / self.seconds / ALLOWED

    @property
    def share(self) -> float:
        """The share of calls that were refused."""
        return self.refused / max(1, self.granted + self.refused)

    def row(self, label: str, workers: int) -> list[str]:
        """Return the table row."""
        met = self.used >= USED and self.share < REFUSED
        figures = [figure(self.granted / self.seconds), f"{self.used:.1%}", f"{self.share:.2%}"]
        return [label, str(workers), *figures, "met" if met else "**not met**"]


def measure_pacing(seconds: float) -> None:
    """Print calls per second against the allowed rate and the share of refused calls, for one and two workers."""
    rows = []
    with cluster() as postgres:
        for number, (label, rate) in enumerate(RATES.items()):
            for workers in (1, 2):
                outcome = measure_rate(postgres, f"pace_{number}_{workers}", rate, workers, seconds)
                rows.append(outcome.row(label, workers))
    print(f"The server allows {ALLOWED} calls in any second, and each response takes {LATENCY * 1000:.0f} ms.\n")
    print(markdown(["setting", "workers", "calls/s", "of the allowed", "refused", "target: 90 %, under 1 %"], rows))


def measure_rate(postgres: Cluster, name: str, rate: float, workers: int, seconds: float) -> PaceOutcome:
    """Let workers call for `seconds`, and return what the server counted."""
    url = postgres.create_database(name)
    upgrade(url)
    call_limit = (f"call-limit:{ALLOWED}",)
    with Simulator(SimulatorSettings(contacts=20, latency=LATENCY, faults=call_limit)) as simulator:
        with run_workers(simulator, url, rate, workers) as processes:
            wait_for_calls(simulator)
            simulator.requests.clear()
            time.sleep(seconds)
            statuses = Counter(
                request.status for request in list(simulator.requests) if request.path.startswith("/v1/")
            )
        failed = [process.returncode for process in processes if process.returncode > 0]
    if failed:
        raise SystemExit(f"{len(failed)} workers failed; see their output above.")
    return PaceOutcome(statuses[200], statuses[429], seconds)


def wait_for_calls(simulator: Simulator) -> None:
    """Wait for the first call of a worker; raise SystemExit when there is none."""
    deadline = time.monotonic() + 60
    while not any(request.path.endswith("LastModifiedCreated") for request in list(simulator.requests)):
        if time.monotonic() > deadline:
            raise SystemExit("No worker called within a minute; see their output above.")
        time.sleep(0.01)


@contextmanager
def run_workers(simulator: Simulator, url: str, rate: float, workers: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run worker processes that call until the block ends."""
    environment = os.environ | {
        "DATABASE_URL": url,
        "QQCATALYST_API_URL": simulator.api_url,
        "QQCATALYST_TOKEN_URL": simulator.token_url,
        "QQCATALYST_CLIENT_ID": simulator.settings.client_id,
        "QQCATALYST_CLIENT_SECRET": simulator.settings.client_secret,
        "QQCATALYST_USERNAME": simulator.settings.username,
        "QQCATALYST_PASSWORD": simulator.settings.password,
        "ETL_RATE": str(rate),
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


async def call_forever(settings: Settings, ledger: Ledger) -> None:
    """Call forever, as fast as the rate limit allows, with as many concurrent calls as a run."""
    feed = resource("contacts")
    call = page_call(feed, feed.endpoints[0], date(2000, 1, 1), date(2100, 1, 1), 1, 1)

    async def caller() -> None:
        while True:
            with suppress(RetryableError):
                await client.fetch(call)

    async with ApiClient(settings, ledger=ledger) as client:
        await client.sign_in()
        await asyncio.gather(*(caller() for _ in range(settings.etl_concurrency)))


def main() -> None:
    """Run as a worker."""
    argparse.ArgumentParser(prog="python -m benchmarks.pacing", description=__doc__).parse_args()
    settings = Settings.load()
    engine = make_engine(settings.database_url.get_secret_value() if settings.database_url else "")
    asyncio.run(call_forever(settings, Ledger(engine, settings.etl_tenant)))


if __name__ == "__main__":
    main()
