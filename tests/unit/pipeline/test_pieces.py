"""Pieces: slices and calls put together so that a task is worth its start, and none is endless."""

import json
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from etl.ledger.slices import Slice
from etl.pipeline.task_chunks import (
    CALLS,
    CAPACITY,
    HEAVY,
    LIGHT,
    MOST_PIECES,
    Piece,
    Share,
    packed,
    parts_of_queue,
    weight_of,
    weight_of_calls,
)

SHARES = st.lists(
    st.builds(
        Share,
        st.sampled_from(["contacts", "policies"]),
        st.tuples(st.integers(0, 999)),
        st.integers(1, CAPACITY),
        st.none() | st.integers(0, 999),
    ),
    max_size=60,
)


def split(pieces: list[Piece]) -> list[tuple[str, int, int | None]]:
    """Return the slices of pieces in their order."""
    return [(one.resource, number, one.budget) for piece in pieces for one in piece.shares for number in one.numbers]


@given(SHARES)
def test_nothing_is_lost_and_order_is_kept(shares: list[Share]) -> None:
    pieces = packed(shares)
    assert split(pieces) == [(one.resource, one.numbers[0], one.budget) for one in shares]


@given(SHARES)
def test_a_piece_comes_out_of_its_journey_as_it_went_in(shares: list[Share]) -> None:
    pieces = packed(shares)
    arrived = [Piece.of(json.loads(json.dumps(piece.ids()))) for piece in pieces]
    assert split(arrived) == split(pieces)
    assert list(map(str, arrived)) == list(map(str, pieces))


def test_the_small_feeds_of_an_hour_are_one_piece() -> None:
    hourly = [Share(f"resource {number}", (0,), LIGHT) for number in range(14)]
    assert len(packed(hourly)) == 1


def test_a_large_feed_is_spread_over_many() -> None:
    pieces = packed([Share("contacts", (number,), HEAVY) for number in range(10)])
    assert list(map(str, pieces)) == ["contacts 0-2", "contacts 3-5", "contacts 6-8", "contacts 9"]


def test_a_huge_book_has_larger_pieces_and_not_more_of_them() -> None:
    assert len(packed([Share("contacts", (number,), HEAVY) for number in range(10_000)])) <= MOST_PIECES
    assert parts_of_queue(100_000_000) == MOST_PIECES


@given(st.lists(st.integers(1, 50 * CAPACITY), max_size=2000))
def test_there_are_never_too_many_pieces(weights: list[int]) -> None:
    assert len(packed([Share("contacts", (0,), weight) for weight in weights])) <= MOST_PIECES


def test_a_queue_is_read_in_parts_of_about_one_piece() -> None:
    assert [parts_of_queue(calls) for calls in (0, 1, CALLS, CALLS + 1, 10 * CALLS)] == [1, 1, 1, 2, 10]
    assert weight_of_calls(CALLS) == CAPACITY
    assert weight_of_calls(3) == 1


def test_a_slice_of_many_days_may_be_large() -> None:
    assert weight_of(Slice(0, 0)) == LIGHT
    assert weight_of(Slice(0, 0, date(2026, 1, 1), date(2026, 1, 3))) == LIGHT
    assert weight_of(Slice(0, 0, date(2000, 1, 1), date(2026, 1, 3))) == HEAVY
