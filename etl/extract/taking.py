"""The road of a group of answers into one transaction: parsed outside of it, written inside."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.extract.parsing import Parsed, parse, request_facts
from etl.extract.reading import Fetched, Missed
from etl.ledger import children, findings, slices, tally
from etl.ledger.sorting import Arrival
from etl.ledger.unit import Ledger
from etl.models.states import Outcome
from etl.record import ReadSet
from etl.resources import resource as named
from etl.values import Severity
from etl.window import Window

#: What happens to records in the transaction that notes their requests; returns the outcomes.
Accept = Callable[[Connection, Resource, Sequence[Arrival], Sequence[ReadSet], Window | None], Counter[str]]


@dataclass(frozen=True, slots=True)
class Group:
    """Answers of one resource that go into one transaction."""

    resource: str
    answers: Sequence[Fetched | Missed]
    window: Window | None  #: what records that show their date must lie in
    not_offered: Mapping[str, str] = field(default_factory=dict)  #: as known when the group was made


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a group came to."""

    resource: str
    answers: int
    records: int
    missed: Sequence[Missed] = ()
    announced: int | None = None  #: records in all, as the answers said

    @property
    def answered(self) -> int:
        """How many calls brought an answer."""
        return self.answers - len(self.missed)


@dataclass(frozen=True)
class Taker:
    """Takes groups into the database; every lane has one of its own."""

    ledger: Ledger
    batch_id: UUID
    zone: str  #: of times that name none
    accept: Accept
    not_offered: dict[str, str]  #: shared with whatever accepts the records

    def take(self, group: Group) -> Consumption:
        """Parse and commit a group, and return what it came to."""
        resource = named(group.resource)
        self.not_offered.update(group.not_offered)
        parsed = [parse(resource, one, self.zone) for one in group.answers if isinstance(one, Fetched)]
        missed = [one for one in group.answers if isinstance(one, Missed)]
        self.ledger.commit(partial(self.commit, resource=resource, parsed=parsed, missed=missed, window=group.window))
        records = sum(len(one.records.records) + one.records.others for one in parsed)
        announced = max((one.fetched.answer.page.total or 0 for one in parsed), default=0)
        return Consumption(group.resource, len(group.answers), records, missed, announced or None)

    def commit(
        self,
        connection: Connection,
        resource: Resource,
        parsed: Sequence[Parsed],
        missed: Sequence[Missed],
        window: Window | None,
    ) -> None:
        """Write a group: the facts of its requests, its records with all that follows from them, its place."""
        if parsed:
            requests = slices.note_requests(connection, [request_facts(self.batch_id, one) for one in parsed])
            arrivals = [
                Arrival(record, request)
                for one, request in zip(parsed, requests, strict=True)
                for record in one.records.records
            ]
            sets = [one for answer in parsed for one in answer.records.sets]
            self.accept(connection, resource, arrivals, sets, window)
            self.note_others(connection, resource, parsed, requests)
        if resource.parent is not None:
            self.note_children(connection, resource, parsed, missed)
        tally.count(connection, self.batch_id, resource.name, {"pages": len(parsed)})

    def note_children(
        self, connection: Connection, resource: Resource, parsed: Sequence[Parsed], missed: Sequence[Missed]
    ) -> None:
        """Note which parents are covered, and which have to wait since their call failed."""
        asked = [one.fetched.child for one in parsed if one.fetched.child is not None]
        gone = [one.child for one in missed if one.vanished]
        failed = [one.child.parent_id for one in missed if not one.vanished]
        children.cover(connection, resource, self.ledger.tenant, [*asked, *gone])
        children.postpone(connection, resource, self.ledger.tenant, failed)

    def note_others(
        self, connection: Connection, resource: Resource, parsed: Sequence[Parsed], requests: Sequence[int]
    ) -> None:
        """Count the records that are not staged: those that another resource keeps, and those that cannot be."""
        others = sum(one.records.others for one in parsed)
        table = resource.model.__tablename__
        bad = [
            (table, f"request {request}, item {item.position}", "", "record-unusable", Severity.REFUSED, item.reason)
            for one, request in zip(parsed, requests, strict=True)
            for item in one.records.bad
        ]
        if others or bad:
            counts = {"fetched": others + len(bad), Outcome.NO_ROW: others, Outcome.REFUSED: len(bad)}
            tally.count(connection, self.batch_id, resource.name, {**counts, "findings": len(bad)})
        if bad:
            rows = [(*one, None, None) for one in bad]
            findings.keep(connection, self.ledger.tenant, resource.name, self.batch_id, [], rows)
