"""Records of the data set in our own process, as the client returns them, and their timing."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.book import FIRST_DAY
from benchmarks.server import MAX_PAGE_SIZE, Book
from etl.api.protocol import Call, page_call
from etl.catalogue.resource import Resource
from etl.resources import find_resource
from etl.window import FIRST_INSTANT

ROUNDS = 3
MICROSECONDS = 1e6
#: The feeds of the data set and the resources that read them.
RESOURCES = {"Contacts": "contacts", "Policies": "policies"}
REQUESTED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """Some pages of one feed."""

    resource: Resource
    call: Call
    bodies: list[bytes]


def load_samples(records: int) -> list[Sample]:
    """Return this many records of each feed, in pages."""
    book = Book.of(records, 0)
    end = REQUESTED.date()
    pages = range(1, -(-records // MAX_PAGE_SIZE) + 1)
    samples_read = []
    for feed, name in RESOURCES.items():
        feed_resource = find_resource(name)
        call = page_call(feed_resource, feed_resource.endpoints[0], FIRST_INSTANT.date(), end, 1, MAX_PAGE_SIZE)
        bodies = [book.page(book.feeds[feed], FIRST_DAY, end, number, MAX_PAGE_SIZE) for number in pages]
        samples_read.append(Sample(feed_resource, call, bodies))
    return samples_read


def microseconds(work: Callable[[], object], number: int) -> float:
    """Return the CPU time per item when `work` processes `number` items: the best of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best * MICROSECONDS / number


def apply_to_all(work: Callable[[Any], object], items: Iterable[Any]) -> Callable[[], object]:
    """Return a function that applies `work` to all items."""
    return lambda: [work(item) for item in items]
