"""What the tests of whole runs compare: production without run ids and times, row versions, all text."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, text

from etl.models import PRODUCTION
from etl.models.links import billing_record_policies, document_policies

TABLES = tuple(model.__tablename__ for model in PRODUCTION)
LINKS = (billing_record_policies.name, document_policies.name)

#: Columns that differ between two runs with the same result: ids of the run, and our own times. The hash is that of the
#: version that was written last, which a touch does not update.
OF_THE_RUN = (
    "created_at", "updated_at", "last_synced_at", "version_at", "deleted_at", "content_hash", "etl_batch_id", "raw_id",
)  # fmt: skip

#: The rows of each table by key, without the values that belong to the run.
Digest = Mapping[str, Mapping[str, Mapping[str, Any]]]


def digest(engine: Engine, *, living: bool = False) -> Digest:
    """Return the production rows (only the live ones, if requested) without the values that belong to the run."""
    with engine.connect() as connection:
        return {table: dict(rows(connection, table, living=living)) for table in (*TABLES, *LINKS)}


def rows(connection: Connection, table: str, *, living: bool) -> Iterable[tuple[str, dict[str, Any]]]:
    """Yield the rows of a table with their identity."""
    for (row,) in connection.execute(text(f"SELECT to_jsonb(line) FROM public.{table} AS line")):
        dead = row.get("deleted_at") is not None
        if not (living and dead):
            key = row.get("source_id") or " ".join(map(str, row.values()))
            yield key, {**{name: row[name] for name in row if name not in OF_THE_RUN}, "dead": dead}


def differences(first: Digest, second: Digest) -> list[str]:
    """Return messages where two digests differ; none when they are equal."""
    return [message for table in first for key in first[table].keys() | second[table].keys()
            if (message := difference(table, key, first[table].get(key), second[table].get(key)))]  # fmt: skip


def difference(table: str, key: str, first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> str | None:
    """Return a message how two versions of a row differ, None when they are equal."""
    if first == second:
        return None
    if first is None or second is None:
        return f"{table} {key}: only in the {'second' if first is None else 'first'}"
    return f"{table} {key}: " + ", ".join(
        f"{name} {first[name]!r} and {second[name]!r}" for name in first if first[name] != second[name]
    )


def row_versions(engine: Engine) -> dict[str, list[str]]:
    """Return the physical version of every row, by table: any write changes it."""
    with engine.connect() as connection:
        return {
            table: list(column(connection, f"SELECT concat(xmin, ctid) FROM public.{table} ORDER BY ctid"))
            for table in (*TABLES, *LINKS)
        }


def changed_tables(before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> set[str]:
    """Return the tables with any write in between."""
    return {table for table in before if before[table] != after[table]}


def column(connection: Connection, query: str, **bound: Any) -> Iterable[Any]:
    return connection.execute(text(query), bound).scalars().all()


def values(engine: Engine, query: str, **bound: Any) -> list[Any]:
    """Return the first column of a query."""
    with engine.connect() as connection:
        return list(column(connection, query, **bound))


def pairs(engine: Engine, query: str) -> list[tuple[Any, Any]]:
    """Return the first two columns of a query."""
    with engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(text(query))]


def value(engine: Engine, query: str, **bound: Any) -> Any:
    """Return the first column of a query's only row."""
    (only,) = values(engine, query, **bound)
    return only


def text_of_tables(engine: Engine) -> dict[str, list[str]]:
    """Return the text of all rows of all our tables, by table with its schema."""
    with engine.connect() as connection:
        names = column(
            connection,
            "SELECT concat(schemaname, '.', tablename) FROM pg_tables"
            " WHERE schemaname IN ('public', 'raw', 'etl', 'history')",
        )
        return {name: sorted(column(connection, f"SELECT CAST(t AS text) FROM {name} t")) for name in names}


def all_text(engine: Engine) -> str:
    """Return the text of all rows of all our tables."""
    return "\n".join(line for lines in text_of_tables(engine).values() for line in lines)


def deleted_ids(engine: Engine, table: str) -> list[str]:
    """Return the source ids of rows that are marked as deleted."""
    return sorted(values(engine, f"SELECT source_id FROM {table} WHERE deleted_at IS NOT NULL"))
