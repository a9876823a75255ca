"""Migrations over a filled database: down to the first release and up again, without losing rows."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sites import Site
from snapshots import differences, digest, values
from sqlalchemy import Connection, Engine, text

from etl.database.migrate import alembic_config, downgrade, upgrade
from etl.database.migrate import schema_differences as undeclared
from etl.database.revisions import check_migrated
from etl.pipeline import replay
from etl.resources import CATALOGUE

SCHEMAS = ("public", "raw", "etl", "history")
TABLES = text("""
    SELECT concat(schemaname, '.', tablename) FROM pg_tables
    WHERE schemaname = ANY(:schemas) AND tablename <> 'alembic_version' ORDER BY 1
""")
#: A value by type for a column that needs one, in tables that a sync leaves empty.
SAMPLES = {
    "uuid": "gen_random_uuid()", "text": "'failed'", "timestamp with time zone": "now()", "jsonb": "'{}'",
    "bytea": "'\\x01'", "boolean": "false", "bigint": "1", "integer": "1", "smallint": "1", "date": "now()",
    "numeric": "1", "ARRAY": "'{}'",
}  # fmt: skip
#: The columns that need a value, with their types and the first value that a constraint allows.
NEEDED = text("""
    SELECT column_name, data_type, (
        SELECT substring(pg_get_constraintdef(rule.oid) FROM '''[^'']+''') FROM pg_constraint AS rule
        JOIN pg_attribute AS field ON field.attrelid = rule.conrelid AND rule.conkey = ARRAY[field.attnum]
        WHERE rule.contype = 'c' AND rule.conrelid = to_regclass(CAST(:table AS text))
          AND field.attname = column_name LIMIT 1
    ) AS allowed
    FROM information_schema.columns
    WHERE concat(table_schema, '.', table_name) = CAST(:table AS text) AND is_nullable = 'NO' AND column_default IS NULL
      AND is_identity = 'NO' AND is_generated = 'NEVER' ORDER BY ordinal_position
""")

#: A migration may change the type of a column, and its values with it: a column is its name and its type.
TYPES = text("""
    SELECT column_name, concat(column_name, ' ', data_type) FROM information_schema.columns
    WHERE concat(table_schema, '.', table_name) = CAST(:table AS text)
""")

#: Columns whose values mean something else in another version, and are computed again by its next run.
RECOMPUTED = {"etl.child_queue": {"priority integer", "priority smallint", "priority"}}
#: How far a resource was read: a migration that drops its staging table deletes this.
READS = {"etl.watermarks", "etl.child_queue", "etl.sets", "etl.requests"}

#: All rows of a database, by table and sorted: columns and values.
Content = Mapping[str, list[Mapping[str, Any]]]


def revisions() -> list[str]:
    """Return every revision, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]


def url_of(engine: Engine) -> str:
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def content(engine: Engine) -> Content:
    """Return all that the tables hold."""
    with engine.connect() as connection:
        tables = connection.execute(TABLES, {"schemas": list(SCHEMAS)}).scalars().all()
        return {table: rows_of(connection, table) for table in tables}


def rows_of(connection: Connection, table: str) -> list[Mapping[str, Any]]:
    query = text(f"SELECT to_jsonb(line) FROM {table} AS line ORDER BY CAST(line AS text)")
    typed = {name: type_ for name, type_ in connection.execute(TYPES, {"table": table})}  # noqa: C416 (a row is no pair)
    return [{typed[name]: value for name, value in row.items()} for row in connection.execute(query).scalars()]


def untyped(whole: Content) -> Content:
    """Return a content with columns by their names only."""
    return {
        table: [{name.partition(" ")[0]: value for name, value in row.items()} for row in rows]
        for table, rows in whole.items()
    }


def shared(first: Content, second: Content) -> tuple[Content, Content]:
    """Return two contents, reduced to the tables and columns that both have, and to what was read into such tables."""
    both = {
        table: (columns(first[table]) & columns(second[table])) - RECOMPUTED.get(table, set())
        for table in first.keys() & second.keys()
    }
    return kept_reads(cut(first, both), both), kept_reads(cut(second, both), both)


def kept_reads(whole: Content, tables: Collection[str]) -> Content:
    """Return a content without how far resources were read whose staging tables are not among these."""
    return {
        table: [
            row
            for row in rows
            if table not in READS or f"raw.raw_{row.get('resource text', row.get('resource'))}" in tables
        ]
        for table, rows in whole.items()
    }


def columns(rows: list[Mapping[str, Any]]) -> set[str]:
    return set(rows[0]) if rows else set()


def cut(whole: Content, to: Mapping[str, set[str]]) -> Content:
    return {
        table: sorted(({name: row[name] for name in sorted(names)} for row in whole[table]), key=str)
        for table, names in to.items()
    }


def fill_what_is_empty(engine: Engine) -> None:
    """Insert a row into every table that a sync leaves empty."""
    for table in [table for table, rows in content(engine).items() if not rows]:
        with engine.begin() as connection:
            needed = connection.execute(NEEDED, {"table": table}).all()
            names, samples = (
                [column[0] for column in needed],
                [column.allowed or SAMPLES[column.data_type] for column in needed],
            )
            into = f"({', '.join(names)}) VALUES ({', '.join(samples)})" if names else "DEFAULT VALUES"
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # references do not matter here
            connection.execute(text(f"INSERT INTO {table} {into}"))


@pytest.mark.timeout(300)
def test_rows_survive_every_migration_down_and_up_again(synced: Site) -> None:
    engine, url = synced.engine, url_of(synced.engine)
    every = tuple(resource.name for resource in CATALOGUE if resource.endpoints)
    assert synced.sync_once(resources=every).exit_status == 0  # optional resources too
    fill_what_is_empty(engine)
    newest = content(engine)
    assert [table for table, rows in newest.items() if not rows] == []
    at: dict[str, Content] = {revisions()[0]: newest}
    for earlier in revisions()[1:]:
        downgrade(url, earlier)
        at[earlier] = content(engine)
        before, after = shared(newest, at[earlier])
        assert after == before, f"down to {earlier}"
    assert [table for table, rows in at[revisions()[-1]].items() if not rows] == []
    for later in reversed(revisions()[:-1]):
        upgrade(url, later)
        before, after = shared(at[revisions()[-1]], content(engine))
        assert after == before, f"up to {later}"
    _, after = shared(untyped(at[revisions()[-1]]), untyped(content(engine)))
    kept = {table: columns(rows) for table, rows in after.items()}
    assert after == kept_reads(cut(untyped(newest), kept), kept), "up again, columns whose type changed included"
    check_migrated(engine)
    with engine.connect() as connection:
        assert undeclared(connection) == []


def test_a_run_continues_after_a_migration_from_the_first_release(synced: Site, as_synced: Site) -> None:
    url = url_of(synced.engine)
    downgrade(url, revisions()[-1])
    with synced.engine.connect() as connection:
        first_tables = connection.execute(TABLES, {"schemas": list(SCHEMAS)}).scalars().all()
    upgrade(url, "head")
    summary = synced.sync_once()
    assert summary.exit_status == 0, summary.batch.error
    replay(synced.engine, synced.settings, apply=True)  # fills the columns that the first release did not have
    assert differences(digest(synced.engine), digest(as_synced.engine)) == []
    written = """
        SELECT coalesce(sum(inserted + updated), 0) FROM etl.sync_history
        WHERE batch_id = :batch AND concat('public.', table_name) = ANY(:tables)
    """
    assert values(synced.engine, written, batch=summary.batch.id, tables=list(first_tables)) == [0]


@pytest.mark.parametrize("revision", revisions()[1:])
def test_a_database_at_an_earlier_revision_is_refused_with_the_fix(synced: Site, revision: str) -> None:
    downgrade(url_of(synced.engine), revision)
    synced.take_calls()
    words = f"at migration {revision}, not at the newest, {revisions()[0]}. Run `qqetl db upgrade`"
    with pytest.raises(Exception, match=words):
        synced.sync_once()
    assert synced.take_calls() == [], "no API call is made"
