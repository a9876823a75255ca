"""What is to be done with each record of a group, decided from what staging already knows of it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import msgspec

from etl.models.states import Outcome, RawState
from etl.record import Record
from etl.window import Window


@dataclass(frozen=True, slots=True)
class CurrentVersion:
    """What staging knows of the newest version of a record."""

    id: UUID
    content_hash: bytes
    version_at: datetime
    status: RawState
    rules: str | None  #: the cleaning rules under which the steps were through with it
    loaded: bool
    batch_id: UUID  #: the batch that staged it


class IncomingRecord(msgspec.Struct, frozen=True, gc=False):
    """A record and the request it came with."""

    record: Record
    request_id: int | None  #: id of the request


@dataclass(slots=True)
class Classified:
    """A group of records, each in exactly one place."""

    to_stage: list[IncomingRecord] = field(default_factory=list)  #: new or changed: to be staged and loaded
    unprocessed: list[tuple[CurrentVersion, IncomingRecord]] = field(
        default_factory=list
    )  #: staged before, but not yet through
    older: list[IncomingRecord] = field(default_factory=list)  #: to be kept in staging, never to be loaded
    superseded: list[UUID] = field(default_factory=list)  #: heads that a fresh record replaces
    counts: Counter[str] = field(default_factory=Counter)


def select_newest(arrivals: Iterable[IncomingRecord]) -> list[IncomingRecord]:
    """Return the newest version of each record; of two equally new ones the later arrival."""
    newest: dict[str, IncomingRecord] = {}
    for arrival in arrivals:
        known = newest.get(arrival.record.source_id)
        if known is None or arrival.record.version_at >= known.record.version_at:
            newest[arrival.record.source_id] = arrival
    return list(newest.values())


#: The last version of records that have left a set, by set and source id.
RemovedVersions = Mapping[tuple[str | None, str], datetime]


def classify(
    arrivals: Iterable[IncomingRecord],
    heads: Mapping[str, CurrentVersion],
    window: Window | None,
    rules: str | None,
    batch_id: UUID,
    removed: RemovedVersions = MappingProxyType({}),
) -> Classified:
    """Decide for each record whether it is fresh, to be taken again, older, or counted and done with.

    `window` is given for feeds whose records show the date that the feed filters by: what lies outside was only
    asked for because the API filters by day. Without `rules` a record that is known counts as not yet through.
    """
    sorting = Classified()
    every = list(arrivals)
    inside = [one for one in every if window is None or is_in_window(one.record, window)]
    kept = select_newest(inside)
    sorting.counts[Outcome.OUTSIDE_WINDOW] = len(every) - len(inside)
    sorting.counts[Outcome.DUPLICATE] = len(inside) - len(kept)
    for arrival in kept:
        head = heads.get(arrival.record.source_id)
        if head is None and has_left_set(arrival.record, removed):
            sorting.older.append(arrival)
            sorting.counts[Outcome.OLDER] += 1
        else:
            classify_record(sorting, arrival, head, rules, batch_id)
    return sorting


def has_left_set(record: Record, left: RemovedVersions) -> bool:
    """Tell whether a record has left its set in this version or a newer one."""
    version = left.get((record.set_key, record.source_id))
    return version is not None and record.version_at <= version


def is_in_window(record: Record, window: Window) -> bool:
    """Tell whether a record was created or modified inside a window; one without a date belongs to whoever read it."""
    if record.undated or record.version_at in window:
        return True
    return record.created_at is not None and record.created_at in window


def classify_record(
    sorting: Classified, arrival: IncomingRecord, head: CurrentVersion | None, rules: str | None, batch_id: UUID
) -> None:
    """Put one record where it belongs."""
    if head is None:
        sorting.to_stage.append(arrival)
    elif head.content_hash == arrival.record.content_hash:
        if head.batch_id == batch_id and head.status is RawState.PENDING:
            sorting.counts[Outcome.DUPLICATE] += 1  # it waits for the steps that follow, which will count it
        elif rules is not None and head.rules == rules:
            sorting.counts[Outcome.DUPLICATE if head.batch_id == batch_id else find_outcome(head)] += 1
        else:
            sorting.unprocessed.append((head, arrival))
    elif arrival.record.version_at < head.version_at:
        sorting.older.append(arrival)
        sorting.counts[Outcome.OLDER] += 1
    else:
        sorting.to_stage.append(arrival)
        sorting.superseded.append(head.id)


def count_taken_over(sorting: Classified, batch_id: UUID) -> Counter[UUID]:
    """Return how many records each earlier batch had staged that the steps will now take through for this one."""
    return Counter(
        head.batch_id
        for head, _ in sorting.unprocessed
        if head.batch_id != batch_id and head.rules is None and head.status is not RawState.LOADED
    )


def find_outcome(head: CurrentVersion) -> Outcome:
    """Return how a record counts that came again just as it is known."""
    if head.loaded:
        return Outcome.UNCHANGED
    return Outcome.REFUSED if head.status is RawState.VALIDATION_ERROR else Outcome.NO_ROW
