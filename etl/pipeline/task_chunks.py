"""Pieces: what one task of a run reads. They travel between tasks as names and numbers alone. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Self

from etl.extract.date_ranges import Days, is_short
from etl.ledger.slices import Slice

#: What a piece may weigh. A heavy slice holds up to 20,000 records, so that a full piece takes a minute or two.
CAPACITY = 60
#: A slice of many days, which may be as large as a slice can be, and one of few days or of a small list.
HEAVY, LIGHT = 20, 2
#: So many calls for details are one full piece.
CALLS = 1000
#: Pieces of one wave, and parts of one queue, at most; a larger book has larger pieces.
MOST_PIECES = 256


@dataclass(frozen=True, slots=True)
class Share:
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
class Piece:
    """What one task reads: shares of resources of one wave."""

    shares: tuple[Share, ...]

    def __str__(self) -> str:
        """Return how people see it."""
        return ", ".join(map(str, self.shares))

    def ids(self) -> list[Any]:
        """Return the piece as JSON that `of` reads."""
        return [[one.resource, list(one.numbers), one.budget] for one in self.shares]

    @classmethod
    def of(cls, ids: Iterable[Sequence[Any]]) -> Self:
        """Return the piece that these ids stand for."""
        return cls(tuple(Share(name, tuple(numbers), budget=budget) for name, numbers, budget in ids))


def weight_of(one: Slice) -> int:
    """Return how much of a piece a slice may take up."""
    if one.first_day is None or one.last_day is None or is_short(Days(one.first_day, one.last_day)):
        return LIGHT
    return HEAVY


def parts_of_queue(calls: int) -> int:
    """Return in how many equal parts a queue with so many calls outstanding is read."""
    return min(MOST_PIECES, max(1, ceil(calls / CALLS)))


def weight_of_calls(calls: int) -> int:
    """Return how much of a piece so many calls for details take up."""
    return max(1, CAPACITY * calls // CALLS)


def packed(shares: Sequence[Share]) -> list[Piece]:
    """Return shares put together into pieces, in their order; neighbors of one resource become one share."""
    capacity = capacity_for([one.weight for one in shares])
    pieces: list[list[Share]] = []
    weight = 0
    for one in shares:
        if not pieces or weight + one.weight > capacity:
            pieces.append([])
            weight = 0
        weight += one.weight
        add(pieces[-1], one)
    return [Piece(tuple(piece)) for piece in pieces]


def capacity_for(weights: Sequence[int]) -> int:
    """Return what a piece may weigh so that there are no more than MOST_PIECES, however well they fill up."""
    total = sum(weights)
    return CAPACITY if 2 * total <= CAPACITY * MOST_PIECES else ceil(total / MOST_PIECES) + max(weights)


def add(piece: list[Share], one: Share) -> None:
    """Put a share at the end of a piece."""
    if piece and piece[-1].resource == one.resource and piece[-1].budget is one.budget is None:
        piece[-1] = replace(piece[-1], numbers=(*piece[-1].numbers, *one.numbers))
    else:
        piece.append(one)
