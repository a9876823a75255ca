"""Reads child records, one call per parent: by priority, within a budget; the backlog waits for the next run."""

from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from etl.api.protocol import CallFailed, EndpointRefused, Refusal
from etl.catalogue import Resource
from etl.engine.answers import FetchFailed
from etl.engine.page_writer import WriteResult
from etl.errors import ApiUnavailable
from etl.events import Message, Started
from etl.extract.call_budget import CallBudget
from etl.extract.reader import ResourceReader
from etl.extract.run import ExtractRun
from etl.ledger import batches, children
from etl.ledger.batches import BatchResource
from etl.ledger.children import WHOLE_QUEUE, ChildRequest, QueueChunk
from etl.resources import resource as named

#: Parents that are read from the queue at a time.
PARENTS_PER_ROUND = 1000
#: Answers written in one transaction, at most.
ANSWERS_PER_GROUP = 100
#: When this many parents answer 404 and none has answered otherwise, the account does not have the resource.
MAX_INITIAL_NOT_FOUND = 10
#: Consecutive failed calls after which the remaining parents are not tried.
MAX_CONSECUTIVE_FAILURES = 10
#: When an undocumented resource fails at this many calls and answers none, the remaining parents are not tried.
MAX_UNDOCUMENTED_FAILURES = 3


class ChildReader:
    """Reads one resource that has a call per parent, or one chunk of its queue."""

    def __init__(
        self,
        run: ExtractRun,
        batch_resource: BatchResource,
        chunk: QueueChunk = WHOLE_QUEUE,
        budget: CallBudget | None = None,
    ) -> None:
        """Read within `budget`; default: the budget of the run."""
        self.run = run
        self.resource = named(batch_resource.resource)
        self.chunk = chunk
        self.budget = budget or run.budget
        settings = run.settings
        self.reader = ResourceReader(run.api, self.resource, settings.etl_page_size, run.prefetch)
        self.parents_read = 0
        self.answered = 0
        self.not_found = 0
        self.failures: list[FetchFailed] = []

    def read(self) -> bool:
        """Read the children of every parent that is due; return whether nothing is left for another run.

        Raises EndpointRefused when the account does not have the resource, ApiUnavailable when some calls failed
        permanently.
        """
        due = self.run.ledger.commit(self.refresh_queue)
        self.run.watch(Started(self.run.step, self.resource.name, calls=self.count_due()))
        return self.read_due(due) and self.count_due() == 0

    def read_due(self, due: datetime) -> bool:
        """Read the children of every parent that was due at `due`, within the call budget.

        Returns whether every parent was read that the limit of the run allows; raises as `read` does.
        """
        while parents := self.within_budget(self.run.ledger.read(partial(self.next_parents, due=due))):
            fetch = partial(self.reader.read_children, children=parents)
            for result in self.run.write_pages(self.resource.name, None, fetch, ANSWERS_PER_GROUP):
                self.check_failures(result)
            self.parents_read += len(parents)
        self.report_not_found()
        if self.failures:
            raise self.summarize_failures()
        return True

    def refresh_queue(self, connection: Connection) -> datetime:
        """Queue the parents that changed, and return the time up to which due parents belong to this run."""
        children.refresh_queue(connection, self.resource, self.parent, self.run.ledger.tenant)
        return children.read_database_time(connection)

    def next_parents(self, connection: Connection, due: datetime) -> list[ChildRequest]:
        """Return the parents of the next round, within the record limit of the run."""
        limit = self.run.limit
        size = PARENTS_PER_ROUND if limit is None else min(PARENTS_PER_ROUND, limit - self.parents_read)
        if size <= 0:
            return []
        tenant = self.run.ledger.tenant
        return children.read_due_requests(connection, self.resource, self.parent, tenant, due, size, self.chunk)

    def within_budget(self, parents: list[ChildRequest]) -> list[ChildRequest]:
        """Return the parents that the budget has calls for."""
        return parents[: self.budget.acquire(self.resource.name, len(parents))]

    def check_failures(self, result: WriteResult) -> None:
        """Count how the calls ended; raise when the failures concern the resource as a whole."""
        self.answered += result.answered
        for failure in result.failures:
            self.not_found += failure.not_found
            if not failure.not_found:
                self.failures.append(failure)
        if not self.answered and self.not_found >= MAX_INITIAL_NOT_FOUND and not self.has_answers():
            raise EndpointRefused(self.reader.example_call(), 404, Refusal.MISSING)
        most = MAX_CONSECUTIVE_FAILURES if self.resource.documented else MAX_UNDOCUMENTED_FAILURES
        if len(self.failures) >= most and result.answered == 0:
            raise self.summarize_failures()

    def summarize_failures(self) -> ApiUnavailable:
        """Return the error for all failed calls: CallFailed when the API failed at each one and answered none."""
        words = f"{len(self.failures)} calls failed; the last error: {self.failures[-1].reason}"
        is_every_call = all(failure.is_call_failure for failure in self.failures) and not self.answered
        return CallFailed(words) if is_every_call and not self.has_answers() else ApiUnavailable(words)

    def has_answers(self) -> bool:
        """Return whether any call of this batch for the resource was answered, in this task or another."""
        batch_resources = self.run.ledger.read(partial(batches.read_batch_resources, batch_id=self.run.batch.id))
        return any(
            batch_resource.resource == self.resource.name and batch_resource.counts["pages"]
            for batch_resource in batch_resources
        )

    def report_not_found(self) -> None:
        """Report parents that QQCatalyst no longer has; whether they are deleted is decided by their own list."""
        if self.not_found:
            exist = "exists" if self.not_found == 1 else "exist"
            message = f"{self.not_found} of the requested {self.parent.name} no longer {exist} in QQCatalyst (404)"
            self.run.watch(Message(f"{self.resource.name}: {message}"))

    def count_due(self) -> int:
        """Return how many parents are due."""
        tenant, name = self.run.ledger.tenant, self.resource.name
        return self.run.ledger.read(partial(children.read_coverage, resource=name, tenant=tenant)).outstanding

    @property
    def parent(self) -> Resource:
        """The resource whose records are the parents."""
        return named(self.resource.parent.resource if self.resource.parent else "")
