"""A small made-up agency, a database that was synced with it once, and a copy of that database for each test."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from databases import MIGRATED, clone_database
from mail_sink import Sink, mail_sink
from notification_helpers import with_mail_server
from sites import Site, open_site, serve_agency, set_faults

from etl.api import connection
from etl.api.client import ApiClient
from etl.api.retry_policy import RetryPolicy
from etl.database.embedded.server import EmbeddedPostgres
from etl.simulator import Simulator


@pytest.fixture(scope="module", autouse=True)
def _without_pauses() -> Iterator[None]:
    """Retry a failed call at once."""
    hasty = partial(ApiClient, policy=RetryPolicy(first_pause=0.0), sleep=lambda _: asyncio.sleep(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "ApiClient", hasty)
        yield


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give the agency of a module's tests; it only ever advances in time."""
    with serve_agency() as served:
        yield served


@pytest.fixture(scope="module")
def synced_database(server: EmbeddedPostgres, simulator: Simulator) -> Iterator[str]:
    """Give the name of a database that was synced once with the agency of the module."""
    with clone_database(server.url, MIGRATED) as url:
        with open_site(simulator, url) as site:
            summary = site.sync_once()
        assert summary.exit_status == 0, summary.batch.error
        yield urlsplit(url).path.lstrip("/")


@pytest.fixture(scope="module")
def as_synced(server: EmbeddedPostgres, simulator: Simulator, synced_database: str) -> Iterator[Site]:
    """Give one copy of the synced database to all tests of a module that only read it."""
    with clone_database(server.url, synced_database) as url, open_site(simulator, url) as opened_site:
        yield opened_site


@pytest.fixture
def another_database(server: EmbeddedPostgres) -> Iterator[str]:
    """Give the address of a second migrated and empty database."""
    with clone_database(server.url, MIGRATED) as url:
        yield url


@pytest.fixture
def site(simulator: Simulator, database_url: str) -> Iterator[Site]:
    """Give the agency of the module and an empty database."""
    with open_site(simulator, database_url) as opened_site:
        opened_site.take_calls()
        yield opened_site
        set_faults(simulator)


@pytest.fixture
def synced(server: EmbeddedPostgres, simulator: Simulator, synced_database: str) -> Iterator[Site]:
    """Give the agency of the module and a database that was synced with it once."""
    with clone_database(server.url, synced_database) as url, open_site(simulator, url) as opened_site:
        opened_site.take_calls()
        yield opened_site
        set_faults(simulator)


@pytest.fixture
def sink() -> Iterator[tuple[Sink, int]]:
    """Give a mail server that stores what it receives, and its port."""
    with mail_sink() as served:
        yield served


@pytest.fixture
def mails(sink: tuple[Sink, int]) -> Sink:
    """Give the mails that the mail server received."""
    return sink[0]


@pytest.fixture
def notified_site(site: Site, sink: tuple[Sink, int], tmp_path: Path) -> Site:
    """Give a site whose notifications reach the mail server."""
    return with_mail_server(site, sink[1], tmp_path)
