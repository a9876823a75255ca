"""Whose a record is, and what of it names nobody: what forgetting a person rests on. Pure, from the declarations."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from etl.catalogue import Resource
from etl.models import PRODUCTION
from etl.models.base import MAIN, Field, Model, Source, fields_of, references_of
from etl.models.sources import FirstOf, value_at
from etl.record import Record, decode
from etl.resources import BY_NAME, PEOPLE, children_of, derived_from

#: The production table of the people that can be forgotten.
PEOPLE_TABLE = BY_NAME[PEOPLE].model.__tablename__

#: Beside a record's own fields: those of the record it was asked for, and what its call says.
PARENT, CALL = "_parent", "_call"

#: Tells whether the record of this table and source id is a forgotten person, or was one's.
Known = Callable[[str, str], bool]

#: Two equal records end in one text, whoever wrote them.
_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


@dataclass(frozen=True, slots=True)
class Kept:
    """The fields of a record that stay when its person is forgotten, in small letters."""

    own: frozenset[str]
    parents: frozenset[str]  #: those of `_parent`


class Asked(dict[str, Any]):
    """An empty record that remembers which fields were looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Return the default, and remember the field."""
        self.names.add(key)
        return default


@cache
def belonging_tables() -> frozenset[str]:
    """Return the tables whose rows can belong to a person: the people's own, and what leads there."""
    found = {PEOPLE_TABLE}
    while more := {one.__tablename__ for one in PRODUCTION if targets(one) & found} - found:
        found |= more
    return frozenset(found)


@cache
def parent_tables() -> frozenset[str]:
    """Return those of the belonging tables that others of them refer to: through them one learns whose a row is."""
    return frozenset().union(*(targets(one) for one in PRODUCTION)) & belonging_tables()


def targets(model: type[Model]) -> set[str]:
    """Return the other tables that a model's main road refers to."""
    return {kind.table for kind in references_of(model).values()} - {model.__tablename__}


def is_all_about_a_person(resource: Resource) -> bool:
    """Tell whether nothing of a resource's record stays when its person is forgotten."""
    asked_per_person = resource.parent is not None and resource.parent.resource == PEOPLE
    return resource.model.__tablename__ == PEOPLE_TABLE or asked_per_person


def is_forgotten(resource: Resource, source_id: str, record: Mapping[str, Any], known: Known) -> bool:
    """Tell whether a record is a forgotten person or belongs to one.

    The person that a record names decides; where it names none, what else it refers to.
    """
    own = resource.model.__tablename__
    if own == PEOPLE_TABLE:
        return known(own, source_id)
    pointed = [one for one in pointers(resource, record) if one[0] != own]
    people = [one for one in pointed if one[0] == PEOPLE_TABLE]
    return any(known(*one) for one in people or pointed)


def pointers(resource: Resource, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the belonging tables and source ids that a record refers to."""
    for name, kind in references_of(resource.model, resource.road).items():
        if kind.table in belonging_tables():
            found = kind.clean(value_of(fields_of(resource.model, resource.road)[name].source, record))
            if isinstance(found, str):
                yield kind.table, found


def value_of(source: Source, record: Mapping[str, Any]) -> Any:
    """Return what stands at a field's source."""
    return source(record) if callable(source) else value_at(record, source)


def scrubbed(resource: Resource, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with nothing but what a declared impersonal column, or the way it is read, needs."""
    stays = kept(resource)
    clean = {key: value for key, value in record.items() if key.casefold() in stays.own}
    around = record.get(PARENT)
    if isinstance(around, Mapping):
        clean[PARENT] = {key: value for key, value in around.items() if key.casefold() in stays.parents}
    return clean


def scrubbed_record(resource: Resource, record: Record) -> Record:
    """Return a staged or arriving record scrubbed, with the text and hash of what is left."""
    text, digest = written(scrubbed(resource, decode(record.raw)))
    return msgspec.structs.replace(record, raw=text, content_hash=digest)


def written(record: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Return a record as text, and the hash of it."""
    text = _encode(record)
    return text, hashlib.blake2b(text, digest_size=16).digest()


@cache
def kept(resource: Resource) -> Kept:
    """Return which fields of a resource's records stay."""
    fields = fields_of(resource.model, resource.road).values()
    personal = set(paths(one for one in fields if one.personal))
    needed = {*paths(one for one in fields if not one.personal), *structure(resource)} - personal
    inside = {path.split(".")[1] for path in needed if path.startswith(f"{PARENT}.")}
    own = {path.split(".")[0] for path in needed} - {PARENT} | {CALL}
    return Kept(frozenset(map(str.casefold, own)), frozenset(map(str.casefold, inside)))


def paths(fields: Iterable[Field]) -> Iterator[str]:
    """Yield where the values of some fields stand."""
    for one in fields:
        yield from source_paths(one.source)


def source_paths(source: Source | Callable[..., Any]) -> Iterable[str]:
    """Return the paths that a source reads; of a function, the fields that it looks for in an empty record."""
    if isinstance(source, str):
        return (source,)
    return source.paths if isinstance(source, FirstOf) else looked_for(source)


def looked_for(read: Callable[[Mapping[str, Any]], Any]) -> set[str]:
    """Return the fields that a function looks for in an empty record."""
    asked = Asked()
    made = read(asked)
    if isinstance(made, Iterator):
        list(made)
    return asked.names


def structure(resource: Resource) -> set[str]:
    """Return where stand the id, the times, the marks and the parts from which other records are made."""
    names = {*source_paths(resource.id), *(name for name in (resource.modified, resource.created) if name)}
    names |= {one[0] for one in (resource.takes, resource.active) if one is not None}
    names |= {name for name, _ in resource.model.deletion_mark} if resource.road == MAIN else set()
    if resource.parent is not None:
        names |= {f"{PARENT}.{name}" for name in resource.parent.carries}
    for child in children_of(resource.name):
        if child.parent is not None:
            names |= {*child.parent.carries, *(child.parent.only or ())[:1]}
    for _, derivation in derived_from(resource.name):
        names |= looked_for(derivation.make)
    return names
