"""The declared fields of the API's answers: read by a column, a key or a derivation, or only kept in staging.

Everything is derived from the models and the catalogue. A function that reads several fields is called with a probe.
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

#: Path prefixes for the fields around a nested record, and for the fields that a call adds to its records.
PARENT_PREFIX, CALL_PREFIX = "_parent.", "_call."


@dataclass(frozen=True, slots=True)
class DeclaredFields:
    """The declared fields of a resource's items, by path as in a profile. Paths are case-insensitive."""

    paths: frozenset[str]
    closed: (
        str | None
    )  #: the nested list: its members have declared fields of their own; below other paths everything is known
    columns: tuple[str, ...]  #: as declared: the id, then the fields that fill a column
    expected: frozenset[str]  #: columns that a record must or should have
    codes: Mapping[str, Code]  #: the vocabularies of coded fields

    def is_known(self, path: str, code: str | None = None) -> bool:
        """Return whether a path is declared, itself or inside a declared path; or whether its vocabulary has a code."""
        if code is not None:
            kind = self.find_vocabulary(path)
            return kind is not None and (not kind.meanings or code in kind.meanings)
        folded = path.casefold()
        return folded in self.paths or any(
            part in self.paths and part != self.closed for part in iterate_enclosing(folded)
        )

    def find_vocabulary(self, path: str) -> Code | None:
        """Return the vocabulary of a coded field, None for other fields."""
        return self.codes.get(path.casefold())


def iterate_enclosing(path: str) -> Iterator[str]:
    """Yield the paths that enclose a path, innermost first: `a` for `a[].b`."""
    while "." in path or path.endswith("[]"):
        path = path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0].removesuffix("[]")
        yield path


class FieldProbe(Mapping[str, Any]):
    """An empty record that remembers the fields that were looked up."""

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
    """Return the fields that a function looks up in an empty record."""
    probe = FieldProbe()
    with suppress(LookupError, TypeError, ValueError):
        list(result) if isinstance(result := read(probe), Iterator) else None
    return probe.names


def find_source_paths(source: Source) -> list[str]:
    """Return the paths that a source reads."""
    if isinstance(source, str):
        return [source]
    return list(source.paths) if isinstance(source, FirstOf) else probe_fields(source)


@lru_cache(maxsize=128)
def find_declared_fields(resource: Resource) -> DeclaredFields:
    """Return the declared fields of a resource's items."""
    fields = list(fields_of(resource.model, resource.data_source).values())
    coded_paths = [
        (path, field.kind)
        for field in fields
        if isinstance(field.kind, Code)
        for path in find_source_paths(field.source)
    ]
    # A column with several sources needs only one of them, and a computed column checks its sources itself.
    direct = {field.source: field.required or field.expected for field in fields if isinstance(field.source, str)}
    key = {resource.id: True} if isinstance(resource.id, str) else {}
    expected_by_path = {
        item_path: is_expected
        for path, is_expected in (key | direct).items()
        if (item_path := find_item_path(resource, path))
    }
    return DeclaredFields(
        frozenset(
            item_path.casefold()
            for path in iterate_read_paths(resource)
            if (item_path := find_item_path(resource, path))
        ),
        resource.nested.list.casefold() if resource.nested else None,
        tuple(expected_by_path),
        frozenset(item_path for item_path, is_expected in expected_by_path.items() if is_expected),
        {item_path.casefold(): kind for path, kind in coded_paths if (item_path := find_item_path(resource, path))},
    )


def find_item_path(resource: Resource, path: str) -> str | None:
    """Return the path of a record's field in the item that the API sends, None if it is not part of the item.

    A list or object is declared as a whole, so only its own name counts.
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
    """Yield every path of a record that is read, and the paths that staging keeps without a column."""
    for field in fields_of(resource.model, resource.data_source).values():
        yield from find_source_paths(field.source)
        if isinstance(field.kind, Reference) and field.kind.label:
            yield from find_source_paths(field.kind.label)
    yield from find_source_paths(resource.id)
    yield from (name for name in (resource.modified, resource.created) if name)
    yield from (choice[0] for choice in (resource.row_filter, resource.active) if choice)
    yield from (*resource.secrets, *resource.known_unmapped, *(name for name, _ in resource.model.deletion_mark))
    if resource.nested:
        yield from (PARENT_PREFIX + resource.nested.list, PARENT_PREFIX + resource.nested.parent_id)
    for read in (
        *(stub.make for stub in resource.stubs),
        *(derivation.make for _, derivation in derived_from(resource.name)),
    ):
        yield from probe_fields(read)
    for child in children_of(resource.name):
        if child.parent:
            yield from (*child.parent.parent_fields, *child.parent.deciding_fields)
