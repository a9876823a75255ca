"""Writes a page group in one transaction; parsing happens before the transaction starts."""

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue.resource import Resource
from etl.database.retry import Attempts
from etl.engine.answers import FetchedPage, FetchFailed
from etl.engine.parse import ParsedPage, call_facts, parse_page, request_facts
from etl.ledger import counters, slices
from etl.ledger.children import queue as children
from etl.ledger.children.queue import RefreshAge
from etl.ledger.quality import findings
from etl.ledger.staging.classify import IncomingRecord
from etl.ledger.staging.page_cache import SKIPPED_OUTCOMES, CachedPage, CacheScope, hash_contents, is_cacheable
from etl.ledger.staging.page_cache import find_cached_pages as find_known
from etl.ledger.transaction import Ledger
from etl.models.states import CallOutcome, Outcome
from etl.record import ReadSet
from etl.resources import find_resource
from etl.values import Severity
from etl.window import Window

#: Handles records in the transaction that records their requests, given the window of their dates and the resources
#: that are not offered; returns the outcomes.
HandleRecords = Callable[
    [Connection, Resource, Sequence[IncomingRecord], Sequence[ReadSet], Window | None, AbstractSet[str]], Counter[str]
]


def size_of(answer: FetchedPage | FetchFailed) -> int:
    """Return approximately how many bytes an answer holds in memory."""
    return answer.size if isinstance(answer, FetchedPage) else 0


@dataclass(frozen=True, slots=True)
class PageGroup:
    """Answers of one resource that are written in one transaction."""

    resource: str
    answers: Sequence[FetchedPage | FetchFailed]
    window: Window | None  #: window in which the dates of dated records must lie
    not_offered: AbstractSet[str] = frozenset()  #: resources that the account does not offer, as far as is known

    @property
    def size(self) -> int:
        """Approximately how many bytes its answers hold in memory."""
        return sum(map(size_of, self.answers))

    @property
    def items(self) -> int:
        """How many items its answers hold."""
        return sum(len(answer.answer.page.items) for answer in self.answers if isinstance(answer, FetchedPage))


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The result of writing a page group."""

    resource: str
    answers: int
    records: int
    failures: Sequence[FetchFailed] = ()
    announced: int | None = None  #: total number of records, according to the answers

    def combine(self, other: "WriteResult") -> "WriteResult":
        """Return the sum of this result and that of another part of the same page group."""
        return WriteResult(
            self.resource,
            self.answers + other.answers,
            self.records + other.records,
            [*self.failures, *other.failures],
            max(self.announced or 0, other.announced or 0) or None,
        )

    @property
    def answered(self) -> int:
        """The number of calls with an answer."""
        return self.answers - len(self.failures)


def announced_total(answers: Sequence[FetchedPage]) -> int | None:
    """Return the total number of records that answers announced, None when they announced none."""
    return max((fetched.answer.page.total or 0 for fetched in answers), default=0) or None


def outcomes_by_parent(parsed: Sequence[ParsedPage], failures: Sequence[FetchFailed]) -> dict[str, CallOutcome]:
    """Return what the API said about each parent, by its source id."""
    outcomes = {failure.child.parent_id: failure.outcome for failure in failures if failure.outcome is not None}
    for page in parsed:
        if page.fetched.child is not None:
            says_nothing = page.fetched.answer.page.says_nothing
            outcomes[page.fetched.child.parent_id] = CallOutcome.NO_ANSWER if says_nothing else CallOutcome.ANSWERED
    return outcomes


def incoming_records(parsed: Sequence[ParsedPage], requests: Sequence[int]) -> list[IncomingRecord]:
    """Return the records of pages, each with the id of its request."""
    return [
        IncomingRecord(record, request)
        for page, request in zip(parsed, requests, strict=True)
        for record in page.records.records
    ]


@dataclass(frozen=True)
class PageWriter:
    """Writes page groups into the database; every worker has its own."""

    ledger: Ledger
    batch_id: UUID
    zone: str  #: time zone of times without one
    rules: str  #: current version of the cleaning rules
    handle_records: HandleRecords
    refresh_age: RefreshAge  #: when details are due again

    def skip_unchanged(self, group: PageGroup) -> tuple[WriteResult, PageGroup | None]:
        """Commit the answers that are unchanged, byte for byte; return the result and the group of the others."""
        resource = find_resource(group.resource)
        feeds = (
            [answer for answer in group.answers if isinstance(answer, FetchedPage)] if is_cacheable(resource) else []
        )
        if not feeds:
            return WriteResult(group.resource, 0, 0), group
        known_pages = self.ledger.read(
            partial(self.find_unchanged, resource=resource, answers=feeds, window=group.window)
        )
        pages = [(answer, known_pages[answer.digest]) for answer in feeds if answer.digest in known_pages]
        if not pages:
            return WriteResult(group.resource, 0, 0), group
        self.ledger.commit(partial(self.commit_unchanged, resource=resource, pages=pages))
        records = sum(page.counts["fetched"] for _, page in pages)
        total = announced_total([answer for answer, _ in pages])
        result = WriteResult(group.resource, len(pages), records, announced=total)
        others = [
            answer for answer in group.answers if isinstance(answer, FetchFailed) or answer.digest not in known_pages
        ]
        return result, replace(group, answers=others) if others else None

    def find_unchanged(
        self, connection: Connection, resource: Resource, answers: Sequence[FetchedPage], window: Window | None
    ) -> dict[bytes, CachedPage]:
        """Return the earlier, identical pages of answers, by digest."""
        digests = [answer.digest for answer in answers]
        asker = CacheScope(self.ledger.tenant, self.batch_id, self.rules)
        return find_known(connection, resource, asker, window, digests)

    def commit_unchanged(
        self, connection: Connection, resource: Resource, pages: Sequence[tuple[FetchedPage, CachedPage]]
    ) -> None:
        """Record the requests that returned nothing new, and count their records."""
        facts = [call_facts(self.batch_id, answer) for answer, _ in pages]
        slices.write_repeated_requests(connection, facts, [page.request_id for _, page in pages])
        counts: Counter[str] = Counter(pages=len(pages))
        for _, page in pages:
            counts.update(page.counts)
        counters.add_counts(connection, self.batch_id, resource.name, counts)

    def write(self, group: PageGroup) -> WriteResult:
        """Parse a page group and write it in one transaction: requests, records, all that follows, the child queue."""
        resource = find_resource(group.resource)
        parsed = [
            parse_page(resource, answer, self.zone) for answer in group.answers if isinstance(answer, FetchedPage)
        ]
        failures = [answer for answer in group.answers if isinstance(answer, FetchFailed)]
        for attempt in Attempts():
            with attempt, self.ledger.transaction() as connection:
                if parsed:
                    requests = slices.reserve_request_ids(connection, len(parsed))
                    incoming = incoming_records(parsed, requests)
                    sets = [read_set for page in parsed for read_set in page.records.sets]
                    counts = self.handle_records(connection, resource, incoming, sets, group.window, group.not_offered)
                    slices.write_requests(connection, self.describe_requests(parsed, counts), requests)
                    self.count_unstaged(connection, resource, parsed, requests)
                if resource.parent is not None:
                    self.update_child_queue(connection, resource, parsed, failures)
                counters.add_counts(connection, self.batch_id, resource.name, {"pages": len(parsed)})
        records = sum(len(page.records.records) for page in parsed)
        total = announced_total([page.fetched for page in parsed])
        return WriteResult(group.resource, len(group.answers), records, failures, total)

    def describe_requests(self, parsed: Sequence[ParsedPage], counts: Counter[str]) -> list[dict[str, Any]]:
        """Return what is stored of the requests of pages; their contents only where all their records were staged."""
        has_unstaged = any(page.records.bad for page in parsed)
        is_cacheable = not has_unstaged and not any(counts[outcome] for outcome in SKIPPED_OUTCOMES)
        return [
            request_facts(self.batch_id, page)
            | {"contents": hash_contents(page.records.records) if is_cacheable else None}
            for page in parsed
        ]

    def update_child_queue(
        self, connection: Connection, resource: Resource, parsed: Sequence[ParsedPage], failures: Sequence[FetchFailed]
    ) -> None:
        """Mark the parents that are covered, and postpone the parents whose call failed."""
        answered = [page.fetched.child for page in parsed if page.fetched.child is not None]
        not_found = [failure.child for failure in failures if failure.not_found]
        failed = [failure.child.parent_id for failure in failures if not failure.not_found]
        children.mark_covered(connection, resource, self.ledger.tenant, [*answered, *not_found], self.refresh_age)
        children.note_outcomes(connection, resource, self.ledger.tenant, outcomes_by_parent(parsed, failures))
        children.postpone_failed(connection, resource, self.ledger.tenant, failed)

    def count_unstaged(
        self, connection: Connection, resource: Resource, parsed: Sequence[ParsedPage], requests: Sequence[int]
    ) -> None:
        """Count the records that are not staged because they are unusable."""
        bad = [
            (
                resource.table,
                f"request {request}, item {item.position}",
                "",
                findings.UNUSABLE,
                Severity.REFUSED,
                item.reason,
            )
            for page, request in zip(parsed, requests, strict=True)
            for item in page.records.bad
        ]
        if bad:
            counts = {"fetched": len(bad), Outcome.REFUSED: len(bad), "findings": len(bad)}
            counters.add_counts(connection, self.batch_id, resource.name, counts)
            rows = [(*finding, None, None) for finding in bad]
            findings.write_findings(connection, self.ledger.tenant, resource.name, self.batch_id, [], rows)
