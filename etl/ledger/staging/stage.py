"""Stage records: classify, process and write them, in the order that the unique indexes require."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue.resource import Resource
from etl.ledger import counters
from etl.ledger.staging import raw_tables, suppressions
from etl.ledger.staging import sets as versions
from etl.ledger.staging.classify import CurrentVersion, IncomingRecord, classify, count_taken_over, is_awaiting_another
from etl.ledger.staging.raw_tables import PENDING, CleanStatus
from etl.models.states import Outcome
from etl.record import ReadSet, StagedRecord
from etl.window import Window


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """The result of the steps after staging for a list of records."""

    statuses: Mapping[str, CleanStatus]  #: by raw id
    counts: Mapping[str, int] = field(default_factory=dict)  #: records by outcome, and the number of findings


#: The steps that run in the transaction that stages: none for `extract`, all steps for `sync`.
ProcessStep = Callable[[Connection, Resource, Sequence[StagedRecord]], ProcessResult]


@dataclass(frozen=True, slots=True)
class StageContext:
    """The tenant, batch, rules and steps for staging."""

    tenant: str
    batch_id: UUID
    rules: str | None  #: current version of the cleaning rules; None processes every record again
    process: ProcessStep


@dataclass(frozen=True, slots=True)
class StageResult:
    """The processed records with their statuses, and all records by outcome."""

    records: Sequence[StagedRecord]
    statuses: Mapping[str, CleanStatus]
    counts: Counter[str]
    first_seen_ids: AbstractSet[str] = frozenset()  #: source ids without a current version in staging before


def leave_pending(connection: Connection, resource: Resource, records: Sequence[StagedRecord]) -> ProcessResult:  # noqa: ARG001 (a ProcessStep)
    """Leave the records to the following steps."""
    return ProcessResult({record.raw_id: PENDING for record in records})


def stage_records(
    connection: Connection,
    context: StageContext,
    resource: Resource,
    incoming: Sequence[IncomingRecord],
    sets: Sequence[ReadSet] = (),
    window: Window | None = None,
) -> StageResult:
    """Stage the records of one resource, and count each record once.

    `window` is set for feeds whose records contain the date that the feed filters by. `sets` were read completely:
    records that are no longer in them are marked as missing. Forgotten people are not staged, and count as records
    without a row.
    """
    received_count = len(incoming)
    late_sets = versions.write_set_versions(connection, resource, context.tenant, sets)
    incoming, suppressed_count = suppressions.filter_suppressed(connection, context.tenant, resource, incoming)
    current_versions = read_versions(connection, context, resource, incoming)
    removed_versions = versions.read_removed_versions(connection, resource, context.tenant, late_sets)
    classified = classify(incoming, current_versions, window, context.rules, context.batch_id, removed_versions)
    raw_ids = raw_tables.generate_raw_ids(len(classified.to_stage))
    new_records = [
        StagedRecord(raw_id, incoming_record.record)
        for raw_id, incoming_record in zip(raw_ids, classified.to_stage, strict=True)
    ]
    unprocessed = [
        StagedRecord(str(current.id), incoming_record.record) for current, incoming_record in classified.unprocessed
    ]
    records = [*new_records, *unprocessed]
    result = context.process(connection, resource, records)
    raw_tables.supersede_versions(connection, resource, classified.superseded)
    versions_to_insert = [
        (record, incoming_record.request_id, result.statuses[record.raw_id])
        for record, incoming_record in zip(new_records, classified.to_stage, strict=True)
    ]
    raw_tables.insert_versions(connection, resource, context.tenant, context.batch_id, versions_to_insert)
    raw_tables.insert_older_versions(connection, resource, context.tenant, context.batch_id, classified.older)
    raw_tables.update_status(
        connection,
        resource,
        context.batch_id,
        {record.raw_id: result.statuses[record.raw_id] for record in unprocessed},
    )
    raw_tables.supersede_left_members(connection, resource, context.tenant, context.batch_id, sets, late_sets)
    for earlier_batch_id, taken_count in sorted(count_taken_over(classified, context.batch_id).items()):
        counters.add_counts(connection, earlier_batch_id, resource.name, {Outcome.DUPLICATE: taken_count})
    counts = Counter({"fetched": received_count, Outcome.NO_ROW: suppressed_count})
    counts.update(classified.counts)
    counts.update(result.counts)
    counters.add_counts(connection, context.batch_id, resource.name, counts)
    first_seen_ids = {
        incoming_record.record.source_id for incoming_record in classified.to_stage
    } - current_versions.keys()
    return StageResult(records, result.statuses, counts, first_seen_ids)


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
