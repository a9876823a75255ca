"""The history triggers: before every update, a trigger per table copies the old rows to the history, set-based.

It is a trigger because rows change in many ways (merges, secondary sources, names of placeholders, deletions and their
reversal, computed columns) and none of them may skip the history. Without updates, as in a first load, it does nothing.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, text
from sqlalchemy.orm import MappedColumn

from etl.models import PRODUCTION
from etl.models.base import PRIMARY, Model, field_in
from etl.models.history import CLOCKS, SCHEMA, end_of

TRIGGER = "keep_history"

#: Columns about the synchronization of a row; a change in only these columns makes no new version.
BOOKKEEPING = {name for name, value in vars(Model).items() if isinstance(value, MappedColumn)} - {
    "source_created_at",
    "deleted_at",
    "is_placeholder",
}


def create(connection: Connection) -> None:
    """Let every production table keep its history, over its columns as they are now."""
    for model in PRODUCTION:
        for statement in statements(model):
            connection.exec_driver_sql(statement)


def drop(connection: Connection) -> None:
    """Take the triggers and their functions away, whichever version made them, so that the tables below can change."""
    functions = text("""
        SELECT format('%I.%I()', space.nspname, made.proname)
        FROM pg_proc AS made JOIN pg_namespace AS space ON space.oid = made.pronamespace
        WHERE space.nspname = :schema
    """)
    for name in connection.execute(functions, {"schema": SCHEMA}).scalars().all():
        connection.exec_driver_sql(f"DROP FUNCTION {name} CASCADE")


def statements(model: type[Model]) -> Iterator[str]:
    """Yield the statements that make a table's function and trigger.

    The statement inside is planned anew each time: a plan for three rows must not serve thirty thousand.
    """
    name = model.__tablename__
    yield f"""
        CREATE FUNCTION {SCHEMA}.keep_{name}() RETURNS trigger LANGUAGE plpgsql AS $function$
        BEGIN
            IF EXISTS (SELECT FROM before) THEN
                EXECUTE $statement${keeping(model)}$statement$;
            END IF;
            RETURN NULL;
        END $function$
    """
    yield f"""
        CREATE TRIGGER {TRIGGER} AFTER UPDATE ON public.{name}
        REFERENCING OLD TABLE AS before NEW TABLE AS after
        FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.keep_{name}()
    """


def keeping(model: type[Model]) -> str:
    """Return the statement that copies the rows before a change into the history, with the clocks of both sides.

    What was written in the same transaction was never shown, and is left out.
    """
    name = model.__tablename__
    columns = [one.name for one in model.__table__.columns]
    content = [one for one in columns if one not in BOOKKEEPING]
    by_default = str(model.keeps_history).lower()
    return f"""
        INSERT INTO {SCHEMA}.{name} ({", ".join((*columns, *CLOCKS))})
        SELECT {", ".join(f"before.{one}" for one in columns)},
               CASE WHEN times.until IS NULL THEN times.version_at ELSE times.since END,
               CASE WHEN times.until IS NULL THEN times.version_at ELSE GREATEST(times.until, times.since) END,
               times.shown, GREATEST(now(), times.shown)
        FROM before
        JOIN after ON after.id = before.id
        LEFT JOIN etl.tenants AS account ON account.tenant = before.tenant
        LEFT JOIN LATERAL ({end_of(name, "before.id")}) AS last ON true
        CROSS JOIN LATERAL (
            SELECT {until(model)} AS until, COALESCE(last.valid_to, before.source_created_at) AS since,
                   COALESCE(last.known_to, before.created_at) AS shown,
                   COALESCE(before.version_at, before.created_at) AS version_at
        ) AS times
        WHERE COALESCE('{name}' = ANY (account.history), {by_default}) AND before.updated_at <> now()
          AND {row("before", content)} IS DISTINCT FROM {row("after", content)}
    """


def until(model: type[Model]) -> str:
    """Return up to when the row before was true at the source; null where it never was.

    A placeholder says nothing of the source. The same version read otherwise is our correction, and so is a mark of
    deletion that is taken back; what vanished, and what a side road brings, changed when we saw it.
    """
    seen = ["before.deleted_at IS NULL AND after.deleted_at IS NOT NULL"]
    if side := [
        one.name for one in model.__table__.columns if (about := field_in(one.info)) and about.data_source != PRIMARY
    ]:
        seen.append(f"{row('before', side)} IS DISTINCT FROM {row('after', side)}")
    return f"""CASE WHEN before.is_placeholder THEN NULL
                    WHEN after.version_at > before.version_at THEN after.version_at
                    WHEN {" OR ".join(seen)} THEN now() END"""


def row(alias: str, columns: list[str]) -> str:
    """Return columns of an alias as a row expression."""
    return "ROW(" + ", ".join(f"{alias}.{column}" for column in columns) + ")"
