"""Records of the book in our own process, as the client hands them on, and a stop-watch for them."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.book import FIRST_DAY
from benchmarks.server import LARGEST, Book
from etl.api.protocol import Call, page_call
from etl.catalogue import Resource
from etl.resources import resource
from etl.window import FIRST_INSTANT

ROUNDS = 3
MICROSECONDS = 1e6
#: The feeds of the book and the resources that read them.
RESOURCES = {"Contacts": "contacts", "Policies": "policies"}
REQUESTED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """Some pages of one feed."""

    resource: Resource
    call: Call
    bodies: list[bytes]


def samples(records: int) -> list[Sample]:
    """Return so many records of each feed, in pages."""
    book = Book.of(records, 0)
    end = REQUESTED.date()
    pages = range(1, -(-records // LARGEST) + 1)
    found = []
    for feed, name in RESOURCES.items():
        one = resource(name)
        call = page_call(one, one.endpoints[0], FIRST_INSTANT.date(), end, 1, LARGEST)
        bodies = [book.page(book.feeds[feed], FIRST_DAY, end, number, LARGEST) for number in pages]
        found.append(Sample(one, call, bodies))
    return found


def microseconds(work: Callable[[], object], number: int) -> float:
    """Return the processor's time for each of `number` pieces when all are done at once: the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best * MICROSECONDS / number


def each(work: Callable[[Any], object], items: Iterable[Any]) -> Callable[[], object]:
    """Return the work on all items."""
    return lambda: [work(item) for item in items]
