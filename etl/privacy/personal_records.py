"""Personal records: which person a record belongs to, and which of its fields are impersonal. Pure."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from etl.catalogue.resource import Resource
from etl.models import PRODUCTION
from etl.models.base import PRIMARY, Field, Model, Source, fields_of, references_of
from etl.models.sources import value_at
from etl.read_paths import find_source_paths, probe_fields
from etl.record import Record, decode
from etl.resources import BY_NAME, PEOPLE, children_of, derived_from
from etl.spelling import spelling_of
from etl.values import source_id as clean_source_id

#: The production table of the people that can be forgotten.
PEOPLE_TABLE = BY_NAME[PEOPLE].model.__tablename__

#: The keys that staging adds to a record: fields of its parent record, and parameters of its call.
PARENT, CALL = "_parent", "_call"

#: A predicate: whether the record with this table and source id is a forgotten person or belonged to one.
IsForgotten = Callable[[str, str], bool]

#: Equal records are encoded as equal text.
_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


@dataclass(frozen=True, slots=True)
class ImpersonalFields:
    """The fields of a record that are kept when its person is forgotten, in lower case."""

    record_fields: frozenset[str]
    parent_fields: frozenset[str]  #: fields of `_parent`


@cache
def find_person_tables() -> frozenset[str]:
    """Return the tables whose rows can belong to a person: the people table, and tables that refer to it indirectly."""
    tables = {PEOPLE_TABLE}
    while added := {model.__tablename__ for model in PRODUCTION if find_referenced_tables(model) & tables} - tables:
        tables |= added
    return frozenset(tables)


@cache
def find_linking_tables() -> frozenset[str]:
    """Return the person tables that other tables refer to; they link a row to its person."""
    return frozenset().union(*(find_referenced_tables(model) for model in PRODUCTION)) & find_person_tables()


def find_referenced_tables(model: type[Model]) -> set[str]:
    """Return the other tables that a model refers to in its primary source."""
    return {kind.table for kind in references_of(model).values()} - {model.__tablename__}


@cache
def find_per_person_tables() -> frozenset[str]:
    """Return the tables that are read once per person, whose rows are deleted with the person."""
    return frozenset(resource.table for resource in children_of(PEOPLE)) - {PEOPLE_TABLE}


def can_be_personal(resource: Resource) -> bool:
    """Return whether a resource's records can belong to a person."""
    return resource.table in find_person_tables() or find_personal_parent(resource) is not None


def find_personal_parent(resource: Resource) -> Resource | None:
    """Return the parent that decides about records that are only staged: a person, or a record of one."""
    if resource.has_table or resource.parent is None:
        return None
    parent = BY_NAME[resource.parent.resource]
    return parent if parent.table in find_person_tables() else None


def is_fully_personal(resource: Resource) -> bool:
    """Return whether a resource's record is dropped completely when its person is forgotten.

    So is a record that is only staged: which of its fields are personal is not known.
    """
    return not resource.has_table or resource.table in {PEOPLE_TABLE, *find_per_person_tables()}


def is_forgotten(resource: Resource, source_id: str, record: Mapping[str, Any], is_forgotten_key: IsForgotten) -> bool:
    """Return whether a record is a forgotten person or belongs to one.

    If the record refers to a person, this person decides; otherwise the other records that it refers to.
    """
    table = resource.table
    if table == PEOPLE_TABLE:
        return is_forgotten_key(table, source_id)
    references = [reference for reference in iterate_references(resource, record) if reference[0] != table]
    people_references = [reference for reference in references if reference[0] == PEOPLE_TABLE]
    return any(is_forgotten_key(*reference) for reference in people_references or references)


def iterate_references(resource: Resource, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the person tables and source ids that a record refers to."""
    record = spelling_of(resource).respell(record)
    parent = find_personal_parent(resource)
    if parent is not None:
        parent_id = clean_source_id(value_at(record, f"{PARENT}.{parent.id}"))
        if isinstance(parent_id, str):
            yield parent.table, parent_id
    for name, kind in references_of(resource.model, resource.data_source).items():
        if kind.table in find_person_tables():
            source_id = kind.clean(read_value(fields_of(resource.model, resource.data_source)[name].source, record))
            if isinstance(source_id, str):
                yield kind.table, source_id


def read_value(source: Source, record: Mapping[str, Any]) -> Any:
    """Return the value at a field's source."""
    return source(record) if callable(source) else value_at(record, source)


def scrub(resource: Resource, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with only the fields that an impersonal column, or the reading itself, needs."""
    impersonal = find_impersonal_fields(resource)
    scrubbed = {key: value for key, value in record.items() if key.casefold() in impersonal.record_fields}
    parent = record.get(PARENT)
    if isinstance(parent, Mapping):
        scrubbed[PARENT] = {key: value for key, value in parent.items() if key.casefold() in impersonal.parent_fields}
    return scrubbed


def scrub_record(resource: Resource, record: Record) -> Record:
    """Return a record scrubbed, with the new text and hash."""
    text, digest = encode_record(scrub(resource, decode(record.raw)))
    return msgspec.structs.replace(record, raw=text, content_hash=digest)


def encode_record(record: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Encode a record as text, and return the text and its hash."""
    text = _encode(record)
    return text, hashlib.blake2b(text, digest_size=16).digest()


@cache
def find_impersonal_fields(resource: Resource) -> ImpersonalFields:
    """Return the fields of a resource's records that are kept when the person is forgotten."""
    fields = fields_of(resource.model, resource.data_source).values()
    personal = set(iterate_paths(field for field in fields if field.personal))
    needed = {
        *iterate_paths(field for field in fields if not field.personal),
        *find_structural_paths(resource),
    } - personal
    parent_fields = {path.split(".")[1] for path in needed if path.startswith(f"{PARENT}.")}
    record_fields = {path.split(".")[0] for path in needed} - {PARENT} | {CALL}
    return ImpersonalFields(frozenset(map(str.casefold, record_fields)), frozenset(map(str.casefold, parent_fields)))


def iterate_paths(fields: Iterable[Field]) -> Iterator[str]:
    """Yield the source paths of fields."""
    for field in fields:
        yield from find_source_paths(field.source)


def find_structural_paths(resource: Resource) -> set[str]:
    """Return the paths of the id, the times, the filters, and the fields from which other records are made."""
    names = {*find_source_paths(resource.id), *resource.changes.times}
    has_own_rows = resource.data_source == PRIMARY or resource.data_source.is_fallback
    names |= {name for name, _ in resource.model.deletion_mark} if has_own_rows else set()
    if resource.parent is not None:
        names |= {f"{PARENT}.{name}" for name in resource.parent.parent_fields}
    for child in children_of(resource.name):
        if child.parent is not None:
            names |= {*child.parent.parent_fields, *child.parent.deciding_fields}
    for _, derivation in derived_from(resource.name):
        names |= {*probe_fields(derivation.make)}
    return names
