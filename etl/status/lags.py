"""The lag of each resource, without counting rows, for checks after every run."""

from datetime import timedelta

from sqlalchemy import Connection, text

LAGS = text("""
    SELECT fresh.resource, fresh.lag FROM etl.freshness AS fresh
    LEFT JOIN etl.offers AS offer ON offer.tenant = fresh.tenant AND offer.resource = fresh.resource
    WHERE fresh.tenant = :tenant AND fresh.lag IS NOT NULL AND offer.offered IS NOT false
    ORDER BY fresh.resource
""")


def resource_lags(connection: Connection, tenant: str) -> dict[str, timedelta]:
    """Return the lag of each resource of a tenant, without resources never fully synced or not offered."""
    return {row.resource: row.lag for row in connection.execute(LAGS, {"tenant": tenant})}
