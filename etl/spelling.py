"""The spelling of keys: the API mixes `Id` and `ID`, so that keys are matched without regard to case.

Staging keeps a record as the API sent it. The code that reads its fields gets a view in which every declared key has
its declared spelling. The spelling of an answer is learned once per layout, the keys of an object in their order, which
all records of a list share; after that a record costs one look-up.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from etl.catalogue.resource import Resource
from etl.read_paths import CALL_PREFIX, PARENT_PREFIX, iterate_read_paths
from etl.record import decode

#: Maximum number of layouts that one object's spelling remembers.
MAX_LAYOUTS = 1024


def find_key(keys: Collection[str], name: str) -> str | None:
    """Return the key that spells a declared name: the declared spelling first, then the first by code points.

    The choice does not depend on the order of the keys, because jsonb does not keep it.
    """
    if name in keys:
        return name
    folded = name.casefold()
    return min((key for key in keys if key.casefold() == folded), default=None)


def read_field(texts: Mapping[str, msgspec.Raw], name: str) -> Any:
    """Return the decoded value of a declared name in an object of JSON texts, None if it is absent."""
    key = find_key(texts, name)
    return None if key is None else msgspec.json.decode(texts[key])


class Layout(NamedTuple):
    """What the view of an object with certain keys changes."""

    renamed: Mapping[str, str]  #: from the spelling that was sent to the declared one
    objects: tuple[tuple[str, "Spelling"], ...]  #: declared names whose values have declared keys inside


#: The layout of an object whose view is the object itself; a single instance.
UNCHANGED = Layout({}, ())


class Spelling:
    """The declared spelling of an object's keys, and of the keys inside them. Lists are transparent."""

    def __init__(self, paths: Iterable[str]) -> None:
        inner_paths: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            name, _, inner = path.partition(".")
            inner_paths[name].append(inner)
        self.names = {name.casefold(): name for name in inner_paths}
        if len(self.names) < len(inner_paths):
            others = sorted(set(inner_paths) - set(self.names.values()))
            raise ValueError(f"The keys {others} are declared in two spellings. Declare one of them.")
        inside = {name: without_places(inner) for name, inner in inner_paths.items()}
        self.inside = {name: Spelling(inner) for name, inner in inside.items() if inner}
        self.layouts: dict[tuple[str, ...], Layout] = {}

    def decode(self, raw: bytes) -> Mapping[str, Any]:
        """Decode a record's JSON text; its declared keys have their declared spelling."""
        return self.respell(decode(raw))

    def respell(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a record with the declared spelling of its declared keys; the record itself if that is its own."""
        keys = tuple(record)
        layout = self.layouts.get(keys) or self.learn(keys)
        if layout is UNCHANGED:
            return record
        renamed = layout.renamed
        view = {renamed.get(key, key): value for key, value in record.items()} if renamed else record
        for name, inner in layout.objects:
            value = view[name]
            if (respelled := inner.respell_value(value)) is not value:
                view = {**view, name: respelled}
        return view

    def respell_value(self, value: Any) -> Any:
        """Return an object, or the objects of a list, respelled; the value itself if it has no other spelling."""
        if value.__class__ is dict:
            return self.respell(value)
        if value.__class__ is not list:
            return value
        get = self.layouts.get
        for member in value:
            if member.__class__ is dict and (get(keys := tuple(member)) or self.learn(keys)) is not UNCHANGED:
                return [self.respell_value(part) if part.__class__ is dict else part for part in value]
        return value

    def learn(self, keys: tuple[str, ...]) -> Layout:
        """Remember and return the layout of an object with these keys.

        Of several spellings of one name the first by `find_key` is renamed; the others keep theirs.
        """
        present = {key.casefold() for key in keys}
        spelled = {name: find_key(keys, name) or name for folded, name in self.names.items() if folded in present}
        layout = Layout(
            {key: name for name, key in spelled.items() if key != name},
            tuple((name, self.inside[name]) for name in spelled if name in self.inside),
        )
        if len(self.layouts) >= MAX_LAYOUTS:
            self.layouts.clear()
        layout = UNCHANGED if layout == UNCHANGED else layout
        self.layouts[keys] = layout
        return layout


def without_places(paths: Iterable[str]) -> list[str]:
    """Return the paths inside a key, without the list positions at their beginning."""
    inner = (path.partition(".")[2] if path.partition(".")[0].isdigit() else path for path in paths)
    return [path for path in inner if path]


@lru_cache(maxsize=128)
def spelling_of(resource: Resource) -> Spelling:
    """Return the spelling of a resource's records, as staging keeps them."""
    return Spelling(iterate_read_paths(resource))


@lru_cache(maxsize=128)
def item_spelling_of(resource: Resource) -> Spelling:
    """Return the spelling of a resource's items, as the API sends them."""
    paths = [path for path in iterate_read_paths(resource) if not path.startswith(CALL_PREFIX)]
    own = [path for path in paths if not path.startswith(PARENT_PREFIX)]
    if resource.nested is None:
        return Spelling(own)
    around = [path.removeprefix(PARENT_PREFIX) for path in paths if path.startswith(PARENT_PREFIX)]
    return Spelling([*around, *(f"{resource.nested.list}.{path}" for path in own)])
