"""The lag of each resource, without counting rows, for checks after every run."""

from datetime import timedelta

from sqlalchemy import Connection

from etl.queries import Queries

SQL = Queries(__file__)


def resource_lags(connection: Connection, tenant: str) -> dict[str, timedelta]:
    """Return the lag of each resource of a tenant, without resources never fully synced or not offered."""
    return {row.resource: row.lag for row in connection.execute(SQL["lags"], {"tenant": tenant})}
