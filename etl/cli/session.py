"""What a command works with: settings, log and database, each refused early and in words."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Engine

from etl.cli.ui.terminal import say
from etl.config.logs import configure
from etl.config.settings import Settings
from etl.database.connect import check_server, database_errors, make_engine, target
from etl.database.resolve import database
from etl.database.revisions import check_migrated, current
from etl.ledger.transaction import Ledger

T = TypeVar("T")


@dataclass(frozen=True)
class Work:
    """The settings and the database of one command."""

    settings: Settings
    engine: Engine
    url: str

    @property
    def tenant(self) -> str:
        """The name of the account."""
        return self.settings.etl_tenant

    @property
    def ledger(self) -> Ledger:
        """The tenant's way to the database, without a lease: for reading."""
        return Ledger(self.engine, self.tenant)

    def read(self, query: Callable[[Connection], T]) -> T:
        """Return what a query over a migrated database returns; raise DatabaseNotReady for another one."""
        check_migrated(self.engine)
        with database_errors(), self.engine.connect() as connection:
            return query(connection)  # once: it may write to the screen as it goes


def prepared() -> Settings:
    """Return the settings, with the log set up as they say; raise SettingsError that names every fault."""
    settings = Settings.load()
    configure(settings)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # our commands say themselves what was migrated
    return settings


@contextmanager
def address(settings: Settings, *, embedded: bool) -> Iterator[str]:
    """Give the address of the database, which is told to the person; the embedded server runs as long as the block."""
    with database(settings, embedded=embedded) as url:
        own = embedded or settings.database_url is None
        say(f"Database: {target(url)}{' (embedded)' if own else ''}", style="dim")
        yield url


@contextmanager
def working(*, embedded: bool = False, settings: Settings | None = None, makes_tables: bool = True) -> Iterator[Work]:
    """Give everything a command works with, for as long as the block runs.

    An embedded database without tables gets them, unless `makes_tables` says no. Raises SettingsError,
    DatabaseUnavailable, DatabaseNotReady.
    """
    settings = settings or prepared()
    with address(settings, embedded=embedded) as url:
        if makes_tables and (embedded or settings.database_url is None):
            first_tables(url)
        with on(settings, url) as work:
            yield work


@contextmanager
def on(settings: Settings, url: str) -> Iterator[Work]:
    """Give the work on a database that runs, after a look at its server."""
    engine = make_engine(url)
    try:
        with database_errors(), engine.connect() as connection:
            check_server(connection)
        yield Work(settings, engine, url)
    finally:
        engine.dispose()


def first_tables(url: str) -> None:
    """Make the tables of a database that has none; one that has is left at its migration."""
    engine = make_engine(url)
    try:
        with database_errors(), engine.connect() as connection:
            is_new = current(connection) is None
    finally:
        engine.dispose()
    if is_new:
        from etl.database.migrate import upgrade

        say("Making the tables ...", style="dim")
        upgrade(url)
