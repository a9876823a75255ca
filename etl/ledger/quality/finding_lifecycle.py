"""What becomes of findings whose record is gone, and of codes: closed, opened again, counted, fixed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.catalogue import Resource
from etl.ledger import sync_history
from etl.ledger.quality.findings import CODE_PREFIX, UNKNOWN_CODE, UNUSABLE
from etl.models.base import field_in
from etl.resources import CATALOGUE
from etl.values import Code

#: For so many days a run's counts by rule are kept.
COUNTS_RETENTION_DAYS = 30

RESOURCES_WITH_FINDINGS = text("""
    SELECT resource, bool_or(state = 'open') AS open, bool_or(state = 'closed') AS closed
    FROM etl.findings WHERE tenant = :tenant AND state IN ('open', 'closed') GROUP BY resource
""")

OPEN_CODES = text("""
    SELECT id, resource, field, raw_value AS code FROM etl.findings
    WHERE tenant = :tenant AND rule = :rule AND state = 'open' AND starts_with(source_id, :of_code)
    ORDER BY id
""")

UPDATE_CODES = text("""
    UPDATE etl.findings AS known
    SET times_seen = greatest(counted.number, 1), last_seen = now(), batch_id = :batch_id,
        state = CASE counted.number WHEN 0 THEN 'fixed' ELSE 'open' END
    FROM unnest(CAST(:ids AS bigint[]), CAST(:numbers AS bigint[])) AS counted (id, number)
    WHERE known.id = counted.id AND (counted.number = 0 OR known.times_seen <> counted.number)
""")

#: What could not be staged is in no later version of a record. Its finding ends when what it stood in was read again
#: whole: its window, or the very same call; if it is still there, it was found anew.
CLOSE_UNUSABLE = text("""
    UPDATE etl.findings AS known SET state = 'closed', last_seen = now(), batch_id = :batch_id
    FROM etl.batch_resources AS part
    WHERE part.batch_id = :batch_id AND part.status = 'done'
      AND known.tenant = :tenant AND known.resource = part.resource AND known.rule = :rule AND known.state = 'open'
      AND known.raw_id IS NULL AND known.batch_id <> :batch_id
      AND (part.resource <> ALL (CAST(:per_parent AS text[])) AND EXISTS (
               SELECT FROM etl.batch_resources AS earlier
               WHERE earlier.batch_id = known.batch_id AND earlier.resource = known.resource
                 AND earlier.window_start >= part.window_start AND earlier.window_end <= part.window_end
           )
           OR EXISTS (
               SELECT FROM etl.requests AS first
               JOIN etl.requests AS again ON again.batch_id = :batch_id AND again.resource = first.resource
                AND again.path = first.path AND again.parameters = first.parameters
               WHERE first.id = CAST(substring(known.source_id FROM '^request ([0-9]+),') AS bigint)
           ))
""")

PURGE_COUNTS = text("""
    DELETE FROM etl.finding_counts WHERE tenant = :tenant AND counted_at < now() - make_interval(days => :days)
""")


class OpenCode(NamedTuple):
    """The finding of a code that nobody published."""

    id: int
    code: str


def update_findings(connection: Connection, tenant: str, batch_id: UUID, *, everything: bool) -> None:
    """Close the findings of records that are gone, open those of records that are back, and count codes anew.

    Without `everything`, records that were gone before are not looked at once more, unless this run met them. A second
    call writes nothing.
    """
    bound = {"tenant": tenant, "batch_id": batch_id}
    ended = (
        {}
        if everything
        else {"batches": [*sync_history.find_interrupted_batches(connection, tenant, batch_id), batch_id]}
    )
    in_use = {row.resource: row for row in connection.execute(RESOURCES_WITH_FINDINGS, {"tenant": tenant})}
    for resource in CATALOGUE:
        states = in_use.get(resource.name)
        if states is not None and states.open:
            closing = build_close_statement(resource, everything=everything)
            connection.execute(closing, {**bound, **ended, "resource": resource.name})
        if states is not None and states.closed:
            connection.execute(build_reopen_statement(resource), {**bound, "resource": resource.name})
    count_codes(connection, tenant, batch_id)
    connection.execute(PURGE_COUNTS, {"tenant": tenant, "days": COUNTS_RETENTION_DAYS})


def close_unusable(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Close the findings of what could not be staged where a batch has read again what it stood in."""
    per_parent = [one.name for one in CATALOGUE if one.parent is not None]
    bound = {"tenant": tenant, "batch_id": batch_id, "rule": UNUSABLE, "per_parent": per_parent}
    connection.execute(CLOSE_UNUSABLE, bound)


@cache
def build_close_statement(resource: Resource, *, everything: bool) -> TextClause:
    """Return the statement that closes findings of deleted and vanished records.

    A finding without a raw row is of a check across records or of a record that could not be staged: the first closes
    with its row, the second when what it stood in was read again. Without `everything` it binds batches too.
    """
    return text(f"""
        UPDATE etl.findings AS known SET state = 'closed', last_seen = now(), batch_id = :batch_id
        WHERE known.tenant = :tenant AND known.resource = :resource AND known.state = 'open'
          AND NOT starts_with(known.source_id, '{CODE_PREFIX}')
          AND (EXISTS (
                   SELECT FROM public.{resource.model.__tablename__} AS stored
                   WHERE stored.tenant = known.tenant AND stored.source_id = known.source_id
                     AND stored.deleted_at IS NOT NULL
               )
               OR known.raw_id IS NOT NULL AND NOT EXISTS (SELECT FROM {build_current_version_clause(resource)}))
          {"" if everything else f"AND ({build_batch_condition(resource)})"}
    """)


def build_batch_condition(resource: Resource) -> str:
    """Return the condition that some batches met a finding, or made its record go. Binds tenant and batches."""
    return f"""
        known.batch_id = ANY (CAST(:batches AS uuid[]))
        OR known.source_id = ANY (ARRAY(
            SELECT stored.source_id FROM public.{resource.model.__tablename__} AS stored
            WHERE stored.tenant = :tenant AND stored.etl_batch_id = ANY (CAST(:batches AS uuid[]))
              AND stored.deleted_at IS NOT NULL
            UNION ALL
            SELECT gone.source_id FROM raw.{resource.raw_table} AS gone
            WHERE gone.tenant = :tenant AND gone.gone_batch_id = ANY (CAST(:batches AS uuid[]))
        ))"""


@cache
def build_reopen_statement(resource: Resource) -> TextClause:
    """Return the statement that opens closed findings of records that live again in the version that has them."""
    return text(f"""
        UPDATE etl.findings AS known SET state = 'open', last_seen = now(), batch_id = :batch_id
        WHERE known.tenant = :tenant AND known.resource = :resource AND known.state = 'closed'
          AND EXISTS (SELECT FROM {build_current_version_clause(resource)} AND head.id = known.raw_id)
          AND NOT EXISTS (
              SELECT FROM public.{resource.model.__tablename__} AS stored
              WHERE stored.tenant = known.tenant AND stored.source_id = known.source_id
                AND stored.deleted_at IS NOT NULL
          )
    """)


def build_current_version_clause(resource: Resource) -> str:
    """Return the newest raw version of a finding's record, as what follows FROM."""
    return (
        f"raw.{resource.raw_table} AS head WHERE head.tenant = known.tenant"
        " AND head.source_id = known.source_id AND head.superseded_at IS NULL"
    )


def count_codes(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Write with each unknown code how many living rows have it; one that none has, or that is known now, is fixed."""
    numbers = dict(count_rows_by_finding(connection, tenant))
    if numbers:
        bound = {"ids": list(numbers), "numbers": list(numbers.values()), "batch_id": batch_id}
        connection.execute(UPDATE_CODES, bound)


def count_rows_by_finding(connection: Connection, tenant: str) -> Iterator[tuple[int, int]]:
    """Yield the id of each open finding of a code and the number of living rows that have the code."""
    bound = {"tenant": tenant, "rule": UNKNOWN_CODE, "of_code": CODE_PREFIX}
    places: dict[tuple[str, str], list[OpenCode]] = defaultdict(list)
    for row in connection.execute(OPEN_CODES, bound):
        places[row.resource, row.field].append(OpenCode(row.id, row.code))
    by_name = {one.name: one for one in CATALOGUE}
    for (name, column), codes in places.items():
        living = count_rows_by_code(connection, tenant, by_name[name], column, codes) if name in by_name else {}
        yield from ((one.id, living.get(one.code, 0)) for one in codes)


def count_rows_by_code(
    connection: Connection, tenant: str, resource: Resource, column: str, codes: Iterable[OpenCode]
) -> Mapping[str, int]:
    """Return how many living rows have each code; codes that the vocabulary has by now are left out."""
    table: Any = resource.model.__table__
    about = field_in(table.columns[column].info) if column in table.columns else None
    if about is None or not isinstance(about.kind, Code):
        return {}
    unknown = [one.code for one in codes if one.code not in about.kind.meanings]
    query = text(f"""
        SELECT {column} AS code, count(*) AS number FROM public.{table.name}
        WHERE tenant = :tenant AND deleted_at IS NULL AND {column} = ANY(:codes) GROUP BY {column}
    """)
    return {row.code: row.number for row in connection.execute(query, {"tenant": tenant, "codes": unknown})}
