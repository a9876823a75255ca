"""The number of live rows and staged records, by production table."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, union_all

from etl.models import PRODUCTION
from etl.models.staging import raw_table
from etl.resources import CATALOGUE


@dataclass(frozen=True, slots=True)
class Volume:
    """The number of rows of one production table, and of the records staged for it."""

    table: str
    rows: int
    placeholders: int
    staged: int


def table_volumes(connection: Connection, tenant: str) -> list[Volume]:
    """Return the volume of every production table of a tenant, in the order of the models."""
    rows, staged = count_rows(connection, tenant), count_staged(connection, tenant)
    names = [model.__tablename__ for model in PRODUCTION]
    return [Volume(name, *rows[name], staged.get(name, 0)) for name in names]


def count_rows(connection: Connection, tenant: str) -> dict[str, tuple[int, int]]:
    """Return the numbers of live rows and of placeholders by table."""
    counts = [
        select(
            literal(model.__tablename__).label("name"),
            func.count().filter(model.deleted_at.is_(None), ~model.is_placeholder).label("living"),
            func.count().filter(model.is_placeholder).label("placeholders"),
        ).where(model.tenant == tenant)
        for model in PRODUCTION
    ]
    return {row.name: (row.living, row.placeholders) for row in connection.execute(union_all(*counts))}


def count_staged(connection: Connection, tenant: str) -> dict[str, int]:
    """Return the number of staged records, counting every version, by production table."""
    counts = [
        select(literal(resource.table).label("name"), func.count().label("staged"))
        .select_from(raw_table(resource.name))
        .where(raw_table(resource.name).c.tenant == tenant)
        for resource in CATALOGUE
    ]
    counts_by_table: dict[str, int] = {}
    for row in connection.execute(union_all(*counts)):
        counts_by_table[row.name] = counts_by_table.get(row.name, 0) + row.staged
    return counts_by_table
