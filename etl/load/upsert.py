"""Builds the statements that write a model's rows: one set-based statement per table and step. Pure."""

from dataclasses import dataclass
from functools import cache

from sqlalchemy import TextClause, text

from etl.catalogue.resource import Resource
from etl.models.base import PRIMARY, DataSource, Model, fields_of, own_columns
from etl.queries import Queries
from etl.references import find_inbound_references
from etl.window import WINDOW_RULE

SQL = Queries(__file__)

# Identifiers in these statements come from the declarations; every value is bound.


@dataclass(frozen=True, slots=True)
class UpsertStatements:
    """How rows get into a table: copied into `incoming`, merged from there."""

    incoming: str
    columns: tuple[str, ...]
    prepare: TextClause
    merge: TextClause


@cache
def select_stored_ids(model: type[Model]) -> TextClause:
    """Return the statement that selects which of the given ids the table has. Binds ids, the text of an array.

    It probes the index once per id: a comparison with an array reads the whole table if it grew since the last ANALYZE.
    """
    return text(f"""
        SELECT wanted.id FROM unnest(CAST(:ids AS uuid[])) AS wanted (id)
        CROSS JOIN LATERAL (
            SELECT FROM public.{model.__tablename__} AS stored WHERE stored.id = wanted.id LIMIT 1
        ) AS there
    """)


@cache
def has_placeholder(model: type[Model]) -> TextClause:
    """Return the statement that says whether the table has a placeholder. Binds tenant."""
    return text(f"SELECT EXISTS (SELECT FROM public.{model.__tablename__} WHERE tenant = :tenant AND is_placeholder)")


@cache
def select_missing_ids(model: type[Model]) -> TextClause:
    """Return the statement that selects the given ids that the table has no row of. Binds ids, the text of an array.

    Where records refer to the table's rows by text, which no foreign key checks, its placeholders are locked until the
    commit as a foreign key would lock them, so that a concurrent refresh of placeholders skips them. The statement
    waits for a placeholder that is being removed, and then reports it as missing.
    """
    table = f"public.{model.__tablename__}"
    if all(reference.soft_reference is None for reference in find_inbound_references(model)):
        exists_query = f"SELECT FROM {table} AS stored WHERE stored.id = wanted.id"
        return text(f"""
            SELECT wanted.id FROM unnest(CAST(:ids AS uuid[])) AS wanted (id) WHERE NOT EXISTS ({exists_query})
        """)
    return text(f"""
        WITH wanted AS (SELECT id FROM unnest(CAST(:ids AS uuid[])) AS one (id)
        ), held AS MATERIALIZED (
            SELECT there.id FROM wanted CROSS JOIN LATERAL (
                SELECT stored.id FROM {table} AS stored WHERE stored.id = wanted.id AND stored.is_placeholder
                FOR KEY SHARE
            ) AS there
        )
        SELECT id FROM wanted WHERE id NOT IN (SELECT id FROM held)
            AND NOT EXISTS (SELECT FROM {table} AS stored WHERE stored.id = wanted.id AND NOT stored.is_placeholder)
    """)


@cache
def upsert(model: type[Model], source: DataSource, columns: tuple[str, ...]) -> UpsertStatements:
    """Return the statements for rows in the order of `columns`.

    The merge binds tenant, batch_id, window_start and window_end. It returns one line per outcome: outcome, number,
    deleted, revived, and the raw ids of the rows that were turned away.
    """
    name = model.__tablename__
    fields = tuple(fields_of(model, source))
    incoming = f"incoming_{name}"
    if source == PRIMARY:
        merge = merge_primary(name, fields, incoming)
    elif source.is_fallback:
        merge = merge_fallback(name, fields, own_columns(model, source), incoming)
    else:
        merge = merge_secondary(name, fields, incoming)
    return UpsertStatements(incoming, (*columns, "undated"), create_incoming_table(name, incoming, columns), merge)


def create_incoming_table(table: str, incoming: str, columns: tuple[str, ...]) -> TextClause:
    """Return the statement that creates the temporary table for incoming rows; the end of the transaction drops it."""
    listed = ", ".join((*columns, "NULL::boolean AS undated"))
    return text(f"CREATE TEMP TABLE {incoming} ON COMMIT DROP AS SELECT {listed} FROM public.{table} WITH NO DATA")


@cache
def keep_last_values(model: type[Model]) -> TextClause:
    """Return the statement that fills incoming deleted rows with the values that the stored rows have last.

    A deleted record may arrive with little more than its mark.
    """
    table = model.__tablename__
    columns = (*fields_of(model), "source_created_at")
    kept = ", ".join(f"{column} = COALESCE(incoming.{column}, stored.{column})" for column in columns)
    return text(f"""
        UPDATE pg_temp.incoming_{table} AS incoming SET {kept}
        FROM public.{table} AS stored
        WHERE stored.id = incoming.id AND incoming.deleted_at IS NOT NULL AND NOT stored.is_placeholder
    """)


def merge_primary(table: str, fields: tuple[str, ...], incoming: str) -> TextClause:
    """Return the merge of a table's own records: insert new rows, update changed ones, set the time of touched ones."""
    content = (*fields, "source_created_at", "deleted_at")
    written_columns = (*content, "source_modified_at", "version_at", "content_hash", "raw_id")
    return text(f"""
        WITH classified AS MATERIALIZED (
            SELECT incoming.*,
                   stored.deleted_at IS NULL AND incoming.deleted_at IS NOT NULL AS dies,
                   stored.deleted_at IS NOT NULL AND incoming.deleted_at IS NULL AS revives,
                   CASE
                       WHEN stored.id IS NULL OR {HAS_NO_RECORD} THEN 'inserted'
                       WHEN incoming.version_at < stored.version_at THEN 'older'
                       WHEN {row_sql("incoming", content)} IS NOT DISTINCT FROM {row_sql("stored", content)} THEN
                           CASE WHEN incoming.source_modified_at > COALESCE(stored.source_modified_at, '-infinity')
                                THEN 'touched' ELSE 'unchanged' END
                       WHEN {WINDOW_RULE} THEN 'updated'
                       ELSE 'outside_window'
                   END AS outcome
            FROM {incoming} AS incoming
            LEFT JOIN public.{table} AS stored ON stored.id = incoming.id
        ), written AS (
            INSERT INTO public.{table} AS stored
                (id, tenant, source_id, {", ".join(written_columns)}, is_placeholder, last_synced_at, etl_batch_id)
            SELECT id, :tenant, source_id, {", ".join(written_columns)}, false, now(), :batch_id
            FROM classified WHERE outcome IN ('inserted', 'updated') ORDER BY id
            ON CONFLICT (tenant, source_id) DO UPDATE
            SET {assignments(written_columns)}, is_placeholder = false, updated_at = now(), last_synced_at = now(),
                etl_batch_id = excluded.etl_batch_id
            WHERE {HAS_NO_RECORD} OR stored.version_at <= excluded.version_at
        ), touched AS (
            UPDATE public.{table} AS stored
            SET source_modified_at = classified.source_modified_at, version_at = classified.version_at
            FROM classified WHERE classified.outcome = 'touched' AND stored.id = classified.id
        )
        {SQL["count_outcomes"].text}
    """)


def merge_secondary(table: str, fields: tuple[str, ...], incoming: str) -> TextClause:
    """Return the merge of a secondary source, which owns some columns of a table and leaves the others unchanged.

    Staging has already decided which of two versions is newer. A row whose own record has not arrived becomes a
    placeholder.
    """
    incoming_row, stored_row = row_sql("incoming", fields), row_sql("stored", fields)
    return text(f"""
        WITH classified AS MATERIALIZED (
            SELECT incoming.*, false AS dies, false AS revives,
                   CASE
                       WHEN stored.id IS NULL THEN 'inserted'
                       WHEN {incoming_row} IS NOT DISTINCT FROM {stored_row} THEN 'unchanged'
                       ELSE 'updated'
                   END AS outcome
            FROM {incoming} AS incoming
            LEFT JOIN public.{table} AS stored ON stored.id = incoming.id
        ), written AS (
            INSERT INTO public.{table} AS stored
                (id, tenant, source_id, {", ".join(fields)}, is_placeholder, last_synced_at, etl_batch_id)
            SELECT id, :tenant, source_id, {", ".join(fields)}, true, now(), :batch_id
            FROM classified WHERE outcome IN ('inserted', 'updated') ORDER BY id
            ON CONFLICT (tenant, source_id) DO UPDATE
            SET {assignments(fields)}, updated_at = now(), last_synced_at = now(), etl_batch_id = excluded.etl_batch_id
        )
        {SQL["count_outcomes"].text}
    """)


def merge_fallback(table: str, fields: tuple[str, ...], own: tuple[str, ...], incoming: str) -> TextClause:
    """Return the merge of a fallback source, whose records fill rows of which the primary source has no record.

    In the other rows it fills only its own columns. Staging has already decided which of two versions is newer.
    """
    content = (*fields, "source_created_at", "deleted_at")
    written_columns = (*content, "source_modified_at", "content_hash", "raw_id")
    shared = ", ".join(
        f"{column} = CASE WHEN {HAS_NO_RECORD} THEN excluded.{column} ELSE stored.{column} END"
        for column in written_columns
        if column not in own
    )
    is_equal = f"({row_sql('incoming', content)} IS NOT DISTINCT FROM {row_sql('stored', content)})"
    own_is_equal = f"{row_sql('incoming', own)} IS NOT DISTINCT FROM {row_sql('stored', own)}" if own else "true"
    return text(f"""
        WITH classified AS MATERIALIZED (
            SELECT incoming.*,
                   {HAS_NO_RECORD} AND stored.deleted_at IS NULL AND incoming.deleted_at IS NOT NULL AS dies,
                   {HAS_NO_RECORD} AND stored.deleted_at IS NOT NULL AND incoming.deleted_at IS NULL AS revives,
                   CASE
                       WHEN stored.id IS NULL OR stored.is_placeholder THEN 'inserted'
                       WHEN stored.version_at IS NULL AND NOT {is_equal} THEN 'updated'
                       WHEN {own_is_equal} THEN 'unchanged'
                       ELSE 'updated'
                   END AS outcome
            FROM {incoming} AS incoming
            LEFT JOIN public.{table} AS stored ON stored.id = incoming.id
        ), written AS (
            INSERT INTO public.{table} AS stored
                (id, tenant, source_id, {", ".join(written_columns)}, is_placeholder, last_synced_at, etl_batch_id)
            SELECT id, :tenant, source_id, {", ".join(written_columns)}, false, now(), :batch_id
            FROM classified WHERE outcome IN ('inserted', 'updated') ORDER BY id
            ON CONFLICT (tenant, source_id) DO UPDATE
            SET {", ".join(filter(None, (shared, assignments(own))))}, is_placeholder = false, updated_at = now(),
                last_synced_at = now(), etl_batch_id = excluded.etl_batch_id
        )
        {SQL["count_outcomes"].text}
    """)


#: The primary source has no record of the row `stored`: it is a placeholder, or a fallback source filled it.
HAS_NO_RECORD = "(stored.is_placeholder OR stored.version_at IS NULL)"


def row_sql(alias: str, columns: tuple[str, ...]) -> str:
    """Return the columns of an alias as a row expression."""
    return "ROW(" + ", ".join(f"{alias}.{column}" for column in columns) + ")"


def assignments(columns: tuple[str, ...]) -> str:
    """Return the assignments of an upsert."""
    return ", ".join(f"{column} = excluded.{column}" for column in columns)


@cache
def count_differences(model: type[Model], source: DataSource) -> TextClause:
    """Return the statement that counts, by column, where incoming rows differ from the stored ones.

    It returns one line per column: its name, how many rows differ, and the source ids of some of them.
    """
    name = model.__tablename__
    own = own_columns(model, source)
    counted = ", ".join(
        f"('{column}', incoming.{column} IS DISTINCT FROM stored.{column}"
        f"{'' if column in own else f' AND {HAS_NO_RECORD}'})"
        for column in fields_of(model, source)
    )
    return text(f"""
        SELECT compared.name, count(*) AS number,
               (array_agg(incoming.source_id ORDER BY incoming.source_id))[1:3] AS some
        FROM incoming_{name} AS incoming
        JOIN public.{name} AS stored ON stored.id = incoming.id AND NOT stored.is_placeholder
        CROSS JOIN LATERAL (VALUES {counted}) AS compared (name, differs)
        WHERE compared.differs GROUP BY compared.name ORDER BY compared.name
    """)


@cache
def insert_placeholders(model: type[Model]) -> UpsertStatements:
    """Return the statements for the stubs of a table: rows known only from references.

    A stub makes a placeholder and overwrites nothing. Of several names, the newest record's is used; the final name is
    computed at the end of the run from the rows that refer to it (`etl.load.placeholders`). Binds tenant and batch_id.
    """
    name, label = model.__tablename__, model.label
    incoming = f"stubs_{name}"
    column, new_label = (f", {label}", ", label") if label else ("", "")
    return UpsertStatements(
        incoming,
        ("id", "source_id", "label", "version_at"),
        text(
            f"CREATE TEMP TABLE {incoming} (id uuid, source_id text, label text, version_at timestamptz) ON COMMIT DROP"
        ),
        text(f"""
            INSERT INTO public.{name} AS stored
                (id, tenant, source_id{column}, is_placeholder, last_synced_at, etl_batch_id)
            SELECT DISTINCT ON (stub.id) id, :tenant, source_id{new_label}, true, now(), :batch_id
            FROM {incoming} AS stub
            ORDER BY stub.id, stub.label IS NULL, stub.version_at DESC, stub.label DESC
            ON CONFLICT DO NOTHING
        """),
    )


def soft_delete(resource: Resource) -> TextClause:
    """Return the statement that marks as deleted what this batch found missing. Binds tenant and batch_id.

    A fallback source decides only about rows of which the primary source has no record.
    """
    condition = f"AND {HAS_NO_RECORD}" if resource.data_source.is_fallback else ""
    return text(f"""
        UPDATE public.{resource.model.__tablename__} AS stored
        SET deleted_at = now(), updated_at = now(), etl_batch_id = :batch_id
        FROM raw.{resource.raw_table} AS gone
        WHERE gone.gone_batch_id = :batch_id AND stored.tenant = :tenant AND stored.source_id = gone.source_id
          AND stored.deleted_at IS NULL {condition}
          AND NOT EXISTS (
              SELECT FROM raw.{resource.raw_table} AS newer
              WHERE newer.tenant = :tenant AND newer.source_id = gone.source_id AND newer.superseded_at IS NULL
          )
    """)
