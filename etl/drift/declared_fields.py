"""Which fields of the API's answers are known: read by a column, a key or a derivation, or only kept in staging.

Everything is derived from the models and the catalogue. Functions that read several fields are asked which.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from etl.catalogue import Resource
from etl.models.base import Source, fields_of
from etl.models.sources import FirstOf
from etl.resources import children_of, derived_from
from etl.values import Code, Reference

#: Begin the paths of what stands around a nested record, and of what a call adds to its records.
PARENT_PREFIX, CALL_PREFIX = "_parent.", "_call."


@dataclass(frozen=True, slots=True)
class DeclaredFields:
    """The known fields of one resource's items, by path as a profile names them; the case of letters is ignored."""

    paths: frozenset[str]
    closed: str | None  #: a list whose members have known fields of their own; below other paths all is known
    columns: tuple[str, ...]  #: as declared: the id, then the fields that a column is filled from
    expected: frozenset[str]  #: those of them that a record must or should have
    codes: Mapping[str, Code]  #: the vocabularies of coded fields

    def is_known(self, path: str, code: str | None = None) -> bool:
        """Tell whether a path is known, by itself or as a part of something known; or a code of its vocabulary."""
        if code is not None:
            kind = self.find_vocabulary(path)
            return kind is not None and code in kind.meanings
        folded = path.casefold()
        return folded in self.paths or any(
            part in self.paths and part != self.closed for part in iterate_enclosing(folded)
        )

    def find_vocabulary(self, path: str) -> Code | None:
        """Return the vocabulary of a coded field, None for any other."""
        return self.codes.get(path.casefold())


def iterate_enclosing(path: str) -> Iterator[str]:
    """Yield what a path lies in, the nearest first: `a` of `a[].b`."""
    while "." in path or path.endswith("[]"):
        path = path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0].removesuffix("[]")
        yield path


class FieldProbe(Mapping[str, Any]):
    """A record without any field, which remembers what it was asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getitem__(self, name: str) -> Any:
        self.names.append(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def probe_fields(read: Callable[[Mapping[str, Any]], Any]) -> list[str]:
    """Return the fields that a function of a record asks for when it finds none."""
    record = FieldProbe()
    with suppress(LookupError, TypeError, ValueError):
        list(found) if isinstance(found := read(record), Iterator) else None
    return record.names


def find_source_paths(source: Source) -> list[str]:
    """Return the paths that a source reads."""
    if isinstance(source, str):
        return [source]
    return list(source.paths) if isinstance(source, FirstOf) else probe_fields(source)


@lru_cache(maxsize=128)
def find_declared_fields(resource: Resource) -> DeclaredFields:
    """Return what is known of a resource's items."""
    fields = list(fields_of(resource.model, resource.data_source).values())
    coded = [(path, one.kind) for one in fields if isinstance(one.kind, Code) for path in find_source_paths(one.source)]
    # A column with several sources is content with any of them, and one that a function works out is its own affair.
    plain = {one.source: one.required or one.expected for one in fields if isinstance(one.source, str)}
    key = {resource.id: True} if isinstance(resource.id, str) else {}
    places = {place: wanted for path, wanted in (key | plain).items() if (place := find_item_path(resource, path))}
    return DeclaredFields(
        frozenset(
            place.casefold() for path in iterate_read_paths(resource) if (place := find_item_path(resource, path))
        ),
        resource.nested.list.casefold() if resource.nested else None,
        tuple(places),
        frozenset(place for place, wanted in places.items() if wanted),
        {place.casefold(): kind for path, kind in coded if (place := find_item_path(resource, path))},
    )


def find_item_path(resource: Resource, path: str) -> str | None:
    """Return where a field of a record stands in the item that the API sends, None where it does not stand there.

    A list or object is known as a whole, so that only its own name counts.
    """
    nested = resource.nested
    if path.startswith(CALL_PREFIX) or (path.startswith(PARENT_PREFIX) and nested is None):
        return None
    if nested is None:
        return path.split(".", maxsplit=1)[0]
    outside = path.startswith(PARENT_PREFIX)
    name = path.removeprefix(PARENT_PREFIX).split(".")[0]
    return name if outside else f"{nested.list}[].{name}"


def iterate_read_paths(resource: Resource) -> Iterator[str]:
    """Yield every path of a record that something reads, and those that staging keeps without a column."""
    for one in fields_of(resource.model, resource.data_source).values():
        yield from find_source_paths(one.source)
        if isinstance(one.kind, Reference) and one.kind.label:
            yield one.kind.label
    yield from find_source_paths(resource.id)
    yield from (name for name in (resource.modified, resource.created) if name)
    yield from (choice[0] for choice in (resource.row_filter, resource.active) if choice)
    yield from (*resource.secrets, *resource.known_unmapped, *(name for name, _ in resource.model.deletion_mark))
    if resource.nested:
        yield from (PARENT_PREFIX + resource.nested.list, PARENT_PREFIX + resource.nested.parent_id)
    for read in (*(stub.make for stub in resource.stubs), *(way.make for _, way in derived_from(resource.name))):
        yield from probe_fields(read)
    for child in children_of(resource.name):
        if child.parent:
            yield from (*child.parent.parent_fields, *(child.parent.parent_filter or ())[:1])
