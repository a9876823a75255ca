"""Chunks: slices and calls packed so that no task is too small or too large."""

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
    MAX_DETAIL_CHUNKS,
    Chunk,
    ResourceSlices,
    calls_weight,
    pack,
    queue_slice_count,
    slice_weight,
)

ITEMS = st.lists(
    st.builds(
        ResourceSlices,
        st.sampled_from(["contacts", "policies"]),
        st.tuples(st.integers(0, 999)),
        st.integers(1, CAPACITY),
        st.none() | st.integers(0, 999),
    ),
    max_size=60,
)


def unpack(chunks: list[Chunk]) -> list[tuple[str, int, int | None]]:
    """Return the slices of chunks, in order."""
    items = [item for chunk in chunks for item in chunk.resources]
    return [(item.resource, number, item.budget) for item in items for number in item.numbers]


@given(ITEMS)
def test_packing_keeps_every_slice_in_order(items: list[ResourceSlices]) -> None:
    chunks = pack(items)
    assert unpack(chunks) == [(item.resource, item.numbers[0], item.budget) for item in items]


@given(ITEMS)
def test_a_chunk_survives_the_round_trip_through_json(items: list[ResourceSlices]) -> None:
    chunks = pack(items)
    decoded = [Chunk.from_json(json.loads(json.dumps(chunk.to_json()))) for chunk in chunks]
    assert unpack(decoded) == unpack(chunks)
    assert list(map(str, decoded)) == list(map(str, chunks))


def test_the_small_feeds_of_an_hour_are_one_chunk() -> None:
    hourly = [ResourceSlices(f"resource {number}", (0,), LIGHT) for number in range(14)]
    assert len(pack(hourly)) == 1


def test_a_large_feed_is_split_into_several_chunks() -> None:
    chunks = pack([ResourceSlices("contacts", (number,), HEAVY) for number in range(10)])
    assert list(map(str, chunks)) == ["contacts 0-2", "contacts 3-5", "contacts 6-8", "contacts 9"]


def test_a_huge_account_has_larger_chunks_not_more_chunks() -> None:
    assert len(pack([ResourceSlices("contacts", (number,), HEAVY) for number in range(10_000)])) <= MAX_CHUNKS
    assert queue_slice_count(100_000_000) == MAX_DETAIL_CHUNKS


@given(st.lists(st.integers(1, 50 * CAPACITY), max_size=2000))
def test_there_are_never_too_many_chunks(weights: list[int]) -> None:
    assert len(pack([ResourceSlices("contacts", (0,), weight) for weight in weights])) <= MAX_CHUNKS


def test_a_queue_is_split_into_slices_of_about_one_chunk() -> None:
    assert [
        queue_slice_count(calls) for calls in (0, 1, CALLS_PER_CHUNK, CALLS_PER_CHUNK + 1, 10 * CALLS_PER_CHUNK)
    ] == [1, 1, 1, 2, 4]
    assert calls_weight(CALLS_PER_CHUNK) == CAPACITY
    assert calls_weight(3) == 1


def test_a_slice_of_many_days_is_heavy() -> None:
    assert slice_weight(Slice(0, 0)) == LIGHT
    assert slice_weight(Slice(0, 0, date(2026, 1, 1), date(2026, 1, 3))) == LIGHT
    assert slice_weight(Slice(0, 0, date(2000, 1, 1), date(2026, 1, 3))) == HEAVY
