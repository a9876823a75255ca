"""The raw tables: what is known of records, new versions in bulk, and what became of them."""

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, text

from etl.catalogue import Resource
from etl.copy_text import ESCAPES, NULL, format_array, format_row, format_value
from etl.database.bulk_copy import copy_lines, copy_rows
from etl.errors import DatabaseUnavailable
from etl.ledger.staging import sets as versions
from etl.ledger.staging.classify import CurrentVersion, IncomingRecord
from etl.models.states import RawState
from etl.record import ReadSet, Record, StagedRecord

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
    """What became of a raw row in the steps after staging."""

    status: RawState
    reason: str | None = None  #: names fields, never persons
    findings: int = 0
    rules: str | None = None  #: set when the steps are through with it
    loaded: bool = False  #: something of it reached production

    @property
    def is_usable(self) -> bool:
        """Whether parts of the record may become rows of their own: not when it was refused, or cleaning failed."""
        return self.loaded or self.status in (RawState.LOADED, RawState.TRANSFORMED)


PENDING = CleanStatus(RawState.PENDING)
BACKSLASH = "\\"


class ConcurrentStaging(DatabaseUnavailable):
    """Two transactions staged one record at the same time; whoever comes second looks again."""


CREATE_TEMP_TABLE = text("""
    CREATE TEMP TABLE verdicts (
        id uuid, status text, reason text, findings integer, rules text, loaded boolean
    ) ON COMMIT DROP
""")


def generate_raw_ids(number: int) -> list[str]:
    """Return ids that grow with time (version 7 UUIDs, RFC 9562), so that their index grows at one end."""
    stamp = f"{time.time_ns() // 1_000_000:012x}"
    noise = os.urandom(10 * number).hex()
    return [
        f"{stamp[:8]}-{stamp[8:]}-7{bits[:3]}-a{bits[3:6]}-{bits[6:18]}"
        for bits in (noise[at : at + 20] for at in range(0, 20 * number, 20))
    ]


def read_current_versions(
    connection: Connection, resource: Resource, tenant: str, source_ids: Collection[str]
) -> dict[str, CurrentVersion]:
    """Return what staging knows of the newest versions of these records, by source id.

    One index probe an id; a join would be planned as a scan.
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


@contextmanager
def prefer_index_scans(connection: Connection) -> Iterator[None]:
    """Let statements look rows up one by one: the planner takes a table that was last analysed while small to be so."""
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    yield
    connection.execute(text("SET LOCAL enable_seqscan = on"))


def has_missing_records(connection: Connection, resource: Resource, tenant: str) -> bool:
    """Tell whether records of a resource have ever gone from their source; their last versions stay in staging."""
    gone = f"SELECT FROM raw.{resource.raw_table} WHERE tenant = :tenant AND gone_batch_id IS NOT NULL"
    with prefer_index_scans(connection):
        return bool(connection.execute(text(f"SELECT EXISTS ({gone})"), {"tenant": tenant}).scalar())


def to_current_version(row: Any) -> CurrentVersion:
    """Return a row of `heads` as what is known of a record."""
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
    """Copy new versions, each with the request it came with and its verdict, into the raw table."""
    if rows:
        lines = format_raw_lines(tenant, batch_id, rows, superseded=superseded)
        try:
            copy_lines(connection, f"raw.{resource.raw_table}", COLUMNS, lines)
        except UniqueViolation:
            raise ConcurrentStaging from None


def insert_older_versions(
    connection: Connection, resource: Resource, tenant: str, batch_id: UUID, arrivals: Sequence[IncomingRecord]
) -> None:
    """Keep older versions that arrived late for the record; they are never loaded."""
    through = CleanStatus(RawState.LOADED)
    raw_ids = generate_raw_ids(len(arrivals))
    rows = [
        (StagedRecord(raw_id, one.record), one.request_id, through)
        for raw_id, one in zip(raw_ids, arrivals, strict=True)
    ]
    insert_versions(connection, resource, tenant, batch_id, rows, superseded=True)


def format_raw_lines(
    tenant: str, batch_id: UUID, rows: Iterable[tuple[StagedRecord, int | None, CleanStatus]], *, superseded: bool
) -> Iterator[str]:
    """Yield the rows of a raw table as lines of COPY text, in the order of COLUMNS.

    "now" is PostgreSQL's own word for the time at which the transaction began.
    """
    whose, ended = format_value(tenant), "now" if superseded else NULL
    last: CleanStatus | None = None
    end = ""
    for candidate, page, verdict in rows:
        record = candidate.record
        name = record.source_id
        text = record.raw.decode()
        if verdict is not last:  # most records have one and the same
            last, end = verdict, format_status(verdict, batch_id, ended)
        yield (
            f"{candidate.raw_id}\t{whose}\t{name if name.isalnum() else format_value(name)}"
            f"\t{text if text.isprintable() and BACKSLASH not in text else text.translate(ESCAPES)}"
            f"\t{record.content_hash.hex()}\t{candidate.times}\t{'t' if record.undated else 'f'}"
            f"\t{NULL if record.set_key is None else format_value(record.set_key)}"
            f"\t{NULL if record.parent_raw_id is None else record.parent_raw_id}"
            f"\t{NULL if page is None else page}\t{end}"
        )


def format_status(verdict: CleanStatus, batch_id: UUID, ended: str) -> str:
    """Return what every line with a verdict ends with."""
    loaded = "now" if verdict.loaded else None
    words = format_row((batch_id, verdict.status, verdict.reason, verdict.findings, verdict.rules, loaded))
    return f"{words}\t{ended}\n"


def supersede_versions(connection: Connection, resource: Resource, raw_ids: Collection[UUID]) -> None:
    """End the validity of versions that newer ones replace."""
    if raw_ids:
        statement = text(f"UPDATE raw.{resource.raw_table} SET superseded_at = now() WHERE id = ANY(:ids)")
        connection.execute(statement, {"ids": list(raw_ids)})


def update_status(
    connection: Connection, resource: Resource, batch_id: UUID, verdicts: Mapping[str, CleanStatus]
) -> None:
    """Write down what became of raw rows that are already staged; those that still wait become this batch's."""
    if not verdicts:
        return
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.verdicts"))
    connection.execute(CREATE_TEMP_TABLE)
    lines = ((i, v.status, v.reason, v.findings, v.rules, v.loaded) for i, v in verdicts.items())
    copy_rows(connection, "verdicts", ("id", "status", "reason", "findings", "rules", "loaded"), lines)
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
    connection: Connection, resource: Resource, batch_id: UUID, statuses: Sequence[RawState], after: str, most: int
) -> list[StagedRecord]:
    """Return the next raw rows of a batch that wait for a step, in order of their ids, as candidates."""
    query = text(f"""
        SELECT id, source_id, CAST(raw_data AS text) AS raw, content_hash, version_at, undated, source_modified_at,
               source_created_at, set_key, parent_raw_id
        FROM raw.{resource.raw_table}
        WHERE etl_batch_id = :batch_id AND status = ANY(:statuses) AND rules IS NULL AND superseded_at IS NULL
          AND id > CAST(:after AS uuid)
        ORDER BY id LIMIT :most
    """)
    bound = {"batch_id": batch_id, "statuses": [str(status) for status in statuses], "after": after, "most": most}
    return [StagedRecord(str(row.id), to_record(row)) for row in connection.execute(query, bound)]


def read_newest_versions(  # noqa: PLR0913 (whose records, how many from where on, and which of them)
    connection: Connection,
    resource: Resource,
    tenant: str,
    after: str,
    most: int,
    *,
    refused_by: str | None = None,
    only_usable: bool = False,
) -> list[StagedRecord]:
    """Return the next newest versions of a resource's records, in order of their raw ids.

    With `refused_by`, only records that other rules than these refused; with `sound`, only those that were not refused.
    """
    refused = "AND status = 'validation_error' AND loaded_at IS NULL AND rules IS DISTINCT FROM :rules"
    loaded = "AND (loaded_at IS NOT NULL OR status = 'loaded')"
    query = text(f"""
        SELECT id, source_id, CAST(raw_data AS text) AS raw, content_hash, version_at, undated, source_modified_at,
               source_created_at, set_key, parent_raw_id
        FROM raw.{resource.raw_table}
        WHERE tenant = :tenant AND superseded_at IS NULL AND id > CAST(:after AS uuid)
              {refused if refused_by is not None else ""} {loaded if only_usable else ""}
        ORDER BY id LIMIT :most
    """)
    bound = {"tenant": tenant, "after": after, "most": most}
    rows = connection.execute(query, bound | ({"rules": refused_by} if refused_by is not None else {}))
    return [StagedRecord(str(row.id), to_record(row)) for row in rows]


def to_record(row: Any) -> Record:
    """Return a row of a raw table as the record it keeps."""
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
    """Be through with rows of a batch that newer versions superseded before their turn came; return how many."""
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
    late: Collection[ReadSet] = (),
) -> None:
    """Mark as gone what a complete reading of its set no longer holds; the load marks its rows deleted.

    Of a set that arrives late, what it brought has gone since: whoever is still in it bears a newer version. Members
    are asked for by NOT IN, for which PostgreSQL makes one hash table of them; EXISTS beside OR would go through all
    of them for each row.
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
    read = versions.select_newest_readings(sets)
    members = [(one.key, source_id) for one in read for source_id in one.source_ids]
    connection.execute(
        statement,
        {
            "tenant": tenant,
            "batch_id": batch_id,
            "keys": format_array([one.key for one in read]),
            "versions": [one.version_at for one in read],
            "late": [one in late for one in read],
            "member_keys": format_array([key for key, _ in members]),
            "members": format_array([source_id for _, source_id in members]),
        },
    )
