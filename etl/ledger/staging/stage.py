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
from etl.ledger.staging.classify import Arrival, sort_out, taken_over
from etl.ledger.staging.raw_tables import WAITING, Verdict
from etl.models.states import Outcome
from etl.record import Candidate, ReadSet
from etl.window import Window


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the steps after staging made of some candidates."""

    verdicts: Mapping[str, Verdict]  #: by raw id
    counts: Mapping[str, int] = field(default_factory=dict)  #: candidates by outcome, and their findings


#: The steps that run in the transaction that stages: none for `extract`, all of them when the steps run as one.
Judge = Callable[[Connection, Resource, Sequence[Candidate]], Judgement]


@dataclass(frozen=True, slots=True)
class Intake:
    """Whose records are taken in, by which batch, and under which rules."""

    tenant: str
    batch_id: UUID
    rules: str | None  #: of today; None takes every record again, whatever rules it is loaded under
    judge: Judge


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in: the candidates that the judge saw, and every record by outcome."""

    candidates: Sequence[Candidate]
    verdicts: Mapping[str, Verdict]
    counts: Counter[str]
    strangers: AbstractSet[str] = frozenset()  #: source ids of which staging knew no standing version


def wait(connection: Connection, resource: Resource, candidates: Sequence[Candidate]) -> Judgement:  # noqa: ARG001 (a Judge)
    """Leave the candidates to the steps that follow."""
    return Judgement({candidate.raw_id: WAITING for candidate in candidates})


def take_in(
    connection: Connection,
    intake: Intake,
    resource: Resource,
    arrivals: Sequence[Arrival],
    sets: Sequence[ReadSet] = (),
    window: Window | None = None,
) -> Taken:
    """Bring records of one resource into staging and count each of them once.

    `window` is given for feeds whose records show the date that the feed filters by. `sets` are what was read
    completely: records that are no longer in them are marked gone. Forgotten people are not taken in, and count as
    records without a row.
    """
    brought = len(arrivals)
    late = versions.note(connection, resource, intake.tenant, sets)
    arrivals, withheld = suppressions.withhold(connection, intake.tenant, resource, arrivals)
    heads = raw_tables.heads(connection, resource, intake.tenant, {one.record.source_id for one in arrivals})
    left = versions.left(connection, resource, intake.tenant, late)
    sorting = sort_out(arrivals, heads, window, intake.rules, intake.batch_id, left)
    raw_ids = raw_tables.new_ids(len(sorting.fresh))
    fresh = [Candidate(raw_id, arrival.record) for raw_id, arrival in zip(raw_ids, sorting.fresh, strict=True)]
    again = [Candidate(str(head.id), arrival.record) for head, arrival in sorting.again]
    candidates = [*fresh, *again]
    judgement = intake.judge(connection, resource, candidates)
    raw_tables.supersede(connection, resource, sorting.superseded)
    staged = [
        (candidate, arrival.page, judgement.verdicts[candidate.raw_id])
        for candidate, arrival in zip(fresh, sorting.fresh, strict=True)
    ]
    raw_tables.stage(connection, resource, intake.tenant, intake.batch_id, staged)
    raw_tables.stage_older(connection, resource, intake.tenant, intake.batch_id, sorting.older)
    raw_tables.settle(
        connection, resource, intake.batch_id, {one.raw_id: judgement.verdicts[one.raw_id] for one in again}
    )
    raw_tables.end_of_sets(connection, resource, intake.tenant, intake.batch_id, sets, late)
    for earlier, number in sorted(taken_over(sorting, intake.batch_id).items()):
        counters.count(connection, earlier, resource.name, {Outcome.DUPLICATE: number})
    counts = Counter({"fetched": brought, Outcome.NO_ROW: withheld})
    counts.update(sorting.counts)
    counts.update(judgement.counts)
    counters.count(connection, intake.batch_id, resource.name, counts)
    strangers = {one.record.source_id for one in sorting.fresh} - heads.keys()
    return Taken(candidates, judgement.verdicts, counts, strangers)
