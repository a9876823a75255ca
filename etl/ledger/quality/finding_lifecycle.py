"""The lifecycle of findings after a run: close, reopen, count and fix."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.catalogue.resource import Resource
from etl.ledger import sync_history
from etl.ledger.quality.findings import CODE_PREFIX, UNKNOWN_CODE, UNUSABLE
from etl.models.base import field_in
from etl.models.row_views import rows_of
from etl.queries import Queries
from etl.resources import CATALOGUE
from etl.values import Code

SQL = Queries(__file__)

#: Days that the counts by rule of a run are kept.
COUNTS_RETENTION_DAYS = 30


class OpenCode(NamedTuple):
    """The open finding of an undocumented code."""

    id: int
    code: str


def update_findings(connection: Connection, tenant: str, batch_id: UUID, *, everything: bool) -> None:
    """Close the findings of missing records, reopen those of records that are back, and count codes again.

    Without `everything`, only records that this run or an interrupted run changed are checked. A second call writes
    nothing.
    """
    parameters = {"tenant": tenant, "batch_id": batch_id}
    batch_values = (
        {}
        if everything
        else {"batches": [*sync_history.find_interrupted_batches(connection, tenant, batch_id), batch_id]}
    )
    states_by_resource = {
        row.resource: row for row in connection.execute(SQL["resources_with_findings"], {"tenant": tenant})
    }
    for resource in CATALOGUE:
        states = states_by_resource.get(resource.name)
        if states is not None and states.open:
            statement = build_close_statement(resource, everything=everything)
            connection.execute(statement, {**parameters, **batch_values, "resource": resource.name})
        if states is not None and states.closed:
            connection.execute(build_reopen_statement(resource), {**parameters, "resource": resource.name})
    count_codes(connection, tenant, batch_id)
    connection.execute(SQL["purge_counts"], {"tenant": tenant, "days": COUNTS_RETENTION_DAYS})


def close_unusable(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Close the findings of items that could not be staged, if a batch has read their window or call again."""
    per_parent = [resource.name for resource in CATALOGUE if resource.parent is not None]
    parameters = {"tenant": tenant, "batch_id": batch_id, "rule": UNUSABLE, "per_parent": per_parent}
    connection.execute(SQL["close_unusable"], parameters)


@cache
def build_close_statement(resource: Resource, *, everything: bool) -> TextClause:
    """Build the statement that closes findings of deleted and missing records.

    A finding without a raw row comes from a check across records or from an item that could not be staged. The first
    closes with its row, the second in `close_unusable`. Without `everything` the statement also binds `batches`.
    """
    return text(f"""
        UPDATE etl.findings AS known SET state = 'closed', last_seen = now(), batch_id = :batch_id
        WHERE known.tenant = :tenant AND known.resource = :resource AND known.state = 'open'
          AND NOT starts_with(known.source_id, '{CODE_PREFIX}')
          AND (EXISTS (
                   SELECT FROM {rows_of(resource.model)} AS stored
                   WHERE stored.tenant = known.tenant AND stored.source_id = known.source_id
                     AND stored.deleted_at IS NOT NULL
               )
               OR known.raw_id IS NOT NULL AND NOT EXISTS (SELECT FROM {build_current_version_clause(resource)}))
          {"" if everything else f"AND ({build_batch_condition(resource)})"}
    """)


def build_batch_condition(resource: Resource) -> str:
    """Build the condition that one of the batches wrote the finding or deleted its record. Binds tenant and batches."""
    return f"""
        known.batch_id = ANY (CAST(:batches AS uuid[]))
        OR known.source_id = ANY (ARRAY(
            SELECT stored.source_id FROM {rows_of(resource.model)} AS stored
            WHERE stored.tenant = :tenant AND stored.etl_batch_id = ANY (CAST(:batches AS uuid[]))
              AND stored.deleted_at IS NOT NULL
            UNION ALL
            SELECT gone.source_id FROM raw.{resource.raw_table} AS gone
            WHERE gone.tenant = :tenant AND gone.gone_batch_id = ANY (CAST(:batches AS uuid[]))
        ))"""


@cache
def build_reopen_statement(resource: Resource) -> TextClause:
    """Build the statement that reopens findings of records that are live again in the version with the finding."""
    return text(f"""
        UPDATE etl.findings AS known SET state = 'open', last_seen = now(), batch_id = :batch_id
        WHERE known.tenant = :tenant AND known.resource = :resource AND known.state = 'closed'
          AND EXISTS (SELECT FROM {build_current_version_clause(resource)} AND head.id = known.raw_id)
          AND NOT EXISTS (
              SELECT FROM {rows_of(resource.model)} AS stored
              WHERE stored.tenant = known.tenant AND stored.source_id = known.source_id
                AND stored.deleted_at IS NOT NULL
          )
    """)


def build_current_version_clause(resource: Resource) -> str:
    """Build the FROM clause for the current raw version of a finding's record."""
    return (
        f"raw.{resource.raw_table} AS head WHERE head.tenant = known.tenant"
        " AND head.source_id = known.source_id AND head.superseded_at IS NULL"
    )


def count_codes(connection: Connection, tenant: str, batch_id: UUID) -> None:
    """Store the number of live rows with each unknown code; a code without rows, or now in the vocabulary, is fixed."""
    row_counts = dict(count_rows_by_finding(connection, tenant))
    if row_counts:
        parameters = {"ids": list(row_counts), "numbers": list(row_counts.values()), "batch_id": batch_id}
        connection.execute(SQL["update_codes"], parameters)


def count_rows_by_finding(connection: Connection, tenant: str) -> Iterator[tuple[int, int]]:
    """Yield the id of each open finding of a code, with the number of live rows that have the code."""
    parameters = {"tenant": tenant, "rule": UNKNOWN_CODE, "of_code": CODE_PREFIX}
    codes_by_column: dict[tuple[str, str], list[OpenCode]] = defaultdict(list)
    for row in connection.execute(SQL["open_codes"], parameters):
        codes_by_column[row.resource, row.field].append(OpenCode(row.id, row.code))
    by_name = {open_code.name: open_code for open_code in CATALOGUE}
    for (resource_name, column), codes in codes_by_column.items():
        row_counts = (
            count_rows_by_code(connection, tenant, by_name[resource_name], column, codes)
            if resource_name in by_name
            else {}
        )
        yield from ((open_code.id, row_counts.get(open_code.code, 0)) for open_code in codes)


def count_rows_by_code(
    connection: Connection, tenant: str, resource: Resource, column: str, codes: Iterable[OpenCode]
) -> Mapping[str, int]:
    """Return the number of live rows with each code, without codes that are now in the vocabulary."""
    table: Any = resource.model.__table__
    field = field_in(table.columns[column].info) if column in table.columns else None
    if field is None or not isinstance(field.kind, Code):
        return {}
    unknown = [open_code.code for open_code in codes if open_code.code not in field.kind.meanings]
    query = text(f"""
        SELECT {column} AS code, count(*) AS number FROM public.{table.name}
        WHERE tenant = :tenant AND deleted_at IS NULL AND {column} = ANY(:codes) GROUP BY {column}
    """)
    return {row.code: row.number for row in connection.execute(query, {"tenant": tenant, "codes": unknown})}
