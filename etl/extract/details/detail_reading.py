"""The reading of one resource that has a call per parent: its answers so far, and when to give up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from etl.catalogue.resource import Resource
from etl.engine.answers import FetchedPage, FetchFailed
from etl.engine.page_writer import WriteResult
from etl.errors import ApiUnavailable, CallFailed, EndpointRefused, EtlError, Refusal
from etl.events import Message
from etl.extract.details.child_reader import ChildReader
from etl.extract.run import RESOURCE_ERRORS, ExtractRun
from etl.ledger import batches
from etl.ledger.batches import BatchResourceKey
from etl.ledger.children.queue import ChildRequest
from etl.resources import BY_NAME

#: When this many parents answer 404 and none has answered otherwise, the account does not have the resource.
MAX_INITIAL_NOT_FOUND = 10
#: Consecutive failed calls after which the remaining parents are not tried.
MAX_CONSECUTIVE_FAILURES = 10
#: When an undocumented resource fails at this many calls and answers none, the remaining parents are not tried.
MAX_UNDOCUMENTED_FAILURES = 3


class DetailReading:
    """The reading of one resource in a run."""

    def __init__(self, run: ExtractRun, resource: Resource) -> None:
        self.run = run
        self.resource = resource
        self.reader = ChildReader(run.api, resource, run.options.page_size)
        self.error: EtlError | None = None  #: why the remaining parents are not tried
        self.parents_read = 0
        self.answered = 0
        self.not_found = 0
        self.failures: list[FetchFailed] = []
        self.has_answered = resource.is_documented or self.has_answers()  #: whether the account is known to offer it
        self._trial = asyncio.Lock()
        self._trial_failures: list[FetchFailed] = []

    @property
    def is_open(self) -> bool:
        """Whether further parents are asked about."""
        return self.error is None and (self.run.limit is None or self.parents_read < self.run.limit)

    def admit(self) -> bool:
        """Count a parent that is to be asked about; return whether it is within the record limit of the run."""
        if not self.is_open:
            return False
        self.parents_read += 1
        return True

    async def fetch(self, request: ChildRequest) -> FetchedPage | FetchFailed | None:
        """Return the answer for a parent, or None after an error of the whole resource."""
        async with self.turn():
            if self.error is not None:
                return None
            try:
                result = await self.reader.read_child(request)
            except RESOURCE_ERRORS as error:
                self.close(error)
                return None
            if not self.has_answered:
                self.judge_offer(result)
            return result

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn of a call.

        Until an undocumented resource has answered, its calls are made one after another: few of them are lost where
        the account does not offer it.
        """
        if not self.has_answered:
            async with self._trial:
                if not self.has_answered:
                    yield
                    return
        yield

    def judge_offer(self, result: FetchedPage | FetchFailed) -> None:
        """Note that an undocumented resource is offered, or stop asking after the failures that show that it is not."""
        if isinstance(result, FetchedPage):
            self.has_answered = True
        else:
            self._trial_failures.append(result)
            failures = [failed for failed in self._trial_failures if not failed.not_found]
            if len(self._trial_failures) - len(failures) >= MAX_INITIAL_NOT_FOUND:
                self.close(EndpointRefused(self.reader.example_call(), 404, Refusal.MISSING))
            elif len(failures) >= MAX_UNDOCUMENTED_FAILURES:
                self.close(summarize_failures(failures, has_answered=False))

    def close(self, error: EtlError) -> None:
        """Stop asking because of an error; the first one counts."""
        self.error = self.error or error

    def update(self, result: WriteResult) -> None:
        """Count how calls ended; stop asking when the failures concern the resource as a whole."""
        self.answered += result.answered
        for failure in result.failures:
            self.not_found += failure.not_found
            if not failure.not_found:
                self.failures.append(failure)
        if not self.answered and self.not_found >= MAX_INITIAL_NOT_FOUND and not self.has_answers():
            self.close(EndpointRefused(self.reader.example_call(), 404, Refusal.MISSING))
        most = MAX_CONSECUTIVE_FAILURES if self.resource.is_documented else MAX_UNDOCUMENTED_FAILURES
        if len(self.failures) >= most and result.answered == 0:
            self.close(summarize_failures(self.failures, has_answered=bool(self.answered) or self.has_answers()))

    def finish(self) -> None:
        """Report the parents that no longer exist, and summarize the calls that failed."""
        if self.not_found and self.error is None:
            self.report_not_found()
        if self.failures:
            self.close(summarize_failures(self.failures, has_answered=bool(self.answered) or self.has_answers()))

    def has_answers(self) -> bool:
        """Return whether any call of this batch for the resource was answered, in this task or another."""
        key = BatchResourceKey(batch_id=self.run.batch.id, resource=self.resource.name)
        batch_resource = self.run.ledger.read(partial(batches.read_batch_resource, **key))
        return batch_resource is not None and batch_resource.counts["pages"] > 0

    def report_not_found(self) -> None:
        """Report parents that QQCatalyst no longer has; whether they are deleted is decided by their own list."""
        parent = self.resource.parent.resource if self.resource.parent is not None else ""
        exist = "exists" if self.not_found == 1 else "exist"
        message = f"{self.not_found} of the requested {BY_NAME[parent].name} no longer {exist} in QQCatalyst (404)"
        self.run.watch(Message(f"{self.resource.name}: {message}"))


def summarize_failures(failures: Sequence[FetchFailed], *, has_answered: bool) -> ApiUnavailable:
    """Return the error for all failed calls: CallFailed when the API failed at each one and answered none."""
    words = f"{len(failures)} calls failed; the last error: {failures[-1].reason}"
    is_every_call = not has_answered and all(failure.is_call_failure for failure in failures)
    return CallFailed(words) if is_every_call else ApiUnavailable(words)
