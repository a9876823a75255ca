"""Estimates from pages of a feed: how many of its records have a property, as a range. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, sqrt

#: Neighboring records resemble one another: this many of them say no more than one record drawn independently.
ALIKE = 20
#: Standard deviations of the range, so that about 19 of 20 ranges contain the true number: more of those that are
#: estimated from ten pages themselves.
DEVIATIONS, DEVIATIONS_BETWEEN_PAGES = 2.1, 2.8


@dataclass(frozen=True, slots=True)
class Estimate:
    """A range that contains a number; low equals high if the number is known."""

    low: int
    high: int

    @property
    def is_exact(self) -> bool:
        """Whether the number is known."""
        return self.low == self.high

    def __add__(self, other: "Estimate") -> "Estimate":
        return Estimate(self.low + other.low, self.high + other.high)


@dataclass(frozen=True, slots=True)
class PageCounts:
    """The records of one page: all, those that certainly have the property, and those that possibly have it."""

    records: int
    certain: int
    possible: int


def estimate_matching(pages: Sequence[PageCounts], total: int) -> Estimate:
    """Return how many of `total` records have a property, from pages spread over the feed, in order."""
    seen = sum(page.records for page in pages)
    certain, possible = sum(page.certain for page in pages), sum(page.possible for page in pages)
    unread = max(0, total - seen)
    if not unread:
        return Estimate(certain, possible)
    if not seen:
        return Estimate(0, total)
    low = certain / seen - deviation([(page.certain, page.records) for page in pages], unread)
    high = possible / seen + deviation([(page.possible, page.records) for page in pages], unread)
    return Estimate(certain + floor(unread * max(0.0, low)), possible + ceil(unread * min(1.0, high)))


def deviation(pages: Sequence[tuple[int, int]], unread: int) -> float:
    """Return by how much the share of the unread records may differ from that of the sample.

    The larger of two figures: of groups of similar records drawn independently, and of the differences between
    neighboring pages, which also measure a list whose share rises or falls steadily.
    """
    seen = sum(records for _, records in pages)
    share = (sum(matching for matching, _ in pages) + ALIKE) / (seen + 2 * ALIKE)  # 0 or 1 in a sample is not certain
    drawn = DEVIATIONS * sqrt(share * (1 - share) * (ALIKE / seen + ALIKE / unread))
    shares = [matching / records for matching, records in pages if records]
    if len(shares) < 3:  # noqa: PLR2004 (two pages have one difference, which says little)
        return drawn
    variance = sum((later - earlier) ** 2 for earlier, later in pairwise(shares)) / (2 * (len(shares) - 1))
    return max(drawn, DEVIATIONS_BETWEEN_PAGES * sqrt(variance / len(shares)))
