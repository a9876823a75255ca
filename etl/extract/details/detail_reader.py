"""Reads details, one call per parent and resource, in one order of value over all resources.

Within a budget of calls and a share of time; what is left waits for the next run.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import groupby

from sqlalchemy import Connection

from etl.api import daily_calls
from etl.api.event_loop import Put
from etl.catalogue.resource import Resource
from etl.engine.answers import FetchedPage, FetchFailed
from etl.errors import EtlError
from etl.events import Started
from etl.extract.details.call_budget import CallBudget, limit_to_whole_parents
from etl.extract.details.detail_reading import DetailReading
from etl.extract.reader import run_in_order
from etl.extract.run import ExtractRun, Fetch
from etl.ledger.batches import BatchResource
from etl.ledger.children import child_refresh, child_samples
from etl.ledger.children import queue as children
from etl.ledger.children.queue import WHOLE_QUEUE, ChildRequest, DueQuery, QueueChunk
from etl.resources import BY_NAME, as_chosen

#: Calls that are taken from the queue at a time.
CALLS_PER_ROUND = 200
#: Answers written in one transaction, at most.
ANSWERS_PER_GROUP = 100


class DetailReader:
    """Reads all resources that have a call per parent, or one chunk of their queue."""

    def __init__(
        self,
        run: ExtractRun,
        batch_resources: Iterable[BatchResource],
        chunk: QueueChunk = WHOLE_QUEUE,
        budget: CallBudget | None = None,
    ) -> None:
        """Read within `budget`; default: the budget of the run."""
        self.run = run
        self.chunk = chunk
        self.budget = budget or CallBudget(run.options.child_budget)
        names = [batch_resource.resource for batch_resource in batch_resources]
        self.readings = {name: DetailReading(run, BY_NAME[name]) for name in names}
        self._begun: set[tuple[str, str]] = set()  # parents of whom a call was made in this round

    def rounds(self) -> Iterator[Fetch]:
        """Yield what fetches the answers of each round; each is written before the next begins.

        The error of a resource is kept with its reading and stops no other. If a sample shows in this run that parents
        get a call that were left out before, they are read too.
        """
        due = self.run.ledger.commit(self.refresh_queue)
        outstanding = self.count_outstanding()
        for name in self.readings:
            self.run.watch(Started(self.run.step, name, calls=outstanding.get(name, 0)))
        undecided = self.has_undecided_sample()
        yield from self.rounds_due(due)
        if undecided and not self.run.is_share_over():
            yield from self.rounds_due(self.run.ledger.commit(self.refresh_queue))

    def rounds_due(self, due: datetime) -> Iterator[Fetch]:
        """Yield the rounds for every parent that was due at `due`, in order of value, within budget and time."""
        while requests := self.next_requests(due):
            self._begun = set()
            yield partial(self.fetch_requests, requests=requests)
            self.run.record_calls()

    def write_rounds(self, rounds: Iterable[Fetch]) -> None:
        """Write the answers of rounds, and summarize how the calls of each resource ended."""
        for fetch in rounds:
            for result in self.run.write_pages(None, fetch, ANSWERS_PER_GROUP, self.close_reading):
                self.readings[result.resource].update(result)
        for reading in self.readings.values():
            reading.finish()

    def refresh_queue(self, connection: Connection) -> datetime:
        """Queue the parents that changed, and return the time up to which due parents belong to this run."""
        choices = self.run.options.choices
        resources = sorted((as_chosen(BY_NAME[name], choices) for name in self.readings), key=parent_name)
        for name, group in groupby(resources, parent_name):
            child_refresh.refresh_queue(
                connection, group, BY_NAME[name], self.run.ledger.tenant, self.run.today, self.run.batch.id
            )
        return children.read_database_time(connection)

    def next_requests(self, due: datetime) -> Sequence[ChildRequest]:
        """Return the requests of the next round: first reads and changes, then refreshes within the daily budget."""
        names = [name for name, reading in self.readings.items() if reading.is_open]
        if not names or self.run.is_share_over():
            return []
        query = DueQuery(self.run.ledger.tenant, names, due, chunk=self.chunk)
        requests: Sequence[ChildRequest] = self.run.ledger.commit(
            partial(children.take_due_requests, query=query, most=CALLS_PER_ROUND)
        )
        if not requests:
            refreshes = self.run.ledger.commit(
                partial(children.take_due_requests, query=replace(query, refreshes=True), most=CALLS_PER_ROUND)
            )
            requests = self.within_daily_budget(refreshes)
        granted = self.budget.take(requests)
        return [request for request in granted if self.readings[request.resource].admit()]

    def within_daily_budget(self, refreshes: Sequence[ChildRequest]) -> Sequence[ChildRequest]:
        """Return the refreshes that the daily budget of the account has calls for."""
        if not refreshes:
            return refreshes
        self.run.record_calls()
        options = self.run.options
        left = daily_calls.count_left(self.run.ledger, options.account, options.daily_calls)
        return limit_to_whole_parents(refreshes, left)

    async def fetch_requests(self, put: Put[FetchedPage | FetchFailed], requests: Sequence[ChildRequest]) -> None:
        """Make the calls of a round in order and put every answer or failure."""
        calls = (self.readings[request.resource].fetch(request) for request in requests if self.has_time_for(request))
        async for result in run_in_order(calls, lambda: 4 * self.run.prefetch()):
            if result is not None:
                await put(result)

    def has_time_for(self, request: ChildRequest) -> bool:
        """Return whether a call can be made: until the time is over, and later if its parent was begun before."""
        if request.parent not in self._begun:
            if self.run.is_share_over():
                return False
            self._begun.add(request.parent)
        return True

    def close_reading(self, resource: str, error: EtlError) -> None:
        """Stop asking for a resource whose answers could not be written."""
        self.readings[resource].close(error)

    def has_undecided_sample(self) -> bool:
        """Return whether a sample of these resources has no outcome yet."""
        samples = self.run.ledger.read(partial(child_samples.read_samples, tenant=self.run.ledger.tenant))
        return any(sample.decided_at is None and sample.resource in self.readings for sample in samples)

    def count_outstanding(self) -> dict[str, int]:
        """Return how many calls are outstanding, by resource."""
        return self.run.ledger.read(partial(children.count_outstanding, tenant=self.run.ledger.tenant))


def parent_name(child: Resource) -> str:
    """Return the name of a child's parent."""
    return children.parent_of(child.name)
