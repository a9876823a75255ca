"""Sums that every transaction adds to, written last: their rows are shared, and a lock held long makes others wait."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text, update

from etl.models.bookkeeping import batch_resources

#: Where a connection keeps the sums of its open transaction.
INFO_KEY = "etl sums"

ADD_HISTORY = text("""
    INSERT INTO etl.sync_history AS sum
        (batch_id, table_name, inserted, updated, unchanged, deleted, revived, seconds, synced_at)
    VALUES (:batch_id, :table_name, :inserted, :updated, :unchanged, :deleted, :revived, :seconds, now())
    ON CONFLICT (batch_id, table_name) DO UPDATE
    SET inserted = sum.inserted + excluded.inserted, updated = sum.updated + excluded.updated,
        unchanged = sum.unchanged + excluded.unchanged, deleted = sum.deleted + excluded.deleted,
        revived = sum.revived + excluded.revived, seconds = sum.seconds + excluded.seconds, synced_at = now()
""")

#: The columns of the sync history that are sums.
HISTORY_COLUMNS = ("inserted", "updated", "unchanged", "deleted", "revived", "seconds")


class TransactionCounters:
    """The sums of one transaction: of resources of batches, and of tables of batches."""

    def __init__(self) -> None:
        self.resources: dict[tuple[UUID, str], Counter[str]] = {}
        self.tables: dict[tuple[UUID, str], Counter[str]] = {}

    def write(self, connection: Connection) -> None:
        """Add the sums to their rows, in one order for everybody."""
        for (batch_id, resource), counts in sorted(self.resources.items()):
            write_counts(connection, batch_id, resource, counts)
        for (batch_id, table), counts in sorted(self.tables.items()):
            write_history(connection, batch_id, table, counts)


@contextmanager
def collect_counters(connection: Connection) -> Iterator[None]:
    """Gather what the block counts and write it at its end; an error in the block writes nothing."""
    place = connection.info  # of a connection that broke, it can no longer be asked for
    sums = place[INFO_KEY] = TransactionCounters()
    try:
        yield
        sums.write(connection)
    finally:
        place.pop(INFO_KEY, None)


def add_counts(connection: Connection, batch_id: UUID, resource: str, counts: Mapping[str, int]) -> None:
    """Add to the counts of one resource of a batch, in the same transaction as the records they count."""
    sums: TransactionCounters | None = connection.info.get(INFO_KEY)
    if sums is None:
        write_counts(connection, batch_id, resource, counts)
    else:
        sums.resources.setdefault((batch_id, resource), Counter()).update(counts)


def add_history(connection: Connection, batch_id: UUID, table: str, counts: Mapping[str, Any]) -> None:
    """Add to the sync history of a table: numbers of rows by what was done to them, and seconds."""
    sums: TransactionCounters | None = connection.info.get(INFO_KEY)
    if sums is None:
        write_history(connection, batch_id, table, counts)
    else:
        sums.tables.setdefault((batch_id, table), Counter()).update(counts)


def write_counts(connection: Connection, batch_id: UUID, resource: str, counts: Mapping[str, int]) -> None:
    """Add to the row of one resource of a batch."""
    columns = batch_resources.c
    added = {str(name): columns[name] + number for name, number in counts.items() if number}
    if added:
        mine = (columns.batch_id == batch_id) & (columns.resource == resource)
        connection.execute(update(batch_resources).where(mine).values(added))


def write_history(connection: Connection, batch_id: UUID, table: str, counts: Mapping[str, Any]) -> None:
    """Add to the row of one table of a batch."""
    named = {name: counts.get(name, 0) for name in HISTORY_COLUMNS}
    connection.execute(ADD_HISTORY, {"batch_id": batch_id, "table_name": table, **named})
