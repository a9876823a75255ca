"""Retention: what staging and the request facts keep no longer than wanted. The newest version of a record stays."""

from collections import Counter
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection, text

from etl.catalogue import Resource
from etl.ledger.transaction import Ledger

#: Rows that one transaction deletes.
CHUNK_SIZE = 10_000


def purge_resource(ledger: Ledger, resource: Resource, age: timedelta) -> Counter[str]:
    """Delete what is older than `age` of a resource's superseded versions and request facts; return rows by table."""
    gone: Counter[str] = Counter()
    for table, delete in ((f"raw.{resource.raw_table}", purge_versions), ("etl.requests", purge_requests)):
        work = partial(delete, resource=resource, tenant=ledger.tenant, age=age)
        while number := ledger.commit(work):
            gone[table] += number
            if number < CHUNK_SIZE:
                break
    return gone


def purge_versions(connection: Connection, resource: Resource, tenant: str, age: timedelta) -> int:
    """Delete the next superseded versions; return how many.

    The newest version of a record stays, also of one that has gone from its source, and so does the version that
    production stands on where a newer one was refused.
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
                  SELECT FROM public.{resource.model.__tablename__} AS stored
                  WHERE stored.tenant = old.tenant AND stored.source_id = old.source_id AND stored.raw_id = old.id
              )
            LIMIT :most
        )
    """)
    return connection.execute(statement, {"tenant": tenant, "age": age, "most": CHUNK_SIZE}).rowcount


def purge_requests(connection: Connection, resource: Resource, tenant: str, age: timedelta) -> int:
    """Delete the next request facts of completed batches; return how many. A batch that may go on needs its own."""
    statement = text("""
        DELETE FROM etl.requests WHERE id IN (
            SELECT request.id FROM etl.requests AS request
            JOIN etl.batches AS batch ON batch.id = request.batch_id
            WHERE batch.tenant = :tenant AND batch.status = 'completed' AND request.resource = :resource
              AND request.requested_at < now() - CAST(:age AS interval)
            LIMIT :most
        )
    """)
    bound = {"tenant": tenant, "resource": resource.name, "age": age, "most": CHUNK_SIZE}
    return connection.execute(statement, bound).rowcount
