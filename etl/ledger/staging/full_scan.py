"""What a full sweep of ids shows to have vanished at the source, marked in staging under a brake, and taken back."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.catalogue import Resource
from etl.ledger.staging import merges

#: So many rows of a resource may always vanish at once; beyond it the brake looks at the share.
ALWAYS_ALLOWED = 20

#: Ids as received by this batch, and by whatever else was read since it began: a record modified during the sweep
#: may have moved past it, and was then brought by another reading.
RECEIVED_IDS = """
    SELECT item FROM etl.requests AS request CROSS JOIN unnest(request.ids) AS item
    WHERE request.resource = :resource
      AND (request.batch_id = :batch_id
           OR request.requested_at >= (SELECT started_at FROM etl.batches WHERE id = :batch_id)
              AND request.batch_id IN (SELECT id FROM etl.batches WHERE tenant = :tenant))
"""


@dataclass(frozen=True, slots=True)
class FullScan:
    """How many records of a resource are known, and how many of them a sweep did not meet."""

    resource: str
    known_count: int
    missing_count: int

    def is_over_limit(self, share: float) -> bool:
        """Tell whether too many would vanish at once for it to be believed: more than `share` of all and ALWAYS."""
        return self.missing_count > ALWAYS_ALLOWED and self.missing_count > share * self.known_count

    def find_passing_share(self) -> float:
        """Return the least brake, in whole hundredths, under which this would pass."""
        return min(1.0, (100 * self.missing_count // self.known_count + 1) / 100)


def measure_scan(connection: Connection, resource: Resource, tenant: str, batch_id: UUID) -> FullScan:
    """Return what a finished full reading of a resource shows."""
    disable_nested_loops(connection)
    row = connection.execute(
        text(f"""
            SELECT count(*) AS known, count(*) FILTER (WHERE seen.item IS NULL) AS vanished
            FROM raw.{resource.raw_table} AS staged
            LEFT JOIN (SELECT DISTINCT item FROM ({RECEIVED_IDS}) AS read) AS seen ON seen.item = staged.source_id
            WHERE staged.tenant = :tenant AND staged.superseded_at IS NULL
        """),
        {"tenant": tenant, "batch_id": batch_id, "resource": resource.name},
    ).one()
    return FullScan(resource.name, row.known, row.vanished)


def find_missing(connection: Connection, resource: Resource, tenant: str, batch_id: UUID) -> list[str]:
    """Return the source ids of the records that a sweep did not meet."""
    disable_nested_loops(connection)
    query = text(f"""
        SELECT staged.source_id FROM raw.{resource.raw_table} AS staged
        WHERE staged.tenant = :tenant AND staged.superseded_at IS NULL AND staged.source_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM ({RECEIVED_IDS}) AS read WHERE read.item = staged.source_id)
    """)
    bound = {"tenant": tenant, "batch_id": batch_id, "resource": resource.name}
    return list(connection.execute(query, bound).scalars())


def mark_missing(
    connection: Connection, resource: Resource, tenant: str, batch_id: UUID, except_ids: Collection[str] = ()
) -> int:
    """Mark as gone the newest versions of records that the sweep did not meet, but for the spared; return how many."""
    disable_nested_loops(connection)
    return connection.execute(
        text(f"""
            UPDATE raw.{resource.raw_table} AS staged
            SET superseded_at = now(), gone_batch_id = :batch_id, updated_at = now()
            WHERE staged.tenant = :tenant AND staged.superseded_at IS NULL
              AND NOT EXISTS (SELECT FROM ({RECEIVED_IDS}) AS read WHERE read.item = staged.source_id)
              AND staged.source_id <> ALL (CAST(:spared AS text[]))
        """),
        {"tenant": tenant, "batch_id": batch_id, "resource": resource.name, "spared": list(except_ids)},
    ).rowcount


def disable_nested_loops(connection: Connection) -> None:
    """Let the rest of the transaction join sets with sets.

    The planner takes the ids out of arrays to be few, and would look each record up among all of them.
    """
    connection.execute(text("SET LOCAL enable_nestloop = off"))


def restore_missing(connection: Connection, resource: Resource, tenant: str, batch_id: UUID) -> int:
    """Take back what a batch marked as gone, in staging and in production; return how many rows live again.

    Records that have come back by themselves meanwhile are left alone.
    """
    bound = {"tenant": tenant, "batch_id": batch_id}
    back = connection.execute(build_restore_statement(resource), bound).rowcount
    connection.execute(
        text(f"""
            UPDATE raw.{resource.raw_table} AS staged SET superseded_at = NULL, gone_batch_id = NULL, updated_at = now()
            WHERE staged.tenant = :tenant AND staged.gone_batch_id = :batch_id AND {NO_NEWER.format(resource.raw_table)}
        """),
        bound,
    )
    merges.undo_merges(connection, resource.model, tenant, batch_id)
    return back


NO_NEWER = """NOT EXISTS (
    SELECT FROM raw.{} AS newer
    WHERE newer.tenant = staged.tenant AND newer.source_id = staged.source_id AND newer.superseded_at IS NULL
)"""


def build_restore_statement(resource: Resource) -> TextClause:
    """Return the statement that lets rows live again whose records a batch found gone."""
    return text(f"""
        UPDATE public.{resource.model.__tablename__} AS stored
        SET deleted_at = NULL, updated_at = now()
        FROM raw.{resource.raw_table} AS staged
        WHERE staged.tenant = :tenant AND staged.gone_batch_id = :batch_id AND {NO_NEWER.format(resource.raw_table)}
          AND stored.tenant = :tenant AND stored.source_id = staged.source_id AND stored.raw_id = staged.id
          AND stored.deleted_at IS NOT NULL
    """)
