"""Settings, log and database of a command, checked before the command starts."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine

from etl.cli.ui.terminal import print_notice
from etl.config.logs import configure_logging
from etl.config.settings import Settings
from etl.database.connect import check_server, database_errors, display_url, make_engine
from etl.database.resolve import resolve_database
from etl.database.revisions import check_migrated, current_revision
from etl.ledger.transaction import Ledger
from etl.local_time import show_times_in

T = TypeVar("T")


@dataclass(frozen=True)
class CommandSession:
    """Settings and database of one command."""

    settings: Settings
    engine: Engine
    url: str

    @property
    def tenant(self) -> str:
        """Name of the account."""
        return self.settings.etl_tenant

    @property
    def ledger(self) -> Ledger:
        """Ledger of the tenant, without a lease: for reading."""
        return Ledger(self.engine, self.tenant)

    def read(self, query: Callable[[Connection], T]) -> T:
        """Return the result of a query; raise DatabaseNotReady if the database is not migrated."""
        check_migrated(self.engine)
        with database_errors(), self.engine.connect() as connection:
            return query(connection)  # not retried: the query may print rows


def load_settings() -> Settings:
    """Return the settings, and configure the log; raise SettingsError that lists all errors."""
    settings = Settings.load()
    configure_logging(settings.log)
    show_times_in(settings.people_zone)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # the commands report migrations themselves
    return settings


@contextmanager
def open_database(settings: Settings, *, embedded: bool, create: bool = False) -> Iterator[str]:
    """Give the URL of the database and print it; the embedded server runs as long as the block.

    Only with `create`, an embedded database that does not exist is created.
    """
    say = partial(print_notice, style="dim")
    with resolve_database(settings, embedded=embedded, create=create, say=say) as url:
        is_embedded = embedded or settings.database_url is None
        print_notice(f"Database: {display_url(url)}{' (embedded)' if is_embedded else ''}", style="dim")
        yield url


@contextmanager
def open_session(
    *,
    embedded: bool = False,
    settings: Settings | None = None,
    create: bool = False,
    create_tables: bool = False,
) -> Iterator[CommandSession]:
    """Open the settings and the database of a command for the block.

    Creates an embedded database with `create`, and the tables of an empty one with `create_tables`. Raises
    SettingsError, DatabaseUnavailable, DatabaseNotReady.
    """
    settings = settings or load_settings()
    with open_database(settings, embedded=embedded, create=create) as url:
        if create_tables and (embedded or settings.database_url is None):
            create_missing_tables(url)
        with connect_session(settings, url) as session:
            yield session


@contextmanager
def connect_session(settings: Settings, url: str) -> Iterator[CommandSession]:
    """Connect to a running database and check its server."""
    engine = make_engine(url)
    try:
        with database_errors(), engine.connect() as connection:
            check_server(connection)
        yield CommandSession(settings, engine, url)
    finally:
        engine.dispose()


def create_missing_tables(url: str) -> None:
    """Create the tables of an empty database; do not migrate any other."""
    engine = make_engine(url)
    try:
        with database_errors(), engine.connect() as connection:
            is_empty = current_revision(connection) is None
    finally:
        engine.dispose()
    if is_empty:
        from etl.database.migrate import upgrade

        print_notice("Creating the tables ...", style="dim")
        upgrade(url, report=partial(print_notice, style="dim"))
