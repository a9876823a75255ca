"""Migrations carried out by Alembic: up and down, and whether models and migrations agree."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

from etl.database.connect import make_engine
from etl.database.revisions import SCRIPTS
from etl.database.sqlstate import database_errors
from etl.errors import LeaseHeld

#: The schemas besides `public` that are ours.
MANAGED_SCHEMAS = ("etl", "raw", "history")

#: The advisory lock that keeps two migrations apart; any number, as long as it stays.
MIGRATION_LOCK = 7_204_551_901

#: An index over a large table takes its time.
STATEMENT_SECONDS = 6 * 3600.0

ACTIVE_LEASE = text("SELECT resource, holder FROM etl.leases WHERE expires_at > now() ORDER BY resource LIMIT 1")


def metadata() -> MetaData:
    """Return the metadata that knows every table."""
    import etl.resources  # noqa: F401, PLC0415 (only migrations need all tables)
    from etl.models.base import Base  # noqa: PLC0415 (as above)

    return Base.metadata


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, from an installed package as well as from a checkout."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


@contextmanager
def migration_transaction(url: str) -> Iterator[Connection]:
    """Give a connection of its own, in one transaction, and leave nothing open whatever happens."""
    engine = make_engine(url, statement_timeout_s=STATEMENT_SECONDS)
    try:
        with database_errors(), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database to a revision, in one transaction; raise LeaseHeld while a run is at work on its tables."""
    with migration_transaction(url) as connection:
        command.upgrade(alembic_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Take a database back to a revision, in one transaction; raise LeaseHeld while a run is at work on its tables."""
    with migration_transaction(url) as connection:
        command.downgrade(alembic_config(connection), revision)


def block_runs(connection: Connection) -> None:
    """Keep every run from its next commit until the open transaction ends; raise LeaseHeld while one is at work."""
    if connection.execute(text("SELECT to_regclass('etl.leases')")).scalar_one() is None:
        return
    connection.execute(text("LOCK TABLE etl.leases IN EXCLUSIVE MODE"))
    lease = connection.execute(ACTIVE_LEASE).first()
    if lease is not None:
        raise LeaseHeld(
            f"A run is at work (it holds {lease.resource} by {lease.holder}), and a migration would change its tables. "
            "Wait for its end; if its process died, its lock frees itself within a minute."
        )


def schema_differences(connection: Connection) -> list[Any]:
    """Return what the models have and the database has not, or the other way round; empty when they agree."""
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _: kind != "schema" or name in (None, "public", *MANAGED_SCHEMAS),
        "compare_type": True,
        "version_table_schema": "etl",
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata()))
