"""What all resources of one run share, and the road of a group of answers into one transaction."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.config.settings import Settings
from etl.errors import Interrupted
from etl.events import Advanced, Watch
from etl.extract.parsing import Parsed, parse, request_facts
from etl.extract.reading import Api, Fetched, Missed
from etl.extract.wire import Put, Wire
from etl.ledger import batches, children, findings, slices
from etl.ledger.batches import Batch
from etl.ledger.sorting import Arrival
from etl.ledger.unit import Ledger
from etl.models.states import Outcome
from etl.record import ReadSet
from etl.values import Severity
from etl.window import Window

#: Transactions under way at once: while one waits for PostgreSQL, another prepares its records.
WORKERS = 2

#: What happens to records in the transaction that notes their requests; returns the outcomes.
Accept = Callable[[Connection, Resource, Sequence[Arrival], Sequence[ReadSet], Window | None], Counter[str]]


@dataclass
class Run:
    """One run over one batch."""

    ledger: Ledger
    settings: Settings
    batch: Batch
    wire: Wire
    api: Api
    accept: Accept
    watch: Watch
    step: str = "sync"
    stop: threading.Event = field(default_factory=threading.Event)
    limit: int | None = None  #: records a resource may bring, about; for a first gentle look
    calls_for_details: int = 0  #: made so far, against the budget
    not_offered: dict[str, str] = field(default_factory=dict)  #: resource and reason

    def check(self) -> None:
        """Raise Interrupted when the run was asked to stop."""
        if self.stop.is_set():
            raise Interrupted


@dataclass(slots=True)
class Consumption:
    """What came of a stream of answers."""

    records: int = 0
    answers: int = 0
    missed: list[Missed] = field(default_factory=list)


class Consumer:
    """Takes the answers of one resource into the database, group by group, as they come."""

    def __init__(self, run: Run, resource: Resource, window: Window | None) -> None:
        self.run = run
        self.resource = resource
        self.window = window

    def consume(
        self, produce: Callable[[Put[Fetched | Missed]], Coroutine[Any, Any, None]], most: int
    ) -> Iterator[Consumption]:
        """Commit what `produce` puts, at most `most` answers a transaction, and yield what each group came to.

        Raises what a commit or the producer raised; everything committed before stays.
        """
        under_way: deque[Future[Consumption]] = deque()
        with (
            ThreadPoolExecutor(WORKERS, thread_name_prefix="commit") as pool,
            closing(self.run.wire.stream(produce, most)) as groups,
        ):
            for group in groups:
                self.run.check()
                under_way.append(pool.submit(self.take, group))
                while len(under_way) > WORKERS or (under_way and under_way[0].done()):
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()

    def take(self, group: Sequence[Fetched | Missed]) -> Consumption:
        """Parse a group of answers and commit it."""
        zone = self.run.settings.etl_api_timezone
        parsed = [parse(self.resource, one, zone) for one in group if isinstance(one, Fetched)]
        missed = [one for one in group if isinstance(one, Missed)]
        self.run.ledger.commit(partial(self.commit, parsed=parsed, missed=missed))
        records = sum(len(one.records.records) + one.records.others for one in parsed)
        totals = [one.fetched.answer.page.total for one in parsed if one.fetched.answer.page.total is not None]
        self.run.watch(Advanced(self.run.step, self.resource.name, len(group), records, sum(totals[:1]) or None))
        return Consumption(records, len(parsed), missed)

    def commit(self, connection: Connection, parsed: Sequence[Parsed], missed: Sequence[Missed]) -> None:
        """Write a group: the facts of its requests, its records with all that follows from them, its place."""
        ledger, batch_id, name = self.run.ledger, self.run.batch.id, self.resource.name
        if parsed:
            requests = slices.note_requests(connection, [request_facts(batch_id, one) for one in parsed])
            arrivals = [
                Arrival(record, request)
                for one, request in zip(parsed, requests, strict=True)
                for record in one.records.records
            ]
            sets = [one for answer in parsed for one in answer.records.sets]
            self.run.accept(connection, self.resource, arrivals, sets, self.window)
            self.note_others(connection, parsed, requests)
        if self.resource.parent is not None:
            asked = [one.fetched.child for one in parsed if one.fetched.child is not None]
            gone = [one.child for one in missed if one.vanished]
            children.cover(connection, self.resource, ledger.tenant, [*asked, *gone])
            children.postpone(
                connection, self.resource, ledger.tenant, [one.child.parent_id for one in missed if not one.vanished]
            )
        batches.count(connection, batch_id, name, {"pages": len(parsed)})

    def note_others(self, connection: Connection, parsed: Sequence[Parsed], requests: Sequence[int]) -> None:
        """Count the records that are not staged: those that another resource keeps, and those that cannot be."""
        others = sum(one.records.others for one in parsed)
        bad = [
            (self.resource.model.__tablename__, f"request {request}, item {item.position}", "", "record-unusable",
             Severity.REFUSED, item.reason, None, None)
            for one, request in zip(parsed, requests, strict=True)
            for item in one.records.bad
        ]  # fmt: skip
        if others or bad:
            counts = {"fetched": others + len(bad), Outcome.NO_ROW: others, Outcome.REFUSED: len(bad)}
            batches.count(connection, self.run.batch.id, self.resource.name, {**counts, "findings": len(bad)})
        if bad:
            findings.keep(connection, self.run.ledger.tenant, self.resource.name, self.run.batch.id, [], bad)
