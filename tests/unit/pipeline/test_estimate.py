"""Ranges estimated from pages contain the true number, and are exact for whole lists."""

import random
from itertools import pairwise
from math import ceil

import pytest

from etl.api.protocol import Page
from etl.call_estimate import Estimate, PageCounts, estimate_matching
from etl.pipeline.forecast.feed_sample import MAX_SAMPLE_PAGES, FeedSample, choose_pages, make_sample, widen_sample

SIZE = 100


def sampled(matches: list[bool], most: int) -> list[PageCounts]:
    """Return the counts of the pages that a forecast reads of a list."""
    pages = [matches[(number - 1) * SIZE : number * SIZE] for number in choose_pages(len(matches), SIZE, most)]
    return [PageCounts(len(page), sum(page), sum(page)) for page in pages]


@pytest.mark.parametrize("order", ["mixed", "rising", "clustered"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
def test_nineteen_of_twenty_ranges_contain_the_number(order: str, share: float) -> None:
    dice, hits, books = random.Random(f"{order} {share}"), 0, 60
    for _ in range(books):
        total = dice.randrange(1_500, 6_000)
        matches = [dice.random() < share for _ in range(total)]
        if order == "rising":
            matches = [dice.random() < 2 * share * position / total for position in range(total)]
        elif order == "clustered":
            days = [dice.random() < share for _ in range(total // 20 + 1)]
            matches = [days[position // 20] for position in range(total)]
        estimate = estimate_matching(sampled(matches, 10), total)
        hits += estimate.low <= sum(matches) <= estimate.high
        assert 0 <= estimate.low <= estimate.high <= total
    assert hits >= books * 0.95


def test_a_list_that_was_read_to_its_end_is_exact() -> None:
    matches = [number % 3 == 0 for number in range(950)]
    assert estimate_matching(sampled(matches, 10), 950) == Estimate(sum(matches), sum(matches))


def test_what_is_only_possible_widens_the_range_upwards() -> None:
    assert estimate_matching([PageCounts(100, 40, 70)], 100) == Estimate(40, 70)
    half = estimate_matching([PageCounts(100, 40, 70)], 1000)
    assert half.low < 400
    assert half.high > 700


def test_nothing_is_certain_about_an_unread_list() -> None:
    assert estimate_matching([], 500) == Estimate(0, 500)
    unseen = estimate_matching([PageCounts(100, 0, 0)], 1000)
    assert unseen.low == 0 < unseen.high < 1_000, "none in a sample is not none at all"


@pytest.mark.parametrize(("total", "most"), [(0, 10), (1, 10), (100, 10), (101, 10), (5_000, 10), (5_000, 1), (950, 3)])
def test_pages_are_spread_over_the_whole_list(total: int, most: int) -> None:
    numbers, last = choose_pages(total, SIZE, most), max(1, ceil(total / SIZE))
    assert len(numbers) == min(most, last)
    assert numbers[0] == 1
    if most > 1:
        assert numbers[-1] in {last, total // SIZE}, "the last page, or the last full one"
        steps = {later - earlier for earlier, later in pairwise(numbers)}
        assert not steps or max(steps) - min(steps) <= 1


def test_a_sample_reads_no_page_twice_and_at_most_ten() -> None:
    read: list[int] = []

    def fetch(number: int) -> Page:
        read.append(number)
        return Page([b'{"PolicyId": 1}', b"no JSON"], total=5_000)

    sample = widen_sample(make_sample(Page([b"{}"], total=5_000), SIZE), fetch, 99)
    assert isinstance(sample, FeedSample)
    assert len(sample.pages) == MAX_SAMPLE_PAGES
    assert 1 not in read
    assert len(set(read)) == len(read) == MAX_SAMPLE_PAGES - 1
    assert sample.records == MAX_SAMPLE_PAGES, "an item that is not JSON does not count"
