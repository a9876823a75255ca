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
AROUND, CALL = "_parent.", "_call."


@dataclass(frozen=True, slots=True)
class Declared:
    """The known fields of one resource's items, by path as a profile names them; the case of letters is ignored."""

    paths: frozenset[str]
    closed: str | None  #: a list whose members have known fields of their own; below other paths all is known
    columns: tuple[str, ...]  #: as declared: the id, then the fields that a column is filled from
    expected: frozenset[str]  #: those of them that a record must or should have
    codes: Mapping[str, Code]  #: the vocabularies of coded fields

    def knows(self, path: str, code: str | None = None) -> bool:
        """Tell whether a path is known, by itself or as a part of something known; or a code of its vocabulary."""
        if code is not None:
            kind = self.code_of(path)
            return kind is not None and code in kind.meanings
        folded = path.casefold()
        return folded in self.paths or any(part in self.paths and part != self.closed for part in around(folded))

    def code_of(self, path: str) -> Code | None:
        """Return the vocabulary of a coded field, None for any other."""
        return self.codes.get(path.casefold())


def around(path: str) -> Iterator[str]:
    """Yield what a path lies in, the nearest first: `a` of `a[].b`."""
    while "." in path or path.endswith("[]"):
        path = path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0].removesuffix("[]")
        yield path


class Traced(Mapping[str, Any]):
    """A record without any field, which remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> Any:
        self.asked.append(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def asked_by(read: Callable[[Mapping[str, Any]], Any]) -> list[str]:
    """Return the fields that a function of a record asks for when it finds none."""
    record = Traced()
    with suppress(LookupError, TypeError, ValueError):
        list(found) if isinstance(found := read(record), Iterator) else None
    return record.asked


def paths_of(source: Source) -> list[str]:
    """Return the paths that a source reads."""
    if isinstance(source, str):
        return [source]
    return list(source.paths) if isinstance(source, FirstOf) else asked_by(source)


@lru_cache(maxsize=128)
def declared(resource: Resource) -> Declared:
    """Return what is known of a resource's items."""
    fields = list(fields_of(resource.model, resource.road).values())
    coded = [(path, one.kind) for one in fields if isinstance(one.kind, Code) for path in paths_of(one.source)]
    # A column with several sources is content with any of them, and one that a function works out is its own affair.
    plain = {one.source: one.required or one.expected for one in fields if isinstance(one.source, str)}
    key = {resource.id: True} if isinstance(resource.id, str) else {}
    places = {place: wanted for path, wanted in (key | plain).items() if (place := place_of(resource, path))}
    return Declared(
        frozenset(place.casefold() for path in all_paths(resource) if (place := place_of(resource, path))),
        resource.nested.list.casefold() if resource.nested else None,
        tuple(places),
        frozenset(place for place, wanted in places.items() if wanted),
        {place.casefold(): kind for path, kind in coded if (place := place_of(resource, path))},
    )


def place_of(resource: Resource, path: str) -> str | None:
    """Return where a field of a record stands in the item that the API sends, None where it does not stand there.

    A list or object is known as a whole, so that only its own name counts.
    """
    nested = resource.nested
    if path.startswith(CALL) or (path.startswith(AROUND) and nested is None):
        return None
    if nested is None:
        return path.split(".", maxsplit=1)[0]
    outside = path.startswith(AROUND)
    name = path.removeprefix(AROUND).split(".")[0]
    return name if outside else f"{nested.list}[].{name}"


def all_paths(resource: Resource) -> Iterator[str]:
    """Yield every path of a record that something reads, and those that staging keeps without a column."""
    for one in fields_of(resource.model, resource.road).values():
        yield from paths_of(one.source)
        if isinstance(one.kind, Reference) and one.kind.label:
            yield one.kind.label
    yield from paths_of(resource.id)
    yield from (name for name in (resource.modified, resource.created) if name)
    yield from (choice[0] for choice in (resource.takes, resource.active) if choice)
    yield from (*resource.secrets, *resource.unstored, *(name for name, _ in resource.model.deletion_mark))
    if resource.nested:
        yield from (AROUND + resource.nested.list, AROUND + resource.nested.parent_id)
    for read in (*(stub.make for stub in resource.stubs), *(way.make for _, way in derived_from(resource.name))):
        yield from asked_by(read)
    for child in children_of(resource.name):
        if child.parent:
            yield from (*child.parent.carries, *(child.parent.only or ())[:1])
