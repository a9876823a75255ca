"""Sorting: every record has exactly one place, whatever the order in which records arrive."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.ledger.staging.classify import Classified, CurrentVersion, IncomingRecord, classify
from etl.models.states import Outcome, RawState
from etl.record import Record
from etl.window import Window

THIS, ANOTHER = UUID(int=1), UUID(int=2)
RULES = "today's"
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(hours=3), NOON + timedelta(hours=3))


def arrival(source_id: str, hours: int, content: str = "a", *, undated: bool = False) -> IncomingRecord:
    """Return a record modified some hours after noon."""
    moment = NOON + timedelta(hours=hours)
    return IncomingRecord(Record(source_id, b"{}", content.encode(), moment, undated), request_id=None)


def head(hours: int, content: str = "a", **facts: Any) -> CurrentVersion:
    """Return the newest staged version of a record, loaded by another batch unless told otherwise."""
    known = CurrentVersion(UUID(int=9), content.encode(), NOON + timedelta(hours=hours), RawState.LOADED, RULES, True, ANOTHER)
    return replace(known, **facts)


def sort_one(one: IncomingRecord, known: CurrentVersion | None, window: Window | None = None) -> Classified:
    """Sort a single record."""
    heads = {} if known is None else {one.record.source_id: known}
    return classify([one], heads, window, RULES, THIS)


def places(sorting: Classified) -> dict[str, int]:
    """Return how many records stand where, places without any left out."""
    placed = Counter(fresh=len(sorting.to_stage), again=len(sorting.unprocessed)) + sorting.counts
    return {str(place): number for place, number in placed.items() if number}


@pytest.mark.parametrize(
    ("one", "known", "place"),
    [
        (arrival("1", 0), None, "fresh"),
        (arrival("1", 0, "b"), head(-1, "a"), "fresh"),
        (arrival("1", 0, "b"), head(0, "a"), "fresh"),  # another reading of the same instant: the later one counts
        (arrival("1", -1, "b"), head(0, "a"), "older"),
        (arrival("1", 0), head(0), "unchanged"),
        (arrival("1", 5), head(0), "unchanged"),
        (arrival("1", 0), head(0, batch_id=THIS), "duplicate"),
        (arrival("1", 0), head(0, rules="yesterday's"), "again"),
        (arrival("1", 0), head(0, rules=None, loaded=False), "again"),
        (arrival("1", 0), head(0, status=RawState.VALIDATION_ERROR, loaded=False), "refused"),
        (arrival("1", 0), head(0, status=RawState.LOADED, loaded=False), "no_row"),
        (arrival("1", 0), head(0, status=RawState.VALIDATION_ERROR, loaded=True), "unchanged"),
    ],
)
def test_each_record_has_its_place(one: IncomingRecord, known: CurrentVersion | None, place: str) -> None:
    assert places(sort_one(one, known)) == {place: 1}


def test_without_rules_a_known_record_is_not_yet_through() -> None:
    sorting = classify([arrival("1", 0)], {"1": head(0)}, None, None, THIS)
    assert places(sorting) == {"again": 1}


def test_only_what_a_fresh_record_replaces_is_superseded() -> None:
    assert sort_one(arrival("1", 0, "b"), head(-1)).superseded == [UUID(int=9)]
    assert sort_one(arrival("1", -2, "b"), head(-1)).superseded == []
    assert sort_one(arrival("1", 0), head(0, rules="yesterday's")).superseded == []


def test_there_and_back_again_is_two_changes() -> None:
    assert places(sort_one(arrival("1", 1, "b"), head(0, "a"))) == {"fresh": 1}
    assert places(sort_one(arrival("1", 2, "a"), head(1, "b"))) == {"fresh": 1}


def test_a_window_leaves_out_what_it_does_not_cover_and_keeps_what_shows_no_date() -> None:
    assert places(sort_one(arrival("1", 4), None, WINDOW)) == {"outside_window": 1}
    assert places(sort_one(arrival("1", 3), None, WINDOW)) == {"outside_window": 1}
    assert places(sort_one(arrival("1", -3), None, WINDOW)) == {"fresh": 1}
    assert places(sort_one(arrival("1", 4, undated=True), None, WINDOW)) == {"fresh": 1}


def test_of_two_equally_new_versions_the_later_arrival_counts() -> None:
    sorting = classify([arrival("1", 0, "a"), arrival("1", 0, "b")], {}, None, RULES, THIS)
    assert [one.record.content_hash for one in sorting.to_stage] == [b"b"]
    assert places(sorting) == {"fresh": 1, "duplicate": 1}


ids = st.sampled_from("12345")
versions = st.integers(-5, 5)
# One version of a record has one content, as at the source.
arrivals = st.lists(st.builds(lambda one, hours: arrival(one, hours, f"{one}:{hours % 3}"), ids, versions), max_size=12)
known_heads = st.dictionaries(
    ids,
    st.builds(
        lambda hours, content, rules, batch_id, loaded: head(
            hours, f"x:{content}", rules=rules, batch_id=batch_id, loaded=loaded
        ),
        versions,
        st.integers(0, 2),
        st.sampled_from([RULES, "yesterday's", None]),
        st.sampled_from([THIS, ANOTHER]),
        st.booleans(),
    ),
)


def of_one_source(heads: Mapping[str, CurrentVersion]) -> dict[str, CurrentVersion]:
    """Return heads whose contents are those of their records."""
    return {
        one: replace(known, content_hash=known.content_hash.replace(b"x", one.encode())) for one, known in heads.items()
    }


@given(some=arrivals, heads=known_heads, window=st.none() | st.just(WINDOW))
def test_every_record_is_in_exactly_one_place(
    some: Sequence[IncomingRecord], heads: Mapping[str, CurrentVersion], window: Window | None
) -> None:
    sorting = classify(some, of_one_source(heads), window, RULES, THIS)
    assert len(sorting.to_stage) + len(sorting.unprocessed) + sum(sorting.counts.values()) == len(some)
    assert len(sorting.older) == sorting.counts[Outcome.OLDER]
    placed = [*sorting.to_stage, *(one for _, one in sorting.unprocessed), *sorting.older]
    assert max(Counter(one.record.source_id for one in placed).values(), default=1) == 1


@given(some=arrivals, heads=known_heads, window=st.none() | st.just(WINDOW), data=st.data())
def test_the_order_of_arrival_decides_nothing(
    some: Sequence[IncomingRecord], heads: Mapping[str, CurrentVersion], window: Window | None, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(some))
    known = of_one_source(heads)
    assert outline(classify(some, known, window, RULES, THIS)) == outline(
        classify(shuffled, known, window, RULES, THIS)
    )


def outline(sorting: Classified) -> tuple[Any, ...]:
    """Return what a sorting comes to, in an order of its own."""
    again = sorted(one.record.source_id for _, one in sorting.unprocessed)
    fresh, older = (
        sorted((one.record.source_id, one.record.content_hash) for one in some)
        for some in (sorting.to_stage, sorting.older)
    )
    return fresh, again, older, len(sorting.superseded), +sorting.counts
