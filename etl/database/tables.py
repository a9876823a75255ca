"""The names of all our tables."""

from collections.abc import Iterable

from sqlalchemy import MetaData


def metadata() -> MetaData:
    """Return the metadata with every table."""
    import etl.resources  # noqa: F401, PLC0415 (only migrations, backups and checks of rights need all tables)
    from etl.models.base import Base  # noqa: PLC0415 (as above)

    return Base.metadata


def our_tables() -> list[str]:
    """Return the names of all our tables, with their schemas, and of Alembic's."""
    return [
        "etl.alembic_version",
        *(f"{table.schema or 'public'}.{table.name}" for table in metadata().tables.values()),
    ]


def names_in_public(tables: Iterable[str]) -> list[str]:
    """Return the names of those tables that are in `public`, without the schema."""
    return [name.removeprefix("public.") for name in tables if name.startswith("public.")]
