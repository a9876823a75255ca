"""How far each resource lags behind, without counting any rows: for what asks after every run."""

from datetime import timedelta

from sqlalchemy import Connection, text

LAGS = text("""
    SELECT fresh.resource, fresh.lag FROM etl.freshness AS fresh
    LEFT JOIN etl.offers AS offer ON offer.tenant = fresh.tenant AND offer.resource = fresh.resource
    WHERE fresh.tenant = :tenant AND fresh.lag IS NOT NULL AND offer.offered IS NOT false
    ORDER BY fresh.resource
""")


def resource_lags(connection: Connection, tenant: str) -> dict[str, timedelta]:
    """Return how far the resources of a tenant lag behind; those never whole, or not offered, are not in it."""
    return {row.resource: row.lag for row in connection.execute(LAGS, {"tenant": tenant})}
