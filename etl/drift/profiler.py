"""The drift radar's eye: it looks at a sample of what arrives and notes what the raw JSON looks like.

A look costs some twenty microseconds, so the first records of a resource are looked at one by one and later ones now
and then: less than a microsecond a record over a large book.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from etl.catalogue import Resource
from etl.drift.declared_fields import DeclaredFields, find_declared_fields
from etl.drift.shapes import Profile, Shape
from etl.values import Violation

#: Records of an endpoint that are looked at one by one; of those behind them every hundredth is.
FULL_SAMPLE, SAMPLE_INTERVAL = 200, 100
#: Members of one list that are looked at, how deep, and how many paths of a resource are kept.
MAX_MEMBERS, MAX_DEPTH, MAX_PATHS = 20, 4, 500

#: What can be the name of a field; anything else may hold somebody's data, and stays out.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}", re.ASCII)
ODD_NAME = "(odd name)"

TYPES: Mapping[type, str] = {
    str: "text", int: "number", float: "number", bool: "true or false", list: "list", dict: "object"
}  # fmt: skip


class ResourceProfiler:
    """What was seen of one resource in a run."""

    def __init__(self, resource: Resource) -> None:
        self.profile = Profile()
        self.declared: DeclaredFields = find_declared_fields(resource)
        self.secrets = frozenset(resource.secrets)
        self._met: Counter[int] = Counter()  # by endpoint: what one of them never fills another may

    def observe(self, items: Sequence[bytes], endpoint: int = 0) -> None:
        """Look at some of the items of an endpoint's answer; what is no JSON is for others to refuse."""
        for item in self.sample(items, endpoint):
            try:
                record = msgspec.json.decode(item)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                continue
            if isinstance(record, dict):
                self.add_object(record, "", 0)

    def sample(self, items: Sequence[bytes], endpoint: int = 0) -> Iterable[bytes]:
        """Return those of the items that are to be looked at."""
        begin = self._met[endpoint]
        self._met[endpoint] += len(items)
        first = max(FULL_SAMPLE - begin, 0)
        later = first + -(begin + first) % SAMPLE_INTERVAL
        return [*items[:first], *items[later::SAMPLE_INTERVAL]]

    def add_object(self, record: Mapping[str, Any], place: str, depth: int) -> None:
        """Add an object that stands in a place to what was seen."""
        profile = self.profile
        profile.objects[place] = profile.objects.get(place, 0) + 1
        for name, value in record.items():
            path = place + (name if NAME.fullmatch(name) else ODD_NAME)
            shape = profile.shapes.get(path)
            if shape is None:
                if name in self.secrets or len(profile.shapes) >= MAX_PATHS:
                    continue
                shape = profile.shapes[path] = Shape()
            shape.present += 1
            self.add_value(shape, path, value, depth)

    def add_value(self, shape: Shape, path: str, value: Any, depth: int) -> None:
        """Add a value to the shape of its path, and go into it where it holds more."""
        if value is None or (type(value) is str and not value.strip()):
            shape.empty += 1
            return
        shape.types.add(TYPES.get(type(value), "number"))
        if type(value) is str:
            shape.codes.update(self.read_codes(path, value))
        elif depth < MAX_DEPTH and isinstance(value, dict):
            self.add_object(value, f"{path}.", depth + 1)
        elif depth < MAX_DEPTH and isinstance(value, list):
            for member in value[:MAX_MEMBERS]:
                if isinstance(member, dict):
                    self.add_object(member, f"{path}[].", depth + 1)

    def read_codes(self, path: str, value: str) -> Iterator[str]:
        """Yield the code that a coded field holds; junk may be somebody's data, and is told of as a finding."""
        kind = self.declared.find_vocabulary(path)
        if kind is None:
            return
        found = kind.clean(value)
        code = found.value if isinstance(found, Violation) else found
        if isinstance(code, str):
            yield code


class SchemaProfiler:
    """The eyes of a run, one a resource."""

    def __init__(self) -> None:
        self._eyes: dict[str, ResourceProfiler] = {}

    def observe(self, resource: Resource, items: Sequence[bytes], endpoint: int = 0) -> None:
        """Look at some items of an answer of one of a resource's endpoints."""
        if resource.name not in self._eyes:
            self._eyes[resource.name] = ResourceProfiler(resource)
        self._eyes[resource.name].observe(items, endpoint)

    def pop_profile(self, resource: Resource) -> Profile | None:
        """Return what was seen of a resource and forget it; None when nothing came."""
        eye = self._eyes.pop(resource.name, None)
        return eye.profile if eye and eye.profile.objects else None
