"""Counters that every transaction adds to. They are written last, because other transactions wait for their rows."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, update

from etl.models.bookkeeping import batch_resources
from etl.queries import Queries

SQL = Queries(__file__)

#: The key in `Connection.info` for the counters of the open transaction.
INFO_KEY = "etl counters"
#: The columns of `etl.sync_history` that are added up.
HISTORY_COLUMNS = ("inserted", "updated", "unchanged", "deleted", "revived", "seconds")


class TransactionCounters:
    """The counters of one transaction, by batch and resource and by batch and table."""

    def __init__(self) -> None:
        self.resources: dict[tuple[UUID, str], Counter[str]] = {}
        self.tables: dict[tuple[UUID, str], Counter[str]] = {}

    def write(self, connection: Connection) -> None:
        """Add the counters to their rows, always in the same order to avoid deadlocks."""
        for (batch_id, resource), counts in sorted(self.resources.items()):
            write_counts(connection, batch_id, resource, counts)
        for (batch_id, table), counts in sorted(self.tables.items()):
            write_history(connection, batch_id, table, counts)


@contextmanager
def collect_counters(connection: Connection) -> Iterator[None]:
    """Collect the counts of the block and write them at its end. After an error nothing is written."""
    connection_info = connection.info  # no longer available after the connection broke
    transaction_counters = connection_info[INFO_KEY] = TransactionCounters()
    try:
        yield
        transaction_counters.write(connection)
    finally:
        connection_info.pop(INFO_KEY, None)


def add_counts(connection: Connection, batch_id: UUID, resource: str, counts: Mapping[str, int]) -> None:
    """Add to the counts of one resource of a batch, in the transaction that writes the counted records."""
    transaction_counters: TransactionCounters | None = connection.info.get(INFO_KEY)
    if transaction_counters is None:
        write_counts(connection, batch_id, resource, counts)
    else:
        transaction_counters.resources.setdefault((batch_id, resource), Counter()).update(counts)


def add_history(connection: Connection, batch_id: UUID, table: str, counts: Mapping[str, Any]) -> None:
    """Add rows by action, and seconds, to the sync history of a table."""
    transaction_counters: TransactionCounters | None = connection.info.get(INFO_KEY)
    if transaction_counters is None:
        write_history(connection, batch_id, table, counts)
    else:
        transaction_counters.tables.setdefault((batch_id, table), Counter()).update(counts)


def write_counts(connection: Connection, batch_id: UUID, resource: str, counts: Mapping[str, int]) -> None:
    """Add counts to the row of one resource of a batch."""
    columns = batch_resources.c
    added = {str(name): columns[name] + number for name, number in counts.items() if number}
    if added:
        is_resource = (columns.batch_id == batch_id) & (columns.resource == resource)
        connection.execute(update(batch_resources).where(is_resource).values(added))


def write_history(connection: Connection, batch_id: UUID, table: str, counts: Mapping[str, Any]) -> None:
    """Add counts to the row of one table of a batch."""
    values = {name: counts.get(name, 0) for name in HISTORY_COLUMNS}
    connection.execute(SQL["add_history"], {"batch_id": batch_id, "table_name": table, **values})
