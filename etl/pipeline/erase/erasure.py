"""The statements that erase a person, table by table; the declarations name the tables and columns."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from etl.api.protocol import parent_call
from etl.catalogue.resource import Resource
from etl.database.bulk_copy import copy_rows
from etl.ledger import counters
from etl.ledger.staging import suppressions
from etl.ledger.staging.chunks import CHUNK_SIZE, FIRST_ID
from etl.ledger.staging.suppressions import SuppressionList
from etl.models import PAST, load_order
from etl.models.base import Field, Model, field_in, references_of
from etl.models.states import Outcome
from etl.privacy.personal_records import (
    PEOPLE_TABLE,
    encode_record,
    find_linking_tables,
    find_per_person_tables,
    find_person_tables,
    is_forgotten,
    is_fully_personal,
    scrub,
)
from etl.queries import Queries
from etl.record import decode
from etl.resources import PEOPLE, children_of

SQL = Queries(__file__)


@dataclass(frozen=True, slots=True)
class DataSubject:
    """The person to erase, and the tenant's suppression list."""

    tenant: str
    source_id: str
    suppressed: SuppressionList


def collect_rows(connection: Connection, person: DataSubject) -> None:
    """Collect the person's production rows in a temporary table, `belonging`."""
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.belonging"))
    connection.execute(text("CREATE TEMP TABLE belonging (table_name text, source_id text, id uuid) ON COMMIT DROP"))
    bound = {"tenant": person.tenant, "contact": person.source_id}
    for model in load_order():
        if model.__tablename__ in find_person_tables():
            connection.execute(text(collect_rows_sql(model)), bound)
            connection.execute(text("ANALYZE pg_temp.belonging"))


def collect_rows_sql(model: type[Model]) -> str:
    """Return the statement that collects the person's rows of a table."""
    table = model.__tablename__
    return (
        f"INSERT INTO belonging SELECT '{table}', source_id, id FROM public.{table} AS owned"
        f" WHERE tenant = :tenant AND {ownership_condition(model)}"
    )


def ownership_condition(model: type[Model]) -> str:
    """Return the condition that a row `owned` of a table is the person's.

    A reference to a contact decides; only a row without one belongs to the person through its other references.
    """
    table = model.__tablename__
    if table == PEOPLE_TABLE:
        return "source_id = :contact"
    target_tables = {
        name: kind.table for name, kind in references_of(model).items() if kind.table in find_person_tables()
    }
    person_columns = [name for name, target in target_tables.items() if target == PEOPLE_TABLE]
    other_columns = [name for name, target in target_tables.items() if target not in (PEOPLE_TABLE, table)]
    nobody = " AND ".join([f"owned.{name} IS NULL" for name in person_columns] or ["true"])
    conditions = [reference_condition(name, PEOPLE_TABLE) for name in person_columns]
    conditions += [f"({nobody} AND {reference_condition(name, target_tables[name])})" for name in other_columns]
    return f"({' OR '.join(conditions)})"


def reference_condition(column: str, target: str) -> str:
    """Return the condition that a reference points to one of the person's rows."""
    return f"owned.{column} IN (SELECT id FROM belonging WHERE table_name = '{target}')"


def list_parent_rows(connection: Connection) -> list[tuple[str, str]]:
    """Return the table and source id of those of the person's rows that other rows refer to."""
    query = text("SELECT table_name, source_id FROM belonging WHERE table_name = ANY(:tables)")
    return [
        (row.table_name, row.source_id) for row in connection.execute(query, {"tables": list(find_linking_tables())})
    ]


def clear_staging(connection: Connection, person: DataSubject, resource: Resource) -> int:
    """Delete the person's raw rows of a resource, or scrub them where business facts stay; return their number.

    Checks every version, by the rule for incoming records and by the source ids of the person's production rows.
    """
    table = resource.table
    query = text("SELECT source_id FROM belonging WHERE table_name = :table")
    source_ids = set(connection.execute(query, {"table": table}).scalars())
    cleared = 0
    for chunk in read_raw_rows(connection, person, resource):
        decoded = ((row, decode(row.raw.encode())) for row in chunk)
        matches = [
            (row, record)
            for row, record in decoded
            if row.source_id in source_ids or is_about_person(person, resource, row, record)
        ]
        if matches:
            delete_or_scrub(connection, resource, [(row.id, record) for row, record in matches])
            add_staged_rows(connection, person, resource, [row for row, _ in matches])
        cleared += len(matches)
    return cleared


def is_about_person(person: DataSubject, resource: Resource, row: Any, record: Mapping[str, Any]) -> bool:
    """Return whether a raw row is about the person."""
    return is_forgotten(resource, row.source_id or "", record, person.suppressed.has_record)


def add_staged_rows(connection: Connection, person: DataSubject, resource: Resource, rows: Sequence[Any]) -> None:
    """Add staged records to `belonging`: they may not have reached production, and other records refer to them."""
    table = resource.table
    keys = {(table, row.source_id) for row in rows if row.newest and row.source_id}
    copy_rows(connection, "belonging", ("table_name", "source_id"), sorted(keys))
    if table in find_linking_tables():
        suppressions.add_suppressions(connection, person.suppressed, keys)


def read_raw_rows(connection: Connection, person: DataSubject, resource: Resource) -> Iterator[Sequence[Any]]:
    """Yield the raw rows of a resource in the order of their ids, chunk by chunk."""
    query = text(f"""
        SELECT id, source_id, CAST(raw_data AS text) AS raw, superseded_at IS NULL AS newest
        FROM raw.{resource.raw_table}
        WHERE tenant = :tenant AND id > CAST(:after AS uuid) ORDER BY id LIMIT :most
    """)
    after = FIRST_ID
    while chunk := connection.execute(query, {"tenant": person.tenant, "after": after, "most": CHUNK_SIZE}).all():
        yield chunk
        after = str(chunk[-1].id)


def delete_or_scrub(connection: Connection, resource: Resource, matches: Sequence[tuple[Any, Any]]) -> None:
    """Delete raw rows, or replace their data by a version without personal values."""
    if is_fully_personal(resource):
        delete_raw_rows(connection, resource, [match[0] for match in matches])
        return
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.scrubbed"))
    connection.execute(text("CREATE TEMP TABLE scrubbed (id uuid, raw_data jsonb, hash uuid) ON COMMIT DROP"))
    texts = ((row_id, *encode_record(scrub(resource, record))) for row_id, record in matches)
    lines = ((row_id, raw.decode(), digest.hex()) for row_id, raw, digest in texts)
    copy_rows(connection, "scrubbed", ("id", "raw_data", "hash"), lines)
    connection.execute(
        text(f"""
            UPDATE raw.{resource.raw_table} AS staged
            SET raw_data = scrubbed.raw_data, content_hash = scrubbed.hash, updated_at = now()
            FROM scrubbed WHERE scrubbed.id = staged.id
        """)
    )


def delete_raw_rows(connection: Connection, resource: Resource, raw_ids: Sequence[Any]) -> None:
    """Delete raw rows; a batch counts one that waited for a later step as a record without a row."""
    statement = text(f"""
        WITH deleted AS (
            DELETE FROM raw.{resource.raw_table} WHERE id = ANY(:ids)
            RETURNING etl_batch_id, rules IS NULL AND status <> 'loaded' AS waited
        )
        SELECT etl_batch_id, count(*) AS number FROM deleted WHERE waited GROUP BY etl_batch_id
    """)
    for row in connection.execute(statement, {"ids": raw_ids}).all():
        counters.add_counts(connection, row.etl_batch_id, resource.name, {Outcome.NO_ROW: row.number})


def clear_findings(connection: Connection, person: DataSubject) -> int:
    """Delete the findings about the person, and clear the raw values of findings on rows that stay.

    Returns the number of both.
    """
    bound = {"tenant": person.tenant, "deleted_tables": [PEOPLE_TABLE, *find_per_person_tables()]}
    deleted = connection.execute(SQL["delete_findings"], bound).rowcount
    return deleted + connection.execute(SQL["clear_raw_values"], bound).rowcount


def clear_requests(connection: Connection, person: DataSubject) -> int:
    """Delete the stored requests made for the person, and hash the person's id in those of lists.

    Returns the number of both.
    """
    cleared = 0
    for resource in children_of(PEOPLE):
        call = parent_call(resource, resource.endpoints[0], person.source_id)
        cleared += connection.execute(
            SQL["delete_requests"],
            {
                "tenant": person.tenant,
                "resource": resource.name,
                "path": call.path,
                "query": msgspec.json.encode(dict(call.query)).decode(),
            },
        ).rowcount
    return cleared + hash_id_in_lists(connection, person)


def hash_id_in_lists(connection: Connection, person: DataSubject) -> int:
    """Replace the person's id in stored list requests by a keyed hash; return the number of requests."""
    digest = person.suppressed.digest(PEOPLE_TABLE, person.source_id).hex()
    bound = {"tenant": person.tenant, "people": PEOPLE, "contact": person.source_id, "hash": f"forgotten:{digest[:16]}"}
    return connection.execute(SQL["hash_id_in_lists"], bound).rowcount


def clear_production(connection: Connection, person: DataSubject) -> Counter[str]:
    """Clear the person's row, delete rows read per person, and clear personal columns elsewhere.

    Returns the number of rows by table.
    """
    counts: Counter[str] = Counter()
    for model in load_order():
        table = model.__tablename__
        if table in find_person_tables():
            cleared = connection.execute(
                text(production_sql(model, delete=table in find_per_person_tables())),
                {"tenant": person.tenant, "table": table},
            )
            counts[f"public.{table}"] = cleared.rowcount
    return counts


def clear_history(connection: Connection, person: DataSubject) -> Counter[str]:
    """Clear the person from earlier versions, including rows that no longer belong to the person.

    Returns the number of versions by table. Runs last, because the steps before it write history too.
    """
    bound = {"tenant": person.tenant, "contact": person.source_id}
    counts: Counter[str] = Counter()
    for model in load_order():
        if model.__tablename__ in find_person_tables() and (statement := history_sql(model)):
            cleared = connection.execute(text(statement), bound)
            counts[PAST[model].fullname] += cleared.rowcount
    return counts


def history_sql(model: type[Model]) -> str | None:
    """Return the statement that clears the person's earlier versions of a table; None without personal columns."""
    table = model.__tablename__
    ids = f"SELECT id FROM belonging WHERE table_name = '{table}' AND id IS NOT NULL"
    condition = f"owned.tenant = :tenant AND (owned.id IN ({ids}) OR {ownership_condition(model)})"
    emptied = [f"{name} = NULL" for name, field in fields_by_column(model).items() if field.personal]
    if table in {PEOPLE_TABLE, *find_per_person_tables()}:
        return f"DELETE FROM {PAST[model].fullname} AS owned WHERE {condition}"
    return f"UPDATE {PAST[model].fullname} AS owned SET {', '.join(emptied)} WHERE {condition}" if emptied else None


def fields_by_column(model: type[Model]) -> dict[str, Field]:
    """Return the fields of a table by column, from all its sources."""
    return {column.name: field for column in model.__table__.columns if (field := field_in(column.info))}


def production_sql(model: type[Model], *, delete: bool) -> str:
    """Return the statement that clears the person's rows of a table."""
    table = model.__tablename__
    ids = "SELECT id FROM belonging WHERE table_name = :table AND id IS NOT NULL"
    condition = f"stored.tenant = :tenant AND stored.id IN ({ids})"
    if delete:
        return f"DELETE FROM public.{table} AS stored WHERE {condition}"
    if table == PEOPLE_TABLE:
        columns = (*fields_by_column(model), "source_created_at", "source_modified_at", "content_hash", "raw_id")
        emptied = [*(f"{name} = NULL" for name in columns), "is_placeholder = true", "deleted_at = now()"]
    else:
        emptied = [f"{name} = NULL" for name, field in fields_by_column(model).items() if field.personal]
    return f"UPDATE public.{table} AS stored SET {', '.join([*emptied, 'updated_at = now()'])} WHERE {condition}"
