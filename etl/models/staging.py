"""The staging tables of schema `raw`: what the API sent, one table per resource, one row per version of a record."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from etl.models.base import Base
from etl.models.states import RawState, listed

SCHEMA = "raw"

#: The staging tables by resource; the catalogue declares one for each of its entries.
RAW_TABLES: dict[str, Table] = {}

#: The states of rows that wait for a step, and are therefore looked up by batch and status.
WAITING = (RawState.PENDING, RawState.TRANSFORMED, RawState.ERROR)


def instant(name: str, *, now: bool = False, null: bool = True) -> Column[object]:
    """Make a column for an instant; `now` fills it from the database's clock."""
    return Column(name, DateTime(timezone=True), nullable=null and not now, server_default=func.now() if now else None)


def columns() -> list[Column[object]]:
    """Make the columns that every staging table has."""
    return [
        Column("id", Uuid, primary_key=True),
        Column("tenant", Text, nullable=False),
        Column("source_id", Text),  # NULL if a record had none
        Column("raw_data", JSONB, nullable=False),
        Column("content_hash", Uuid, nullable=False),
        instant("source_created_at"),
        instant("source_modified_at"),
        instant("version_at", null=False),
        Column("undated", Boolean, nullable=False, server_default=text("false")),  # `version_at` is from our own clock
        Column("set_key", Text),  # the complete set it belongs to
        Column("parent_raw_id", Uuid),  # the raw row of its parent or of the record it was created from
        Column("page", BigInteger),  # the request it came with; requests are purged earlier
        Column("etl_batch_id", Uuid, nullable=False),
        Column("status", Text, nullable=False, server_default=RawState.PENDING.value),
        Column("error_message", Text),
        Column("retry_count", Integer, nullable=False, server_default=text("0")),
        Column("finding_count", Integer, nullable=False, server_default=text("0")),
        Column("rules", Text),  # the version of the cleaning rules that loaded or refused it
        instant("loaded_at"),
        instant("superseded_at"),  # empty: the newest version of its record
        Column("gone_batch_id", Uuid),  # the batch in whose set it was missing
        instant("created_at", now=True),
        instant("updated_at", now=True),
    ]


def make(resource: str, *, is_parent: bool) -> Table:
    """Return the staging table of one resource; details are read for the records of a parent."""
    name = f"raw_{resource}"
    waiting = ", ".join(f"'{state.value}'" for state in WAITING)
    return Table(
        name,
        Base.metadata,
        *columns(),
        CheckConstraint(f"status IN ({listed(RawState)})", name="status_known"),
        CheckConstraint("loaded_at IS NULL OR status IN ('loaded', 'validation_error')", name="loaded_when_through"),
        Index(f"uq_{name}_newest", "tenant", "source_id", unique=True, postgresql_where=text("superseded_at IS NULL")),
        Index(f"ix_{name}_waiting", "etl_batch_id", "status", postgresql_where=text(f"status IN ({waiting})")),
        Index(
            f"ix_{name}_set",
            "tenant",
            "set_key",
            postgresql_where=text("superseded_at IS NULL AND set_key IS NOT NULL"),
        ),
        # For retention: few rows, since most records never change.
        Index(f"ix_{name}_superseded", "tenant", "superseded_at", postgresql_where=text("superseded_at IS NOT NULL")),
        Index(f"ix_{name}_versions", "tenant", "source_id", postgresql_where=text("superseded_at IS NOT NULL")),
        Index(f"ix_{name}_gone", "gone_batch_id", postgresql_where=text("gone_batch_id IS NOT NULL")),
        # For what arrived recently: rows are appended, so that this index costs next to nothing.
        *([Index(f"ix_{name}_arrived", "created_at", postgresql_using="brin")] if is_parent else ()),
        schema=SCHEMA,
    )


def declare(resource: str, *, is_parent: bool = False) -> None:
    """Add the staging table of a resource to the metadata."""
    RAW_TABLES[resource] = make(resource, is_parent=is_parent)


def raw_table(resource: str) -> Table:
    """Return the staging table of a resource; raises KeyError for an unknown name."""
    return RAW_TABLES[resource]
