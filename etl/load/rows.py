"""Reshaped rows into production: stubs first, then the table itself, then what has gone from its sets."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from etl.catalogue import Resource
from etl.copy_text import written
from etl.database.bulk_copy import copy_lines, copy_rows
from etl.database.sqlstate import classify
from etl.errors import RecordBad
from etl.ledger import counters
from etl.ledger.staging.raw_tables import by_index
from etl.load.upsert import bury, differences, lacking, placeholder_stands, placeholders, stored, upsert
from etl.models import PRODUCTION, load_order
from etl.models.base import MAIN, row_id_text
from etl.models.states import Outcome
from etl.reshape.reshaper import Row
from etl.window import Window

#: How a refusal of the database arrives: from a statement, from COPY, or before the text is even sent.
DRIVER_ERRORS = (DBAPIError, psycopg.Error, UnicodeEncodeError)

TABLES = {model.__tablename__: model for model in PRODUCTION}
#: From so many ids on it is worth asking whether a table has placeholders at all.
MANY = 200
ORDER = {model.__tablename__: place for place, model in enumerate(load_order())}


@dataclass(frozen=True, slots=True)
class Target:
    """Whose rows are written, by which batch, over which window."""

    tenant: str
    batch_id: UUID
    window: Window
    #: Where to note which columns change, by table and column: how many rows, and some of their source ids.
    changes: dict[tuple[str, str], tuple[int, list[str]]] | None = None

    def bound(self) -> dict[str, Any]:
        """Return what the statements bind."""
        return {
            "tenant": self.tenant,
            "batch_id": self.batch_id,
            "window_start": self.window.start,
            "window_end": self.window.end,
        }


@dataclass(slots=True)
class Loaded:
    """What became of rows, by outcome, and which raw rows the gates turned away or the database refused."""

    counts: Counter[str] = field(default_factory=Counter)
    turned_away: set[str] = field(default_factory=set)
    bad: dict[str, str] = field(default_factory=dict)  #: raw id and the database's reason
    deleted: int = 0
    revived: int = 0

    def add(self, other: "Loaded") -> None:
        """Add what became of other rows."""
        self.counts.update(other.counts)
        self.turned_away |= other.turned_away
        self.bad |= other.bad
        self.deleted += other.deleted
        self.revived += other.revived


def nothing() -> None:
    """Do nothing: no row refers to another of its group."""


def load_rows(
    connection: Connection,
    target: Target,
    resource: Resource,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    stand_in: Callable[[], None] = nothing,
) -> Loaded:
    """Write the rows of one resource and add to the sync history; every row has one outcome.

    A row that the database itself refuses is set aside and costs none of its neighbours: where they refer to it or to
    each other, `stand_in` puts placeholders for what they refer to.
    """
    loaded = Loaded()
    if not rows:
        return loaded
    began = time.monotonic()
    writing = Writing(connection, target, resource, columns, loaded)
    if writing.refusal(rows) is not None:
        stand_in()
        writing.by_parts(rows)
    note(connection, target.batch_id, resource.model.__tablename__, loaded, began)
    return loaded


@dataclass(frozen=True, slots=True)
class Writing:
    """The writing of one resource's rows in one transaction."""

    connection: Connection
    target: Target
    resource: Resource
    columns: tuple[str, ...]
    loaded: Loaded

    def by_parts(self, rows: Sequence[Row]) -> None:
        """Merge rows of which the database refuses some: by halves, down to the single rows that it refuses."""
        error = self.refusal(rows)
        if error is None:
            return
        if len(rows) == 1:
            self.loaded.bad[rows[0].raw_id] = reason(error)
            self.loaded.counts[Outcome.REFUSED] += 1
            return
        middle = len(rows) // 2
        self.by_parts(rows[:middle])
        self.by_parts(rows[middle:])

    def refusal(self, rows: Sequence[Row]) -> Exception | None:
        """Write rows; return None when all are written, the database's error when it refuses one of them."""
        try:
            with self.connection.begin_nested():
                done = self.write(rows)
        except DRIVER_ERRORS as error:
            if not issubclass(classify(error), RecordBad):
                raise
            return error
        self.loaded.add(done)
        return None

    def write(self, rows: Sequence[Row]) -> Loaded:
        """Copy what the table does not have straight into it, merge the rest, and return what became of all.

        A row that somebody else brings meanwhile makes the copy fail; then all are merged.
        """
        done = Loaded()
        old = self.known(rows)
        new = [row for row in rows if row.id not in old]
        if new and not self.copied(new, done):
            self.merge(rows, done)
        elif old:
            self.merge([row for row in rows if row.id in old], done)
        return done

    def known(self, rows: Sequence[Row]) -> set[str]:
        """Return the ids of the rows that the table has in some form; all where a row is more than its columns."""
        ids = [row.id for row in rows]
        if self.resource.road != MAIN or self.target.changes is not None:
            return set(ids)
        found = self.connection.execute(stored(self.resource.model), {"ids": array_of(ids)})
        return {str(one) for one in found.scalars()}

    def copied(self, rows: Sequence[Row], done: Loaded) -> bool:
        """Copy new rows straight into the table; tell whether it could take all of them."""
        table = self.resource.model.__tablename__
        columns = (*self.columns, "tenant", "etl_batch_id", "last_synced_at")
        # "now" is PostgreSQL's own word for the time at which the transaction began.
        end = f"\t{written(self.target.tenant)}\t{self.target.batch_id}\tnow\n"
        try:
            with self.connection.begin_nested():
                copy_lines(self.connection, f"public.{table}", columns, (row.text + end for row in rows))
        except psycopg.errors.UniqueViolation:
            return False
        done.counts[Outcome.INSERTED] += len(rows)
        done.deleted += sum(row.deleted for row in rows)
        return True

    def merge(self, rows: Sequence[Row], done: Loaded) -> None:
        """Copy rows beside the table and merge them in one statement."""
        statements = upsert(self.resource.model, self.resource.road, self.columns)
        self.connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{statements.incoming}"))
        self.connection.execute(statements.prepare)
        lines = (f"{row.text}\t{'t' if row.undated else 'f'}\n" for row in rows)
        copy_lines(self.connection, statements.incoming, statements.columns, lines)
        changed = changed_columns(self.connection, self.resource) if self.target.changes is not None else ()
        for line in self.connection.execute(statements.merge, self.target.bound()):
            done.counts[line.outcome] += line.number
            done.deleted += line.deleted
            done.revived += line.revived
            done.turned_away.update(map(str, line.turned_away or ()))
        if self.target.changes is not None:
            note_changes(self.target.changes, self.resource, changed)


def array_of(ids: Iterable[str]) -> str:
    """Return UUIDs as the text of an array."""
    return "{" + ",".join(ids) + "}"


def changed_columns(connection: Connection, resource: Resource) -> Sequence[Any]:
    """Return the columns in which the incoming rows differ from the stored ones, with numbers and samples."""
    return connection.execute(differences(resource.model, resource.road)).all()


def note_changes(
    changes: dict[tuple[str, str], tuple[int, list[str]]], resource: Resource, changed: Iterable[Any]
) -> None:
    """Add the columns that a merge changed to those known so far."""
    for line in changed:
        number, some = changes.get((resource.model.__tablename__, line.name), (0, []))
        changes[resource.model.__tablename__, line.name] = (number + line.number, [*some, *line.some][:3])


def reason(error: Exception) -> str:
    """Return why the database refused a row: the constraint or column it names, never a value."""
    told = error.orig if isinstance(error, DBAPIError) else error  # COPY speaks through the driver itself
    diagnosis = getattr(told, "diag", None)
    named = getattr(diagnosis, "constraint_name", None) or getattr(diagnosis, "column_name", None) or "a value"
    return f"PostgreSQL refused the row ({getattr(told, 'sqlstate', None)}): {named}"


def load_stubs(
    connection: Connection,
    target: Target,
    stubs: Iterable[tuple[str, str, str | None, datetime]],
    present: Mapping[str, set[str]],
    guarded: Collection[str] = (),
) -> None:
    """Write placeholders for what records refer to, table by table in load order.

    `stubs` are (table, source id, name, version of the record that says so); `present` are the source ids that
    arrive by themselves in the same transaction and need none. Of a table that is `guarded`, because a foreign key
    tells of whatever is missing there, many ids are taken to have arrived, as they mostly have, unless the table has
    placeholders, which says that some have not.
    """
    by_table: dict[str, dict[tuple[str, str | None], datetime]] = defaultdict(dict)
    for table, source_id, label, version_at in stubs:
        if source_id not in present.get(table, ()):
            known = by_table[table].get((source_id, label))
            if known is None or known < version_at:
                by_table[table][source_id, label] = version_at
    for table in sorted(by_table, key=ORDER.__getitem__):
        trusted = table in guarded and len(by_table[table]) > MANY
        if not trusted or has_placeholders(connection, target, table):
            load_stubs_of(connection, target, table, by_table[table])


def has_placeholders(connection: Connection, target: Target, table: str) -> bool:
    """Tell whether a table has placeholders of the tenant."""
    with by_index(connection):
        return bool(connection.execute(placeholder_stands(TABLES[table]), {"tenant": target.tenant}).scalar())


def load_stubs_of(
    connection: Connection, target: Target, table: str, named: Mapping[tuple[str, str | None], datetime]
) -> None:
    """Write placeholders in one table for those of some source ids of which it has no row yet."""
    prefix = f"{target.tenant}\x1f{table}\x1f"
    ids = {one: row_id_text(prefix, one) for one, _ in named}
    found = connection.execute(lacking(TABLES[table]), {"ids": array_of(ids.values())})
    missing = {str(one) for one in found.scalars()}
    lines = [(ids[one], one, label, at) for (one, label), at in named.items() if ids[one] in missing]
    if lines:
        statements = placeholders(TABLES[table])
        connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{statements.incoming}"))
        connection.execute(statements.prepare)
        copy_rows(connection, statements.incoming, statements.columns, lines)
        connection.execute(statements.merge, {"tenant": target.tenant, "batch_id": target.batch_id})


def bury_gone(connection: Connection, target: Target, resource: Resource) -> int:
    """Mark deleted the rows whose records this batch found gone from their sets; return how many."""
    began = time.monotonic()
    gone = connection.execute(bury(resource), {"tenant": target.tenant, "batch_id": target.batch_id}).rowcount
    if gone:
        loaded = Loaded(deleted=gone)
        note(connection, target.batch_id, resource.model.__tablename__, loaded, began)
    return gone


def note(connection: Connection, batch_id: UUID, table: str, loaded: Loaded, began: float) -> None:
    """Add to the sync history of a table; `began` is the monotonic time at which the writing began."""
    counts = {name: loaded.counts[name] for name in ("inserted", "updated", "unchanged")}
    changes = {"deleted": loaded.deleted, "revived": loaded.revived, "seconds": time.monotonic() - began}
    counters.note_history(connection, batch_id, table, {**counts, **changes})
