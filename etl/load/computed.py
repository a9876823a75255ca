"""Runs the statements for what no record brings, after the rows of a batch are loaded."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Connection

from etl.ledger import sync_history
from etl.load.placeholders import settle_placeholders
from etl.models.derived import DERIVED


def fill_derived(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Bring up to date what hangs on the rows that a batch wrote, and on those that cut-off ones left.

    These are placeholders, derived columns and link tables.
    """
    batches = (*sync_history.left_open(connection, tenant, batch_id), batch_id)
    wrote = {one: sync_history.of_batch(connection, one) for one in batches}
    settle_placeholders(connection, tenant, {table for tables in wrote.values() for table in changed(tables)})
    for one, tables in wrote.items():
        fill_for(connection, tenant, one, tables)


def changed(tables: Mapping[str, Mapping[str, int]]) -> set[str]:
    """Return the tables of a batch in which there was more than rows that were as they are, bad rows included."""
    return {table for table, counts in tables.items() if {one for one in counts if counts[one]} != {"unchanged"}}


def fill_for(connection: Connection, tenant: str, batch_id: UUID, tables: Mapping[str, Mapping[str, int]]) -> None:
    """Run the statements that a batch's rows call for."""
    written = {table for table, counts in tables.items() if any(counts.values())}
    for one in DERIVED:
        if written & one.reads:
            connection.execute(one.sql, {"tenant": tenant, "batch_id": batch_id})
