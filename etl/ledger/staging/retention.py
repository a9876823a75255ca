"""Retention: delete old superseded versions and old request facts. The newest version of a record stays."""

from collections import Counter
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection, text

from etl.catalogue.resource import Resource
from etl.ledger.transaction import Ledger
from etl.models.row_views import rows_of
from etl.queries import Queries

SQL = Queries(__file__)

#: Rows deleted per transaction.
CHUNK_SIZE = 10_000


def purge_resource(ledger: Ledger, resource: Resource, age: timedelta) -> Counter[str]:
    """Delete superseded versions and request facts of a resource older than `age`; return the row counts by table."""
    deleted: Counter[str] = Counter()
    for table, delete in ((f"raw.{resource.raw_table}", purge_versions), ("etl.requests", purge_requests)):
        work = partial(delete, resource=resource, tenant=ledger.tenant, age=age)
        while row_count := ledger.commit(work):
            deleted[table] += row_count
            if row_count < CHUNK_SIZE:
                break
    return deleted


def purge_versions(connection: Connection, resource: Resource, tenant: str, age: timedelta) -> int:
    """Delete the next chunk of superseded versions; return their number.

    The newest version of a record stays, even if the record is missing at the source. The version that a production
    row is based on also stays.
    """
    statement = text(f"""
        DELETE FROM raw.{resource.raw_table} WHERE id IN (
            SELECT old.id FROM raw.{resource.raw_table} AS old
            WHERE old.tenant = :tenant AND old.superseded_at < now() - CAST(:age AS interval)
              AND (EXISTS (
                      SELECT FROM raw.{resource.raw_table} AS newest
                      WHERE newest.tenant = old.tenant AND newest.source_id = old.source_id
                        AND newest.superseded_at IS NULL
                  ) OR EXISTS (
                      SELECT FROM raw.{resource.raw_table} AS newer
                      WHERE newer.tenant = old.tenant AND newer.source_id = old.source_id
                        AND newer.superseded_at IS NOT NULL
                        AND (newer.superseded_at, newer.version_at, newer.id)
                            > (old.superseded_at, old.version_at, old.id)
                  ))
              AND NOT EXISTS (
                  SELECT FROM {rows_of(resource.model)} AS stored
                  WHERE stored.tenant = old.tenant AND stored.source_id = old.source_id AND stored.raw_id = old.id
              )
            LIMIT :most
        )
    """)
    return connection.execute(statement, {"tenant": tenant, "age": age, "most": CHUNK_SIZE}).rowcount


def purge_requests(connection: Connection, resource: Resource, tenant: str, age: timedelta) -> int:
    """Delete the next chunk of request facts; return their number. Batches that can be resumed keep their facts."""
    parameters = {"tenant": tenant, "resource": resource.name, "age": age, "most": CHUNK_SIZE}
    return connection.execute(SQL["purge_requests"], parameters).rowcount
