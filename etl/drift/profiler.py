"""The schema profiler: it samples the raw JSON of arriving records and counts fields, types and codes.

A sampled record costs about twenty microseconds. The first records of a resource are all sampled, later ones at an
interval: less than a microsecond per record over a large book.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from etl.catalogue.resource import Resource
from etl.drift.declared_fields import DeclaredFields, find_declared_fields
from etl.drift.shapes import Profile, Shape
from etl.sensitive import is_never_staged
from etl.spelling import item_spelling_of
from etl.values import Violation

#: The number of records of an endpoint that are all sampled, and the interval of the sample after them.
FULL_SAMPLE, SAMPLE_INTERVAL = 200, 100
#: Limits: members of one list, depth, and paths of a resource.
MAX_MEMBERS, MAX_DEPTH, MAX_PATHS = 20, 4, 500

#: A valid field name. Any other name may contain personal data and is not stored.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}", re.ASCII)
ODD_NAME = "(odd name)"

TYPES: Mapping[type, str] = {
    str: "text", int: "number", float: "number", bool: "true or false", list: "list", dict: "object"
}  # fmt: skip


class ResourceProfiler:
    """The profile of one resource in a run."""

    def __init__(self, resource: Resource) -> None:
        self.profile = Profile()
        self.declared: DeclaredFields = find_declared_fields(resource)
        self.spelling = item_spelling_of(resource)
        self.secrets = frozenset(name.casefold() for name in resource.staging.secrets)
        self._item_counts: Counter[int] = Counter()  # by endpoint, because endpoints fill different fields

    def observe(self, items: Sequence[bytes], endpoint: int = 0) -> None:
        """Add a sample of the items of an endpoint's answer. Items that are not JSON are skipped here."""
        for item in self.sample(items, endpoint):
            try:
                record = msgspec.json.decode(item)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                continue
            if isinstance(record, dict):
                self.add_object(self.spelling.respell(record), "", 0)

    def sample(self, items: Sequence[bytes], endpoint: int = 0) -> Iterable[bytes]:
        """Return the items to sample."""
        item_count = self._item_counts[endpoint]
        self._item_counts[endpoint] += len(items)
        full_count = max(FULL_SAMPLE - item_count, 0)
        start = full_count + -(item_count + full_count) % SAMPLE_INTERVAL
        return [*items[:full_count], *items[start::SAMPLE_INTERVAL]]

    def add_object(self, record: Mapping[str, Any], prefix: str, depth: int) -> None:
        """Add an object; `prefix` is the prefix of its fields' paths."""
        profile = self.profile
        profile.objects[prefix] = profile.objects.get(prefix, 0) + 1
        for name, value in record.items():
            path = prefix + (name if NAME.fullmatch(name) else ODD_NAME)
            shape = profile.shapes.get(path)
            if shape is None:
                if name.casefold() in self.secrets or is_never_staged(name) or len(profile.shapes) >= MAX_PATHS:
                    continue
                shape = profile.shapes[path] = Shape()
            shape.present += 1
            self.add_value(shape, path, value, depth)

    def add_value(self, shape: Shape, path: str, value: Any, depth: int) -> None:
        """Add a value to the shape of its path, and add the objects inside it."""
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
        """Yield the code of a coded field. An invalid code may be personal data; it becomes a finding instead."""
        kind = self.declared.find_vocabulary(path)
        if kind is None:
            return
        cleaned = kind.clean(value)
        code = cleaned.value if isinstance(cleaned, Violation) else cleaned
        if isinstance(code, str):
            yield code


class SchemaProfiler:
    """The profiles of a run, one per resource."""

    def __init__(self) -> None:
        self._profilers: dict[str, ResourceProfiler] = {}

    def observe(self, resource: Resource, items: Sequence[bytes], endpoint: int = 0) -> None:
        """Add a sample of the items of an answer of one of a resource's endpoints."""
        if resource.name not in self._profilers:
            self._profilers[resource.name] = ResourceProfiler(resource)
        self._profilers[resource.name].observe(items, endpoint)

    def pop_profile(self, resource: Resource) -> Profile | None:
        """Return and remove the profile of a resource, None when no record arrived."""
        profiler = self._profilers.pop(resource.name, None)
        return profiler.profile if profiler and profiler.profile.objects else None
