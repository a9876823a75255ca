"""Production beside the oracle: where a database differs from the world that it was read from."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from oracle import Row
from oracle_tables import TABLES, Table
from sqlalchemy import Connection, Engine, text

from etl.simulator.world import World


def stored(connection: Connection, table: Table, tenant: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a production table, references by source id, all as text."""
    columns = [f"CAST(stored.{one} AS text) AS {one}" for one in table.columns]
    columns += [f"{one}_of.source_id AS {one}" for one in table.references]
    joins = [f"LEFT JOIN public.{to} AS {one}_of ON {one}_of.id = stored.{one}" for one, to in table.references.items()]
    gone = f"{table.parent}_of.deleted_at IS NOT NULL" if table.parent else "false"
    query = f"""
        SELECT stored.source_id, stored.is_placeholder, CAST(stored.deleted_at IS NOT NULL AS text) AS dead,
               {gone} AS of_a_gone_parent, {", ".join(columns)}
        FROM public.{table.name} AS stored {" ".join(joins)}
        WHERE stored.tenant = :tenant AND stored.source_id LIKE :ids
    """
    found = connection.execute(text(query), {"tenant": tenant, "ids": table.ids})
    return {one.source_id: dict(one._mapping) for one in found}


def compare(engine: Engine, tenant: str, world: World, resources: Iterable[str], *, swept: bool) -> list[str]:
    """Return in words where production differs from a world, as far as some resources go.

    Before a sweep of all ids nobody can know what vanished, nor what changed without a new date.
    """
    read = set(resources)
    with engine.connect() as connection:
        return [
            f"{table.name} {told}"
            for table in TABLES
            if table.resource in read and (swept or shows_its_changes(table))
            for told in differences(stored(connection, table, tenant), dict(table.rows(world)), swept=swept)
        ]


def shows_its_changes(table: Table) -> bool:
    """Tell whether every change of a table's records shows in a feed: billing has no dates, details have no feed."""
    return table.parent is None and table.name != "billing_records"


def differences(found: Mapping[str, dict[str, Any]], wanted: Mapping[str, Row], *, swept: bool) -> Iterator[str]:
    """Yield in words how the rows of a table differ from what a world says of them."""
    for key, expected in wanted.items():
        kept = found.get(key)
        if kept is None or kept["is_placeholder"]:
            yield f"{key}: {'a placeholder' if kept else 'missing'}"
            continue
        for name, value in expected.items():
            if not same(kept[name], value) and not (name == "dead" and not swept and value == "false"):
                yield f"{key}: {name} is {kept[name]!r} and must be {value!r}"
    for key, kept in found.items():
        if (
            swept
            and key not in wanted
            and not (kept["is_placeholder"] or kept["dead"] == "true" or kept["of_a_gone_parent"])
        ):
            yield f"{key}: lives, and the source has it not"


def same(kept: str | None, expected: str | None) -> bool:
    """Tell whether two texts are equal, or are the same number."""
    if kept == expected or kept is None or expected is None:
        return kept == expected
    try:
        return Decimal(kept) == Decimal(expected)
    except InvalidOperation:
        return False
