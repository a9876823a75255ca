"""Runs the statements that fill what no record brings, after the rows of a batch are loaded."""

from uuid import UUID

from sqlalchemy import Connection

from etl.ledger import history
from etl.models.derived import DERIVED


def fill_derived(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Bring the derived columns and link tables up to date with what a batch wrote, and with what cut-off ones left."""
    for one in (*history.left_open(connection, tenant, batch_id), batch_id):
        fill_for(connection, tenant, one)


def fill_for(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Run the statements that a batch's rows call for."""
    written = {table for table, counts in history.of_batch(connection, batch_id).items() if any(counts.values())}
    for one in DERIVED:
        if written & one.reads:
            connection.execute(one.sql, {"tenant": tenant, "batch_id": batch_id})
