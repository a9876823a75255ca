"""Where Alembic meets our tables: one metadata, three schemas, one lock against two migrations at once."""

from alembic import context
from sqlalchemy import Connection, text

from etl.database.connect import make_engine
from etl.database.migrate import LOCK, MANAGED_SCHEMAS, current, head, metadata
from etl.database.place import database
from etl.reports.views import create, drop


def run(connection: Connection) -> None:
    """Run the migrations over an open connection, in one transaction, with the views taken down and put up again."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    for schema in MANAGED_SCHEMAS:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    given = drop(connection) if migrates() else None
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
    if given is not None and current(connection) == head() is not None:
        create(connection, given)


def migrates() -> bool:
    """Tell whether there is a revision to go to; a comparison for a new migration leaves the views as they are.

    They are made from the models, whose new columns the tables do not have yet.
    """
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    with database() as url:
        engine = make_engine(url)
        with engine.begin() as connection:
            run(connection)
        engine.dispose()
