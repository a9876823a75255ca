"""The declared fields of the API's answers: read by a column, a key or a derivation, or only kept in staging.

Everything is derived from the models and the catalogue. A profile has the declared spelling of every declared key, so
that any other spelling in it is a second one of the same object.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from etl.catalogue.resource import Resource
from etl.models.base import OPTIONAL, fields_of
from etl.read_paths import CALL_PREFIX, PARENT_PREFIX, find_source_paths, iterate_read_paths
from etl.values import Code


@dataclass(frozen=True, slots=True)
class DeclaredFields:
    """The declared fields of a resource's items, by path as in a profile, in the declared spelling."""

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
        return path in self.paths or any(part in self.paths and part != self.closed for part in iterate_enclosing(path))

    def find_vocabulary(self, path: str) -> Code | None:
        """Return the vocabulary of a coded field, None for other fields."""
        return self.codes.get(path)


def iterate_enclosing(path: str) -> Iterator[str]:
    """Yield the paths that enclose a path, innermost first: `a` for `a[].b`."""
    while "." in path or path.endswith("[]"):
        path = path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0].removesuffix("[]")
        yield path


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
    direct = {field.source: field.presence is not OPTIONAL for field in fields if isinstance(field.source, str)}
    key = {resource.id: True} if isinstance(resource.id, str) else {}
    expected_by_path = {
        item_path: is_expected
        for path, is_expected in (key | direct).items()
        if (item_path := find_item_path(resource, path))
    }
    return DeclaredFields(
        frozenset(item_path for path in iterate_read_paths(resource) if (item_path := find_item_path(resource, path))),
        resource.nested.list if resource.nested else None,
        tuple(expected_by_path),
        frozenset(item_path for item_path, is_expected in expected_by_path.items() if is_expected),
        {item_path: kind for path, kind in coded_paths if (item_path := find_item_path(resource, path))},
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
