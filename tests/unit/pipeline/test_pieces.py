"""Pieces: slices and calls put together so that a task is worth its start, and none is endless."""

import json
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from etl.ledger.slices import Slice
from etl.pipeline.task_chunks import (
    CALLS_PER_CHUNK,
    CAPACITY,
    HEAVY,
    LIGHT,
    MAX_CHUNKS,
    Chunk,
    ResourceSlices,
    calls_weight,
    pack,
    queue_slice_count,
    slice_weight,
)

SHARES = st.lists(
    st.builds(
        ResourceSlices,
        st.sampled_from(["contacts", "policies"]),
        st.tuples(st.integers(0, 999)),
        st.integers(1, CAPACITY),
        st.none() | st.integers(0, 999),
    ),
    max_size=60,
)


def split(pieces: list[Chunk]) -> list[tuple[str, int, int | None]]:
    """Return the slices of pieces in their order."""
    return [(one.resource, number, one.budget) for piece in pieces for one in piece.resources for number in one.numbers]


@given(SHARES)
def test_nothing_is_lost_and_order_is_kept(shares: list[ResourceSlices]) -> None:
    pieces = pack(shares)
    assert split(pieces) == [(one.resource, one.numbers[0], one.budget) for one in shares]


@given(SHARES)
def test_a_piece_comes_out_of_its_journey_as_it_went_in(shares: list[ResourceSlices]) -> None:
    pieces = pack(shares)
    arrived = [Chunk.from_json(json.loads(json.dumps(piece.to_json()))) for piece in pieces]
    assert split(arrived) == split(pieces)
    assert list(map(str, arrived)) == list(map(str, pieces))


def test_the_small_feeds_of_an_hour_are_one_piece() -> None:
    hourly = [ResourceSlices(f"resource {number}", (0,), LIGHT) for number in range(14)]
    assert len(pack(hourly)) == 1


def test_a_large_feed_is_spread_over_many() -> None:
    pieces = pack([ResourceSlices("contacts", (number,), HEAVY) for number in range(10)])
    assert list(map(str, pieces)) == ["contacts 0-2", "contacts 3-5", "contacts 6-8", "contacts 9"]


def test_a_huge_book_has_larger_pieces_and_not_more_of_them() -> None:
    assert len(pack([ResourceSlices("contacts", (number,), HEAVY) for number in range(10_000)])) <= MAX_CHUNKS
    assert queue_slice_count(100_000_000) == MAX_CHUNKS


@given(st.lists(st.integers(1, 50 * CAPACITY), max_size=2000))
def test_there_are_never_too_many_pieces(weights: list[int]) -> None:
    assert len(pack([ResourceSlices("contacts", (0,), weight) for weight in weights])) <= MAX_CHUNKS


def test_a_queue_is_read_in_parts_of_about_one_piece() -> None:
    assert [queue_slice_count(calls) for calls in (0, 1, CALLS_PER_CHUNK, CALLS_PER_CHUNK + 1, 10 * CALLS_PER_CHUNK)] == [1, 1, 1, 2, 10]
    assert calls_weight(CALLS_PER_CHUNK) == CAPACITY
    assert calls_weight(3) == 1


def test_a_slice_of_many_days_may_be_large() -> None:
    assert slice_weight(Slice(0, 0)) == LIGHT
    assert slice_weight(Slice(0, 0, date(2026, 1, 1), date(2026, 1, 3))) == LIGHT
    assert slice_weight(Slice(0, 0, date(2000, 1, 1), date(2026, 1, 3))) == HEAVY
