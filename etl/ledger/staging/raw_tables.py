"""The raw tables: read current versions, insert new versions in bulk, update their status."""

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, text

from etl.catalogue.resource import Resource
from etl.copy_text import ESCAPES, NULL, format_array, format_field, format_row
from etl.database.bulk_copy import copy_lines, copy_rows
from etl.errors import ConcurrentStaging
from etl.ledger.staging import sets as versions
from etl.ledger.staging.classify import CurrentVersion, IncomingRecord
from etl.models.states import RawState
from etl.queries import Queries
from etl.record import ReadSet, Record, StagedRecord

SQL = Queries(__file__)

COLUMNS = (
    "id",
    "tenant",
    "source_id",
    "raw_data",
    "content_hash",
    "source_created_at",
    "source_modified_at",
    "version_at",
    "undated",
    "set_key",
    "parent_raw_id",
    "page",
    "etl_batch_id",
    "status",
    "error_message",
    "finding_count",
    "rules",
    "loaded_at",
    "superseded_at",
)


class CleanStatus(msgspec.Struct, frozen=True, gc=False):
    """The result of the steps after staging for a raw row."""

    status: RawState
    reason: str | None = None  #: names fields, never people
    findings: int = 0
    rules: str | None = None  #: version of the cleaning rules; set when all steps are finished
    loaded: bool = False  #: whether it reached production

    @property
    def is_usable(self) -> bool:
        """Whether other records may be made from this one: false if it was refused or if cleaning failed."""
        return self.loaded or self.status in (RawState.LOADED, RawState.TRANSFORMED)


PENDING = CleanStatus(RawState.PENDING)
BACKSLASH = "\\"


def generate_raw_ids(count: int) -> list[str]:
    """Generate ids that increase with time (version 7 UUIDs, RFC 9562), so that their index grows at one end."""
    stamp = f"{time.time_ns() // 1_000_000:012x}"
    noise = os.urandom(10 * count).hex()
    return [
        f"{stamp[:8]}-{stamp[8:]}-7{bits[:3]}-a{bits[3:6]}-{bits[6:18]}"
        for bits in (noise[offset : offset + 20] for offset in range(0, 20 * count, 20))
    ]


def read_current_versions(
    connection: Connection, resource: Resource, tenant: str, source_ids: Collection[str]
) -> dict[str, CurrentVersion]:
    """Return the current versions of these records, by source id.

    The query makes one index probe per id; the planner would turn a join into a scan.
    """
    query = text(f"""
        SELECT wanted.source_id, head.id, head.content_hash, head.version_at, head.status, head.rules,
               head.loaded_at IS NOT NULL AS loaded, head.etl_batch_id
        FROM unnest(CAST(:source_ids AS text[])) AS wanted (source_id)
        CROSS JOIN LATERAL (
            SELECT * FROM raw.{resource.raw_table} AS staged
            WHERE staged.tenant = :tenant AND staged.source_id = wanted.source_id AND staged.superseded_at IS NULL
            LIMIT 1
        ) AS head
    """)
    with prefer_index_scans(connection):
        rows = connection.execute(query, {"tenant": tenant, "source_ids": format_array(list(source_ids))}).all()
    return {row.source_id: to_current_version(row) for row in rows}


def lock_versions(connection: Connection, resource: Resource, versions: Collection[CurrentVersion]) -> None:
    """Lock raw rows until the end of the transaction, in an order that all transactions share."""
    connection.execute(
        text(f"SELECT FROM raw.{resource.raw_table} WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE"),
        {"ids": [version.id for version in versions]},
    )


@contextmanager
def prefer_index_scans(connection: Connection) -> Iterator[None]:
    """Disable sequential scans in the block, because the planner may believe that a grown table is still small."""
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    yield
    connection.execute(text("SET LOCAL enable_seqscan = on"))


def has_missing_records(connection: Connection, resource: Resource, tenant: str) -> bool:
    """Return whether a record of a resource was ever marked as missing; its last version stays in staging."""
    missing = f"SELECT FROM raw.{resource.raw_table} WHERE tenant = :tenant AND gone_batch_id IS NOT NULL"
    with prefer_index_scans(connection):
        return bool(connection.execute(text(f"SELECT EXISTS ({missing})"), {"tenant": tenant}).scalar())


def to_current_version(row: Any) -> CurrentVersion:
    """Convert a result row of `read_current_versions`."""
    status = RawState(row.status)
    return CurrentVersion(
        row.id, row.content_hash.bytes, row.version_at, status, row.rules, row.loaded, row.etl_batch_id
    )


def insert_versions(
    connection: Connection,
    resource: Resource,
    tenant: str,
    batch_id: UUID,
    rows: Sequence[tuple[StagedRecord, int | None, CleanStatus]],
    *,
    superseded: bool = False,
) -> None:
    """Copy new versions, each with its request id and status, into the raw table."""
    if rows:
        lines = format_raw_lines(tenant, batch_id, rows, superseded=superseded)
        try:
            copy_lines(connection, f"raw.{resource.raw_table}", COLUMNS, lines)
        except UniqueViolation:
            raise ConcurrentStaging from None


def insert_older_versions(
    connection: Connection, resource: Resource, tenant: str, batch_id: UUID, incoming: Sequence[IncomingRecord]
) -> None:
    """Insert older versions that arrived late. They are never loaded."""
    loaded = CleanStatus(RawState.LOADED)
    raw_ids = generate_raw_ids(len(incoming))
    rows = [
        (StagedRecord(raw_id, incoming_record.record), incoming_record.request_id, loaded)
        for raw_id, incoming_record in zip(raw_ids, incoming, strict=True)
    ]
    insert_versions(connection, resource, tenant, batch_id, rows, superseded=True)


def format_raw_lines(
    tenant: str, batch_id: UUID, rows: Iterable[tuple[StagedRecord, int | None, CleanStatus]], *, superseded: bool
) -> Iterator[str]:
    """Yield the rows of a raw table as lines of COPY text, in the order of COLUMNS.

    PostgreSQL reads "now" as the start time of the transaction.
    """
    tenant_text, superseded_at = format_field(tenant), "now" if superseded else NULL
    previous_status: CleanStatus | None = None
    line_end = ""
    for staged, request_id, status in rows:
        record = staged.record
        source_id = record.source_id
        raw_text = record.raw.decode()
        if status is not previous_status:  # most records have the same status
            previous_status, line_end = status, format_status(status, batch_id, superseded_at)
        yield (
            f"{staged.raw_id}\t{tenant_text}\t{source_id if source_id.isalnum() else format_field(source_id)}"
            f"\t{raw_text if raw_text.isprintable() and BACKSLASH not in raw_text else raw_text.translate(ESCAPES)}"
            f"\t{record.content_hash.hex()}\t{staged.times}\t{'t' if record.undated else 'f'}"
            f"\t{NULL if record.set_key is None else format_field(record.set_key)}"
            f"\t{NULL if record.parent_raw_id is None else record.parent_raw_id}"
            f"\t{NULL if request_id is None else request_id}\t{line_end}"
        )


def format_status(status: CleanStatus, batch_id: UUID, superseded_at: str) -> str:
    """Format the end of a COPY line, which is the same for all lines with this status."""
    loaded_at = "now" if status.loaded else None
    line_end = format_row((batch_id, status.status, status.reason, status.findings, status.rules, loaded_at))
    return f"{line_end}\t{superseded_at}\n"


def supersede_versions(connection: Connection, resource: Resource, raw_ids: Collection[UUID]) -> None:
    """Mark versions as superseded by newer ones."""
    if raw_ids:
        statement = text(f"UPDATE raw.{resource.raw_table} SET superseded_at = now() WHERE id = ANY(:ids)")
        connection.execute(statement, {"ids": list(raw_ids)})


def update_status(
    connection: Connection, resource: Resource, batch_id: UUID, statuses: Mapping[str, CleanStatus]
) -> None:
    """Update the status of raw rows that are staged already. Rows that are still pending move to this batch."""
    if not statuses:
        return
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.verdicts"))
    connection.execute(SQL["create_verdicts"])
    rows = (
        (raw_id, status.status, status.reason, status.findings, status.rules, status.loaded)
        for raw_id, status in statuses.items()
    )
    copy_rows(connection, "verdicts", ("id", "status", "reason", "findings", "rules", "loaded"), rows)
    connection.execute(
        text(f"""
            UPDATE raw.{resource.raw_table} AS staged
            SET status = verdicts.status, error_message = verdicts.reason, finding_count = verdicts.findings,
                rules = verdicts.rules, updated_at = now(),
                etl_batch_id = CASE verdicts.status WHEN 'pending' THEN :batch_id ELSE staged.etl_batch_id END,
                loaded_at = CASE WHEN verdicts.loaded THEN now() END,
                retry_count = staged.retry_count + CASE WHEN staged.status = 'error' THEN 1 ELSE 0 END
            FROM verdicts WHERE verdicts.id = staged.id
        """),
        {"batch_id": batch_id},
    )


def read_pending(
    connection: Connection, resource: Resource, batch_id: UUID, statuses: Sequence[RawState], after: str, limit: int
) -> list[StagedRecord]:
    """Return the next raw rows of a batch that wait for a step, in order of their ids."""
    query = text(f"""
        SELECT id, source_id, CAST(raw_data AS text) AS raw, content_hash, version_at, undated, source_modified_at,
               source_created_at, set_key, parent_raw_id
        FROM raw.{resource.raw_table}
        WHERE etl_batch_id = :batch_id AND status = ANY(:statuses) AND rules IS NULL AND superseded_at IS NULL
          AND id > CAST(:after AS uuid)
        ORDER BY id LIMIT :most
    """)
    parameters = {"batch_id": batch_id, "statuses": [str(status) for status in statuses], "after": after, "most": limit}
    return [StagedRecord(str(row.id), to_record(row)) for row in connection.execute(query, parameters)]


def read_newest_versions(  # noqa: PLR0913 (a chunk of a resource, with two filters)
    connection: Connection,
    resource: Resource,
    tenant: str,
    after: str,
    limit: int,
    *,
    refused_by: str | None = None,
    only_usable: bool = False,
) -> list[StagedRecord]:
    """Return the next chunk of the newest versions of a resource's records, in order of their raw ids.

    With `refused_by`, only records that other rules than these refused; with `only_usable`, only records that were not
    refused.
    """
    refused_condition = "AND status = 'validation_error' AND loaded_at IS NULL AND rules IS DISTINCT FROM :rules"
    usable_condition = "AND (loaded_at IS NOT NULL OR status = 'loaded')"
    query = text(f"""
        SELECT id, source_id, CAST(raw_data AS text) AS raw, content_hash, version_at, undated, source_modified_at,
               source_created_at, set_key, parent_raw_id
        FROM raw.{resource.raw_table}
        WHERE tenant = :tenant AND superseded_at IS NULL AND id > CAST(:after AS uuid)
              {refused_condition if refused_by is not None else ""} {usable_condition if only_usable else ""}
        ORDER BY id LIMIT :most
    """)
    parameters = {"tenant": tenant, "after": after, "most": limit}
    rows = connection.execute(query, parameters | ({"rules": refused_by} if refused_by is not None else {}))
    return [StagedRecord(str(row.id), to_record(row)) for row in rows]


def to_record(row: Any) -> Record:
    """Convert a row of a raw table to its record."""
    return Record(
        source_id=row.source_id,
        raw=row.raw.encode(),
        content_hash=row.content_hash.bytes,
        version_at=row.version_at,
        undated=row.undated,
        modified_at=row.source_modified_at,
        created_at=row.source_created_at,
        set_key=row.set_key,
        parent_raw_id=row.parent_raw_id,
    )


def skip_superseded(connection: Connection, resource: Resource, batch_id: UUID, rules: str) -> int:
    """Mark pending rows of a batch that newer versions superseded as loaded; return their number."""
    statement = text(f"""
        UPDATE raw.{resource.raw_table} SET status = 'loaded', rules = :rules, updated_at = now()
        WHERE etl_batch_id = :batch_id AND rules IS NULL AND superseded_at IS NOT NULL
          AND status IN ('pending', 'transformed', 'validation_error', 'error')
    """)
    return connection.execute(statement, {"batch_id": batch_id, "rules": rules}).rowcount


def supersede_left_members(
    connection: Connection,
    resource: Resource,
    tenant: str,
    batch_id: UUID,
    sets: Sequence[ReadSet],
    late_sets: Collection[ReadSet] = (),
) -> None:
    """Mark the records that a complete reading of their set no longer contains as missing; the load deletes their rows.

    Members of a set that arrived late have left it since, except members with a newer version. NOT IN makes PostgreSQL
    build one hash table of the members; EXISTS combined with OR would search all of them for each row.
    """
    if not sets:
        return
    statement = text(f"""
        UPDATE raw.{resource.raw_table} AS staged
        SET superseded_at = now(), gone_batch_id = :batch_id, updated_at = now()
        FROM unnest(CAST(:keys AS text[]), CAST(:versions AS timestamptz[]), CAST(:late AS boolean[]))
             AS read (set_key, version_at, late)
        WHERE staged.tenant = :tenant AND staged.set_key = read.set_key AND staged.superseded_at IS NULL
          AND (read.version_at IS NULL OR staged.version_at <= read.version_at)
          AND (read.late OR (staged.set_key, staged.source_id) NOT IN (
              SELECT * FROM unnest(CAST(:member_keys AS text[]), CAST(:members AS text[]))
          ))
    """)
    newest_readings = versions.select_newest_readings(sets)
    members = [(reading.key, source_id) for reading in newest_readings for source_id in reading.source_ids]
    connection.execute(
        statement,
        {
            "tenant": tenant,
            "batch_id": batch_id,
            "keys": format_array([reading.key for reading in newest_readings]),
            "versions": [reading.version_at for reading in newest_readings],
            "late": [reading in late_sets for reading in newest_readings],
            "member_keys": format_array([key for key, _ in members]),
            "members": format_array([source_id for _, source_id in members]),
        },
    )
