"""Refreshes computed data after the rows of a batch are loaded: placeholders, computed columns, link tables."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Connection

from etl.ledger import sync_history
from etl.load.placeholders import refresh_placeholders
from etl.models.derived import DERIVED


def refresh_computed_columns(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Refresh what depends on the rows written by a batch, and by earlier batches that did not finish.

    This covers placeholders, computed columns and link tables.
    """
    batches = (*sync_history.left_open(connection, tenant, batch_id), batch_id)
    written_tables = {unfinished_id: sync_history.of_batch(connection, unfinished_id) for unfinished_id in batches}
    refresh_placeholders(connection, tenant, {table for tables in written_tables.values() for table in changed(tables)})
    for unfinished_id, tables in written_tables.items():
        fill_for(connection, tenant, unfinished_id, tables)


def changed(tables: Mapping[str, Mapping[str, int]]) -> set[str]:
    """Return the tables of a batch in which there was more than rows that were as they are, bad rows included."""
    return {table for table, counts in tables.items() if {one for one in counts if counts[one]} != {"unchanged"}}


def fill_for(connection: Connection, tenant: str, batch_id: UUID, tables: Mapping[str, Mapping[str, int]]) -> None:
    """Run the statements that a batch's rows call for."""
    written = {table for table, counts in tables.items() if any(counts.values())}
    for one in DERIVED:
        if written & one.reads:
            connection.execute(one.sql, {"tenant": tenant, "batch_id": batch_id})
