"""Whole syncs at the vendor's call limit, however it is said, with and without another integration."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sites import Site, copied_token, environment_of, open_site, serve_agency
from snapshots import value

from etl.models.states import ResourceState
from etl.simulator import Simulator

pytestmark = pytest.mark.timeout(180)

#: 60 calls per 6 s in place of 60 a minute, of which two are left over.
ALLOWED, SET = "60/6", "58/6s"


@contextmanager
def limited(form: str, **settings: Any) -> Iterator[Simulator]:
    """Give a small agency whose account has a call limit."""
    with serve_agency(**{"contacts": 5, "faults": (f"account-limit:{form}",), **settings}) as simulator:
        yield simulator


def unauthorized(simulator: Simulator) -> int:
    return sum(request.status == 401 for request in simulator.requests)


def logins(simulator: Simulator) -> int:
    return sum(request.path.startswith("/oauth") for request in simulator.requests)


def states(site: Site) -> set[str]:
    """Return the states of the newest batch's resources."""
    newest = "SELECT id FROM etl.batches ORDER BY started_at DESC LIMIT 1"
    return set(
        value(site.engine, f"SELECT array_agg(DISTINCT status) FROM etl.batch_resources WHERE batch_id = ({newest})")
    )


@pytest.mark.parametrize("window", ["sliding", "fixed"])
@pytest.mark.parametrize("body", ["text", "json", "empty"])
def test_a_whole_first_sync_never_meets_the_limit_and_ends_well(database_url: str, window: str, body: str) -> None:
    with (
        limited(f"{ALLOWED},{window},{body}") as simulator,
        open_site(simulator, database_url, etl_rate=None, etl_rate_limit=SET) as site,
    ):
        assert site.sync_once().exit_status == 0
        assert len(simulator.requests) > 60, "the run needs more than one window"
        assert (unauthorized(simulator), logins(simulator)) == (0, 1)
        assert states(site) == {ResourceState.DONE}


@pytest.mark.parametrize("window", ["sliding", "fixed"])
@pytest.mark.parametrize("body", ["text", "empty"])
def test_with_another_integration_no_endpoint_counts_as_closed(database_url: str, window: str, body: str) -> None:
    with (
        limited(f"30/2,{window},{body},others=15") as simulator,
        open_site(simulator, database_url, etl_rate=None, etl_rate_limit="30/2s") as site,
    ):
        summary = site.sync_once()
        assert summary.exit_status == 0, summary.batch.error
        assert states(site) == {ResourceState.DONE}
        assert logins(simulator) == 1


@pytest.mark.parametrize("auth", ["oauth", "enterprise", "copied"])
def test_a_limit_without_words_never_counts_as_refused_credentials(database_url: str, auth: str) -> None:
    credentials: dict[str, Any] = {}
    with limited("20/1,empty,others=5") as simulator:
        if auth != "oauth":
            credentials = {"qqcatalyst_username": None, "qqcatalyst_password": None}
        if auth == "enterprise":
            credentials["qqcatalyst_auth"] = "enterprise"
        if auth == "copied":
            credentials["qqcatalyst_access_token"] = copied_token(simulator)
        with open_site(simulator, database_url, etl_rate=None, etl_rate_limit="30/1s", **credentials) as site:
            summary = site.sync_once()
        assert summary.exit_status == 0, summary.batch.error
        assert logins(simulator) == (0 if auth == "enterprise" else 1)


def test_two_agencies_under_one_account_share_the_limit(database_url: str) -> None:
    summaries: list[int] = []
    with limited(ALLOWED) as simulator, open_site(simulator, database_url, etl_rate=None, etl_rate_limit=SET) as site:
        agencies = [site.with_settings(etl_tenant=name) for name in ("north", "south")]
        threads = [
            threading.Thread(target=lambda agency=agency: summaries.append(agency.sync_once().exit_status))
            for agency in agencies
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert summaries == [0, 0]
        assert unauthorized(simulator) == 0


def test_a_killed_sync_and_the_next_share_a_window(database_url: str) -> None:
    with (
        limited(ALLOWED, latency=0.02) as simulator,
        open_site(simulator, database_url, etl_rate=None, etl_rate_limit=SET) as site,
    ):
        environment = environment_of(site) | {"ETL_RATE_LIMIT": SET}
        environment.pop("ETL_RATE", None)
        command = [sys.executable, "-m", "etl", "sync"]
        first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(simulator.requests) < 40:
            assert first.poll() is None, "the first sync ended before it was killed"
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        first.wait()
        second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert second.returncode == 0, second.stderr
        assert unauthorized(simulator) == 0
        assert "Includes the interrupted batch" in second.stdout
