"""Refreshes computed data after the rows of a batch are loaded: placeholders, computed columns, link tables."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Connection

from etl.ledger import sync_history
from etl.load.nested import follow_records_around
from etl.load.placeholders import refresh_placeholders
from etl.models.derived import DERIVED


def refresh_computed_columns(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Refresh what depends on the rows written by a batch, and by earlier batches that did not finish.

    This covers placeholders, nested rows, computed columns and link tables.
    """
    batch_ids = (*sync_history.find_interrupted_batches(connection, tenant, batch_id), batch_id)
    written_tables = {
        written_batch_id: sync_history.read_history(connection, written_batch_id) for written_batch_id in batch_ids
    }
    refresh_placeholders(
        connection, tenant, {table for tables in written_tables.values() for table in changed_tables(tables)}
    )
    for written_batch_id, tables in written_tables.items():
        follow_records_around(connection, tenant, written_batch_id, tables)
    for written_batch_id, tables in written_tables.items():
        refresh_for_batch(connection, tenant, written_batch_id, tables)


def changed_tables(tables: Mapping[str, Mapping[str, int]]) -> set[str]:
    """Return the tables of a batch with any outcome other than `unchanged`, refused rows included."""
    return {
        table for table, counts in tables.items() if {outcome for outcome in counts if counts[outcome]} != {"unchanged"}
    }


def refresh_for_batch(
    connection: Connection, tenant: str, batch_id: UUID, tables: Mapping[str, Mapping[str, int]]
) -> None:
    """Run the statements that depend on the tables a batch wrote."""
    written_tables = {table for table, counts in tables.items() if any(counts.values())}
    for computation in DERIVED:
        if written_tables & computation.reads:
            connection.execute(computation.sql, {"tenant": tenant, "batch_id": batch_id})
