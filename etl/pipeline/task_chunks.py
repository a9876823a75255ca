"""Pieces: what one task of a run reads. They travel between tasks as names and numbers alone. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Self

from etl.extract.date_ranges import DateRange, is_short
from etl.ledger.slices import Slice

#: What a piece may weigh. A heavy slice holds up to 20,000 records, so that a full piece takes a minute or two.
CAPACITY = 60
#: A slice of many days, which may be as large as a slice can be, and one of few days or of a small list.
HEAVY, LIGHT = 20, 2
#: So many calls for details are one full piece.
CALLS_PER_CHUNK = 1000
#: Pieces of one wave, and parts of one queue, at most; a larger book has larger pieces.
MAX_CHUNKS = 256


@dataclass(frozen=True, slots=True)
class ResourceSlices:
    """Some slices of one resource."""

    resource: str
    numbers: tuple[int, ...]
    weight: int = LIGHT
    budget: int | None = None  #: calls for details that the share may make

    def __str__(self) -> str:
        """Return how people see it: the resource and its slices, such as `contacts 0-2`."""
        first, last = self.numbers[0], self.numbers[-1]
        return f"{self.resource} {first}-{last}" if last > first else f"{self.resource} {first}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one task reads: shares of resources of one wave."""

    resources: tuple[ResourceSlices, ...]

    def __str__(self) -> str:
        """Return how people see it."""
        return ", ".join(map(str, self.resources))

    def to_json(self) -> list[Any]:
        """Return the piece as JSON that `of` reads."""
        return [[one.resource, list(one.numbers), one.budget] for one in self.resources]

    @classmethod
    def from_json(cls, ids: Iterable[Sequence[Any]]) -> Self:
        """Return the piece that these ids stand for."""
        return cls(tuple(ResourceSlices(name, tuple(numbers), budget=budget) for name, numbers, budget in ids))


def slice_weight(one: Slice) -> int:
    """Return how much of a piece a slice may take up."""
    if one.first_day is None or one.last_day is None or is_short(DateRange(one.first_day, one.last_day)):
        return LIGHT
    return HEAVY


def queue_slice_count(calls: int) -> int:
    """Return in how many equal parts a queue with so many calls outstanding is read."""
    return min(MAX_CHUNKS, max(1, ceil(calls / CALLS_PER_CHUNK)))


def calls_weight(calls: int) -> int:
    """Return how much of a piece so many calls for details take up."""
    return max(1, CAPACITY * calls // CALLS_PER_CHUNK)


def pack(shares: Sequence[ResourceSlices]) -> list[Chunk]:
    """Return shares put together into pieces, in their order; neighbors of one resource become one share."""
    capacity = chunk_capacity([one.weight for one in shares])
    pieces: list[list[ResourceSlices]] = []
    weight = 0
    for one in shares:
        if not pieces or weight + one.weight > capacity:
            pieces.append([])
            weight = 0
        weight += one.weight
        append_slices(pieces[-1], one)
    return [Chunk(tuple(piece)) for piece in pieces]


def chunk_capacity(weights: Sequence[int]) -> int:
    """Return what a piece may weigh so that there are no more than MOST_PIECES, however well they fill up."""
    total = sum(weights)
    return CAPACITY if 2 * total <= CAPACITY * MAX_CHUNKS else ceil(total / MAX_CHUNKS) + max(weights)


def append_slices(piece: list[ResourceSlices], one: ResourceSlices) -> None:
    """Put a share at the end of a piece."""
    if piece and piece[-1].resource == one.resource and piece[-1].budget is one.budget is None:
        piece[-1] = replace(piece[-1], numbers=(*piece[-1].numbers, *one.numbers))
    else:
        piece.append(one)
