"""The road of a group of answers into one transaction: parsed outside of it, written inside."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.engine.answers import Fetched, Missed
from etl.engine.parse import Parsed, facts_of_call, parse, request_facts
from etl.ledger import children, counters, slices
from etl.ledger.quality import findings
from etl.ledger.staging.classify import Arrival
from etl.ledger.staging.page_cache import PASSED_OVER, Asker, KnownPage, can_be_known, contents_of
from etl.ledger.staging.page_cache import find as find_known
from etl.ledger.transaction import Ledger
from etl.models.states import Outcome
from etl.record import ReadSet
from etl.resources import resource as named
from etl.values import Severity
from etl.window import Window

#: What happens to records in the transaction that notes their requests; returns the outcomes.
Accept = Callable[[Connection, Resource, Sequence[Arrival], Sequence[ReadSet], Window | None], Counter[str]]


def weight(one: Fetched | Missed) -> int:
    """Return about how many bytes an answer holds in memory."""
    return one.size if isinstance(one, Fetched) else 0


@dataclass(frozen=True, slots=True)
class Group:
    """Answers of one resource that go into one transaction."""

    resource: str
    answers: Sequence[Fetched | Missed]
    window: Window | None  #: what records that show their date must lie in
    not_offered: Mapping[str, str] = field(default_factory=dict)  #: as known when the group was made

    @property
    def size(self) -> int:
        """About how many bytes its answers hold in memory."""
        return sum(map(weight, self.answers))

    @property
    def items(self) -> int:
        """How many items its answers hold."""
        return sum(len(one.answer.page.items) for one in self.answers if isinstance(one, Fetched))


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a group came to."""

    resource: str
    answers: int
    records: int
    missed: Sequence[Missed] = ()
    announced: int | None = None  #: records in all, as the answers said

    def joined(self, other: "Consumption") -> "Consumption":
        """Return what this and another part of one group came to."""
        return Consumption(
            self.resource,
            self.answers + other.answers,
            self.records + other.records,
            [*self.missed, *other.missed],
            max(self.announced or 0, other.announced or 0) or None,
        )

    @property
    def answered(self) -> int:
        """How many calls brought an answer."""
        return self.answers - len(self.missed)


def announced(answers: Sequence[Fetched]) -> int | None:
    """Return how many records there are in all, as some answers said."""
    return max((one.answer.page.total or 0 for one in answers), default=0) or None


@dataclass(frozen=True)
class Taker:
    """Takes groups into the database; every lane has one of its own."""

    ledger: Ledger
    batch_id: UUID
    zone: str  #: of times that name none
    rules: str  #: of today, by which a record that is known has to be loaded
    accept: Accept
    not_offered: dict[str, str]  #: shared with whatever accepts the records

    def take_known(self, group: Group) -> tuple[Consumption, Group | None]:
        """Commit the answers that are known, letter for letter, and return the group of the others, None if none is."""
        resource = named(group.resource)
        feeds = [one for one in group.answers if isinstance(one, Fetched)] if can_be_known(resource) else []
        if not feeds:
            return Consumption(group.resource, 0, 0), group
        known = self.ledger.read(partial(self.known, resource=resource, answers=feeds, window=group.window))
        pages = [(one, known[one.digest]) for one in feeds if one.digest in known]
        if not pages:
            return Consumption(group.resource, 0, 0), group
        self.ledger.commit(partial(self.commit_known, resource=resource, pages=pages))
        records = sum(page.counts["fetched"] for _, page in pages)
        done = Consumption(group.resource, len(pages), records, announced=announced([one for one, _ in pages]))
        rest = [one for one in group.answers if isinstance(one, Missed) or one.digest not in known]
        return done, replace(group, answers=rest) if rest else None

    def known(
        self, connection: Connection, resource: Resource, answers: Sequence[Fetched], window: Window | None
    ) -> dict[bytes, KnownPage]:
        """Return the known ones among some answers, by their digest."""
        digests = [one.digest for one in answers]
        asker = Asker(self.ledger.tenant, self.batch_id, self.rules)
        return find_known(connection, resource, asker, window, digests)

    def commit_known(
        self, connection: Connection, resource: Resource, pages: Sequence[tuple[Fetched, KnownPage]]
    ) -> None:
        """Write the facts of requests that brought nothing new, and count their records."""
        facts = [facts_of_call(self.batch_id, one) for one, _ in pages]
        slices.note_known(connection, facts, [page.request for _, page in pages])
        counts: Counter[str] = Counter(pages=len(pages))
        for _, page in pages:
            counts.update(page.counts)
        counters.count(connection, self.batch_id, resource.name, counts)

    def take_unknown(self, group: Group) -> Consumption:
        """Parse and commit a group whatever it holds, and return what it came to."""
        resource = named(group.resource)
        self.not_offered.update(group.not_offered)
        parsed = [parse(resource, one, self.zone) for one in group.answers if isinstance(one, Fetched)]
        missed = [one for one in group.answers if isinstance(one, Missed)]
        self.ledger.commit(partial(self.commit, resource=resource, parsed=parsed, missed=missed, window=group.window))
        records = sum(len(one.records.records) + one.records.others for one in parsed)
        told = announced([one.fetched for one in parsed])
        return Consumption(group.resource, len(group.answers), records, missed, told)

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
            requests = slices.new_ids(connection, len(parsed))
            arrivals = [
                Arrival(record, request)
                for one, request in zip(parsed, requests, strict=True)
                for record in one.records.records
            ]
            sets = [one for answer in parsed for one in answer.records.sets]
            counts = self.accept(connection, resource, arrivals, sets, window)
            unstaged = any(one.records.others or one.records.bad for one in parsed)
            settled = not unstaged and not any(counts[outcome] for outcome in PASSED_OVER)
            facts = [
                request_facts(self.batch_id, one) | {"contents": contents_of(one.records.records) if settled else None}
                for one in parsed
            ]
            slices.note_requests(connection, facts, requests)
            self.note_others(connection, resource, parsed, requests)
        if resource.parent is not None:
            self.note_children(connection, resource, parsed, missed)
        counters.count(connection, self.batch_id, resource.name, {"pages": len(parsed)})

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
            (table, f"request {request}, item {item.position}", "", findings.UNUSABLE, Severity.REFUSED, item.reason)
            for one, request in zip(parsed, requests, strict=True)
            for item in one.records.bad
        ]
        if others or bad:
            counts = {"fetched": others + len(bad), Outcome.NO_ROW: others, Outcome.REFUSED: len(bad)}
            counters.count(connection, self.batch_id, resource.name, {**counts, "findings": len(bad)})
        if bad:
            rows = [(*one, None, None) for one in bad]
            findings.keep(connection, self.ledger.tenant, resource.name, self.batch_id, [], rows)
