"""Pages that were read before, letter for letter, and whose records all stand in staging as they were read then.

Most pages of a second reading are such pages. They need not be taken apart: their records are counted where they are.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.catalogue import Resource
from etl.models.states import Outcome
from etl.record import Record
from etl.window import Window

#: Records of which a group has none when each of its records is the newest of its id in staging.
SKIPPED_OUTCOMES = (Outcome.OUTSIDE_WINDOW, Outcome.OLDER, Outcome.DUPLICATE, Outcome.NO_ROW)


@dataclass(frozen=True, slots=True)
class CachedPage:
    """An earlier request that brought the same page, and what its records count as today."""

    request_id: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CacheScope:
    """Whose pages are looked at, for which batch, and under which rules their records have to be loaded."""

    tenant: str
    batch_id: UUID
    rules: str


def is_cacheable(resource: Resource) -> bool:
    """Tell whether pages of a resource are looked for.

    Records without a time of change are dated by the request that read them, which is another each time; and of
    complete sets more has to be looked at than their members.
    """
    return resource.modified is not None and resource.parent is None and resource.nested is None


def find_cached_pages(
    connection: Connection, resource: Resource, asker: CacheScope, window: Window | None, digests: Sequence[bytes]
) -> dict[bytes, CachedPage]:
    """Return those of some pages, by their digest, that are known and of which nothing has changed since.

    Every record must be loaded or judged under today's rules, by an earlier batch, and lie in the window.
    """
    bound = {
        "tenant": asker.tenant,
        "batch_id": asker.batch_id,
        "resource": resource.name,
        "rules": asker.rules,
        "digests": list(digests),
        "window_start": window and window.start,
        "window_end": window and window.end,
    }
    rows = connection.execute(build_query(resource), bound)
    return {bytes(row.digest): CachedPage(row.id, to_counts(row)) for row in rows}


def to_counts(row: Any) -> dict[str, int]:
    """Return the outcomes of a page's records."""
    return {
        "fetched": row.number,
        Outcome.UNCHANGED.value: row.unchanged,
        Outcome.REFUSED.value: row.refused,
        Outcome.NO_ROW.value: row.no_row,
    }


def hash_contents(records: Iterable[Record]) -> bytes:
    """Return by what the contents of a page's records are known again."""
    return hashlib.sha256(b"".join(one.content_hash for one in records)).digest()


@cache
def build_query(resource: Resource) -> TextClause:
    """Return the statement behind `find`.

    The earlier page tells the ids of its records and what the newest version of each must hold. That is compared, and
    not which request came last: versions also change by transactions side by side, by forgetting, and when what was
    taken to have vanished is taken back.

    It is written so that requests are found by their digest: joined with batches, or in the order of their ids, a
    planner that takes them to be few would look through all of them for each page.
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
