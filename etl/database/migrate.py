"""Database migrations with Alembic, and the comparison of models and database."""

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

#: The schemas that we own in addition to `public`.
MANAGED_SCHEMAS = ("etl", "raw", "history")

#: The advisory lock that serializes migrations; the number is arbitrary but must not change.
MIGRATION_LOCK = 7_204_551_901

#: Building an index on a large table takes long.
STATEMENT_SECONDS = 6 * 3600.0

ACTIVE_LEASE = text("SELECT resource, holder FROM etl.leases WHERE expires_at > now() ORDER BY resource LIMIT 1")

#: The attribute of Alembic's configuration with the holder of the run that keeps views and triggers as they are.
ACTIVE_HOLDER = "active_holder"


def metadata() -> MetaData:
    """Return the metadata with every table."""
    import etl.resources  # noqa: F401, PLC0415 (only migrations need all tables)
    from etl.models.base import Base  # noqa: PLC0415 (as above)

    return Base.metadata


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, for an installed package as well as for a checkout."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


@contextmanager
def migration_transaction(url: str) -> Iterator[Connection]:
    """Yield a separate connection inside one transaction, and close it in every case."""
    engine = make_engine(url, statement_timeout_s=STATEMENT_SECONDS)
    try:
        with database_errors(), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def upgrade(url: str, revision: str = "head") -> str | None:
    """Upgrade a database to a revision in one transaction; raise LeaseHeld while a run is active.

    Views and triggers are recreated even when no migration is missing, unless a run is active. Returns the holder of
    that run, None if views and triggers were recreated.
    """
    with migration_transaction(url) as connection:
        config = alembic_config(connection)
        command.upgrade(config, revision)
    holder: str | None = config.attributes.get(ACTIVE_HOLDER)
    return holder


def downgrade(url: str, revision: str) -> None:
    """Downgrade a database to a revision in one transaction; raise LeaseHeld while a run is active."""
    with migration_transaction(url) as connection:
        command.downgrade(alembic_config(connection), revision)


def find_active_lease(connection: Connection, *, blocking: bool = False) -> Any:
    """Return a lease of an active run, None if no run is active.

    With `blocking`, no run can commit until the open transaction ends.
    """
    if connection.execute(text("SELECT to_regclass('etl.leases')")).scalar_one() is None:
        return None
    if blocking:
        connection.execute(text("LOCK TABLE etl.leases IN EXCLUSIVE MODE"))
    return connection.execute(ACTIVE_LEASE).first()


def block_runs(connection: Connection) -> None:
    """Block the next commit of every run until the open transaction ends; raise LeaseHeld while a run is active."""
    lease = find_active_lease(connection, blocking=True)
    if lease is not None:
        raise LeaseHeld(
            f"A run is active (it holds the lease of {lease.resource} as {lease.holder}), and a migration would change "
            "its tables. Wait until the run ends; if its process died, the lease expires within a minute."
        )


def schema_differences(connection: Connection) -> list[Any]:
    """Return the differences between the models and the database; empty when they agree."""
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _: kind != "schema" or name in (None, "public", *MANAGED_SCHEMAS),
        "compare_type": True,
        "version_table_schema": "etl",
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata()))
