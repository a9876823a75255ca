"""Stage records: compare them with staging, and write their versions when they are processed."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue.resource import Resource
from etl.ledger import counters
from etl.ledger.staging import raw_tables, suppressions
from etl.ledger.staging import sets as versions
from etl.ledger.staging.classify import (
    Classified,
    CurrentVersion,
    IncomingRecord,
    classify,
    count_taken_over,
    is_awaiting_another,
)
from etl.ledger.staging.raw_tables import PENDING, CleanStatus
from etl.models.states import Outcome
from etl.record import ReadSet, StagedRecord
from etl.window import Window


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How records ended in the steps after staging."""

    statuses: Mapping[str, CleanStatus]  #: by raw id
    counts: Mapping[str, int] = field(default_factory=dict)  #: records by outcome, and the number of findings


@dataclass(frozen=True, slots=True)
class StageContext:
    """The tenant, batch and rules for staging."""

    tenant: str
    batch_id: UUID
    rules: str | None  #: current version of the cleaning rules; None processes every record again


@dataclass(frozen=True, slots=True)
class ClassifiedGroup:
    """Records of one resource, compared with staging; nothing of them is written yet."""

    context: StageContext
    resource: Resource
    records: Sequence[StagedRecord]  #: to be processed: the new versions, then those that an earlier run left
    classified: Classified
    sets: Sequence[ReadSet]
    late_sets: Collection[ReadSet]
    counts: Counter[str]  #: each received record once
    first_seen_ids: AbstractSet[str]  #: source ids without a current version in staging before


def stage_records(
    connection: Connection,
    context: StageContext,
    resource: Resource,
    incoming: Sequence[IncomingRecord],
    sets: Sequence[ReadSet] = (),
    window: Window | None = None,
) -> Counter[str]:
    """Stage the records of one resource for the following steps, and return the counts."""
    group = classify_records(connection, context, resource, incoming, sets, window)
    return write_versions(connection, group, ProcessResult({record.raw_id: PENDING for record in group.records}))


def classify_records(
    connection: Connection,
    context: StageContext,
    resource: Resource,
    incoming: Sequence[IncomingRecord],
    sets: Sequence[ReadSet] = (),
    window: Window | None = None,
) -> ClassifiedGroup:
    """Compare the records of one resource with staging, count each once, and return those that have to be processed.

    `window` is set for feeds whose records contain the date that the feed filters by. `sets` were read completely.
    Forgotten people are not staged, and count as records without a row.
    """
    counts = Counter({"fetched": len(incoming)})
    late_sets = versions.write_set_versions(connection, resource, context.tenant, sets)
    incoming, counts[Outcome.NO_ROW] = suppressions.filter_suppressed(connection, context.tenant, resource, incoming)
    current_versions = read_versions(connection, context, resource, incoming)
    removed_versions = versions.read_removed_versions(connection, resource, context.tenant, late_sets)
    classified = classify(incoming, current_versions, window, context.rules, context.batch_id, removed_versions)
    counts.update(classified.counts)
    raw_ids = raw_tables.generate_raw_ids(len(classified.to_stage))
    records = [
        StagedRecord(raw_id, incoming_record.record)
        for raw_id, incoming_record in zip(raw_ids, classified.to_stage, strict=True)
    ]
    records += [StagedRecord(str(current.id), waiting.record) for current, waiting in classified.unprocessed]
    staged_ids = {incoming_record.record.source_id for incoming_record in classified.to_stage}
    return ClassifiedGroup(
        context, resource, records, classified, sets, late_sets, counts, staged_ids - current_versions.keys()
    )


def write_versions(
    connection: Connection,
    group: ClassifiedGroup,
    result: ProcessResult,
) -> Counter[str]:
    """Write the versions of a group as its processed records ended, and return all counts.

    The statements are in the order that the unique indexes require. Records that are no longer in a set that was read
    completely are marked as missing.
    """
    resource, classified = group.resource, group.classified
    tenant, batch_id = group.context.tenant, group.context.batch_id
    new_records = group.records[: len(classified.to_stage)]
    raw_tables.supersede_versions(connection, resource, classified.superseded)
    versions_to_insert = [
        (record, incoming_record.request_id, result.statuses[record.raw_id])
        for record, incoming_record in zip(new_records, classified.to_stage, strict=True)
    ]
    raw_tables.insert_versions(connection, resource, tenant, batch_id, versions_to_insert)
    raw_tables.insert_older_versions(connection, resource, tenant, batch_id, classified.older)
    taken_up = {record.raw_id: result.statuses[record.raw_id] for record in group.records[len(new_records) :]}
    raw_tables.update_status(connection, resource, batch_id, taken_up)
    raw_tables.supersede_left_members(connection, resource, tenant, batch_id, group.sets, group.late_sets)
    for earlier_batch_id, taken_count in sorted(count_taken_over(classified, batch_id).items()):
        counters.add_counts(connection, earlier_batch_id, resource.name, {Outcome.DUPLICATE: taken_count})
    counts = group.counts + Counter(result.counts)
    counters.add_counts(connection, batch_id, resource.name, counts)
    return counts


def read_versions(
    connection: Connection, context: StageContext, resource: Resource, incoming: Sequence[IncomingRecord]
) -> Mapping[str, CurrentVersion]:
    """Return the current versions of these records, by source id.

    Versions that wait in another batch are read again after they are locked: two pages of a run that overlap are staged
    at the same time, and only one of them may take a record over.
    """
    source_ids = {incoming_record.record.source_id for incoming_record in incoming}
    current_versions = raw_tables.read_current_versions(connection, resource, context.tenant, source_ids)
    waiting = [current for current in current_versions.values() if is_awaiting_another(current, context.batch_id)]
    if not waiting:
        return current_versions
    raw_tables.lock_versions(connection, resource, waiting)
    return raw_tables.read_current_versions(connection, resource, context.tenant, source_ids)
