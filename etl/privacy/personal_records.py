"""Whose a record is, and what of it names nobody: what forgetting a person rests on. Pure, from the declarations."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from etl.catalogue import Resource
from etl.models import PRODUCTION
from etl.models.base import PRIMARY, Field, Model, Source, fields_of, references_of
from etl.models.sources import FirstOf, value_at
from etl.record import Record, decode
from etl.resources import BY_NAME, PEOPLE, children_of, derived_from

#: The production table of the people that can be forgotten.
PEOPLE_TABLE = BY_NAME[PEOPLE].model.__tablename__

#: Beside a record's own fields: those of the record it was asked for, and what its call says.
PARENT, CALL = "_parent", "_call"

#: Tells whether the record of this table and source id is a forgotten person, or was one's.
IsForgotten = Callable[[str, str], bool]

#: Two equal records end in one text, whoever wrote them.
_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


@dataclass(frozen=True, slots=True)
class ImpersonalFields:
    """The fields of a record that stay when its person is forgotten, in small letters."""

    record_fields: frozenset[str]
    parent_fields: frozenset[str]  #: those of `_parent`


class LookupRecorder(dict[str, Any]):
    """An empty record that remembers which fields were looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Return the default, and remember the field."""
        self.names.add(key)
        return default


@cache
def find_person_tables() -> frozenset[str]:
    """Return the tables whose rows can belong to a person: the people's own, and what leads there."""
    found = {PEOPLE_TABLE}
    while more := {one.__tablename__ for one in PRODUCTION if find_referenced_tables(one) & found} - found:
        found |= more
    return frozenset(found)


@cache
def find_linking_tables() -> frozenset[str]:
    """Return those of the belonging tables that others of them refer to: through them one learns whose a row is."""
    return frozenset().union(*(find_referenced_tables(one) for one in PRODUCTION)) & find_person_tables()


def find_referenced_tables(model: type[Model]) -> set[str]:
    """Return the other tables that a model's main road refers to."""
    return {kind.table for kind in references_of(model).values()} - {model.__tablename__}


def is_fully_personal(resource: Resource) -> bool:
    """Tell whether nothing of a resource's record stays when its person is forgotten."""
    asked_per_person = resource.parent is not None and resource.parent.resource == PEOPLE
    return resource.model.__tablename__ == PEOPLE_TABLE or asked_per_person


def is_forgotten(resource: Resource, source_id: str, record: Mapping[str, Any], known: IsForgotten) -> bool:
    """Tell whether a record is a forgotten person or belongs to one.

    The person that a record names decides; where it names none, what else it refers to.
    """
    own = resource.model.__tablename__
    if own == PEOPLE_TABLE:
        return known(own, source_id)
    pointed = [one for one in iterate_references(resource, record) if one[0] != own]
    people = [one for one in pointed if one[0] == PEOPLE_TABLE]
    return any(known(*one) for one in people or pointed)


def iterate_references(resource: Resource, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the belonging tables and source ids that a record refers to."""
    for name, kind in references_of(resource.model, resource.data_source).items():
        if kind.table in find_person_tables():
            found = kind.clean(read_value(fields_of(resource.model, resource.data_source)[name].source, record))
            if isinstance(found, str):
                yield kind.table, found


def read_value(source: Source, record: Mapping[str, Any]) -> Any:
    """Return what stands at a field's source."""
    return source(record) if callable(source) else value_at(record, source)


def scrub(resource: Resource, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with nothing but what a declared impersonal column, or the way it is read, needs."""
    stays = find_impersonal_fields(resource)
    clean = {key: value for key, value in record.items() if key.casefold() in stays.record_fields}
    around = record.get(PARENT)
    if isinstance(around, Mapping):
        clean[PARENT] = {key: value for key, value in around.items() if key.casefold() in stays.parent_fields}
    return clean


def scrub_record(resource: Resource, record: Record) -> Record:
    """Return a staged or arriving record scrubbed, with the text and hash of what is left."""
    text, digest = encode_record(scrub(resource, decode(record.raw)))
    return msgspec.structs.replace(record, raw=text, content_hash=digest)


def encode_record(record: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Return a record as text, and the hash of it."""
    text = _encode(record)
    return text, hashlib.blake2b(text, digest_size=16).digest()


@cache
def find_impersonal_fields(resource: Resource) -> ImpersonalFields:
    """Return which fields of a resource's records stay."""
    fields = fields_of(resource.model, resource.data_source).values()
    personal = set(iterate_paths(one for one in fields if one.personal))
    needed = {*iterate_paths(one for one in fields if not one.personal), *find_structural_paths(resource)} - personal
    inside = {path.split(".")[1] for path in needed if path.startswith(f"{PARENT}.")}
    own = {path.split(".")[0] for path in needed} - {PARENT} | {CALL}
    return ImpersonalFields(frozenset(map(str.casefold, own)), frozenset(map(str.casefold, inside)))


def iterate_paths(fields: Iterable[Field]) -> Iterator[str]:
    """Yield where the values of some fields stand."""
    for one in fields:
        yield from find_source_paths(one.source)


def find_source_paths(source: Source | Callable[..., Any]) -> Iterable[str]:
    """Return the paths that a source reads; of a function, the fields that it looks for in an empty record."""
    if isinstance(source, str):
        return (source,)
    return source.paths if isinstance(source, FirstOf) else record_lookups(source)


def record_lookups(read: Callable[[Mapping[str, Any]], Any]) -> set[str]:
    """Return the fields that a function looks for in an empty record."""
    asked = LookupRecorder()
    made = read(asked)
    if isinstance(made, Iterator):
        list(made)
    return asked.names


def find_structural_paths(resource: Resource) -> set[str]:
    """Return where stand the id, the times, the marks and the parts from which other records are made."""
    names = {*find_source_paths(resource.id), *(name for name in (resource.modified, resource.created) if name)}
    names |= {one[0] for one in (resource.row_filter, resource.active) if one is not None}
    names |= {name for name, _ in resource.model.deletion_mark} if resource.data_source == PRIMARY else set()
    if resource.parent is not None:
        names |= {f"{PARENT}.{name}" for name in resource.parent.parent_fields}
    for child in children_of(resource.name):
        if child.parent is not None:
            names |= {*child.parent.parent_fields, *(child.parent.parent_filter or ())[:1]}
    for _, derivation in derived_from(resource.name):
        names |= record_lookups(derivation.make)
    return names
