"""Chunks of work for the tasks of a run, passed between tasks as names and numbers. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Self

from etl.extract.date_ranges import DateRange, is_short
from etl.ledger.slices import Slice

#: Maximum weight of a chunk. A heavy slice holds up to 20,000 records, so a full chunk takes a minute or two.
CAPACITY = 60
#: Weight of a slice of many days, which may be as large as a slice can be, and of few days or a small list.
HEAVY, LIGHT = 20, 2
#: Calls per parent that make a full chunk.
CALLS_PER_CHUNK = 1000
#: Maximum number of chunks per dependency level; a larger account has larger chunks.
MAX_CHUNKS = 256
#: Maximum number of chunks of the queue of details. Each reads by value, so that few at once keep the order of value.
MAX_DETAIL_CHUNKS = 4


@dataclass(frozen=True, slots=True)
class ResourceSlices:
    """Some slices of one resource."""

    resource: str
    numbers: tuple[int, ...]
    weight: int = LIGHT
    budget: int | None = None  #: maximum number of calls per parent

    def __str__(self) -> str:
        """Return the label for people: the resource and its slices, such as `contacts 0-2`."""
        first, last = self.numbers[0], self.numbers[-1]
        return f"{self.resource} {first}-{last}" if last > first else f"{self.resource} {first}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """The slices that one task reads, of resources of one dependency level."""

    resources: tuple[ResourceSlices, ...]

    def __str__(self) -> str:
        """Return the label for people."""
        return ", ".join(map(str, self.resources))

    def to_json(self) -> list[Any]:
        """Return the chunk as JSON for `from_json`."""
        return [[item.resource, list(item.numbers), item.budget] for item in self.resources]

    @classmethod
    def from_json(cls, items: Iterable[Sequence[Any]]) -> Self:
        """Return the chunk from its JSON."""
        return cls(tuple(ResourceSlices(name, tuple(numbers), budget=budget) for name, numbers, budget in items))


def slice_weight(slice_: Slice) -> int:
    """Return the weight of a slice."""
    if slice_.first_day is None or slice_.last_day is None or is_short(DateRange(slice_.first_day, slice_.last_day)):
        return LIGHT
    return HEAVY


def queue_slice_count(calls: int) -> int:
    """Return the number of slices for a queue of calls."""
    return min(MAX_DETAIL_CHUNKS, max(1, ceil(calls / CALLS_PER_CHUNK)))


def calls_weight(calls: int) -> int:
    """Return the weight of a number of calls per parent."""
    return max(1, CAPACITY * calls // CALLS_PER_CHUNK)


def pack(items: Sequence[ResourceSlices]) -> list[Chunk]:
    """Pack slices into chunks in order, merge neighbors of one resource, and return the chunks."""
    capacity = chunk_capacity([item.weight for item in items])
    chunks: list[list[ResourceSlices]] = []
    weight = 0
    for item in items:
        if not chunks or weight + item.weight > capacity:
            chunks.append([])
            weight = 0
        weight += item.weight
        append_slices(chunks[-1], item)
    return [Chunk(tuple(chunk)) for chunk in chunks]


def chunk_capacity(weights: Sequence[int]) -> int:
    """Return the maximum weight per chunk at which there are at most MAX_CHUNKS."""
    total = sum(weights)
    return CAPACITY if 2 * total <= CAPACITY * MAX_CHUNKS else ceil(total / MAX_CHUNKS) + max(weights)


def append_slices(chunk: list[ResourceSlices], item: ResourceSlices) -> None:
    """Append slices to a chunk."""
    if chunk and chunk[-1].resource == item.resource and chunk[-1].budget is item.budget is None:
        chunk[-1] = replace(chunk[-1], numbers=(*chunk[-1].numbers, *item.numbers))
    else:
        chunk.append(item)
