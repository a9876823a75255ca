"""The history triggers: before every update, a trigger per table copies the old rows to the history, set-based.

It is a trigger because rows change in many ways (merges, secondary sources, names of placeholders, deletions and their
reversal, computed columns) and none of them may skip the history. Without updates, as in a first load, it does nothing.
"""

from collections.abc import Iterator

from sqlalchemy import Connection
from sqlalchemy.orm import MappedColumn

from etl.models import PRODUCTION
from etl.models.base import PRIMARY, Model, field_in
from etl.models.history import CLOCKS, SCHEMA, end_of
from etl.queries import Queries

SQL = Queries(__file__)

TRIGGER = "keep_history"

#: Columns about the synchronization of a row; a change in only these columns makes no new version.
BOOKKEEPING = {name for name, value in vars(Model).items() if isinstance(value, MappedColumn)} - {
    "source_created_at",
    "deleted_at",
    "is_placeholder",
}


def create_history_triggers(connection: Connection) -> None:
    """Create the history triggers of all production tables, for their current columns."""
    for model in PRODUCTION:
        for statement in trigger_statements(model):
            connection.exec_driver_sql(statement)


def drop_history_triggers(connection: Connection) -> None:
    """Drop the history triggers and their functions of any version, so that the tables can be altered."""
    for name in connection.execute(SQL["trigger_functions"], {"schema": SCHEMA}).scalars().all():
        connection.exec_driver_sql(f"DROP FUNCTION {name} CASCADE")


def trigger_statements(model: type[Model]) -> Iterator[str]:
    """Yield the statements that create a table's function and trigger.

    The statement inside is planned on each execution: a plan for three rows must not be used for thirty thousand.
    """
    name = model.__tablename__
    yield f"""
        CREATE FUNCTION {SCHEMA}.keep_{name}() RETURNS trigger LANGUAGE plpgsql AS $function$
        BEGIN
            IF EXISTS (SELECT FROM before) THEN
                EXECUTE $statement${copy_to_history(model)}$statement$;
            END IF;
            RETURN NULL;
        END $function$
    """
    yield f"""
        CREATE TRIGGER {TRIGGER} AFTER UPDATE ON public.{name}
        REFERENCING OLD TABLE AS before NEW TABLE AS after
        FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.keep_{name}()
    """


def copy_to_history(model: type[Model]) -> str:
    """Return the statement that copies the old rows into the history, with the valid times and the known times.

    Versions written in the same transaction were never visible, and are left out.
    """
    name = model.__tablename__
    columns = [column.name for column in model.__table__.columns]
    content = [column for column in columns if column not in BOOKKEEPING]
    by_default = str(model.keeps_history).lower()
    return f"""
        INSERT INTO {SCHEMA}.{name} ({", ".join((*columns, *CLOCKS))})
        SELECT {", ".join(f"before.{column}" for column in columns)},
               CASE WHEN times.until IS NULL THEN times.version_at ELSE times.since END,
               CASE WHEN times.until IS NULL THEN times.version_at ELSE GREATEST(times.until, times.since) END,
               times.shown, GREATEST(now(), times.shown)
        FROM before
        JOIN after ON after.id = before.id
        LEFT JOIN etl.tenants AS account ON account.tenant = before.tenant
        LEFT JOIN LATERAL ({end_of(name, "before.id")}) AS last ON true
        CROSS JOIN LATERAL (
            SELECT {valid_until(model)} AS until, COALESCE(last.valid_to, before.source_created_at) AS since,
                   COALESCE(last.known_to, before.created_at) AS shown,
                   COALESCE(before.version_at, before.created_at) AS version_at
        ) AS times
        WHERE COALESCE('{name}' = ANY (account.history), {by_default}) AND before.updated_at <> now()
          AND {row_sql("before", content)} IS DISTINCT FROM {row_sql("after", content)}
    """


def valid_until(model: type[Model]) -> str:
    """Return the SQL for the time until which the old row was true at the source; null when it never was.

    A placeholder says nothing about the source. A different reading of the same version corrects an error of this
    system, and so does the reversal of a deletion. Deletions and values from secondary sources changed when the change
    was seen.
    """
    corrections = ["before.deleted_at IS NULL AND after.deleted_at IS NOT NULL"]
    if side := [
        column.name
        for column in model.__table__.columns
        if (field := field_in(column.info)) and field.data_source != PRIMARY
    ]:
        corrections.append(f"{row_sql('before', side)} IS DISTINCT FROM {row_sql('after', side)}")
    return f"""CASE WHEN before.is_placeholder THEN NULL
                    WHEN after.version_at > before.version_at THEN after.version_at
                    WHEN {" OR ".join(corrections)} THEN now() END"""


def row_sql(alias: str, columns: list[str]) -> str:
    """Return columns of an alias as a row expression."""
    return "ROW(" + ", ".join(f"{alias}.{column}" for column in columns) + ")"
