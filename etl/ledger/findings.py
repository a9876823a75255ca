"""Findings: opened, seen again, fixed at the source. One row a record, field and rule."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from etl.database.copying import copy_rows

#: How many findings of one rule and resource a transaction keeps; a broken feed must not flood the table.
CAP = 5000

COLUMNS = ("table_name", "source_id", "field", "rule", "severity", "message", "raw_value", "raw_id")

FOUND = text("""
    CREATE TEMP TABLE found (
        table_name text, source_id text, field text, rule text, severity text, message text, raw_value text, raw_id uuid
    ) ON COMMIT DROP
""")

KEEP = text("""
    INSERT INTO etl.findings AS known
        (tenant, resource, table_name, source_id, field, rule, severity, message, raw_value, raw_id, batch_id)
    SELECT DISTINCT ON (table_name, source_id, field, rule)
           :tenant, :resource, table_name, source_id, field, rule, severity, message, raw_value, raw_id, :batch_id
    FROM found ORDER BY table_name, source_id, field, rule, raw_value
    ON CONFLICT (tenant, resource, source_id, table_name, field, rule) DO UPDATE
    SET severity = excluded.severity, message = excluded.message, raw_value = excluded.raw_value, state = 'open',
        last_seen = now(), times_seen = known.times_seen + 1, batch_id = excluded.batch_id, raw_id = excluded.raw_id
""")

FIX = text("""
    UPDATE etl.findings AS known SET state = 'fixed', last_seen = now(), batch_id = :batch_id
    FROM unnest(CAST(:source_ids AS text[])) AS seen (source_id)
    WHERE known.tenant = :tenant AND known.resource = :resource AND known.source_id = seen.source_id
      AND known.state = 'open'
      AND NOT EXISTS (
          SELECT FROM found
          WHERE found.source_id = known.source_id AND found.table_name = known.table_name
            AND found.field = known.field AND found.rule = known.rule
      )
""")


def keep(
    connection: Connection,
    tenant: str,
    resource: str,
    batch_id: UUID,
    source_ids: Collection[str],
    found: Iterable[Sequence[Any]],
) -> int:
    """Write the findings of the newest versions of `source_ids`, and mark fixed what they no longer have.

    `found` are rows in the order of COLUMNS. Returns how many findings there were, those beyond the cap included.
    """
    rows = list(found)
    scope = {"tenant": tenant, "resource": resource, "batch_id": batch_id}
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.found"))
    connection.execute(FOUND)
    copy_rows(connection, "found", COLUMNS, capped(rows))
    connection.execute(FIX, {**scope, "source_ids": list(source_ids)})
    if rows:
        connection.execute(KEEP, scope)
    return len(rows)


def capped(rows: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    """Yield the rows without those of a rule beyond its cap."""
    seen: dict[str, int] = {}
    for row in rows:
        rule = row[COLUMNS.index("rule")]
        seen[rule] = seen.get(rule, 0) + 1
        if seen[rule] <= CAP:
            yield row
