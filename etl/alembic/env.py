"""Where Alembic meets our tables: one metadata, four schemas, one lock against two migrations at once."""

from alembic import context
from sqlalchemy import Connection, text

from etl.database.connect import make_engine
from etl.database.migrate import MANAGED_SCHEMAS, MIGRATION_LOCK, block_runs, metadata
from etl.database.resolve import resolve_database
from etl.database.revisions import current_revision, head_revision
from etl.load import history_triggers
from etl.privacy.roles import ViewGrant
from etl.reports.views import create_views, drop_views


def run(connection: Connection) -> None:
    """Run the migrations in one transaction, with views and triggers taken down before and put up again behind."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
    for schema in MANAGED_SCHEMAS:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    if changes(connection):
        block_runs(connection)
    given = take_down(connection) if migrates() else None
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        version_table_schema="etl",
        include_schemas=True,
        include_name=lambda name, kind, _parents: kind != "schema" or name in (None, "public", *MANAGED_SCHEMAS),
        compare_type=True,
        compare_server_default=False,
    )
    context.run_migrations()
    if given is not None and current_revision(connection) == head_revision():
        history_triggers.create_history_triggers(connection)
        create_views(connection, given)


def take_down(connection: Connection) -> list[ViewGrant]:
    """Take down what hangs on the columns of tables, triggers and views, and return the rights on the views."""
    history_triggers.drop_history_triggers(connection)
    return drop_views(connection)


def migrates() -> bool:
    """Tell whether there is a revision to go to; a comparison for a new migration leaves the views as they are.

    They are made from the models, whose new columns the tables do not have yet.
    """
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


def changes(connection: Connection) -> bool:
    """Tell whether the tables will change: there is a revision to go to, and the database is at another."""
    return migrates() and current_revision(connection) != context.get_revision_argument()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    with resolve_database() as url:
        engine = make_engine(url)
        with engine.begin() as connection:
            run(connection)
        engine.dispose()
