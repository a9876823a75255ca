"""The page cache: pages that are identical to an earlier answer and whose records are unchanged in staging.

Most pages of a second reading are such pages. They are not parsed; their records are only counted.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.catalogue.resource import Resource
from etl.models.states import Outcome
from etl.record import Record
from etl.window import Window

#: Outcomes that a cached page cannot have, because each of its records is the current version in staging.
SKIPPED_OUTCOMES = (Outcome.OUTSIDE_WINDOW, Outcome.OLDER, Outcome.DUPLICATE, Outcome.NO_ROW)


@dataclass(frozen=True, slots=True)
class CachedPage:
    """An earlier request that returned the same page, and the outcomes of its records today."""

    request_id: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CacheScope:
    """The tenant and batch that look up pages, and the rules under which the records must be loaded."""

    tenant: str
    batch_id: UUID
    rules: str


def is_cacheable(resource: Resource) -> bool:
    """Return whether pages of a resource can be cached.

    A record without a time of change is dated by its request, which differs each time. For complete sets, more than
    the members has to be checked.
    """
    return resource.changes.modified is not None and resource.parent is None and resource.nested is None


def find_cached_pages(
    connection: Connection, resource: Resource, scope: CacheScope, window: Window | None, digests: Sequence[bytes]
) -> dict[bytes, CachedPage]:
    """Return the cached pages by digest: pages that arrived before and whose records have not changed since.

    Every record must be processed under the current rules, by an earlier batch, and lie in the window.
    """
    parameters = {
        "tenant": scope.tenant,
        "batch_id": scope.batch_id,
        "resource": resource.name,
        "rules": scope.rules,
        "digests": list(digests),
        "window_start": window and window.start,
        "window_end": window and window.end,
    }
    rows = connection.execute(build_query(resource), parameters)
    return {bytes(row.digest): CachedPage(row.id, to_counts(row)) for row in rows}


def to_counts(row: Any) -> dict[str, int]:
    """Convert a result row to counts by outcome."""
    return {
        "fetched": row.number,
        Outcome.UNCHANGED.value: row.unchanged,
        Outcome.REFUSED.value: row.refused,
        Outcome.NO_ROW.value: row.no_row,
    }


def hash_contents(records: Iterable[Record]) -> bytes:
    """Return a hash of the contents of a page's records."""
    return hashlib.sha256(b"".join(record.content_hash for record in records)).digest()


@cache
def build_query(resource: Resource) -> TextClause:
    """Build the query of `find_cached_pages`.

    The earlier request has the ids of its records and a hash of their contents. The query compares this hash with the
    current versions instead of the order of requests, because versions also change through concurrent transactions,
    through forgetting a person, and when a deletion is undone.

    The query finds requests by their digest. With a join with batches or an order by id, the planner could choose to
    scan all requests for each page.
    """
    return text(f"""
        SELECT earlier.digest, earlier.id, heads.number, heads.unchanged, heads.refused, heads.no_row
        FROM unnest(CAST(:digests AS bytea[])) AS wanted (digest)
        CROSS JOIN LATERAL (
            SELECT request.id, request.digest, request.ids, request.contents FROM etl.requests AS request
            WHERE request.digest = wanted.digest AND request.contents IS NOT NULL
              AND request.resource = :resource AND request.batch_id <> :batch_id
              AND (SELECT batch.tenant FROM etl.batches AS batch WHERE batch.id = request.batch_id) = :tenant
            ORDER BY request.id + 0 DESC LIMIT 1
        ) AS earlier
        CROSS JOIN LATERAL (
            SELECT sha256(COALESCE(string_agg(uuid_send(head.content_hash), '' ORDER BY item.place), '')) AS contents,
                   count(*) AS number, count(*) FILTER (WHERE head.loaded_at IS NOT NULL) AS unchanged,
                   count(*) FILTER (WHERE head.loaded_at IS NULL AND head.status = 'validation_error') AS refused,
                   count(*) FILTER (WHERE head.loaded_at IS NULL AND head.status <> 'validation_error') AS no_row
            FROM unnest(earlier.ids) WITH ORDINALITY AS item (source_id, place)
            CROSS JOIN LATERAL (
                SELECT staged.* FROM raw.{resource.raw_table} AS staged
                WHERE staged.tenant = :tenant AND staged.source_id = item.source_id AND staged.superseded_at IS NULL
                LIMIT 1
            ) AS head
            WHERE head.rules = :rules AND head.etl_batch_id <> :batch_id
              AND NOT head.undated
              AND (CAST(:window_start AS timestamptz) IS NULL
                   OR head.version_at >= :window_start AND head.version_at < :window_end
                   OR head.source_created_at >= :window_start AND head.source_created_at < :window_end)
        ) AS heads
        WHERE heads.contents = earlier.contents
    """)
