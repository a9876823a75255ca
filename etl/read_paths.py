"""Which paths of a record are read: by a column, a key, a filter or a derivation.

Everything is derived from the models and the catalogue. A function that reads several fields is called with a probe,
which shows the fields of the record itself; what lies inside them is declared as a path or by the kind of a column.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from etl.catalogue.resource import Resource
from etl.models.base import Source, fields_of
from etl.models.sources import FirstOf, PartsOf
from etl.resources import children_of, derived_from
from etl.values import Json, Reference

#: Path prefixes for the fields around a nested record or of a parent, and for the fields that a call adds.
PARENT_PREFIX, CALL_PREFIX = "_parent.", "_call."


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
    return list(source.paths) if isinstance(source, FirstOf | PartsOf) else probe_fields(source)


def iterate_read_paths(resource: Resource) -> Iterator[str]:
    """Yield every path of a record that is read, and the paths that staging keeps without a column."""
    for field in fields_of(resource.model, resource.data_source).values():
        paths = find_source_paths(field.source)
        yield from paths
        if isinstance(field.kind, Json):
            yield from (f"{path}.{key}" for path in paths for key in field.kind.keys)
        if isinstance(field.kind, Reference) and field.kind.label:
            yield from find_source_paths(field.kind.label)
    yield from find_source_paths(resource.id)
    yield from resource.changes.times
    yield from (*resource.staging.secrets, *resource.staging.known_unmapped)
    yield from (name for name, _ in resource.model.deletion_mark)
    if resource.nested:
        around = (resource.nested.list, resource.nested.parent_id, *resource.nested.key)
        yield from (PARENT_PREFIX + name for name in around)
    if resource.parent:
        yield from (PARENT_PREFIX + name for name in resource.parent.parent_fields)
    yield from iterate_paths_for_others(resource)


def iterate_paths_for_others(resource: Resource) -> Iterator[str]:
    """Yield the paths that stubs, derived records and children of a record read."""
    readers: Iterable[Callable[[Mapping[str, Any]], Any]] = (
        *(stub.make for stub in resource.stubs),
        *(derivation.make for _, derivation in derived_from(resource.name)),
    )
    for read in readers:
        yield from probe_fields(read)
    for child in children_of(resource.name):
        if child.parent:
            yield from (*child.parent.parent_fields, *child.parent.deciding_fields)
