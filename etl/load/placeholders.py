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
from etl.references import InboundReference, find_inbound_references
from etl.resources import CATALOGUE


def refresh_placeholders(connection: Connection, tenant: str, changed_tables: Collection[str]) -> None:
    """Remove the placeholders to which no row refers, and update the names of the others.

    `changed_tables` are the tables with new or changed rows: only placeholders that these can refer to are checked.
    """
    referenced_models = tuple(
        model
        for model in load_order()
        if any(reference.model.__tablename__ in changed_tables for reference in find_inbound_references(model))
    )
    if not referenced_models:
        return
    tables = connection.execute(tables_with_placeholders(referenced_models), {"tenant": tenant}).one()
    for model in referenced_models:
        if getattr(tables, model.__tablename__):
            remove_unreferenced(connection, tenant, model)
            update_names(connection, tenant, model)


def remove_unreferenced(connection: Connection, tenant: str, model: type[Model]) -> None:
    """Remove a table's placeholders to which no row refers, and their history.

    They are locked and then checked again, because a concurrent transaction may have just referred to one. Where a
    foreign key of a table that is not ours refers to one of them, all of them are kept.
    """
    ids = connection.execute(find_unreferenced(model), {"tenant": tenant}).scalars().all()
    if not ids:
        return
    try:
        with connection.begin_nested():
            removed = connection.execute(delete_unreferenced(model), {"tenant": tenant, "ids": ids}).scalars().all()
    except IntegrityError as error:
        if not isinstance(error.orig, psycopg.errors.ForeignKeyViolation):
            raise
    else:
        connection.execute(text(f"DELETE FROM {HISTORY}.{model.__tablename__} WHERE id = ANY(:ids)"), {"ids": removed})


def update_names(connection: Connection, tenant: str, model: type[Model]) -> None:
    """Give a table's placeholders the names that the rows referring to them contain."""
    query = find_outdated_names(model)
    renamed = connection.execute(query, {"tenant": tenant}).all() if query is not None else ()
    if renamed:
        parameters = {"tenant": tenant, "ids": [row.id for row in renamed], "names": [row.name for row in renamed]}
        connection.execute(set_names(model), parameters)


def is_placeholder_condition(alias: str) -> str:
    """Return the condition that a row is a placeholder and not deleted: an erased person's row is kept as it is.

    Binds tenant.
    """
    return f"{alias}.tenant = :tenant AND {alias}.is_placeholder AND {alias}.deleted_at IS NULL"


@cache
def tables_with_placeholders(models: tuple[type[Model], ...]) -> TextClause:
    """Return the statement that says for each table whether it has a placeholder. Binds tenant."""
    tables = [model.__tablename__ for model in models]
    columns = [
        f"EXISTS (SELECT FROM public.{table} AS waiting WHERE {is_placeholder_condition('waiting')}) AS {table}"
        for table in tables
    ]
    return text(f"SELECT {', '.join(columns)}")


@cache
def find_unreferenced(model: type[Model]) -> TextClause:
    """Return the statement that finds and locks a table's placeholders to which no row refers. Binds tenant.

    Rows locked by a concurrent transaction are skipped: they are about to be referred to or filled. Most references
    have an index; the tables of references without one are read only when a placeholder is left that no foreign key
    refers to.
    """
    table = f"public.{model.__tablename__} AS waiting"
    indexed = [
        is_placeholder_condition("waiting"),
        *(
            no_reference_condition(reference)
            for reference in find_inbound_references(model)
            if reference.soft_reference is None
        ),
    ]
    unindexed = [
        no_reference_condition(reference)
        for reference in find_inbound_references(model)
        if reference.soft_reference is not None
    ]
    candidates = f"SELECT id FROM {table} WHERE {' AND '.join([*indexed, *no_secondary_source_conditions(model)])}"
    return text(f"""
        SELECT id FROM {table} WHERE {" AND ".join([f"id = ANY (ARRAY({candidates}))", *unindexed])}
        ORDER BY id FOR UPDATE SKIP LOCKED
    """)


@cache
def delete_unreferenced(model: type[Model]) -> TextClause:
    """Return the statement that deletes placeholders by id if still no row refers to them. Binds tenant and ids."""
    return text(f"""
        DELETE FROM public.{model.__tablename__} AS waiting
        WHERE id = ANY(:ids) AND {is_placeholder_condition("waiting")} AND {unreferenced_condition(model)} RETURNING id
    """)


def unreferenced_condition(model: type[Model]) -> str:
    """Return the condition that no row refers to the row `waiting`, and that no secondary source has a record of it."""
    return (
        " AND ".join(
            [*map(no_reference_condition, find_inbound_references(model)), *no_secondary_source_conditions(model)]
        )
        or "true"
    )


def no_reference_condition(reference: InboundReference) -> str:
    """Return the condition that no row refers to `waiting` in one way; references by text are read once for all."""
    source = f"FROM public.{reference.model.__tablename__} AS pointing"
    if reference.soft_reference is None:
        return f"NOT EXISTS (SELECT {source} WHERE {reference.build_condition('waiting')})"
    condition = f"pointing.tenant = :tenant AND {reference.build_presence_condition()}"
    referenced_ids = f"SELECT DISTINCT {reference.build_source_id()} {source} WHERE {condition}"
    return f"waiting.source_id <> ALL (ARRAY({referenced_ids}))"


def no_secondary_source_conditions(model: type[Model]) -> Iterator[str]:
    """Yield the conditions that no secondary source has a record of the row `waiting`."""
    for resource in CATALOGUE:
        if resource.model is model and resource.data_source != PRIMARY:
            same_record = (
                "staged.tenant = :tenant AND staged.source_id = waiting.source_id AND staged.superseded_at IS NULL"
            )
            yield f"NOT EXISTS (SELECT FROM raw.{resource.raw_table} AS staged WHERE {same_record})"


@cache
def set_names(model: type[Model]) -> TextClause:
    """Return the statement that sets the names of placeholders. Binds tenant, ids and names."""
    return text(f"""
        UPDATE public.{model.__tablename__} AS stored SET {model.label} = said.name, updated_at = now()
        FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS said (id, name)
        WHERE stored.id = said.id AND {is_placeholder_condition("stored")}
    """)


@cache
def find_outdated_names(model: type[Model]) -> TextClause | None:
    """Return the query for a table's placeholders whose name differs from what rows say, with the new name.

    Of several names, the one whose row changed last at the source counts; of equally new ones, the last in the
    alphabet. None where no reference has names. Binds tenant.
    """
    references = [reference for reference in find_inbound_references(model) if reference.label is not None]
    if not references or model.label is None:
        return None
    models_read_once = dict.fromkeys(
        reference.model for reference in references if reference.soft_reference is not None
    )
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
        WHERE {is_placeholder_condition("waiting")} AND waiting.{model.label} IS DISTINCT FROM chosen.name{not_names}
    """)


def id_is_not_name_conditions(model: type[Model]) -> Iterator[str]:
    """Yield the conditions that the source id of the row `waiting` is not made from its name."""
    for prefix in dict.fromkeys(
        reference.soft_reference.prefix
        for reference in find_inbound_references(model)
        if reference.soft_reference is not None
    ):
        if prefix:
            yield f" AND NOT starts_with(waiting.source_id, '{prefix}')"


#: When a row last changed at the source; the earliest possible time where the source does not say.
CHANGED_AT = "COALESCE(pointing.source_modified_at, pointing.source_created_at, '-infinity')"


def names_given_by(model: type[Model], reference: InboundReference, *, once: bool) -> str:
    """Return the query for the names that one kind of reference gives a table's placeholders, with the last change.

    `once` reads them from the common table expression with the distinct references of that table.
    """
    source, changed_at = (
        (names_cte_name(reference.model), "pointing.changed_at") if once else (table_of(reference.model), CHANGED_AT)
    )
    return f"""
            SELECT waiting.id, pointing.{reference.label} AS name, max({changed_at}) AS changed_at
            FROM {table_of(model)} AS waiting JOIN {source} AS pointing ON {reference.build_condition("waiting")}
            WHERE {is_placeholder_condition("waiting")} AND pointing.{reference.label} IS NOT NULL GROUP BY 1, 2"""


def names_cte(model: type[Model], references: Sequence[InboundReference]) -> str:
    """Return the common table expression with the distinct references by text of a table.

    References by text have no index. As the table must be read for them, its foreign keys are included: a carrier has
    so many policies that using the index costs more.
    """
    columns = ", ".join(
        dict.fromkeys(f"pointing.{name}" for reference in references for name in ("tenant", *reference.columns))
    )
    has_reference = " OR ".join(
        f"{reference.build_presence_condition()} AND pointing.{reference.label} IS NOT NULL" for reference in references
    )
    return f"""{names_cte_name(model)} AS MATERIALIZED (
            SELECT {columns}, max({CHANGED_AT}) AS changed_at FROM {table_of(model)} AS pointing
            WHERE pointing.tenant = :tenant AND ({has_reference}) GROUP BY {columns}
        )"""


def table_of(model: type[Model]) -> str:
    """Return the qualified name of a table."""
    return f"public.{model.__tablename__}"


def names_cte_name(model: type[Model]) -> str:
    """Return the name of the common table expression with the references of a table."""
    return f"said_by_{model.__tablename__}"
