"""What is asked for once per parent: details by priority, within a budget, the backlog kept for the next run."""

from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from etl.api.protocol import EndpointRefused, Refusal
from etl.catalogue import Resource
from etl.engine.answers import Missed
from etl.engine.page_writer import Consumption
from etl.errors import ApiUnavailable
from etl.events import Began, Note
from etl.extract.call_budget import Budget
from etl.extract.reader import Reader
from etl.extract.run import Run
from etl.ledger import batches, children
from etl.ledger.batches import Part
from etl.ledger.children import WHOLE, Child, Portion
from etl.resources import resource as named

#: Parents that are asked for in one round.
ROUND = 1000
#: Answers that one transaction takes at most.
DETAILS = 100
#: Parents in a row, from the first on, whose 404 means that the account does not have the resource at all.
VANISHED_FROM_THE_START = 10
#: Failed calls in a row after which the other parents are not asked.
FAILED_IN_A_ROW = 10


class ByParents:
    """The reading of one resource that is asked for per parent, or of a portion of its queue."""

    def __init__(self, run: Run, part: Part, portion: Portion = WHOLE, budget: Budget | None = None) -> None:
        """Read within a budget of calls, which is that of the run unless another is given."""
        self.run = run
        self.resource = named(part.resource)
        self.portion = portion
        self.budget = budget or run.budget
        settings = run.settings
        self.reader = Reader(run.api, self.resource, settings.etl_page_size, run.ahead)
        self.asked = 0
        self.answered = 0
        self.vanished = 0
        self.failed: list[Missed] = []

    def read(self) -> bool:
        """Ask for the details of every parent that is due; tell whether none is left for another run.

        Raises EndpointRefused where the account does not have the resource, ApiUnavailable where some calls failed.
        """
        due = self.run.ledger.commit(self.queue)
        self.run.watch(Began(self.run.step, self.resource.name, calls=self.outstanding()))
        return self.read_due(due) and self.outstanding() == 0

    def read_due(self, due: datetime) -> bool:
        """Ask for the details of every parent that was due at a time, within the budget of calls.

        Tells whether all were asked for that the limit of the run allows; raises as `read` does.
        """
        while some := self.affordable(self.run.ledger.read(partial(self.next_round, due=due))):
            for done in self.run.consume(self.resource.name, None, partial(self.reader.children, some=some), DETAILS):
                self.weigh(done)
            self.asked += len(some)
        self.note_vanished()
        if self.failed:
            raise ApiUnavailable(f"{len(self.failed)} calls failed, the last with: {self.failed[-1].reason}")
        return True

    def queue(self, connection: Connection) -> datetime:
        """Queue the parents that changed, and return the time up to which this run takes what is due."""
        children.refresh(connection, self.resource, self.parent, self.run.ledger.tenant)
        return children.now(connection)

    def next_round(self, connection: Connection, due: datetime) -> list[Child]:
        """Return the parents of the next round, as far as the limit of a first look goes."""
        limit = self.run.limit
        most = ROUND if limit is None else min(ROUND, limit - self.asked)
        if most <= 0:
            return []
        tenant = self.run.ledger.tenant
        return children.outstanding(connection, self.resource, self.parent, tenant, due, most, self.portion)

    def affordable(self, some: list[Child]) -> list[Child]:
        """Return those of the next round that the budget has calls for."""
        return some[: self.budget.take(self.resource.name, len(some))]

    def weigh(self, done: Consumption) -> None:
        """Take in how calls ended; raise when that says something about the resource as a whole."""
        self.answered += done.answered
        for missed in done.missed:
            self.vanished += missed.vanished
            if not missed.vanished:
                self.failed.append(missed)
        if not self.answered and self.vanished >= VANISHED_FROM_THE_START and not self.was_answered():
            raise EndpointRefused(self.reader.example(), 404, Refusal.MISSING)
        if len(self.failed) >= FAILED_IN_A_ROW and done.answered == 0:
            raise ApiUnavailable(f"{len(self.failed)} calls failed, the last with: {self.failed[-1].reason}")

    def was_answered(self) -> bool:
        """Tell whether the account has shown to have the resource: before a break, or to another task of this run."""
        parts = self.run.ledger.read(partial(batches.parts, batch_id=self.run.batch.id))
        return any(part.resource == self.resource.name and part.counts["pages"] for part in parts)

    def note_vanished(self) -> None:
        """Tell of parents that the source no longer has; their own list says what became of them."""
        if self.vanished:
            are = "is" if self.vanished == 1 else "are"
            words = f"{self.vanished} of the {self.parent.name} asked about {are} gone at the source (404)"
            self.run.watch(Note(f"{self.resource.name}: {words}"))

    def outstanding(self) -> int:
        """Return how many parents are due."""
        tenant, name = self.run.ledger.tenant, self.resource.name
        return self.run.ledger.read(partial(children.coverage, resource=name, tenant=tenant)).outstanding

    @property
    def parent(self) -> Resource:
        """The resource whose records are asked about."""
        return named(self.resource.parent.resource if self.resource.parent else "")
