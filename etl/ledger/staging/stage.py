"""Records into staging: sorted by what is known of them, judged, and written in the order that the indexes allow."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.ledger import counters
from etl.ledger.staging import raw_tables, suppressions
from etl.ledger.staging import sets as versions
from etl.ledger.staging.classify import IncomingRecord, classify, count_taken_over
from etl.ledger.staging.raw_tables import PENDING, CleanStatus
from etl.models.states import Outcome
from etl.record import ReadSet, StagedRecord
from etl.window import Window


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """What the steps after staging made of some candidates."""

    statuses: Mapping[str, CleanStatus]  #: by raw id
    counts: Mapping[str, int] = field(default_factory=dict)  #: candidates by outcome, and their findings


#: The steps that run in the transaction that stages: none for `extract`, all of them when the steps run as one.
ProcessStep = Callable[[Connection, Resource, Sequence[StagedRecord]], ProcessResult]


@dataclass(frozen=True, slots=True)
class StageContext:
    """Whose records are taken in, by which batch, and under which rules."""

    tenant: str
    batch_id: UUID
    rules: str | None  #: of today; None takes every record again, whatever rules it is loaded under
    process: ProcessStep


@dataclass(frozen=True, slots=True)
class StageResult:
    """What was taken in: the candidates that the judge saw, and every record by outcome."""

    records: Sequence[StagedRecord]
    statuses: Mapping[str, CleanStatus]
    counts: Counter[str]
    first_seen_ids: AbstractSet[str] = frozenset()  #: source ids of which staging knew no standing version


def leave_pending(connection: Connection, resource: Resource, candidates: Sequence[StagedRecord]) -> ProcessResult:  # noqa: ARG001 (a Judge)
    """Leave the candidates to the steps that follow."""
    return ProcessResult({candidate.raw_id: PENDING for candidate in candidates})


def stage_records(
    connection: Connection,
    intake: StageContext,
    resource: Resource,
    arrivals: Sequence[IncomingRecord],
    sets: Sequence[ReadSet] = (),
    window: Window | None = None,
) -> StageResult:
    """Bring records of one resource into staging and count each of them once.

    `window` is given for feeds whose records show the date that the feed filters by. `sets` are what was read
    completely: records that are no longer in them are marked gone. Forgotten people are not taken in, and count as
    records without a row.
    """
    brought = len(arrivals)
    late = versions.write_set_versions(connection, resource, intake.tenant, sets)
    arrivals, withheld = suppressions.filter_suppressed(connection, intake.tenant, resource, arrivals)
    heads = raw_tables.read_current_versions(
        connection, resource, intake.tenant, {one.record.source_id for one in arrivals}
    )
    left = versions.read_removed_versions(connection, resource, intake.tenant, late)
    sorting = classify(arrivals, heads, window, intake.rules, intake.batch_id, left)
    raw_ids = raw_tables.generate_raw_ids(len(sorting.to_stage))
    fresh = [StagedRecord(raw_id, arrival.record) for raw_id, arrival in zip(raw_ids, sorting.to_stage, strict=True)]
    again = [StagedRecord(str(head.id), arrival.record) for head, arrival in sorting.unprocessed]
    candidates = [*fresh, *again]
    judgement = intake.process(connection, resource, candidates)
    raw_tables.supersede_versions(connection, resource, sorting.superseded)
    staged = [
        (candidate, arrival.request_id, judgement.statuses[candidate.raw_id])
        for candidate, arrival in zip(fresh, sorting.to_stage, strict=True)
    ]
    raw_tables.insert_versions(connection, resource, intake.tenant, intake.batch_id, staged)
    raw_tables.insert_older_versions(connection, resource, intake.tenant, intake.batch_id, sorting.older)
    raw_tables.update_status(
        connection, resource, intake.batch_id, {one.raw_id: judgement.statuses[one.raw_id] for one in again}
    )
    raw_tables.supersede_left_members(connection, resource, intake.tenant, intake.batch_id, sets, late)
    for earlier, number in sorted(count_taken_over(sorting, intake.batch_id).items()):
        counters.add_counts(connection, earlier, resource.name, {Outcome.DUPLICATE: number})
    counts = Counter({"fetched": brought, Outcome.NO_ROW: withheld})
    counts.update(sorting.counts)
    counts.update(judgement.counts)
    counters.add_counts(connection, intake.batch_id, resource.name, counts)
    strangers = {one.record.source_id for one in sorting.to_stage} - heads.keys()
    return StageResult(candidates, judgement.statuses, counts, strangers)
