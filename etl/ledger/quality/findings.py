"""Findings: one row per record, field and rule, or per undocumented code, with a cap per run."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from etl.copy_text import format_array
from etl.queries import Queries
from etl.values import Code, Severity

SQL = Queries(__file__)

#: The number of findings per rule and resource that a run stores. A broken feed must not flood the table.
CAP = 5000

COLUMNS = ("table_name", "source_id", "field", "rule", "severity", "message", "raw_value", "raw_id")
TABLE, SOURCE_ID, FIELD, RULE, SEVERITY, MESSAGE, RAW_VALUE, RAW_ID = range(len(COLUMNS))

#: The rule for a code that is kept although it is not documented.
UNKNOWN_CODE = f"{Code.name}-unknown"
#: The rule for an item that cannot be staged, for example one without an id. Its request identifies it.
UNUSABLE = "record-unusable"
#: Prefix of the source id of a finding about a code instead of a record: `code:I`.
CODE_PREFIX = "code:"

COUNT_OPEN = text("SELECT count(*) FROM etl.findings WHERE tenant = :tenant AND state = 'open'")

#: The findings of a page as rows; `kept` is false for those over the cap.
FOUND = """
    json_to_recordset(CAST(:found AS json)) AS found (
        table_name text, source_id text, field text, rule text, severity text, message text, raw_value text,
        raw_id uuid, kept boolean
    )
"""

#: The finding of a code that is open already does not change: hundreds of pages contain the code, and two concurrent
#: pages would wait for each other.
UPSERT = text(f"""
    INSERT INTO etl.findings AS known
        (tenant, resource, table_name, source_id, field, rule, severity, message, raw_value, raw_id, batch_id)
    SELECT DISTINCT ON (table_name, source_id, field, rule)
           :tenant, :resource, table_name, source_id, field, rule, severity, message, raw_value, raw_id, :batch_id
    FROM {FOUND}
    WHERE kept AND NOT EXISTS (
        SELECT FROM etl.findings AS known
        WHERE found.source_id = ANY(:codes) AND known.tenant = :tenant AND known.resource = :resource
          AND known.source_id = found.source_id AND known.table_name = found.table_name AND known.field = found.field
          AND known.rule = found.rule AND known.state = 'open'
    )
    ORDER BY table_name, source_id, field, rule, raw_value
    ON CONFLICT (tenant, resource, source_id, table_name, field, rule) DO UPDATE
    SET severity = excluded.severity, message = excluded.message, raw_value = excluded.raw_value, state = 'open',
        last_seen = now(), times_seen = known.times_seen + 1, batch_id = excluded.batch_id, raw_id = excluded.raw_id
""")

MARK_FIXED = text(f"""
    UPDATE etl.findings AS known SET state = 'fixed', last_seen = now(), batch_id = :batch_id
    FROM unnest(CAST(:source_ids AS text[])) AS seen (source_id)
    WHERE known.tenant = :tenant AND known.resource = :resource AND known.source_id = seen.source_id
      AND known.state = 'open' AND known.raw_id IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM {FOUND}
          WHERE found.source_id = known.source_id AND found.table_name = known.table_name
            AND found.field = known.field AND found.rule = known.rule
      )
""")


def write_findings(
    connection: Connection,
    tenant: str,
    resource: str,
    batch_id: UUID,
    source_ids: Collection[str],
    finding_rows: Iterable[Sequence[Any]],
) -> int:
    """Write the findings of the newest versions of `source_ids`, and mark as fixed the ones that disappeared.

    `finding_rows` are in the order of COLUMNS. Findings without a raw row, from checks across records, do not change.
    Returns the number of findings, including those over the cap.
    """
    rows = list(finding_rows)
    scope = {"tenant": tenant, "resource": resource, "batch_id": batch_id}
    merged_rows = merge_codes(rows)
    remaining = reserve_capacity(connection, scope, merged_rows)
    marked_rows = (dict(zip((*COLUMNS, "kept"), row, strict=True)) for row in mark_over_cap(merged_rows, remaining))
    scope["found"] = msgspec.json.encode(list(marked_rows)).decode()
    connection.execute(MARK_FIXED, {**scope, "source_ids": format_array(list(source_ids))})
    if merged_rows:
        codes = sorted({row[SOURCE_ID] for row in merged_rows if row[SOURCE_ID].startswith(CODE_PREFIX)})
        connection.execute(UPSERT, {**scope, "codes": codes})
    return len(rows)


def merge_codes(rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """Replace the rows about unknown codes that are kept with one row per code.

    The source id of such a row is the code, and its raw row is the first record as an example.
    """
    merged_rows: list[Sequence[Any]] = []
    rows_by_code: dict[tuple[str, str, str], Sequence[Any]] = {}
    for row in rows:
        if row[RULE] != UNKNOWN_CODE or row[SEVERITY] != Severity.NOTED:
            merged_rows.append(row)
            continue
        code = str(row[RAW_VALUE]).upper()
        message = f"{row[MESSAGE]}: {code}"
        code_row = (
            row[TABLE],
            f"{CODE_PREFIX}{code}",
            row[FIELD],
            row[RULE],
            row[SEVERITY],
            message,
            code,
            row[RAW_ID],
        )
        rows_by_code.setdefault((row[TABLE], row[FIELD], code), code_row)
    return [*merged_rows, *rows_by_code.values()]


def reserve_capacity(connection: Connection, scope: Mapping[str, Any], rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    """Add these findings to the counts of the run, and return how many findings of each rule can be stored."""
    found_counts = Counter(row[RULE] for row in rows)
    if not found_counts:
        return {}
    so_far = connection.execute(SQL["count_so_far"], {**scope, "rules": sorted(found_counts)})
    earlier_counts = {row.rule: row.found for row in so_far}
    remaining = {rule: max(0, CAP - earlier_counts.get(rule, 0)) for rule in found_counts}
    write_finding_counts(
        connection, scope, {rule: (number, max(0, number - remaining[rule])) for rule, number in found_counts.items()}
    )
    return remaining


def write_finding_counts(
    connection: Connection, scope: Mapping[str, Any], counts_by_rule: Mapping[str, tuple[int, int]]
) -> None:
    """Write, by rule, how many findings a run had and how many of them were left out."""
    rows = [
        {**scope, "rule": rule, "found": found_count, "left_out": left_out_count}
        for rule, (found_count, left_out_count) in counts_by_rule.items()
    ]
    connection.execute(SQL["insert_counts"], rows)


def mark_over_cap(rows: Iterable[Sequence[Any]], remaining: Mapping[str, int]) -> Iterable[Sequence[Any]]:
    """Yield each row with whether it is stored. A row over the cap still keeps its finding from being marked fixed."""
    seen: Counter[str] = Counter()
    for row in rows:
        seen[row[RULE]] += 1
        yield (*row, seen[row[RULE]] <= remaining[row[RULE]])


def count_open(connection: Connection, tenant: str) -> int:
    """Return the number of open findings of a tenant."""
    return int(connection.execute(COUNT_OPEN, {"tenant": tenant}).scalar_one())
