"""Compares production with the oracle: the differences between a database and the simulator's world."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from oracle import Row
from oracle_tables import TABLES, Table
from sqlalchemy import Connection, Engine, text

from etl.simulator.world import World


def stored(connection: Connection, table: Table, tenant: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a production table, references by source id, all as text."""
    columns = [f"CAST(stored.{name} AS text) AS {name}" for name in table.columns]
    columns += [f"{name}_of.source_id AS {name}" for name in table.references]
    joins = [
        f"LEFT JOIN public.{to} AS {name}_of ON {name}_of.id = stored.{name}" for name, to in table.references.items()
    ]
    gone = f"{table.parent}_of.deleted_at IS NOT NULL" if table.parent else "false"
    query = f"""
        SELECT stored.source_id, stored.is_placeholder, CAST(stored.deleted_at IS NOT NULL AS text) AS dead,
               {gone} AS of_a_gone_parent, {", ".join(columns)}
        FROM public.{table.name} AS stored {" ".join(joins)}
        WHERE stored.tenant = :tenant AND stored.source_id LIKE :ids
    """
    rows = connection.execute(text(query), {"tenant": tenant, "ids": table.ids})
    return {name.source_id: dict(name._mapping) for name in rows}


def compare(engine: Engine, tenant: str, world: World, resources: Iterable[str], *, swept: bool) -> list[str]:
    """Return the differences between production and a world, for some resources.

    Without a full scan, a sync cannot know which records are missing, nor which changed without a new date.
    """
    read = set(resources)
    with engine.connect() as connection:
        return [
            f"{table.name} {difference}"
            for table in TABLES
            if table.resource in read and (swept or is_updated_by_a_feed(table))
            for difference in differences(*both_sides(connection, table, tenant, world), swept=swept)
        ]


def both_sides(
    connection: Connection, table: Table, tenant: str, world: World
) -> tuple[dict[str, dict[str, Any]], dict[str, Row]]:
    """Return the stored and the expected rows of a table.

    Quotes are compared for the policies that are still being placed; those of others stay as they were last read.
    """
    actual, expected = stored(connection, table, tenant), dict(table.rows(world))
    if table.resource != "quotes":
        return actual, expected
    query = text("SELECT parent_id FROM etl.child_queue WHERE tenant = :tenant AND resource = 'quotes'")
    policy_ids = set(connection.execute(query, {"tenant": tenant}).scalars())
    return (
        {key: row for key, row in actual.items() if row["policy_id"] in policy_ids},
        {key: row for key, row in expected.items() if row["policy_id"] in policy_ids},
    )


def is_updated_by_a_feed(table: Table) -> bool:
    """Return whether a feed returns every changed record: billing has no dates, and details have no feed."""
    return table.parent is None and table.name != "billing_records"


def differences(
    actual_rows: Mapping[str, dict[str, Any]], expected_rows: Mapping[str, Row], *, swept: bool
) -> Iterator[str]:
    """Yield the differences between the rows of a table and those expected."""
    for key, expected in expected_rows.items():
        actual = actual_rows.get(key)
        if actual is None or actual["is_placeholder"]:
            yield f"{key}: {'a placeholder' if actual else 'missing'}"
            continue
        for name, value in expected.items():
            if not same(actual[name], value) and not (name == "dead" and not swept and value == "false"):
                yield f"{key}: {name} is {actual[name]!r} and must be {value!r}"
    for key, actual in actual_rows.items():
        if (
            swept
            and key not in expected_rows
            and not (actual["is_placeholder"] or actual["dead"] == "true" or actual["of_a_gone_parent"])
        ):
            yield f"{key}: is live, but missing at the source"


def same(actual: str | None, expected: str | None) -> bool:
    """Return whether two texts are equal, as text or as numbers."""
    if actual == expected or actual is None or expected is None:
        return actual == expected
    try:
        return Decimal(actual) == Decimal(expected)
    except InvalidOperation:
        return False
