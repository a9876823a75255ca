"""Moving all rows to another database, table by table, between servers of any version."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from etl.database.connect import display_url, make_engine
from etl.database.sqlstate import database_errors
from etl.database.tables import our_tables
from etl.errors import DatabaseNotReady
from etl.queries import Queries

SQL = Queries(__file__)

#: Copying one table of a large agency may take long.
_TABLE_SECONDS = 6 * 3600.0
_REVISION_TABLE = "alembic_version"

_SET_SEQUENCE = text("SELECT setval(format('%I.%I', CAST(:schema AS text), CAST(:name AS text))::regclass, :value)")


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns, without generated columns."""

    schema: str
    name: str
    columns: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Schema and name, as foreign keys give them."""
        return self.schema, self.name

    def copy(self, direction: str) -> sql.Composed:
        """Return the COPY statement, TO STDOUT or FROM STDIN, in text format: the binary format may vary by version."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("COPY {} ({}) {}").format(sql.Identifier(*self.key), columns, sql.SQL(direction))


def move_rows(from_url: str, to_url: str) -> int:
    """Copy every row to another database in one transaction and return the row count; the source is not changed.

    Raises DatabaseNotReady unless the destination is at the same migration and has no rows.
    """
    source_engine = make_engine(from_url, application_name="qqetl-move", statement_timeout_s=_TABLE_SECONDS)
    destination_engine = make_engine(to_url, application_name="qqetl-move", statement_timeout_s=_TABLE_SECONDS)
    try:
        with database_errors(), source_engine.connect() as source, destination_engine.begin() as destination:
            source.execution_options(isolation_level="REPEATABLE READ")  # one snapshot for all tables
            tables = _tables_to_copy(source, destination, display_url(to_url))
            ours = {table.key for table in tables}
            circular = [row for row in destination.execute(SQL["circular_keys"]) if (row[0], row[1]) in ours]
            _alter_constraints(destination, circular, "DEFERRABLE")
            destination.execute(text("SET CONSTRAINTS ALL DEFERRED"))
            row_count = sum(_copy_table(table, source, destination) for table in _parents_first(tables, destination))
            destination.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            _alter_constraints(destination, circular, "NOT DEFERRABLE")
            _set_sequences(source, destination)
            return row_count
    finally:
        source_engine.dispose()
        destination_engine.dispose()


def _tables_to_copy(source: Connection, destination: Connection, name: str) -> list[Table]:
    tables = _read_tables(source)
    if tables != _read_tables(destination) or _read_revision(source, tables) != _read_revision(destination, tables):
        raise DatabaseNotReady(
            f"{name} does not have the same tables as the source database. Run `qqetl db upgrade` on both, then move."
        )
    data_tables = [table for table in tables if table.name != _REVISION_TABLE]
    non_empty = [f"{table.schema}.{table.name}" for table in data_tables if _has_rows(destination, table)]
    if non_empty:
        raise DatabaseNotReady(
            f"{name} must be empty, but these tables have rows: {', '.join(non_empty)}. Move to a new database."
        )
    return data_tables


def _read_tables(connection: Connection) -> list[Table]:
    rows = connection.execute(SQL["tables"], {"ours": our_tables()})
    return [Table(schema, name, tuple(columns)) for schema, name, columns in rows]


def _read_revision(connection: Connection, tables: Sequence[Table]) -> list[str]:
    revision_tables = [table for table in tables if table.name == _REVISION_TABLE]
    return sorted(
        str(row[0]) for table in revision_tables for row in _driver_connection(connection).execute(_select_all(table))
    )


def _select_all(table: Table) -> sql.Composed:
    return sql.SQL("SELECT * FROM {}").format(sql.Identifier(*table.key))


def _has_rows(connection: Connection, table: Table) -> bool:
    return (
        _driver_connection(connection).execute(sql.SQL("{} LIMIT 1").format(_select_all(table))).fetchone() is not None
    )


def _parents_first(tables: Sequence[Table], connection: Connection) -> list[Table]:
    """Return the tables in an order that satisfies every foreign key that is checked immediately."""
    by_key = {table.key: table for table in tables}
    parents: dict[tuple[str, str], set[tuple[str, str]]] = {table.key: set() for table in tables}
    for schema, name, to_schema, to_name in connection.execute(SQL["references"]):
        if {(schema, name), (to_schema, to_name)} <= by_key.keys():
            parents[schema, name].add((to_schema, to_name))
    try:
        return [by_key[key] for key in TopologicalSorter(parents).static_order()]
    except CycleError as error:
        names = ", ".join(".".join(key) for key in error.args[1])
        raise DatabaseNotReady(f"These tables reference each other and cannot be copied one by one: {names}.") from None


def _alter_constraints(connection: Connection, references: Iterable[Sequence[str]], deferrability: str) -> None:
    for schema, table, name in references:
        statement = sql.SQL("ALTER TABLE {} ALTER CONSTRAINT {} {}")
        _driver_connection(connection).execute(
            statement.format(sql.Identifier(schema, table), sql.Identifier(name), sql.SQL(deferrability))
        )


def _copy_table(table: Table, source: Connection, destination: Connection) -> int:
    with _driver_connection(source).cursor() as reader, _driver_connection(destination).cursor() as writer:
        with reader.copy(table.copy("TO STDOUT")) as rows, writer.copy(table.copy("FROM STDIN")) as sink:
            for block in rows:
                sink.write(block)
        return writer.rowcount


def _set_sequences(source: Connection, destination: Connection) -> None:
    """Set the sequences of our tables."""
    for schema, name, value in source.execute(SQL["sequences"], {"ours": our_tables()}).all():
        destination.execute(_SET_SEQUENCE, {"schema": schema, "name": name, "value": value})


def _driver_connection(connection: Connection) -> "psycopg.Connection[tuple[object, ...]]":
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"{connection.engine.driver} is not psycopg")
    return driver
