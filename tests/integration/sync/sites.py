"""A made-up agency, a database and the settings that connect them: the basis of tests of whole runs."""

import json
import os
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, text

from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.pipeline import Options, Summary, Watcher, sync
from etl.simulator import EXTRA_CALLS, Simulator, SimulatorSettings
from etl.simulator.faults.faults import Faults
from etl.window import Window

#: A seed whose ten contacts give at least one row in every table, a policy that is being placed included.
SEED, CONTACTS = 455, 10


@dataclass(frozen=True)
class Site:
    """An agency, a database, and the settings that connect them."""

    simulator: Simulator
    engine: Engine
    settings: Settings

    def sync_once(self, window: Window | None = None, watcher: Watcher | None = None, **options: Any) -> Summary:
        """Run one sync and return its summary."""
        return sync(self.engine, self.settings, window, Options(**options), watcher)

    def take_calls(self) -> list[str]:
        """Return path and query of every call since the last check."""
        targets = [f"{request.path.removeprefix('/v1/')}?{request.query}" for request in self.simulator.requests]
        self.simulator.requests.clear()
        return targets

    def with_settings(self, **changes: Any) -> "Site":
        """Return the same site with changed settings."""
        return replace(self, settings=self.settings.model_copy(update=changes))


def settings_for(simulator: Simulator, url: str, **more: Any) -> Settings:
    """Return the settings of a run against a simulator."""
    values: dict[str, Any] = {
        "database_url": url,
        "qqcatalyst_api_url": simulator.api_url,
        "qqcatalyst_token_url": simulator.token_url,
        "qqcatalyst_client_id": "demo",
        "qqcatalyst_client_secret": "demo-secret",
        "qqcatalyst_username": "demo",
        "qqcatalyst_password": "demo-password",
        "etl_rate": 0,
        "etl_resources": "+drivers,+vehicles,+endorsements",
    }
    return Settings(_env_file=None, **(values | more))


def environment_of(site: Site) -> dict[str, str]:
    """Return the environment in which a separate program works on a site."""
    secrets = ("client_id", "client_secret", "username", "password")
    credentials = {
        f"QQCATALYST_{name.upper()}": getattr(site.settings, f"qqcatalyst_{name}").get_secret_value()
        for name in secrets
    }
    addresses = {
        "DATABASE_URL": site.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""),
        "QQCATALYST_API_URL": site.settings.qqcatalyst_api_url,
        "QQCATALYST_TOKEN_URL": site.settings.qqcatalyst_token_url,
    }
    pace = {"ETL_RATE": str(site.settings.etl_rate), "ETL_PAGE_SIZE": str(site.settings.etl_page_size)}
    resources = {"ETL_RESOURCES": site.settings.etl_resources}
    return {**os.environ, **credentials, **addresses, **pace, **resources}


@contextmanager
def open_site(simulator: Simulator, url: str, **settings: Any) -> Iterator[Site]:
    """Give a simulator and a database as a site."""
    engine = make_engine(url)
    try:
        yield Site(simulator, engine, settings_for(simulator, url, **settings))
    finally:
        engine.dispose()


@contextmanager
def serve_agency(**settings: Any) -> Iterator[Simulator]:
    """Give a small served agency."""
    with Simulator(
        SimulatorSettings(**{"seed": SEED, "contacts": CONTACTS, "offered": EXTRA_CALLS, **settings})
    ) as served:
        yield served


def copied_token(simulator: Simulator) -> str:
    """Return a token as the developer console shows it."""
    settings = simulator.server.settings
    grant = {
        "grant_type": "password", "client_id": settings.client_id, "client_secret": settings.client_secret,
        "username": settings.username, "password": settings.password,
    }  # fmt: skip
    with urllib.request.urlopen(simulator.token_url, urllib.parse.urlencode(grant).encode()) as answer:  # noqa: S310 (the simulator)
        return str(json.load(answer)["access_token"])


def set_faults(simulator: Simulator, *faults: str) -> None:
    """Give a running simulator these faults from now on, and no others."""
    simulator.server.faults = Faults(faults)


def make_children_due(site: Site) -> None:
    """Make the child records of all parents due again."""
    with site.engine.begin() as connection:
        connection.execute(text("UPDATE etl.child_queue SET due_at = now()"))
