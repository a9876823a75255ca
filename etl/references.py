"""Who refers to the rows of a table: the columns that point there, and those that say what the row is called. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from etl.catalogue import Resource, Said
from etl.models.base import Model, fields_of, references_of
from etl.resources import CATALOGUE


@dataclass(frozen=True, slots=True)
class Referring:
    """One way in which rows of a table refer to rows of another one: by a foreign key, or in words."""

    model: type[Model]
    column: str
    #: The column that says what the row referred to is called.
    label: str | None = None
    #: Set where the column is no foreign key: how its words become the source id of the row referred to.
    said: Said | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell which row is referred to, and what it is called."""
        instead = self.said.unless if self.said is not None else None
        return tuple(name for name in (self.column, instead, self.label) if name is not None)

    def points_to(self, alias: str) -> str:
        """Return the condition, as SQL, that a row `pointing` refers in this way to the row of an alias."""
        if self.said is None:
            return f"pointing.{self.column} = {alias}.id"
        return f"{self.source_id()} = {alias}.source_id AND pointing.tenant = {alias}.tenant AND {self.speaks()}"

    def source_id(self) -> str:
        """Return, as SQL, the source id that a row `pointing` tells of in words."""
        prefix = self.said.prefix if self.said is not None else ""
        return f"'{prefix}' || pointing.{self.column}" if prefix else f"pointing.{self.column}"

    def speaks(self) -> str:
        """Return the condition, as SQL, that a row `pointing` tells of another in words, and in words alone."""
        instead = self.said.unless if self.said is not None else None
        return f"pointing.{self.column} IS NOT NULL" + (f" AND pointing.{instead} IS NULL" if instead else "")


@cache
def referring_to(model: type[Model]) -> tuple[Referring, ...]:
    """Return every way in which rows refer to rows of a table."""
    found = [one for resource in CATALOGUE for one in (*keys_of(resource, model), *words_of(resource, model))]
    return tuple(dict.fromkeys(found))


def keys_of(resource: Resource, model: type[Model]) -> Iterator[Referring]:
    """Yield the foreign keys of a resource's rows to a table."""
    fields = fields_of(resource.model, resource.road)
    for column, kind in references_of(resource.model, resource.road).items():
        if kind.table == model.__tablename__:
            label = next((name for name, about in fields.items() if kind.label and about.source == kind.label), None)
            yield Referring(resource.model, column, label)


def words_of(resource: Resource, model: type[Model]) -> Iterator[Referring]:
    """Yield the columns in which a resource's rows tell of a table's rows without a foreign key."""
    fields = fields_of(resource.model, resource.road)
    for stub in resource.stubs:
        for said in stub.said if stub.model is model else ():
            if said.column in fields:
                here = said if said.unless in fields else replace(said, unless=None)
                yield Referring(resource.model, said.column, said.label, here)
