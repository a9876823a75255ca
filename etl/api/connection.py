"""A run's connection to the API: the loop it lives in, the client, and the first greeting."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from etl.api.client import ApiClient
from etl.api.event_loop import Wire
from etl.config.settings import Settings
from etl.errors import SettingsError
from etl.ledger.transaction import Ledger


@dataclass(frozen=True, slots=True)
class Connection:
    """The way to the API, open."""

    wire: Wire
    api: ApiClient
    now: datetime  #: by the API's own clock, when the connection was opened


@contextmanager
def connected(
    settings: Settings, stop: threading.Event | None = None, engine: Engine | None = None
) -> Iterator[Connection]:
    """Open the way to the API, signed in, for as long as the block runs.

    With the engine of a migrated database, token and pace are shared with all workers of the tenant. Raises
    SettingsError when credentials are missing, CredentialsRefused when they are not taken, QuotaSpent when the API
    wants no call for long, ApiUnavailable when nobody answers, Interrupted when `stop` is set meanwhile.
    """
    if missing := settings.missing_credentials():
        raise SettingsError(f"{', '.join(missing)} not set. Put them into the environment or into a .env file.")
    ledger = Ledger(engine, settings.etl_tenant) if engine is not None else None
    with Wire(stop) as wire:
        api = wire.ask(opened(settings, ledger))
        try:
            yield Connection(wire, api, wire.ask(api.sign_in()))
        finally:
            wire.ask(api.__aexit__(None, None, None))


async def opened(settings: Settings, ledger: Ledger | None) -> ApiClient:
    """Return a client that is ready to ask."""
    return await ApiClient(settings, ledger=ledger).__aenter__()
