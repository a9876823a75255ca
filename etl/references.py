"""Inbound references: the columns that refer to a table, by foreign key or by text. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from etl.catalogue.resource import Resource, SoftReference
from etl.models.base import Model, fields_of, references_of
from etl.resources import CATALOGUE


@dataclass(frozen=True, slots=True)
class InboundReference:
    """A column that refers to rows of another table, by a foreign key or by text (a soft reference)."""

    model: type[Model]
    column: str
    #: The column with the name of the referenced row.
    label: str | None = None
    #: Set if the column is not a foreign key: how its text becomes the source id of the referenced row.
    soft_reference: SoftReference | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that identify and name the referenced row."""
        foreign_key = self.soft_reference.unless if self.soft_reference is not None else None
        return tuple(name for name in (self.column, foreign_key, self.label) if name is not None)

    def build_condition(self, alias: str) -> str:
        """Build the SQL condition that a row `pointing` refers to the row of an alias."""
        if self.soft_reference is None:
            return f"pointing.{self.column} = {alias}.id"
        same_record = f"{self.build_source_id()} = {alias}.source_id AND pointing.tenant = {alias}.tenant"
        return f"{same_record} AND {self.build_presence_condition()}"

    def build_source_id(self) -> str:
        """Build the SQL expression for the source id that the text of a row `pointing` means."""
        prefix = self.soft_reference.prefix if self.soft_reference is not None else ""
        return f"'{prefix}' || pointing.{self.column}" if prefix else f"pointing.{self.column}"

    def build_presence_condition(self) -> str:
        """Build the SQL condition that a row `pointing` refers to another row by text, and not by a foreign key."""
        foreign_key = self.soft_reference.unless if self.soft_reference is not None else None
        return f"pointing.{self.column} IS NOT NULL" + (f" AND pointing.{foreign_key} IS NULL" if foreign_key else "")


@cache
def find_inbound_references(model: type[Model]) -> tuple[InboundReference, ...]:
    """Return all references to a table."""
    references = [
        reference
        for resource in CATALOGUE
        for reference in (*iterate_foreign_keys(resource, model), *iterate_soft_references(resource, model))
    ]
    return tuple(dict.fromkeys(references))


def iterate_foreign_keys(resource: Resource, model: type[Model]) -> Iterator[InboundReference]:
    """Yield the foreign keys of a resource's rows to a table."""
    fields = fields_of(resource.model, resource.data_source)
    for column, kind in references_of(resource.model, resource.data_source).items():
        if kind.table == model.__tablename__:
            label = next((name for name, field in fields.items() if kind.label and field.source == kind.label), None)
            yield InboundReference(resource.model, column, label)


def iterate_soft_references(resource: Resource, model: type[Model]) -> Iterator[InboundReference]:
    """Yield the columns in which a resource's rows refer to a table by text."""
    fields = fields_of(resource.model, resource.data_source)
    for stub in resource.stubs:
        for soft_reference in stub.soft_references if stub.model is model else ():
            if soft_reference.column in fields:
                applicable = soft_reference if soft_reference.unless in fields else replace(soft_reference, unless=None)
                yield InboundReference(resource.model, soft_reference.column, soft_reference.label, applicable)
