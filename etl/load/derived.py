"""Runs the statements that fill what no record brings, after the rows of a batch are loaded."""

from uuid import UUID

from sqlalchemy import Connection

from etl.models.derived import DERIVED


def fill_derived(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Bring the derived columns and link tables up to date with what a batch wrote."""
    for one in DERIVED:
        connection.execute(one.sql, {"tenant": tenant, "batch_id": batch_id})
