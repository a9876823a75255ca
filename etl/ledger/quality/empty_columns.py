"""Columns that are empty in every record of a first sync: the API probably has the value under another name.

Each resource is examined once, when it is first complete. The result is kept with the drift of the resource.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from etl.catalogue.resource import Resource
from etl.drift.shapes import KnownPath
from etl.ledger.json_fields import field_json
from etl.ledger.quality.drift import DriftChange, write_paths
from etl.models.base import EXPECTED, PRIMARY, fields_of
from etl.models.sources import PartsOf
from etl.models.states import DriftState
from etl.queries import Queries
from etl.read_paths import find_source_paths

SQL = Queries(__file__)

#: Fewer records say nothing about a column.
MIN_RECORDS = 20
#: The path of a column in `etl.drift`, and that of the note that a resource was examined; no field has a blank in it.
COLUMN, EXAMINED = "column ", "columns examined"


@dataclass(frozen=True, slots=True)
class EmptyColumns:
    """The columns of a table that are empty in all of its records."""

    table: str
    records: int
    columns: tuple[str, ...]


def record_empty_columns(connection: Connection, tenant: str, batch_id: UUID, resources: Iterable[Resource]) -> None:
    """Examine the resources that were not examined before, and end what was noted of columns that have values now."""
    for resource in resources:
        if not resource.has_table:
            continue
        values: dict[str, Any] = {"tenant": tenant, "resource": resource.name, "examined": EXAMINED, "column": COLUMN}
        noted_paths = set(connection.execute(SQL["noted_paths"], values | {"emptied": DriftState.EMPTIED}).scalars())
        if EXAMINED not in noted_paths:
            examine(connection, tenant, batch_id, resource)
        elif columns := [path.removeprefix(COLUMN) for path in noted_paths if path.startswith(COLUMN)]:
            filled = find_filled(connection, resource, batch_id, columns)
            paths = [KnownPath(f"{COLUMN}{name}", presence=0.0) for name in filled]
            write_paths(connection, tenant, resource.name, batch_id, paths, changed=())


def examine(connection: Connection, tenant: str, batch_id: UUID, resource: Resource) -> None:
    """Note the empty columns of a resource, if it has enough records to tell.

    A whole list may stay short, such as that of the offices: there, only what every record should have tells anything.
    """
    empty = find_empty_columns(connection, tenant, resource)
    if empty.records < MIN_RECORDS:
        if not (resource.is_whole_list and empty.records):
            return
        fields = fields_of(resource.model, resource.data_source)
        empty = replace(empty, columns=tuple(name for name in empty.columns if fields[name].presence is EXPECTED))
    noted = [
        KnownPath(
            f"{COLUMN}{name}",
            objects=empty.records,
            presence=0.0,  # so that no profile misses it
            state=DriftState.EMPTIED,
            change=f"column {name} of {empty.table} is empty in all {empty.records:,} records",
        )
        for name in empty.columns
    ]
    paths = [KnownPath(EXAMINED, objects=empty.records, presence=0.0), *noted]
    write_paths(connection, tenant, resource.name, batch_id, paths, changed=[path.path for path in noted])


def find_empty_columns(connection: Connection, tenant: str, resource: Resource) -> EmptyColumns:
    """Return the columns that a resource should fill and that no live row of its table has a value in.

    A secondary source also fills rows whose primary record has not arrived.
    """
    table, columns = resource.table, list(fields_of(resource.model, resource.data_source))
    counts = ", ".join(f"count({name}) AS {name}" for name in columns)
    statement = f"""
        SELECT {counts}, count(*) AS all_records FROM public.{table}
        WHERE tenant = :tenant AND deleted_at IS NULL AND (:is_secondary OR NOT is_placeholder)
    """
    is_secondary = resource.data_source != PRIMARY
    row = connection.execute(text(statement), {"tenant": tenant, "is_secondary": is_secondary}).one()
    records = row.all_records
    if is_secondary:  # it fills columns of rows that another resource brings
        loaded = f"SELECT count(*) FROM raw.{resource.raw_table} WHERE tenant = :tenant AND superseded_at IS NULL"
        records = connection.execute(text(f"{loaded} AND loaded_at IS NOT NULL"), {"tenant": tenant}).scalar_one()
    empty = [name for name in columns if not getattr(row, name)]
    return EmptyColumns(table, records, tuple(find_misread(connection, tenant, resource, empty)))


def find_misread(connection: Connection, tenant: str, resource: Resource, columns: Collection[str]) -> list[str]:
    """Return which of some empty columns are not simply empty in QQCatalyst.

    A field that records have, and that is null or blank in all of them, is read correctly.
    """
    if not columns:
        return []
    fields = fields_of(resource.model, resource.data_source)
    tests: list[str] = []
    values: dict[str, Any] = {"tenant": tenant}
    for number, name in enumerate(columns):
        source = fields[name].source
        paths = [source.path] if isinstance(source, PartsOf) else find_source_paths(source)
        expressions = [build_value(path, f"step_{number}_{index}", values) for index, path in enumerate(paths)]
        present = " OR ".join(f"{value} IS NOT NULL" for value in expressions) or "false"
        filled = " OR ".join(f"btrim({value} #>> '{{}}') NOT IN ('', '[]', '{{}}')" for value in expressions) or "false"
        tests.append(f"bool_or({present}) AND NOT coalesce(bool_or({filled}), false) AS {name}")
    statement = f"""
        SELECT {", ".join(tests)} FROM raw.{resource.raw_table}
        WHERE tenant = :tenant AND superseded_at IS NULL AND loaded_at IS NOT NULL
    """
    row = connection.execute(text(statement), values).one()
    return [name for name in columns if not getattr(row, name)]


def build_value(path: str, name: str, values: dict[str, Any]) -> str:
    """Return the SQL of the value at a path of a record, its keys in any case, and bind the keys under a name."""
    value = "raw_data"
    for position, step in enumerate(path.split(".")):
        if step.isdigit():
            value = f"({value} -> {step})"
        else:
            values[f"{name}_{position}"] = step
            field = field_json(value, f":{name}_{position}")
            value = f"(CASE WHEN jsonb_typeof({value}) = 'object' THEN {field} END)"
    return value


def find_filled(connection: Connection, resource: Resource, batch_id: UUID, columns: Collection[str]) -> list[str]:
    """Return which of these columns have a value in a row that a batch wrote."""
    tests = ", ".join(f"bool_or({name} IS NOT NULL) AS {name}" for name in columns)
    statement = f"SELECT {tests} FROM public.{resource.table} WHERE etl_batch_id = :batch_id"
    row = connection.execute(text(statement), {"batch_id": batch_id}).one()
    return [name for name in columns if getattr(row, name)]


def is_empty_column(change: DriftChange) -> bool:
    """Return whether a change is the note of an empty column."""
    return change.path.startswith(COLUMN)


def describe_empty_columns(changes: Iterable[DriftChange]) -> Iterator[str]:
    """Yield one text a resource that names its empty columns."""
    empty = sorted(filter(is_empty_column, changes), key=lambda change: change.resource)
    for _, noted in groupby(empty, key=lambda change: change.resource):
        first, *others = noted
        if not others:
            yield first.description
            continue
        names = [change.path.removeprefix(COLUMN) for change in (first, *others)]
        rest = first.description.removeprefix(f"column {names[0]} ").replace(" is empty", " are empty", 1)
        yield f"columns {', '.join(names[:-1])} and {names[-1]} {rest}"
