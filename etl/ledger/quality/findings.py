"""Findings: one row a record, field and rule; codes that nobody published, one row a code. At most so many a run."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from etl.copy_text import format_array
from etl.database.bulk_copy import copy_rows
from etl.values import Code, Severity

#: How many findings of one rule and resource a run keeps; a broken feed must not flood the table.
CAP = 5000

COLUMNS = ("table_name", "source_id", "field", "rule", "severity", "message", "raw_value", "raw_id")
TABLE, SOURCE_ID, FIELD, RULE, SEVERITY, MESSAGE, RAW_VALUE, RAW_ID = range(len(COLUMNS))

#: The rule for a code that is kept although nobody published it.
UNKNOWN_CODE = f"{Code.name}-unknown"
#: The rule for an item of an answer that cannot be staged, such as one without an id; it is known by its request.
UNUSABLE = "record-unusable"
#: What stands for the source id where a finding speaks of a code and not of a record: `code:I`.
CODE_PREFIX = "code:"

CREATE_TEMP_TABLE = text("""
    CREATE TEMP TABLE found (
        table_name text, source_id text, field text, rule text, severity text, message text, raw_value text,
        raw_id uuid, kept boolean
    ) ON COMMIT DROP
""")

UPSERT = text("""
    INSERT INTO etl.findings AS known
        (tenant, resource, table_name, source_id, field, rule, severity, message, raw_value, raw_id, batch_id)
    SELECT DISTINCT ON (table_name, source_id, field, rule)
           :tenant, :resource, table_name, source_id, field, rule, severity, message, raw_value, raw_id, :batch_id
    FROM found WHERE kept ORDER BY table_name, source_id, field, rule, raw_value
    ON CONFLICT (tenant, resource, source_id, table_name, field, rule) DO UPDATE
    SET severity = excluded.severity, message = excluded.message, raw_value = excluded.raw_value, state = 'open',
        last_seen = now(), times_seen = known.times_seen + 1, batch_id = excluded.batch_id, raw_id = excluded.raw_id
""")

#: A code that is open already is left alone: hundreds of pages meet it, and two at once would wait for each other.
SKIP_OPEN_CODES = text("""
    DELETE FROM found USING etl.findings AS known
    WHERE found.source_id = ANY(:codes) AND known.tenant = :tenant AND known.resource = :resource
      AND known.source_id = found.source_id AND known.table_name = found.table_name AND known.field = found.field
      AND known.rule = found.rule AND known.state = 'open'
""")

MARK_FIXED = text("""
    UPDATE etl.findings AS known SET state = 'fixed', last_seen = now(), batch_id = :batch_id
    FROM unnest(CAST(:source_ids AS text[])) AS seen (source_id)
    WHERE known.tenant = :tenant AND known.resource = :resource AND known.source_id = seen.source_id
      AND known.state = 'open' AND known.raw_id IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM found
          WHERE found.source_id = known.source_id AND found.table_name = known.table_name
            AND found.field = known.field AND found.rule = known.rule
      )
""")

COUNT_SO_FAR = text("""
    SELECT rule, CAST(sum(found) AS bigint) AS found FROM etl.finding_counts
    WHERE batch_id = :batch_id AND resource = :resource AND rule = ANY(:rules) GROUP BY rule
""")

INSERT_COUNTS = text("""
    INSERT INTO etl.finding_counts (batch_id, tenant, resource, rule, found, left_out)
    VALUES (:batch_id, :tenant, :resource, :rule, :found, :left_out)
""")


def write_findings(
    connection: Connection,
    tenant: str,
    resource: str,
    batch_id: UUID,
    source_ids: Collection[str],
    found: Iterable[Sequence[Any]],
) -> int:
    """Write the findings of the newest versions of `source_ids`, and mark fixed what they no longer have.

    `found` are rows in the order of COLUMNS. Findings without a raw row, of checks across records, stay as they are.
    Returns how many findings there were, those beyond the cap included.
    """
    rows = list(found)
    scope = {"tenant": tenant, "resource": resource, "batch_id": batch_id}
    told = merge_codes(rows)
    room = count_remaining(connection, scope, told)
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.found"))
    connection.execute(CREATE_TEMP_TABLE)
    copy_rows(connection, "found", (*COLUMNS, "kept"), mark_over_cap(told, room))
    connection.execute(MARK_FIXED, {**scope, "source_ids": format_array(list(source_ids))})
    if codes := sorted({row[SOURCE_ID] for row in told if is_code_id(row[SOURCE_ID])}):
        connection.execute(SKIP_OPEN_CODES, {**scope, "codes": codes})
    if told:
        connection.execute(UPSERT, scope)
    return len(rows)


def merge_codes(rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return the rows with one for each code that is unknown and kept, instead of one for each record that has it.

    It names the code where others name their record, and the first record's raw row as an example.
    """
    told: list[Sequence[Any]] = []
    codes: dict[tuple[str, str, str], Sequence[Any]] = {}
    for row in rows:
        if row[RULE] != UNKNOWN_CODE or row[SEVERITY] != Severity.NOTED:
            told.append(row)
            continue
        code = str(row[RAW_VALUE]).upper()
        message = f"{row[MESSAGE]}: {code}"
        of_code = (row[TABLE], f"{CODE_PREFIX}{code}", row[FIELD], row[RULE], row[SEVERITY], message, code, row[RAW_ID])
        codes.setdefault((row[TABLE], row[FIELD], code), of_code)
    return [*told, *codes.values()]


def is_code_id(source_id: str) -> bool:
    """Tell whether a finding's source id stands for a code."""
    return source_id.startswith(CODE_PREFIX)


def count_remaining(connection: Connection, scope: Mapping[str, Any], rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    """Count these findings into the run, and return how many of each rule it still keeps."""
    numbers = Counter(row[RULE] for row in rows)
    if not numbers:
        return {}
    so_far = connection.execute(COUNT_SO_FAR, {**scope, "rules": sorted(numbers)})
    before = {row.rule: row.found for row in so_far}
    room = {rule: max(0, CAP - before.get(rule, 0)) for rule in numbers}
    write_finding_counts(
        connection, scope, {rule: (number, max(0, number - room[rule])) for rule, number in numbers.items()}
    )
    return room


def write_finding_counts(
    connection: Connection, scope: Mapping[str, Any], numbers: Mapping[str, tuple[int, int]]
) -> None:
    """Add what a run found to its counts: by rule how many, and how many of them were left out."""
    lines = [{**scope, "rule": rule, "found": found, "left_out": out} for rule, (found, out) in numbers.items()]
    connection.execute(INSERT_COUNTS, lines)


def mark_over_cap(rows: Iterable[Sequence[Any]], room: Mapping[str, int]) -> Iterable[Sequence[Any]]:
    """Yield the rows, each with whether there is room for it; those without still tell that a record is not mended."""
    seen: Counter[str] = Counter()
    for row in rows:
        seen[row[RULE]] += 1
        yield (*row, seen[row[RULE]] <= room[row[RULE]])
