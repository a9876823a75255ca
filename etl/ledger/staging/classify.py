"""Classify incoming records by their current version in staging. Pure."""

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
    """The current version of a record in staging."""

    id: UUID
    content_hash: bytes
    version_at: datetime
    status: RawState
    rules: str | None  #: version of the cleaning rules under which it was processed; None before that
    loaded: bool
    batch_id: UUID  #: the batch that staged this version


class IncomingRecord(msgspec.Struct, frozen=True, gc=False):
    """A record and the request that returned it."""

    record: Record
    request_id: int | None  #: None for a record that was made from another record


@dataclass(slots=True)
class Classified:
    """The records of a page group, each in exactly one list or count."""

    to_stage: list[IncomingRecord] = field(default_factory=list)  #: new or changed records, to stage and load
    unprocessed: list[tuple[CurrentVersion, IncomingRecord]] = field(
        default_factory=list
    )  #: staged before, but not processed yet
    older: list[IncomingRecord] = field(default_factory=list)  #: older versions, to stage but never to load
    superseded: list[UUID] = field(default_factory=list)  #: ids of current versions that a changed record replaces
    counts: Counter[str] = field(default_factory=Counter)


def select_newest(incoming: Iterable[IncomingRecord]) -> list[IncomingRecord]:
    """Return the newest version of each record; of two equally new versions, the later one in `incoming`."""
    newest: dict[str, IncomingRecord] = {}
    for incoming_record in incoming:
        newest_so_far = newest.get(incoming_record.record.source_id)
        if newest_so_far is None or incoming_record.record.version_at >= newest_so_far.record.version_at:
            newest[incoming_record.record.source_id] = incoming_record
    return list(newest.values())


#: The last version of each record that was removed from a set, by set key and source id.
RemovedVersions = Mapping[tuple[str | None, str], datetime]


def classify(
    incoming: Iterable[IncomingRecord],
    current_versions: Mapping[str, CurrentVersion],
    window: Window | None,
    rules: str | None,
    batch_id: UUID,
    removed: RemovedVersions = MappingProxyType({}),
) -> Classified:
    """Decide for each record whether to stage it, process it again, keep it as an older version, or only count it.

    `window` is set for feeds whose records contain the date that the feed filters by. Records outside the window
    arrive only because the API filters by whole days. Without `rules`, every unchanged record is processed again.
    """
    classified = Classified()
    incoming_records = list(incoming)
    in_window = [
        incoming_record
        for incoming_record in incoming_records
        if window is None or is_in_window(incoming_record.record, window)
    ]
    newest_records = select_newest(in_window)
    classified.counts[Outcome.OUTSIDE_WINDOW] = len(incoming_records) - len(in_window)
    classified.counts[Outcome.DUPLICATE] = len(in_window) - len(newest_records)
    for incoming_record in newest_records:
        current = current_versions.get(incoming_record.record.source_id)
        if current is None and has_left_set(incoming_record.record, removed):
            classified.older.append(incoming_record)
            classified.counts[Outcome.OLDER] += 1
        else:
            classify_record(classified, incoming_record, current, rules, batch_id)
    return classified


def has_left_set(record: Record, removed_versions: RemovedVersions) -> bool:
    """Return whether a record was removed from its set in this version or a newer one."""
    version = removed_versions.get((record.set_key, record.source_id))
    return version is not None and record.version_at <= version


def is_in_window(record: Record, window: Window) -> bool:
    """Return whether a record was created or modified in the window. A record without a date belongs to any window."""
    if record.undated or record.version_at in window:
        return True
    return record.created_at is not None and record.created_at in window


def classify_record(
    classified: Classified,
    incoming_record: IncomingRecord,
    current: CurrentVersion | None,
    rules: str | None,
    batch_id: UUID,
) -> None:
    """Add one record to the list or count that it belongs to."""
    if current is None:
        classified.to_stage.append(incoming_record)
    elif current.content_hash == incoming_record.record.content_hash:
        if current.batch_id == batch_id and current.status is RawState.PENDING:
            classified.counts[Outcome.DUPLICATE] += 1  # the following steps will count it
        elif rules is not None and current.rules == rules:
            classified.counts[Outcome.DUPLICATE if current.batch_id == batch_id else find_outcome(current)] += 1
        else:
            classified.unprocessed.append((current, incoming_record))
    elif incoming_record.record.version_at < current.version_at:
        classified.older.append(incoming_record)
        classified.counts[Outcome.OLDER] += 1
    else:
        classified.to_stage.append(incoming_record)
        classified.superseded.append(current.id)


def count_taken_over(classified: Classified, batch_id: UUID) -> Counter[UUID]:
    """Count, by earlier batch, the staged records that this batch processes in its place."""
    return Counter(current.batch_id for current, _ in classified.unprocessed if is_awaiting_another(current, batch_id))


def is_awaiting_another(current: CurrentVersion, batch_id: UUID) -> bool:
    """Return whether a version was staged by another batch that has not processed it yet."""
    return current.batch_id != batch_id and current.rules is None and current.status is not RawState.LOADED


def find_outcome(current: CurrentVersion) -> Outcome:
    """Return the outcome of a record that arrived unchanged."""
    if current.loaded:
        return Outcome.UNCHANGED
    return Outcome.REFUSED if current.status is RawState.VALIDATION_ERROR else Outcome.NO_ROW
