"""Full scans: find the records that are missing at the source, mark them in staging, and undo that."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.catalogue.resource import Resource
from etl.ledger.staging import merges
from etl.queries import Queries

SQL = Queries(__file__)

#: The number of missing records that is always accepted. Above it, the share of all records decides.
ALWAYS_ALLOWED = 20


@dataclass(frozen=True, slots=True)
class FullScan:
    """The number of known records of a resource, and how many of them a full scan did not return."""

    resource: str
    known_count: int
    missing_count: int
    is_proven: bool = True  #: False: QQCatalyst answered without a list, so nothing shows what is missing

    def is_over_limit(self, share: float) -> bool:
        """Return whether too many records are missing: more than ALWAYS_ALLOWED and more than `share` of all."""
        return self.missing_count > ALWAYS_ALLOWED and self.missing_count > share * self.known_count

    def find_passing_share(self) -> float:
        """Return the smallest limit, in whole percent, under which this scan would pass."""
        return min(1.0, (100 * self.missing_count // self.known_count + 1) / 100)


def measure_scan(connection: Connection, resource: Resource, tenant: str, batch_id: UUID) -> FullScan:
    """Return the result of a finished full scan of a resource."""
    disable_nested_loops(connection)
    row = connection.execute(
        text(f"""
            SELECT count(*) AS known, count(*) FILTER (WHERE seen.item IS NULL) AS vanished
            FROM raw.{resource.raw_table} AS staged
            LEFT JOIN (SELECT DISTINCT item FROM ({SQL["received_ids"].text}) AS read) AS seen
                ON seen.item = staged.source_id
            WHERE staged.tenant = :tenant AND staged.superseded_at IS NULL
        """),
        {"tenant": tenant, "batch_id": batch_id, "resource": resource.name},
    ).one()
    return FullScan(resource.name, row.known, row.vanished)


def has_unanswered(connection: Connection, resource: Resource, batch_id: UUID) -> bool:
    """Return whether a full scan got an answer without a list, which is no proof that records are missing.

    After the end of a list that states its total, no list means no more records.
    """
    return bool(connection.execute(SQL["has_unanswered"], {"batch_id": batch_id, "resource": resource.name}).scalar())


def find_missing(connection: Connection, resource: Resource, tenant: str, batch_id: UUID) -> list[str]:
    """Return the source ids of the records that a full scan did not return."""
    disable_nested_loops(connection)
    query = text(f"""
        SELECT staged.source_id FROM raw.{resource.raw_table} AS staged
        WHERE staged.tenant = :tenant AND staged.superseded_at IS NULL AND staged.source_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM ({SQL["received_ids"].text}) AS read WHERE read.item = staged.source_id)
    """)
    parameters = {"tenant": tenant, "batch_id": batch_id, "resource": resource.name}
    return list(connection.execute(query, parameters).scalars())


def mark_missing(
    connection: Connection, resource: Resource, tenant: str, batch_id: UUID, except_ids: Collection[str] = ()
) -> int:
    """Mark the records that a full scan did not return as missing, except `except_ids`; return their number."""
    disable_nested_loops(connection)
    return connection.execute(
        text(f"""
            UPDATE raw.{resource.raw_table} AS staged
            SET superseded_at = now(), gone_batch_id = :batch_id, updated_at = now()
            WHERE staged.tenant = :tenant AND staged.superseded_at IS NULL
              AND NOT EXISTS (SELECT FROM ({SQL["received_ids"].text}) AS read WHERE read.item = staged.source_id)
              AND staged.source_id <> ALL (CAST(:spared AS text[]))
        """),
        {"tenant": tenant, "batch_id": batch_id, "resource": resource.name, "spared": list(except_ids)},
    ).rowcount


def disable_nested_loops(connection: Connection) -> None:
    """Disable nested loops for the rest of the transaction.

    The planner underestimates the number of ids in arrays, and would search all of them for each record.
    """
    connection.execute(text("SET LOCAL enable_nestloop = off"))


def restore_missing(connection: Connection, resource: Resource, tenant: str, batch_id: UUID) -> int:
    """Undo the missing marks of a batch, in staging and in production; return the number of restored rows.

    Records that have arrived again since then do not change.
    """
    parameters = {"tenant": tenant, "batch_id": batch_id}
    restored_count = connection.execute(build_restore_statement(resource), parameters).rowcount
    connection.execute(
        text(f"""
            UPDATE raw.{resource.raw_table} AS staged SET superseded_at = NULL, gone_batch_id = NULL, updated_at = now()
            WHERE staged.tenant = :tenant AND staged.gone_batch_id = :batch_id AND {NO_NEWER.format(resource.raw_table)}
        """),
        parameters,
    )
    merges.undo_merges(connection, resource.model, tenant, batch_id)
    return restored_count


NO_NEWER = """NOT EXISTS (
    SELECT FROM raw.{} AS newer
    WHERE newer.tenant = staged.tenant AND newer.source_id = staged.source_id AND newer.superseded_at IS NULL
)"""


def build_restore_statement(resource: Resource) -> TextClause:
    """Build the statement that restores the rows of records that a batch marked as missing."""
    return text(f"""
        UPDATE public.{resource.model.__tablename__} AS stored
        SET deleted_at = NULL, updated_at = now()
        FROM raw.{resource.raw_table} AS staged
        WHERE staged.tenant = :tenant AND staged.gone_batch_id = :batch_id AND {NO_NEWER.format(resource.raw_table)}
          AND stored.tenant = :tenant AND stored.source_id = staged.source_id AND stored.raw_id = staged.id
          AND stored.deleted_at IS NOT NULL
    """)
