"""Model and road to the statements that write its rows: one set-based statement a table and step. Pure."""

from dataclasses import dataclass
from functools import cache

from sqlalchemy import TextClause, text

from etl.catalogue import Resource
from etl.models.base import MAIN, Model, fields_of
from etl.references import referring_to
from etl.window import WINDOW_RULE

# Identifiers in these statements come from the declarations; every value is bound.


@dataclass(frozen=True, slots=True)
class Statements:
    """How a road's rows get into a table: copied into `incoming`, merged from there."""

    incoming: str
    columns: tuple[str, ...]
    prepare: TextClause
    merge: TextClause


@cache
def stored(model: type[Model]) -> TextClause:
    """Return the statement for those of some ids that the table has. Binds ids, the text of an array.

    One index probe an id: compared with an array, a table that grew since it was analyzed is read from end to end.
    """
    return text(f"""
        SELECT wanted.id FROM unnest(CAST(:ids AS uuid[])) AS wanted (id)
        CROSS JOIN LATERAL (
            SELECT FROM public.{model.__tablename__} AS stored WHERE stored.id = wanted.id LIMIT 1
        ) AS there
    """)


@cache
def placeholder_stands(model: type[Model]) -> TextClause:
    """Return the statement that tells whether the table has a placeholder. Binds tenant."""
    return text(f"SELECT EXISTS (SELECT FROM public.{model.__tablename__} WHERE tenant = :tenant AND is_placeholder)")


@cache
def lacking(model: type[Model]) -> TextClause:
    """Return the statement for those of some ids that the table has in no form. Binds ids, the text of an array.

    Where records tell of the table's rows in words, which no foreign key guards, its placeholders are held until the
    commit as a foreign key would hold them: whoever settles placeholders passes them by. One that is just being removed
    is waited for, and is lacking then.
    """
    table = f"public.{model.__tablename__}"
    if all(one.said is None for one in referring_to(model)):
        there = f"SELECT FROM {table} AS stored WHERE stored.id = wanted.id"
        return text(f"""
            SELECT wanted.id FROM unnest(CAST(:ids AS uuid[])) AS wanted (id) WHERE NOT EXISTS ({there})
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
def upsert(model: type[Model], road: str, columns: tuple[str, ...]) -> Statements:
    """Return the statements for rows in the order of `columns`.

    The merge binds tenant, batch_id, window_start and window_end, and answers one line an outcome: outcome, number,
    deleted, revived, and the raw ids of the rows that it turned away.
    """
    name = model.__tablename__
    fields = tuple(fields_of(model, road))
    incoming = f"incoming_{name}"
    merge = main_merge(name, fields, incoming) if road == MAIN else side_merge(name, fields, incoming)
    return Statements(incoming, (*columns, "undated"), prepare(name, incoming, columns), merge)


def prepare(table: str, incoming: str, columns: tuple[str, ...]) -> TextClause:
    """Return the statement that makes the table rows are copied into; it is gone with the transaction."""
    listed = ", ".join((*columns, "NULL::boolean AS undated"))
    return text(f"CREATE TEMP TABLE {incoming} ON COMMIT DROP AS SELECT {listed} FROM public.{table} WITH NO DATA")


def main_merge(table: str, fields: tuple[str, ...], incoming: str) -> TextClause:
    """Return the merge of a table's own records: new ones in, changed ones over, touched ones dated."""
    content = (*fields, "source_created_at", "deleted_at")
    written = (*content, "source_modified_at", "version_at", "content_hash", "raw_id")
    return text(f"""
        WITH classified AS MATERIALIZED (
            SELECT incoming.*,
                   stored.deleted_at IS NULL AND incoming.deleted_at IS NOT NULL AS dies,
                   stored.deleted_at IS NOT NULL AND incoming.deleted_at IS NULL AS revives,
                   CASE
                       WHEN stored.id IS NULL OR stored.is_placeholder THEN 'inserted'
                       WHEN incoming.version_at < stored.version_at THEN 'older'
                       WHEN {row("incoming", content)} IS NOT DISTINCT FROM {row("stored", content)} THEN
                           CASE WHEN incoming.source_modified_at > COALESCE(stored.source_modified_at, '-infinity')
                                THEN 'touched' ELSE 'unchanged' END
                       WHEN {WINDOW_RULE} THEN 'updated'
                       ELSE 'outside_window'
                   END AS outcome
            FROM {incoming} AS incoming
            LEFT JOIN public.{table} AS stored ON stored.id = incoming.id
        ), written AS (
            INSERT INTO public.{table} AS stored
                (id, tenant, source_id, {", ".join(written)}, is_placeholder, last_synced_at, etl_batch_id)
            SELECT id, :tenant, source_id, {", ".join(written)}, false, now(), :batch_id
            FROM classified WHERE outcome IN ('inserted', 'updated') ORDER BY id
            ON CONFLICT (tenant, source_id) DO UPDATE
            SET {assign(written)}, is_placeholder = false, updated_at = now(), last_synced_at = now(),
                etl_batch_id = excluded.etl_batch_id
            WHERE stored.is_placeholder OR stored.version_at <= excluded.version_at
        ), touched AS (
            UPDATE public.{table} AS stored
            SET source_modified_at = classified.source_modified_at, version_at = classified.version_at
            FROM classified WHERE classified.outcome = 'touched' AND stored.id = classified.id
        )
        {TALLY}
    """)


def side_merge(table: str, fields: tuple[str, ...], incoming: str) -> TextClause:
    """Return the merge of a road that owns some columns of a table and leaves the rest alone.

    Which of two versions is the newer was decided in staging; a row that has not arrived by its own road becomes a
    placeholder.
    """
    return text(f"""
        WITH classified AS MATERIALIZED (
            SELECT incoming.*, false AS dies, false AS revives,
                   CASE
                       WHEN stored.id IS NULL THEN 'inserted'
                       WHEN {row("incoming", fields)} IS NOT DISTINCT FROM {row("stored", fields)} THEN 'unchanged'
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
            SET {assign(fields)}, updated_at = now(), last_synced_at = now(), etl_batch_id = excluded.etl_batch_id
        )
        {TALLY}
    """)


TALLY = """
        SELECT CASE outcome WHEN 'touched' THEN 'unchanged' ELSE outcome END AS outcome, count(*) AS number,
               count(*) FILTER (WHERE dies) AS deleted, count(*) FILTER (WHERE revives) AS revived,
               array_agg(raw_id) FILTER (WHERE outcome IN ('older', 'outside_window')) AS turned_away
        FROM classified GROUP BY 1
"""


def row(alias: str, columns: tuple[str, ...]) -> str:
    """Return the columns of an alias as a row expression."""
    return "ROW(" + ", ".join(f"{alias}.{column}" for column in columns) + ")"


def assign(columns: tuple[str, ...]) -> str:
    """Return the assignments of an upsert."""
    return ", ".join(f"{column} = excluded.{column}" for column in columns)


@cache
def differences(model: type[Model], road: str) -> TextClause:
    """Return the statement that counts, column by column, where incoming rows differ from the stored ones.

    It answers one line a column: its name, how many rows differ, and the source ids of some of them.
    """
    name = model.__tablename__
    columns = tuple(fields_of(model, road))
    counted = ", ".join(f"('{column}', incoming.{column} IS DISTINCT FROM stored.{column})" for column in columns)
    return text(f"""
        SELECT compared.name, count(*) AS number,
               (array_agg(incoming.source_id ORDER BY incoming.source_id))[1:3] AS some
        FROM incoming_{name} AS incoming
        JOIN public.{name} AS stored ON stored.id = incoming.id AND NOT stored.is_placeholder
        CROSS JOIN LATERAL (VALUES {counted}) AS compared (name, differs)
        WHERE compared.differs GROUP BY compared.name ORDER BY compared.name
    """)


@cache
def placeholders(model: type[Model]) -> Statements:
    """Return the statements for stubs of a table: rows known only from what others say of them.

    A stub makes a placeholder, and overwrites nothing. Of several names the newest record's is taken; what it is called
    when the run ends is read off the rows that refer to it (`etl.load.placeholders`). Binds tenant and batch_id.
    """
    name, label = model.__tablename__, model.label
    incoming = f"stubs_{name}"
    column, new_label = (f", {label}", ", label") if label else ("", "")
    return Statements(
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


def bury(resource: Resource) -> TextClause:
    """Return the statement that marks deleted what this batch found gone from its set. Binds tenant and batch_id."""
    return text(f"""
        UPDATE public.{resource.model.__tablename__} AS stored
        SET deleted_at = now(), updated_at = now(), etl_batch_id = :batch_id
        FROM raw.{resource.raw_table} AS gone
        WHERE gone.gone_batch_id = :batch_id AND stored.tenant = :tenant AND stored.source_id = gone.source_id
          AND stored.deleted_at IS NULL
          AND NOT EXISTS (
              SELECT FROM raw.{resource.raw_table} AS newer
              WHERE newer.tenant = :tenant AND newer.source_id = gone.source_id AND newer.superseded_at IS NULL
          )
    """)
