"""A sample of a feed: its total, and pages spread over it. The forecast estimates from it what is not yet read."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import msgspec

from etl.api.protocol import Page
from etl.record import decode

#: Pages of a feed that a forecast reads at most, the first included.
MAX_SAMPLE_PAGES = 10


@dataclass(frozen=True, slots=True)
class FeedSample:
    """The total of a feed as the API reports it, and the records of some of its pages."""

    total: int | None
    page_size: int
    pages: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)  #: by number, from 1

    @property
    def records(self) -> int:
        """The number of records in the sample."""
        return sum(map(len, self.pages.values()))

    @property
    def all_records(self) -> list[Mapping[str, Any]]:
        """The records in the sample, in the order of the list."""
        return [record for _, records in sorted(self.pages.items()) for record in records]


#: Returns one page of a feed.
FetchPage = Callable[[int], Page]


def make_sample(first: Page, page_size: int) -> FeedSample:
    """Return a sample that consists of the first page."""
    return FeedSample(first.total, page_size, {1: decode_records(first)})


def widen_sample(sample: FeedSample, fetch: FetchPage, most: int) -> FeedSample:
    """Return a sample with up to `most` pages in all, spread evenly over the feed."""
    numbers = choose_pages(sample.total or 0, sample.page_size, min(most, MAX_SAMPLE_PAGES))
    more = {number: decode_records(fetch(number)) for number in numbers if number not in sample.pages}
    return FeedSample(sample.total, sample.page_size, {**sample.pages, **more})


def choose_pages(total: int, page_size: int, most: int) -> list[int]:
    """Return the numbers of up to `most` pages: all, or full pages at equal distances from the first to the last."""
    last = max(1, ceil(total / page_size))
    if last <= most:
        return list(range(1, last + 1))
    last_full = total // page_size  # a page with a few records would count little, and say less of the end of the list
    return [1 + index for index in spread_evenly(last_full, most)]


def spread_evenly(number: int, most: int) -> list[int]:
    """Return up to `most` of the first `number` indices, at equal distances from the first to the last."""
    chosen = min(number, most)
    return [round(index * (number - 1) / max(1, chosen - 1)) for index in range(chosen)]


def decode_records(page: Page) -> list[Mapping[str, Any]]:
    """Return the items of a page that are JSON objects."""
    records: list[Mapping[str, Any]] = []
    for item in page.items:
        with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            records.append(decode(item))
    return records
