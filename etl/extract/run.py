"""What all resources of one run share, and how answers are passed to the workers."""

import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from etl.api.daily_calls import record_calls
from etl.api.event_loop import EventLoopThread, Put
from etl.api.traffic import Traffic
from etl.config.options import ReadingOptions
from etl.drift.profiler import SchemaProfiler
from etl.engine.answers import FetchedPage, FetchFailed
from etl.engine.page_writer import PageGroup, WriteResult, size_of
from etl.engine.workers import WORKERS, WorkerPool
from etl.errors import ApiUnavailable, EndpointRefused, EtlError, Interrupted, InvalidRecord, UnexpectedResponse
from etl.events import Advanced, Watch
from etl.extract.page_size import PageSource
from etl.extract.reader import share_of_calls
from etl.ledger.batches import Batch
from etl.ledger.transaction import Ledger, SerializedLedger
from etl.resources import find_resource
from etl.window import Window

#: Errors of a single resource; every other error ends the run.
RESOURCE_ERRORS = (ApiUnavailable, UnexpectedResponse, EndpointRefused, InvalidRecord)

#: How long a run works on details: less than an hour, so that a run that starts each hour finds the lease free.
DETAIL_SECONDS = 57 * 60.0


#: Puts answers as they arrive.
Fetch = Callable[[Put[FetchedPage | FetchFailed]], Coroutine[Any, Any, None]]


@dataclass
class ExtractRun:
    """One run over one batch."""

    ledger: Ledger
    options: ReadingOptions
    batch: Batch
    event_loop: EventLoopThread
    api: PageSource
    workers: WorkerPool
    watch: Watch
    step: str = "sync"
    stop: threading.Event = field(default_factory=threading.Event)
    limit: int | None = None  #: approximate maximum of records per resource, for a trial run
    today: date = field(default_factory=lambda: datetime.now(UTC).date())  #: by the API's clock, to judge dates
    clock: Callable[[], float] = time.monotonic
    traffic: Traffic = field(default_factory=Traffic)
    elapsed: float = 0.0  #: seconds since the run began, where this is one task of several
    is_dry: bool = False  #: whether nothing is stored but the batch
    has_backlog: bool = False  #: whether details are left because the time for them is over
    active_readers: int = 1  #: resources that are being read now
    not_offered: set[str] = field(default_factory=set)  #: resources that the account does not offer
    profiler: SchemaProfiler = field(default_factory=SchemaProfiler)

    def __post_init__(self) -> None:
        self.ledger = SerializedLedger(self.ledger)
        self._details_end = self.clock() + DETAIL_SECONDS - self.elapsed

    def is_share_over(self) -> bool:
        """Return whether the time for details is over, so that feeds are read again and others get the lease."""
        return self.clock() >= self._details_end

    def record_calls(self) -> None:
        """Record the calls made so far for the daily budget of the account."""
        record_calls(self.ledger, self.options.account, self.traffic)

    def raise_if_stopped(self) -> None:
        """Raise Interrupted when the run was asked to stop, or when another resource met an error that ends the run."""
        if self.stop.is_set() or self.event_loop.halted:
            raise Interrupted

    def halt(self) -> None:
        """Stop every resource after the page group that is being written."""
        self.event_loop.halted = self.workers.halted = True

    def prefetch(self) -> int:
        """Return how many concurrent calls one resource may make, given how many are being read."""
        return share_of_calls(self.options.concurrency, self.active_readers)

    def write_pages(
        self,
        window: Window | None,
        fetch: Fetch,
        group_size: int,
        on_error: Callable[[str, EtlError], None] | None = None,
    ) -> Iterator[WriteResult]:
        """Write what `fetch` puts, at most `group_size` answers a transaction, and yield the result of each page group.

        A page group holds answers of one resource. Raises what a commit or the fetching raised; everything committed
        before is kept. With `on_error`, the errors of a single resource are passed to it and not raised.
        """
        pending: deque[tuple[str, Future[WriteResult]]] = deque()
        with (
            self.event_loop.holding(size_of) as reservation,
            closing(self.event_loop.stream(fetch, group_size, reservation)) as groups,
        ):
            try:
                for answers in groups:
                    self.raise_if_stopped()
                    for resource, same in group_by_resource(answers):
                        self.profile_answers(resource, same)
                        group = PageGroup(resource, same, window, frozenset(self.not_offered))
                        written = self.workers.threads.submit(copy_context().run, self.workers.write, group)
                        written.add_done_callback(partial(self.event_loop.release, reservation, group.size))
                        pending.append((resource, written))
                    while len(pending) > WORKERS or (pending and pending[0][1].done()):
                        yield from self.wait_for_commit(*pending.popleft(), on_error)
                while pending:
                    yield from self.wait_for_commit(*pending.popleft(), on_error)
            finally:
                wait_for([future for _, future in pending if not future.cancel()])

    def profile_answers(self, resource: str, answers: Iterable[FetchedPage | FetchFailed]) -> None:
        """Add answers to the schema profile of the run."""
        for answer in answers:
            if isinstance(answer, FetchedPage) and answer.answer.page.items:
                self.profiler.observe(find_resource(resource), answer.answer.page.items, answer.call.endpoint)

    def wait_for_commit(
        self, resource: str, future: "Future[WriteResult]", on_error: Callable[[str, EtlError], None] | None
    ) -> Iterator[WriteResult]:
        """Wait for a page group's commit, report its progress, and yield its result."""
        try:
            result = future.result()
        except RESOURCE_ERRORS as error:
            if on_error is None:
                raise
            on_error(resource, error)
            return
        self.watch(Advanced(self.step, result.resource, result.answers, result.records, result.announced))
        yield result


def group_by_resource(
    answers: Iterable[FetchedPage | FetchFailed],
) -> list[tuple[str, list[FetchedPage | FetchFailed]]]:
    """Return answers by resource, each in the order of the answers."""
    groups: dict[str, list[FetchedPage | FetchFailed]] = {}
    for answer in answers:
        resource = answer.call.resource if isinstance(answer, FetchedPage) else answer.child.resource
        groups.setdefault(resource, []).append(answer)
    return list(groups.items())
