"""Database migrations with Alembic, and the comparison of models and database."""

from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from etl.database.connect import make_engine
from etl.database.processes import is_gone
from etl.database.revisions import SCRIPTS
from etl.database.rights import MANAGED_SCHEMAS, check_rights
from etl.database.sqlstate import database_errors
from etl.database.tables import metadata
from etl.errors import LeaseHeld
from etl.queries import Queries

SQL = Queries(__file__)

#: The advisory lock that serializes migrations; the number is arbitrary but must not change.
MIGRATION_LOCK = 7_204_551_901

#: Building an index on a large table takes long.
STATEMENT_SECONDS = 6 * 3600.0

#: The attribute of Alembic's configuration with the holder of the run that keeps views and triggers as they are.
ACTIVE_HOLDER = "active_holder"


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


def upgrade(url: str, revision: str = "head", report: Callable[[str], None] | None = None) -> str | None:
    """Upgrade a database to a revision in one transaction; `report` gets a line for each migration.

    Views and triggers are recreated even when no migration is missing, unless a run is active. Returns the holder of
    that run, None if views and triggers were recreated. Raises LeaseHeld while a run is active and a migration is
    missing, DatabaseNotReady with the missing GRANTs if the user lacks rights.
    """
    with migration_transaction(url) as connection:
        check_rights(connection)
        config = alembic_config(connection)
        config.attributes["report"] = report
        command.upgrade(config, revision)
    holder: str | None = config.attributes.get(ACTIVE_HOLDER)
    return holder


def downgrade(url: str, revision: str) -> None:
    """Downgrade a database to a revision in one transaction; raise LeaseHeld while a run is active."""
    with migration_transaction(url) as connection:
        command.downgrade(alembic_config(connection), revision)


def find_active_lease(connection: Connection, *, blocking: bool = False) -> Any:
    """Return a lease of an active run, None if no run is active. A run whose process is gone is not active.

    With `blocking`, no run can commit until the open transaction ends.
    """
    if connection.execute(text("SELECT to_regclass('etl.leases')")).scalar_one() is None:
        return None
    if blocking:
        connection.execute(text("LOCK TABLE etl.leases IN EXCLUSIVE MODE"))
    return next((lease for lease in connection.execute(SQL["active_leases"]) if not is_gone(lease.process)), None)


def block_runs(connection: Connection) -> None:
    """Block the next commit of every run until the open transaction ends; raise LeaseHeld while a run is active."""
    lease = find_active_lease(connection, blocking=True)
    if lease is not None:
        raise LeaseHeld(
            f"A run is active (it holds the lease of {lease.resource} as {lease.holder}), and a migration would change "
            "its tables. Wait until the run ends; if its process died, the lease expires within a minute."
        )


def is_ours(tables: Container[str], name: str | None, kind: str, parents: Mapping[str, Any]) -> bool:
    """Return whether a schema, table or part of a table is ours; others may have tables in the same database."""
    if kind == "schema":
        return name in (None, "public", *MANAGED_SCHEMAS)
    if kind == "table":
        schema = parents.get("schema_name")
        return (name if schema in (None, "public") else f"{schema}.{name}") in tables
    return True


def schema_differences(connection: Connection) -> list[Any]:
    """Return the differences between the models and our tables in the database; empty when they agree."""
    tables = metadata().tables
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, parents: is_ours(tables, name, kind, parents),
        "compare_type": True,
        "version_table_schema": "etl",
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata()))
