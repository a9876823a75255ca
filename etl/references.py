"""Who refers to the rows of a table: the columns that point there, and those that say what the row is called. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from etl.catalogue import Resource, SoftReference
from etl.models.base import Model, fields_of, references_of
from etl.resources import CATALOGUE


@dataclass(frozen=True, slots=True)
class InboundReference:
    """One way in which rows of a table refer to rows of another one: by a foreign key, or in words."""

    model: type[Model]
    column: str
    #: The column that says what the row referred to is called.
    label: str | None = None
    #: Set where the column is no foreign key: how its words become the source id of the row referred to.
    soft_reference: SoftReference | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell which row is referred to, and what it is called."""
        instead = self.soft_reference.unless if self.soft_reference is not None else None
        return tuple(name for name in (self.column, instead, self.label) if name is not None)

    def build_condition(self, alias: str) -> str:
        """Return the condition, as SQL, that a row `pointing` refers in this way to the row of an alias."""
        if self.soft_reference is None:
            return f"pointing.{self.column} = {alias}.id"
        return f"{self.build_source_id()} = {alias}.source_id AND pointing.tenant = {alias}.tenant AND {self.build_presence_condition()}"

    def build_source_id(self) -> str:
        """Return, as SQL, the source id that a row `pointing` tells of in words."""
        prefix = self.soft_reference.prefix if self.soft_reference is not None else ""
        return f"'{prefix}' || pointing.{self.column}" if prefix else f"pointing.{self.column}"

    def build_presence_condition(self) -> str:
        """Return the condition, as SQL, that a row `pointing` tells of another in words, and in words alone."""
        instead = self.soft_reference.unless if self.soft_reference is not None else None
        return f"pointing.{self.column} IS NOT NULL" + (f" AND pointing.{instead} IS NULL" if instead else "")


@cache
def find_inbound_references(model: type[Model]) -> tuple[InboundReference, ...]:
    """Return every way in which rows refer to rows of a table."""
    found = [
        one
        for resource in CATALOGUE
        for one in (*iterate_foreign_keys(resource, model), *iterate_soft_references(resource, model))
    ]
    return tuple(dict.fromkeys(found))


def iterate_foreign_keys(resource: Resource, model: type[Model]) -> Iterator[InboundReference]:
    """Yield the foreign keys of a resource's rows to a table."""
    fields = fields_of(resource.model, resource.data_source)
    for column, kind in references_of(resource.model, resource.data_source).items():
        if kind.table == model.__tablename__:
            label = next((name for name, about in fields.items() if kind.label and about.source == kind.label), None)
            yield InboundReference(resource.model, column, label)


def iterate_soft_references(resource: Resource, model: type[Model]) -> Iterator[InboundReference]:
    """Yield the columns in which a resource's rows tell of a table's rows without a foreign key."""
    fields = fields_of(resource.model, resource.data_source)
    for stub in resource.stubs:
        for said in stub.soft_references if stub.model is model else ():
            if said.column in fields:
                here = said if said.unless in fields else replace(said, unless=None)
                yield InboundReference(resource.model, said.column, said.label, here)
