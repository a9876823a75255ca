"""Classification: every incoming record is classified exactly once, in any order of make_incoming."""

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


def make_incoming(source_id: str, hours: int, content: str = "a", *, undated: bool = False) -> IncomingRecord:
    """Return an incoming record that was modified some hours after noon."""
    moment = NOON + timedelta(hours=hours)
    return IncomingRecord(Record(source_id, b"{}", content.encode(), moment, undated), request_id=None)


def make_current(hours: int, content: str = "a", **facts: Any) -> CurrentVersion:
    """Return the current version of a record, by default loaded by another batch."""
    current_version = CurrentVersion(
        UUID(int=9), content.encode(), NOON + timedelta(hours=hours), RawState.LOADED, RULES, True, ANOTHER
    )
    return replace(current_version, **facts)


def classify_one(
    incoming: IncomingRecord, current_version: CurrentVersion | None, window: Window | None = None
) -> Classified:
    """Classify a single record."""
    current = {} if current_version is None else {incoming.record.source_id: current_version}
    return classify([incoming], current, window, RULES, THIS)


def count_places(classified: Classified) -> dict[str, int]:
    """Return the number of records by class, without empty classes."""
    placed = Counter(to_stage=len(classified.to_stage), unprocessed=len(classified.unprocessed)) + classified.counts
    return {str(outcome): number for outcome, number in placed.items() if number}


@pytest.mark.parametrize(
    ("incoming", "current_version", "outcome"),
    [
        (make_incoming("1", 0), None, "to_stage"),
        (make_incoming("1", 0, "b"), make_current(-1, "a"), "to_stage"),
        (
            make_incoming("1", 0, "b"),
            make_current(0, "a"),
            "to_stage",
        ),  # another reading at the same time: the later one counts
        (make_incoming("1", -1, "b"), make_current(0, "a"), "older"),
        (make_incoming("1", 0), make_current(0), "unchanged"),
        (make_incoming("1", 5), make_current(0), "unchanged"),
        (make_incoming("1", 0), make_current(0, batch_id=THIS), "duplicate"),
        (make_incoming("1", 0), make_current(0, rules="yesterday's"), "unprocessed"),
        (make_incoming("1", 0), make_current(0, rules=None, loaded=False), "unprocessed"),
        (make_incoming("1", 0), make_current(0, status=RawState.VALIDATION_ERROR, loaded=False), "refused"),
        (make_incoming("1", 0), make_current(0, status=RawState.LOADED, loaded=False), "no_row"),
        (make_incoming("1", 0), make_current(0, status=RawState.VALIDATION_ERROR, loaded=True), "unchanged"),
    ],
)
def test_each_record_is_classified(
    incoming: IncomingRecord, current_version: CurrentVersion | None, outcome: str
) -> None:
    assert count_places(classify_one(incoming, current_version)) == {outcome: 1}


def test_without_rules_an_unchanged_record_is_processed_again() -> None:
    classified = classify([make_incoming("1", 0)], {"1": make_current(0)}, None, None, THIS)
    assert count_places(classified) == {"unprocessed": 1}


def test_only_a_changed_record_supersedes_the_current_version() -> None:
    assert classify_one(make_incoming("1", 0, "b"), make_current(-1)).superseded == [UUID(int=9)]
    assert classify_one(make_incoming("1", -2, "b"), make_current(-1)).superseded == []
    assert classify_one(make_incoming("1", 0), make_current(0, rules="yesterday's")).superseded == []


def test_a_change_and_its_revert_are_two_changes() -> None:
    assert count_places(classify_one(make_incoming("1", 1, "b"), make_current(0, "a"))) == {"to_stage": 1}
    assert count_places(classify_one(make_incoming("1", 2, "a"), make_current(1, "b"))) == {"to_stage": 1}


@pytest.mark.fact("feed-filter")
def test_a_window_excludes_records_outside_it_and_keeps_undated_records() -> None:
    assert count_places(classify_one(make_incoming("1", 4), None, WINDOW)) == {"outside_window": 1}
    assert count_places(classify_one(make_incoming("1", 3), None, WINDOW)) == {"outside_window": 1}
    assert count_places(classify_one(make_incoming("1", -3), None, WINDOW)) == {"to_stage": 1}
    assert count_places(classify_one(make_incoming("1", 4, undated=True), None, WINDOW)) == {"to_stage": 1}


def test_of_two_equally_new_versions_the_later_one_counts() -> None:
    classified = classify([make_incoming("1", 0, "a"), make_incoming("1", 0, "b")], {}, None, RULES, THIS)
    assert [incoming.record.content_hash for incoming in classified.to_stage] == [b"b"]
    assert count_places(classified) == {"to_stage": 1, "duplicate": 1}


ids = st.sampled_from("12345")
versions = st.integers(-5, 5)
# One version of a record has one content, as at the source.
incoming_lists = st.lists(
    st.builds(lambda source_id, hours: make_incoming(source_id, hours, f"{source_id}:{hours % 3}"), ids, versions),
    max_size=12,
)
current_dicts = st.dictionaries(
    ids,
    st.builds(
        lambda hours, content, rules, batch_id, loaded: make_current(
            hours, f"x:{content}", rules=rules, batch_id=batch_id, loaded=loaded
        ),
        versions,
        st.integers(0, 2),
        st.sampled_from([RULES, "yesterday's", None]),
        st.sampled_from([THIS, ANOTHER]),
        st.booleans(),
    ),
)


def with_contents_of_source(current: Mapping[str, CurrentVersion]) -> dict[str, CurrentVersion]:
    """Return current versions with the contents of their records."""
    return {
        source_id: replace(current_version, content_hash=current_version.content_hash.replace(b"x", source_id.encode()))
        for source_id, current_version in current.items()
    }


@given(some=incoming_lists, current=current_dicts, window=st.none() | st.just(WINDOW))
def test_every_record_is_classified_exactly_once(
    some: Sequence[IncomingRecord], current: Mapping[str, CurrentVersion], window: Window | None
) -> None:
    classified = classify(some, with_contents_of_source(current), window, RULES, THIS)
    assert len(classified.to_stage) + len(classified.unprocessed) + sum(classified.counts.values()) == len(some)
    assert len(classified.older) == classified.counts[Outcome.OLDER]
    placed = [*classified.to_stage, *(incoming for _, incoming in classified.unprocessed), *classified.older]
    assert max(Counter(incoming.record.source_id for incoming in placed).values(), default=1) == 1


@given(some=incoming_lists, current=current_dicts, window=st.none() | st.just(WINDOW), data=st.data())
def test_the_order_of_arrival_does_not_matter(
    some: Sequence[IncomingRecord], current: Mapping[str, CurrentVersion], window: Window | None, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(some))
    current_version = with_contents_of_source(current)
    assert outline(classify(some, current_version, window, RULES, THIS)) == outline(
        classify(shuffled, current_version, window, RULES, THIS)
    )


def outline(classified: Classified) -> tuple[Any, ...]:
    """Return the result of a classification in a fixed order."""
    unprocessed = sorted(incoming.record.source_id for _, incoming in classified.unprocessed)
    to_stage, older = (
        sorted((incoming.record.source_id, incoming.record.content_hash) for incoming in some)
        for some in (classified.to_stage, classified.older)
    )
    return to_stage, unprocessed, older, len(classified.superseded), +classified.counts
