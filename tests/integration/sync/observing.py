"""What the tests of whole runs look at: production without run ids and times, rows as they lie, everything as text."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, text

from etl.models import PRODUCTION
from etl.models.links import billing_record_policies, document_policies

TABLES = tuple(model.__tablename__ for model in PRODUCTION)
LINKS = (billing_record_policies.name, document_policies.name)

#: What differs between two runs that end in the same rows: ids of the run, and times of our own clocks. The hash is
#: that of the version that was written last, which a mere touch does not write again.
OF_THE_RUN = (
    "created_at", "updated_at", "last_synced_at", "version_at", "deleted_at", "content_hash", "etl_batch_id", "raw_id",
)  # fmt: skip

Digest = Mapping[str, frozenset[str]]


def digest(engine: Engine) -> Digest:
    """Return every production row as text, by table, without what belongs to the run."""
    with engine.connect() as connection:
        return {table: frozenset(lines(connection, table)) for table in (*TABLES, *LINKS)}


def lines(connection: Connection, table: str) -> Iterable[str]:
    left_out = ", ".join(f"'{name}'" for name in OF_THE_RUN)
    dead = "" if table in LINKS else " || jsonb_build_object('dead', line.deleted_at IS NOT NULL)"
    query = f"SELECT CAST((to_jsonb(line) - ARRAY[{left_out}]){dead} AS text) FROM public.{table} AS line"  # noqa: S608
    return connection.execute(text(query)).scalars().all()


def differences(one: Digest, other: Digest) -> dict[str, tuple[list[str], list[str]]]:
    """Return by table the rows that only one of two digests has; empty when they agree."""
    return {
        table: (sorted(one[table] - other[table])[:3], sorted(other[table] - one[table])[:3])
        for table in one
        if one[table] != other[table]
    }


def as_they_lie(engine: Engine) -> dict[str, list[str]]:
    """Return which version of every row stands where, by table: a write of any kind shows."""
    with engine.connect() as connection:
        return {
            table: list(column(connection, f"SELECT concat(xmin, ctid) FROM public.{table} ORDER BY ctid"))  # noqa: S608
            for table in (*TABLES, *LINKS)
        }


def written(before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> set[str]:
    """Return the tables in which anything was written in between."""
    return {table for table in before if before[table] != after[table]}


def column(connection: Connection, query: str, **bound: Any) -> Iterable[Any]:
    return connection.execute(text(query), bound).scalars().all()


def values(engine: Engine, query: str, **bound: Any) -> list[Any]:
    """Return the first column of a query."""
    with engine.connect() as connection:
        return list(column(connection, query, **bound))


def value(engine: Engine, query: str, **bound: Any) -> Any:
    """Return the first column of a query's only row."""
    (only,) = values(engine, query, **bound)
    return only


def everything(engine: Engine) -> str:
    """Return the text of all rows of all tables of ours."""
    with engine.connect() as connection:
        names = column(
            connection,
            "SELECT concat(schemaname, '.', tablename) FROM pg_tables WHERE schemaname IN ('public', 'raw', 'etl')",
        )
        return "\n".join(line for name in names for line in column(connection, f"SELECT CAST(t AS text) FROM {name} t"))  # noqa: S608
