"""What becomes of placeholders when a run ends: each stands as long as a row refers to it, and is called what rows say.

Both are read off the rows that stand then, so that the order in which records arrived leaves no trace: a name that an
earlier version of a record gave, or a reference that the newest one no longer has, counts for nothing.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import cache

import psycopg
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import IntegrityError

from etl.models import load_order
from etl.models.base import MAIN, Model
from etl.models.history import SCHEMA as HISTORY
from etl.references import Referring, referring_to
from etl.resources import CATALOGUE


def settle_placeholders(connection: Connection, tenant: str, written: Collection[str]) -> None:
    """Take away the placeholders to which no row refers, and name the others.

    `written` are the tables in which rows are new or have changed: only what they refer to is looked at.
    """
    told = tuple(one for one in load_order() if any(way.model.__tablename__ in written for way in referring_to(one)))
    if not told:
        return
    waiting = connection.execute(which_wait(told), {"tenant": tenant}).one()
    for model in told:
        if getattr(waiting, model.__tablename__):
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
    query = misnamed(model)
    found = connection.execute(query, {"tenant": tenant}).all() if query is not None else ()
    if found:
        bound = {"tenant": tenant, "ids": [one.id for one in found], "names": [one.name for one in found]}
        connection.execute(naming(model), bound)


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
        if one.model is model and one.road != MAIN:
            mine = "staged.tenant = :tenant AND staged.source_id = waiting.source_id AND staged.superseded_at IS NULL"
            yield f"NOT EXISTS (SELECT FROM raw.{one.raw_table} AS staged WHERE {mine})"


@cache
def naming(model: type[Model]) -> TextClause:
    """Return the statement that names some placeholders. Binds tenant, ids and names."""
    return text(f"""
        UPDATE public.{model.__tablename__} AS stored SET {model.label} = said.name, updated_at = now()
        FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS said (id, name)
        WHERE stored.id = said.id AND {waits("stored")}
    """)


@cache
def misnamed(model: type[Model]) -> TextClause | None:
    """Return the query for a table's placeholders that are called otherwise than rows say, with what they are to be.

    Of several names the one counts whose row changed last at the source, of equally new ones the last in the alphabet.
    None where nothing gives names. Binds tenant.
    """
    ways = [one for one in referring_to(model) if one.label is not None]
    if not ways or model.label is None:
        return None
    once = dict.fromkeys(one.model for one in ways if one.said is not None)
    read = "".join(f"{reading(one, [way for way in ways if way.model is one])}, " for one in once)
    told = " UNION ALL ".join(names(model, one, once=one.model in once) for one in ways)
    return text(f"""
        WITH {read}told AS ({told}
        ), chosen AS (
            SELECT DISTINCT ON (id) id, name FROM told ORDER BY id, changed_at DESC, name COLLATE "C" DESC
        )
        SELECT waiting.id, chosen.name
        FROM public.{model.__tablename__} AS waiting LEFT JOIN chosen ON chosen.id = waiting.id
        WHERE {waits("waiting")} AND waiting.{model.label} IS DISTINCT FROM chosen.name{"".join(self_named(model))}
    """)


def self_named(model: type[Model]) -> Iterator[str]:
    """Yield the conditions that a row `waiting` is none whose source id is its name."""
    for prefix in dict.fromkeys(one.said.prefix for one in referring_to(model) if one.said is not None):
        if prefix:
            yield f" AND NOT starts_with(waiting.source_id, '{prefix}')"


#: When a row last changed at the source; before all others where the source does not say.
CHANGED_AT = "COALESCE(pointing.source_modified_at, pointing.source_created_at, '-infinity')"


def names(model: type[Model], one: Referring, *, once: bool) -> str:
    """Return the query for the names that rows give a table's placeholders in one way, and when they last changed.

    `once` takes them from what the query begins with: what the rows of that table say in any way.
    """
    source, changed_at = (reading_of(one.model), "pointing.changed_at") if once else (table_of(one.model), CHANGED_AT)
    return f"""
            SELECT waiting.id, pointing.{one.label} AS name, max({changed_at}) AS changed_at
            FROM {table_of(model)} AS waiting JOIN {source} AS pointing ON {one.points_to("waiting")}
            WHERE {waits("waiting")} AND pointing.{one.label} IS NOT NULL GROUP BY 1, 2"""


def reading(model: type[Model], ways: Sequence[Referring]) -> str:
    """Return what the query for names begins with: what a table's rows say, each of it once.

    No index leads to words. As the table has to be read for them, its foreign keys are looked at in passing too: a
    carrier has so many policies that to follow the index costs more.
    """
    columns = ", ".join(dict.fromkeys(f"pointing.{name}" for one in ways for name in ("tenant", *one.columns)))
    speaks = " OR ".join(f"{one.speaks()} AND pointing.{one.label} IS NOT NULL" for one in ways)
    return f"""{reading_of(model)} AS MATERIALIZED (
            SELECT {columns}, max({CHANGED_AT}) AS changed_at FROM {table_of(model)} AS pointing
            WHERE pointing.tenant = :tenant AND ({speaks}) GROUP BY {columns}
        )"""


def table_of(model: type[Model]) -> str:
    """Return the name of a table, as SQL."""
    return f"public.{model.__tablename__}"


def reading_of(model: type[Model]) -> str:
    """Return what the query for names calls that which the rows of a table say."""
    return f"said_by_{model.__tablename__}"
