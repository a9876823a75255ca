"""Placeholders at the end of a run: each is kept while a row refers to it, and has the name that these rows give it.

Both are computed from the rows that exist at the end, so that the order in which records arrived has no effect: names
and references of superseded versions do not count.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import cache

import psycopg
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import IntegrityError

from etl.models import load_order
from etl.models.base import PRIMARY, Model
from etl.models.history import SCHEMA as HISTORY
from etl.references import Referring, referring_to
from etl.resources import CATALOGUE


def refresh_placeholders(connection: Connection, tenant: str, changed_tables: Collection[str]) -> None:
    """Remove the placeholders to which no row refers, and update the names of the others.

    `changed_tables` are the tables with new or changed rows: only placeholders that these can refer to are checked.
    """
    referenced_models = tuple(
        model
        for model in load_order()
        if any(reference.model.__tablename__ in changed_tables for reference in referring_to(model))
    )
    if not referenced_models:
        return
    tables = connection.execute(which_wait(referenced_models), {"tenant": tenant}).one()
    for model in referenced_models:
        if getattr(tables, model.__tablename__):
            take_away(connection, tenant, model)
            call_by_name(connection, tenant, model)


def take_away(connection: Connection, tenant: str, model: type[Model]) -> None:
    """Remove a table's placeholders to which no row refers, with what its history holds of them.

    They are locked, and then looked at once more: a neighbour may just have come to refer to one. Where a table that is
    not ours refers to one by a foreign key, all of them stay.
    """
    found = connection.execute(unreferred(model), {"tenant": tenant}).scalars().all()
    if not found:
        return
    try:
        with connection.begin_nested():
            gone = connection.execute(removal(model), {"tenant": tenant, "ids": found}).scalars().all()
    except IntegrityError as error:
        if not isinstance(error.orig, psycopg.errors.ForeignKeyViolation):
            raise
    else:
        connection.execute(text(f"DELETE FROM {HISTORY}.{model.__tablename__} WHERE id = ANY(:ids)"), {"ids": gone})


def call_by_name(connection: Connection, tenant: str, model: type[Model]) -> None:
    """Give a table's placeholders the names that the rows which refer to them say."""
    query = find_outdated_names(model)
    found = connection.execute(query, {"tenant": tenant}).all() if query is not None else ()
    if found:
        bound = {"tenant": tenant, "ids": [one.id for one in found], "names": [one.name for one in found]}
        connection.execute(set_names(model), bound)


def waits(alias: str) -> str:
    """Return the condition that a row is a placeholder; a forgotten person's row is marked deleted and stays as it is.

    Binds tenant.
    """
    return f"{alias}.tenant = :tenant AND {alias}.is_placeholder AND {alias}.deleted_at IS NULL"


@cache
def which_wait(models: tuple[type[Model], ...]) -> TextClause:
    """Return the statement that tells of each of some tables whether it has a placeholder. Binds tenant."""
    tables = [one.__tablename__ for one in models]
    asked = [f"EXISTS (SELECT FROM public.{table} AS waiting WHERE {waits('waiting')}) AS {table}" for table in tables]
    return text(f"SELECT {', '.join(asked)}")


@cache
def unreferred(model: type[Model]) -> TextClause:
    """Return the statement that finds and locks a table's placeholders to which no row refers. Binds tenant.

    What a neighbour has locked is about to be referred to, or to be filled. Indexes lead to most references: tables
    are read for what their rows say in words only where a placeholder is left to which no key points.
    """
    table = f"public.{model.__tablename__} AS waiting"
    by_index = [waits("waiting"), *(refers_not(one) for one in referring_to(model) if one.said is None)]
    in_words = [refers_not(one) for one in referring_to(model) if one.said is not None]
    candidates = f"SELECT id FROM {table} WHERE {' AND '.join([*by_index, *side_roads(model)])}"
    return text(f"""
        SELECT id FROM {table} WHERE {" AND ".join([f"id = ANY (ARRAY({candidates}))", *in_words])}
        ORDER BY id FOR UPDATE SKIP LOCKED
    """)


@cache
def removal(model: type[Model]) -> TextClause:
    """Return the statement that removes those of some placeholders to which no row refers. Binds tenant and ids."""
    return text(f"""
        DELETE FROM public.{model.__tablename__} AS waiting
        WHERE id = ANY(:ids) AND {waits("waiting")} AND {needless(model)} RETURNING id
    """)


def needless(model: type[Model]) -> str:
    """Return the condition that no row refers to a row `waiting`, and that no other road has a record of it."""
    return " AND ".join([*map(refers_not, referring_to(model)), *side_roads(model)]) or "true"


def refers_not(one: Referring) -> str:
    """Return the condition that no row refers to `waiting` in one way; in words, all that are said are read once."""
    source = f"FROM public.{one.model.__tablename__} AS pointing"
    if one.said is None:
        return f"NOT EXISTS (SELECT {source} WHERE {one.points_to('waiting')})"
    told = f"SELECT DISTINCT {one.source_id()} {source} WHERE pointing.tenant = :tenant AND {one.speaks()}"
    return f"waiting.source_id <> ALL (ARRAY({told}))"


def side_roads(model: type[Model]) -> Iterator[str]:
    """Yield the conditions that another road than the main one has no record of the row `waiting`."""
    for one in CATALOGUE:
        if one.model is model and one.data_source != PRIMARY:
            mine = "staged.tenant = :tenant AND staged.source_id = waiting.source_id AND staged.superseded_at IS NULL"
            yield f"NOT EXISTS (SELECT FROM raw.{one.raw_table} AS staged WHERE {mine})"


@cache
def set_names(model: type[Model]) -> TextClause:
    """Return the statement that sets the names of placeholders. Binds tenant, ids and names."""
    return text(f"""
        UPDATE public.{model.__tablename__} AS stored SET {model.label} = said.name, updated_at = now()
        FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS said (id, name)
        WHERE stored.id = said.id AND {waits("stored")}
    """)


@cache
def find_outdated_names(model: type[Model]) -> TextClause | None:
    """Return the query for a table's placeholders whose name differs from what rows say, with the new name.

    Of several names, the one whose row changed last at the source counts; of equally new ones, the last in the
    alphabet. None where no reference has names. Binds tenant.
    """
    references = [reference for reference in referring_to(model) if reference.label is not None]
    if not references or model.label is None:
        return None
    models_read_once = dict.fromkeys(reference.model for reference in references if reference.said is not None)
    ctes = "".join(
        f"{names_cte(source, [reference for reference in references if reference.model is source])}, "
        for source in models_read_once
    )
    given_names = " UNION ALL ".join(
        names_given_by(model, reference, once=reference.model in models_read_once) for reference in references
    )
    not_names = "".join(id_is_not_name_conditions(model))
    return text(f"""
        WITH {ctes}told AS ({given_names}
        ), chosen AS (
            SELECT DISTINCT ON (id) id, name FROM told ORDER BY id, changed_at DESC, name COLLATE "C" DESC
        )
        SELECT waiting.id, chosen.name
        FROM public.{model.__tablename__} AS waiting LEFT JOIN chosen ON chosen.id = waiting.id
        WHERE {waits("waiting")} AND waiting.{model.label} IS DISTINCT FROM chosen.name{not_names}
    """)


def id_is_not_name_conditions(model: type[Model]) -> Iterator[str]:
    """Yield the conditions that the source id of the row `waiting` is not made from its name."""
    for prefix in dict.fromkeys(
        reference.said.prefix for reference in referring_to(model) if reference.said is not None
    ):
        if prefix:
            yield f" AND NOT starts_with(waiting.source_id, '{prefix}')"


#: When a row last changed at the source; the earliest possible time where the source does not say.
CHANGED_AT = "COALESCE(pointing.source_modified_at, pointing.source_created_at, '-infinity')"


def names_given_by(model: type[Model], reference: Referring, *, once: bool) -> str:
    """Return the query for the names that one kind of reference gives a table's placeholders, with the last change.

    `once` reads them from the common table expression with the distinct references of that table.
    """
    source, changed_at = (
        (names_cte_name(reference.model), "pointing.changed_at") if once else (table_of(reference.model), CHANGED_AT)
    )
    return f"""
            SELECT waiting.id, pointing.{reference.label} AS name, max({changed_at}) AS changed_at
            FROM {table_of(model)} AS waiting JOIN {source} AS pointing ON {reference.points_to("waiting")}
            WHERE {waits("waiting")} AND pointing.{reference.label} IS NOT NULL GROUP BY 1, 2"""


def names_cte(model: type[Model], references: Sequence[Referring]) -> str:
    """Return the common table expression with the distinct references by text of a table.

    References by text have no index. As the table must be read for them, its foreign keys are included: a carrier has
    so many policies that using the index costs more.
    """
    columns = ", ".join(
        dict.fromkeys(f"pointing.{name}" for reference in references for name in ("tenant", *reference.columns))
    )
    speaks = " OR ".join(f"{reference.speaks()} AND pointing.{reference.label} IS NOT NULL" for reference in references)
    return f"""{names_cte_name(model)} AS MATERIALIZED (
            SELECT {columns}, max({CHANGED_AT}) AS changed_at FROM {table_of(model)} AS pointing
            WHERE pointing.tenant = :tenant AND ({speaks}) GROUP BY {columns}
        )"""


def table_of(model: type[Model]) -> str:
    """Return the qualified name of a table."""
    return f"public.{model.__tablename__}"


def names_cte_name(model: type[Model]) -> str:
    """Return the name of the common table expression with the references of a table."""
    return f"said_by_{model.__tablename__}"
