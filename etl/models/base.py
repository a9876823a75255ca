"""The base of production tables: a class of fields, each with its column, its source and its kind of value."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column
from sqlalchemy.types import TypeEngine

from etl.values import Kind, Reference

#: Where the API keeps a value: a key, a dotted path through objects, or a named function of the record.
Source = str | Callable[[Mapping[str, Any]], Any]


#: The name of the CHECK that a row which is no placeholder has what its table requires.
REQUIRED_PRESENT = "required_present"


@dataclass(frozen=True, slots=True)
class DataSource:
    """A source of a table's columns. A secondary source fills columns of its own and leaves the rest unchanged.

    A fallback source is secondary too, and also has records like those of the primary source: they fill the other
    columns of a row until the primary source has a record of it. Such a row has no `version_at`.
    """

    name: str
    is_fallback: bool = False

    def __str__(self) -> str:
        return self.name


#: The source of a table's own records.
PRIMARY = DataSource("main")

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base class of every table; its metadata contains all tables."""

    metadata = MetaData(naming_convention=NAMING)


class Presence(Enum):
    """What the absence of a value means."""

    OPTIONAL = auto()
    EXPECTED = auto()  #: its absence is a `noted` finding
    REQUIRED = auto()  #: its absence refuses the record


OPTIONAL, EXPECTED, REQUIRED = Presence


@dataclass(frozen=True, slots=True)
class Field:
    """The meaning of a column: where the API keeps its value, its kind of value, and what happens if it is missing."""

    source: Source
    kind: Kind
    presence: Presence
    personal: bool = False  #: masked for readers without the right to personal data
    data_source: DataSource = PRIMARY  #: the data source that fills it


def field(
    source: Source,
    kind: Kind,
    presence: Presence = OPTIONAL,
    *,
    personal: bool = False,
    data_source: DataSource = PRIMARY,
) -> MappedColumn[Any]:
    """Declare one column: its source in the API's record, its kind of value, and whether it may be missing.

    Every column is nullable, since a placeholder has only its id; what a real row must have is guarded by a CHECK that
    the model derives from REQUIRED. A Reference becomes a foreign key, for which the model makes an index.
    """
    info = {"field": Field(source, kind, presence, personal, data_source)}
    order = 0 if data_source == PRIMARY else 10  # after the columns of the primary source, before the bookkeeping
    if isinstance(kind, Reference):
        key = ForeignKey(f"{kind.table}.id", use_alter=kind.deferred)
        return mapped_column(Uuid, key, nullable=True, info=info, sort_order=order)
    return mapped_column(kind.column_type, nullable=True, info=info, sort_order=order)


def computed(column_type: TypeEngine[Any]) -> MappedColumn[Any]:
    """Declare one column that is in no record: a statement of `etl.models.derived` fills it after the load."""
    return mapped_column(column_type, nullable=True)


def row_id(tenant: str, table: str, source_id: str) -> UUID:
    """Return the id of the row with this source id in this table; every process computes the same id."""
    return UUID(row_id_text(id_prefix(tenant, table), source_id))


def id_prefix(tenant: str, table: str) -> str:
    """Return the part of the id computation that is the same for a tenant's table."""
    return f"{tenant}\x1f{table}\x1f"


def row_id_text(prefix: str, source_id: str) -> str:
    """Return the same id as text, from `tenant, table` joined and closed by the unit separator.

    A version-8 UUID (RFC 9562: custom) over md5, which is used as a name here and not for security.
    """
    digest = hashlib.md5((prefix + source_id).encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


class Model(Base):
    """A production table. Subclasses add fields and set a few class attributes."""

    __abstract__ = True

    #: The column with the name of a row for people; a reference that includes the name fills it in a placeholder.
    label: ClassVar[str | None] = None
    #: How the API marks a deleted record: a field of the record and the clean values that mean deleted.
    deletion_mark: ClassVar[tuple[tuple[str, tuple[Any, ...]], ...]] = ()
    #: The columns that together with the tenant are unique, as in the first version of the schema.
    unique_columns: ClassVar[tuple[str, ...]] = ("source_id",)
    #: The columns that people search by; each has an index.
    searched_columns: ClassVar[tuple[str, ...]] = ()
    #: Whether the earlier versions of its rows are kept by default; ETL_HISTORY names further tables.
    keeps_history: ClassVar[bool] = False

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-40)
    tenant: Mapped[str] = mapped_column(Text, nullable=False, sort_order=-39)
    source_id: Mapped[str] = mapped_column(Text, nullable=False, sort_order=-38)
    source_created_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), sort_order=90)
    source_modified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), sort_order=91)
    #: Source time, else the time of the request that read the record: what "older" and "newer" mean.
    version_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), sort_order=92)
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), nullable=False, server_default=func.now(), sort_order=93
    )
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), nullable=False, server_default=func.now(), sort_order=94
    )
    last_synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), sort_order=95)
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), sort_order=96)
    is_placeholder: Mapped[bool] = mapped_column(Boolean, nullable=False, server_default=text("false"), sort_order=97)
    content_hash: Mapped[UUID | None] = mapped_column(Uuid, sort_order=99)
    etl_batch_id: Mapped[UUID | None] = mapped_column(Uuid, sort_order=100)
    raw_id: Mapped[UUID | None] = mapped_column(Uuid, sort_order=101)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Add the constraints that every production table has, derived from its fields and those of its mixins."""
        if "__abstract__" in vars(cls):
            super().__init_subclass__(**kwargs)
            return
        declared = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
        required = [
            column
            for column, value in declared.items()
            if isinstance(value, MappedColumn) and (about := field_in(value.column.info)) and about.presence is REQUIRED
        ]
        constraints: list[Any] = [
            UniqueConstraint("tenant", "source_id"),
            # Placeholders are few and are queried often: whether there are any, which, and how old they are.
            Index(f"ix_{cls.__tablename__}_placeholder", "tenant", postgresql_where=text("is_placeholder")),
            # What a run wrote is looked up when it ends, and the cost must depend on the run and not on the table.
            Index(f"ix_{cls.__tablename__}_etl_batch_id", "etl_batch_id"),
            *(Index(f"ix_{cls.__tablename__}_{column}", column) for column in cls.searched_columns),
            *(
                reference_index(cls.__tablename__, column)
                for column, value in declared.items()
                if is_reference_column(value)
            ),
        ]
        if required:
            present = " AND ".join(f"{column} IS NOT NULL" for column in required)
            constraints.append(CheckConstraint(f"is_placeholder OR ({present})", name=REQUIRED_PRESENT))
        cls.__table_args__ = (*constraints, *getattr(cls, "__table_args__", ()))
        super().__init_subclass__(**kwargs)


class StagedOnly(Model):
    """In place of a model: for records that have no production table, because their fields have never been seen."""

    __abstract__ = True
    __table__ = Table("staged_only", MetaData())


def is_reference_column(declared: Any) -> bool:
    """Return whether what a class declares is a column that points to another table."""
    about = field_in(declared.column.info) if isinstance(declared, MappedColumn) else None
    return about is not None and isinstance(about.kind, Reference)


def reference_index(table: str, column: str) -> Index:
    """Return the index of a foreign key, without rows in which it is NULL: no query looks for those."""
    return Index(f"ix_{table}_{column}", column, postgresql_where=text(f"{column} IS NOT NULL"))


def field_in(info: Mapping[str, Any]) -> Field | None:
    """Return the field in a column's info, None for bookkeeping columns."""
    about = info.get("field")
    return about if isinstance(about, Field) else None


@cache
def fields_of(model: type[Model], data_source: DataSource = PRIMARY) -> Mapping[str, Field]:
    """Return the fields that a data source reads, by column name, in table order."""
    sources = {data_source, PRIMARY} if data_source.is_fallback else {data_source}
    fields = {column.name: field_in(column.info) for column in model.__table__.columns}
    return MappingProxyType({name: about for name, about in fields.items() if about and about.data_source in sources})


def own_columns(model: type[Model], data_source: DataSource) -> tuple[str, ...]:
    """Return the columns that only this data source fills, in table order."""
    return tuple(name for name, about in fields_of(model, data_source).items() if about.data_source == data_source)


def references_of(model: type[Model], data_source: DataSource = PRIMARY) -> Mapping[str, Reference]:
    """Return the columns of a data source that refer to other tables, each with its kind, which names the table."""
    return {
        name: about.kind for name, about in fields_of(model, data_source).items() if isinstance(about.kind, Reference)
    }
