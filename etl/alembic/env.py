"""The Alembic environment: metadata, schemas, and the lock that serializes migrations."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, text

from etl.database.connect import make_engine
from etl.database.migrate import ACTIVE_HOLDER, MIGRATION_LOCK, block_runs, find_active_lease
from etl.database.resolve import resolve_database
from etl.database.revisions import current_revision, head_revision
from etl.database.rights import MANAGED_SCHEMAS, create_schema
from etl.database.tables import metadata
from etl.load import history_triggers
from etl.privacy.roles import ViewGrant
from etl.reports.views import create_views, drop_views


def run_migrations(connection: Connection) -> None:
    """Run the migrations in one transaction; drop views and triggers first and create them again afterward."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
    for schema in MANAGED_SCHEMAS:
        create_schema(connection, schema)
    if will_change_tables(connection):
        block_runs(connection)
    elif has_target_revision() and (lease := find_active_lease(connection)) is not None:
        # The tables are at the target. Replacing their triggers could deadlock with what the run writes.
        context.config.attributes[ACTIVE_HOLDER] = lease.holder
        return
    view_grants = drop_views_and_triggers(connection) if has_target_revision() else None
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        version_table_schema="etl",
        include_schemas=True,
        include_name=lambda name, kind, _parents: kind != "schema" or name in (None, "public", *MANAGED_SCHEMAS),
        compare_type=True,
        compare_server_default=False,
        on_version_apply=report_migration,
    )
    context.run_migrations()
    if view_grants is not None and report is not None:
        report("Creating triggers and views ...")
    if view_grants is not None and current_revision(connection) == head_revision():
        history_triggers.create_history_triggers(connection)
        create_views(connection, view_grants)


def drop_views_and_triggers(connection: Connection) -> list[ViewGrant]:
    """Drop triggers and views, which depend on table columns, and return the privileges on the views."""
    history_triggers.drop_history_triggers(connection)
    return drop_views(connection)


def has_target_revision() -> bool:
    """Return whether there is a target revision; autogeneration has none and leaves the views unchanged.

    Views are created from the models, whose new columns the tables do not have yet.
    """
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


def will_change_tables(connection: Connection) -> bool:
    """Return whether the tables will change: there is a target revision, and the database is at another one."""
    return has_target_revision() and current_revision(connection) != context.get_revision_argument()


def report_migration(
    ctx: MigrationContext,  # noqa: ARG001 (Alembic passes it by name, as the others)
    step: MigrationInfo,
    heads: Collection[Any],  # noqa: ARG001
    run_args: Mapping[str, Any],  # noqa: ARG001
) -> None:
    """Report a migration that was applied."""
    if report is not None and step.is_upgrade:
        report(f"Migration {step.up_revision_id} applied.")


report: Callable[[str], None] | None = context.config.attributes.get("report")
given_connection = context.config.attributes.get("connection")
if given_connection is not None:
    run_migrations(given_connection)
else:
    with resolve_database() as url:
        engine = make_engine(url)
        with engine.begin() as connection:
            run_migrations(connection)
        engine.dispose()
