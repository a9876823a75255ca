"""Writes reshaped rows to production: placeholders first, then the rows, then the deletions."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from etl.catalogue.resource import Resource
from etl.copy_text import format_field, format_line
from etl.database.bulk_copy import copy_lines
from etl.database.sqlstate import classify
from etl.errors import InvalidRecord
from etl.ledger import counters
from etl.ledger.staging.raw_tables import prefer_index_scans
from etl.load.lock import lock_production
from etl.load.upsert import (
    count_differences,
    has_placeholder,
    insert_placeholders,
    keep_last_values,
    select_missing_ids,
    select_stored_ids,
    soft_delete,
    upsert,
)
from etl.models import PRODUCTION, load_order
from etl.models.base import PRIMARY, REQUIRED, REQUIRED_PRESENT, Model, fields_of, id_prefix, row_id_text
from etl.models.states import Outcome
from etl.reshape.reshaper import Row
from etl.window import Window

#: The errors by which the database refuses a row: from a statement, from COPY, or before the text is sent.
DRIVER_ERRORS = (DBAPIError, psycopg.Error, UnicodeEncodeError)

TABLES = {model.__tablename__: model for model in PRODUCTION}
#: Number of ids above which a check pays off whether the table has placeholders at all.
MANY_STUBS = 200
LOAD_POSITION = {model.__tablename__: position for position, model in enumerate(load_order())}


@dataclass(frozen=True, slots=True)
class LoadContext:
    """The tenant, batch and window of the rows that are written."""

    tenant: str
    batch_id: UUID
    window: Window
    #: Collects which columns change, by table and column: the number of rows, and some of their source ids.
    changes: dict[tuple[str, str], tuple[int, list[str]]] | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the statements."""
        return {
            "tenant": self.tenant,
            "batch_id": self.batch_id,
            "window_start": self.window.start,
            "window_end": self.window.end,
        }


@dataclass(slots=True)
class UpsertResult:
    """The outcomes of rows, and the raw rows that were turned away or refused by the database."""

    counts: Counter[str] = field(default_factory=Counter)
    turned_away: set[str] = field(default_factory=set)
    bad: dict[str, str] = field(default_factory=dict)  #: raw id and the reason of the refusal
    deleted: int = 0
    revived: int = 0

    def add(self, other: "UpsertResult") -> None:
        """Add the result of other rows."""
        self.counts.update(other.counts)
        self.turned_away |= other.turned_away
        self.bad |= other.bad
        self.deleted += other.deleted
        self.revived += other.revived


def do_nothing() -> None:
    """Do nothing: no row refers to another row of its chunk."""


def load_rows(
    connection: Connection,
    context: LoadContext,
    resource: Resource,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    write_placeholders: Callable[[], None] = do_nothing,
) -> UpsertResult:
    """Write the rows of one resource and add them to the sync history; every row has one outcome.

    A row that the database refuses is set aside and does not affect its neighbors: where they refer to it or to each
    other, `write_placeholders` writes placeholders for what they refer to.
    """
    loaded = UpsertResult()
    if not rows:
        return loaded
    lock_production(connection, context.tenant)
    began = time.monotonic()
    writer = RowWriter(connection, context, resource, columns, loaded)
    if writer.write(rows) is not None:
        write_placeholders()
        writer.write_by_halves(rows)
    record_history(connection, context.batch_id, resource.model.__tablename__, loaded, began)
    return loaded


@dataclass(frozen=True, slots=True)
class RowWriter:
    """Writes the rows of one resource in one transaction."""

    connection: Connection
    context: LoadContext
    resource: Resource
    columns: tuple[str, ...]
    result: UpsertResult

    def write(self, rows: Sequence[Row]) -> Exception | None:
        """Copy new rows straight into the table and merge the others.

        Returns None when all are written, the database's error when it refuses one of them and so none is written.
        """
        result = UpsertResult()
        try:
            with self.connection.begin_nested():
                stored = self.stored_ids(rows)
                if new := [row for row in rows if row.id not in stored]:
                    copy_lines(self.connection, self.table, self.all_columns, self.lines_of(new))
                    result.counts[Outcome.INSERTED] += len(new)
                    result.deleted += sum(row.deleted for row in new)
                if stored:
                    self.merge([row for row in rows if row.id in stored], result)
        except DRIVER_ERRORS as error:
            if not issubclass(classify(error), InvalidRecord):
                raise
            return error
        self.result.add(result)
        return None

    def write_by_halves(self, rows: Sequence[Row]) -> None:
        """Write rows of which the database refuses some: by halves, down to the single refused rows."""
        error = self.write(rows)
        if error is None:
            return
        if len(rows) == 1:
            self.result.bad[rows[0].raw_id] = refusal_reason(error, self.resource.model)
            self.result.counts[Outcome.REFUSED] += 1
            return
        middle = len(rows) // 2
        self.write_by_halves(rows[:middle])
        self.write_by_halves(rows[middle:])

    def stored_ids(self, rows: Sequence[Row]) -> set[str]:
        """Return the ids of the rows that the table has, or all ids where the rows must be merged in any case."""
        ids = [row.id for row in rows]
        if self.resource.data_source != PRIMARY or self.context.changes is not None:
            return set(ids)
        stored = self.connection.execute(select_stored_ids(self.resource.model), {"ids": array_of(ids)})
        return {str(row_id) for row_id in stored.scalars()}

    @property
    def table(self) -> str:
        """The table with its schema."""
        return f"public.{self.resource.model.__tablename__}"

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The columns of a new row."""
        return (*self.columns, "tenant", "etl_batch_id", "last_synced_at")

    def lines_of(self, rows: Sequence[Row]) -> Iterator[str]:
        """Yield the COPY text of new rows."""
        # PostgreSQL reads "now" as the start time of the transaction.
        end = f"\t{format_field(self.context.tenant)}\t{self.context.batch_id}\tnow\n"
        return (row.text + end for row in rows)

    def merge(self, rows: Sequence[Row], result: UpsertResult) -> None:
        """Copy rows into a temporary table and merge them in one statement."""
        statements = upsert(self.resource.model, self.resource.data_source, self.columns)
        self.connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{statements.incoming}"))
        self.connection.execute(statements.prepare)
        lines = (f"{row.text}\t{'t' if row.undated else 'f'}\n" for row in rows)
        copy_lines(self.connection, statements.incoming, statements.columns, lines)
        if self.resource.data_source == PRIMARY and any(row.deleted for row in rows):
            self.connection.execute(keep_last_values(self.resource.model))
        changed = changed_columns(self.connection, self.resource) if self.context.changes is not None else ()
        for line in self.connection.execute(statements.merge, self.context.parameters()):
            result.counts[line.outcome] += line.number
            result.deleted += line.deleted
            result.revived += line.revived
            result.turned_away.update(map(str, line.turned_away or ()))
        if self.context.changes is not None:
            note_changes(self.context.changes, self.resource, changed)


def array_of(ids: Iterable[str]) -> str:
    """Return UUIDs as the text of an array."""
    return "{" + ",".join(ids) + "}"


def changed_columns(connection: Connection, resource: Resource) -> Sequence[Any]:
    """Return the columns in which the incoming rows differ from the stored ones, with counts and samples."""
    return connection.execute(count_differences(resource.model, resource.data_source)).all()


def note_changes(
    changes: dict[tuple[str, str], tuple[int, list[str]]], resource: Resource, changed: Iterable[Any]
) -> None:
    """Add the columns that a merge changed to `changes`."""
    for line in changed:
        number, samples = changes.get((resource.model.__tablename__, line.name), (0, []))
        changes[resource.model.__tablename__, line.name] = (number + line.number, [*samples, *line.some][:3])


def refusal_reason(error: Exception, model: type[Model]) -> str:
    """Return why the database refused a row: the constraint or column, never a value.

    Only a deleted record gets as far as this without what its table requires: the row may have it already.
    """
    driver_error = error.orig if isinstance(error, DBAPIError) else error  # COPY raises the driver's own error
    diagnosis = getattr(driver_error, "diag", None)
    constraint = getattr(diagnosis, "constraint_name", None) or getattr(diagnosis, "column_name", None) or "a value"
    if constraint.endswith(REQUIRED_PRESENT):
        required = [column for column, about in fields_of(model).items() if about.presence is REQUIRED]
        return f"{' or '.join(required)} is missing"
    return f"PostgreSQL refused the row ({getattr(driver_error, 'sqlstate', None)}): {constraint}"


def write_stubs(
    connection: Connection,
    context: LoadContext,
    stubs: Iterable[tuple[str, str, str | None, datetime]],
    present: Mapping[str, set[str]],
    guarded: Collection[str] = (),
) -> None:
    """Write placeholders for what records refer to, table by table in load order.

    `stubs` are (table, source id, name, version of the record with the reference); `present` are the source ids of
    records that arrive in the same transaction and need no placeholder. In a `guarded` table, where a foreign key
    detects a missing row, many ids are assumed to exist, as most do, unless the table has placeholders, which shows
    that some do not.
    """
    by_table: dict[str, dict[tuple[str, str | None], datetime]] = defaultdict(dict)
    for table, source_id, label, version_at in stubs:
        if source_id not in present.get(table, ()):
            newest_version = by_table[table].get((source_id, label))
            if newest_version is None or newest_version < version_at:
                by_table[table][source_id, label] = version_at
    for table in sorted(by_table, key=LOAD_POSITION.__getitem__):
        assumed_to_exist = table in guarded and len(by_table[table]) > MANY_STUBS
        if not assumed_to_exist or has_placeholders(connection, context, table):
            write_stubs_of_table(connection, context, table, by_table[table])


def has_placeholders(connection: Connection, context: LoadContext, table: str) -> bool:
    """Return whether a table has placeholders of the tenant."""
    with prefer_index_scans(connection):
        return bool(connection.execute(has_placeholder(TABLES[table]), {"tenant": context.tenant}).scalar())


def write_stubs_of_table(
    connection: Connection, context: LoadContext, table: str, stubs: Mapping[tuple[str, str | None], datetime]
) -> None:
    """Write placeholders in one table for the source ids that it has no row of."""
    prefix = id_prefix(context.tenant, table)
    ids = {source_id: row_id_text(prefix, source_id) for source_id, _ in stubs}
    missing_rows = connection.execute(select_missing_ids(TABLES[table]), {"ids": array_of(ids.values())})
    missing = {str(source_id) for source_id in missing_rows.scalars()}
    lines = [
        (ids[source_id], source_id, label, at) for (source_id, label), at in stubs.items() if ids[source_id] in missing
    ]
    if lines:
        lock_production(connection, context.tenant)
        statements = insert_placeholders(TABLES[table])
        connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{statements.incoming}"))
        connection.execute(statements.prepare)
        copy_lines(connection, statements.incoming, statements.columns, map(format_line, lines))
        connection.execute(statements.merge, {"tenant": context.tenant, "batch_id": context.batch_id})


def soft_delete_missing(connection: Connection, context: LoadContext, resource: Resource) -> int:
    """Mark as deleted the rows whose records this batch found missing from their sets; return how many.

    A secondary source has no rows of its own: what is missing from it says nothing about the row.
    """
    has_own_rows = resource.data_source == PRIMARY or resource.data_source.is_fallback
    if not resource.has_table or not has_own_rows:
        return 0
    began = time.monotonic()
    deleted = connection.execute(
        soft_delete(resource), {"tenant": context.tenant, "batch_id": context.batch_id}
    ).rowcount
    if deleted:
        loaded = UpsertResult(deleted=deleted)
        record_history(connection, context.batch_id, resource.model.__tablename__, loaded, began)
    return deleted


def record_history(connection: Connection, batch_id: UUID, table: str, loaded: UpsertResult, began: float) -> None:
    """Add to the sync history of a table; `began` is the monotonic start time of the writing."""
    counts = {name: loaded.counts[name] for name in ("inserted", "updated", "unchanged")}
    changes = {"deleted": loaded.deleted, "revived": loaded.revived, "seconds": time.monotonic() - began}
    counters.add_history(connection, batch_id, table, {**counts, **changes})
