"""A run's connection to the API: the event loop thread, the client, and the sign-in."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from etl.api.client import ApiClient, utc_now
from etl.api.daily_calls import record_calls
from etl.api.event_loop import EventLoopThread
from etl.api.retry_policy import RetryPolicy
from etl.config.settings import Settings
from etl.errors import SettingsError
from etl.ledger.transaction import Ledger


@dataclass(frozen=True, slots=True)
class ApiConnection:
    """An open connection to the API."""

    event_loop: EventLoopThread
    api: ApiClient
    now: datetime  #: by the API's clock, when the connection was opened


@contextmanager
def connected(
    settings: Settings,
    stop: threading.Event | None = None,
    engine: Engine | None = None,
    policy: RetryPolicy | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Iterator[ApiConnection]:
    """Yield a signed-in connection to the API, and close it after the block.

    With the engine of a migrated database, workers share the token and the call limit. `policy` replaces the usual
    budget of retries, `now` the clock of this machine. Raises SettingsError if
    credentials are missing, CredentialsRefused if the API refuses them, QuotaSpent if the call limit is used up,
    ApiUnavailable if the API does not answer, Interrupted if `stop` is set.
    """
    if missing := settings.missing_credentials():
        raise SettingsError(f"{', '.join(missing)} not set. Put them into the environment or into a .env file.")
    ledger = Ledger(engine, settings.etl_tenant) if engine is not None else None
    with EventLoopThread(stop) as event_loop:
        api = event_loop.run(open_client(settings, ledger, policy, now))
        try:
            yield ApiConnection(event_loop, api, event_loop.run(api.sign_in()))
        finally:
            event_loop.run(api.__aexit__(None, None, None))
            if ledger is not None:
                record_calls(ledger, settings.account_key, api.traffic)


async def open_client(
    settings: Settings, ledger: Ledger | None, policy: RetryPolicy | None, now: Callable[[], datetime]
) -> ApiClient:
    """Return an open client."""
    return await ApiClient(settings, ledger=ledger, policy=policy, now=now).__aenter__()
