"""What all resources of one run share, and how answers are passed to the workers."""

import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from etl.api.event_loop import Put, Wire
from etl.config.settings import Settings
from etl.drift.profiler import SchemaProfiler
from etl.engine.answers import FetchedPage, FetchFailed
from etl.engine.page_writer import PageGroup, WriteResult, size_of
from etl.engine.workers import WORKERS, WorkerPool
from etl.errors import Interrupted
from etl.events import Advanced, Watch
from etl.extract.call_budget import CallBudget
from etl.extract.reader import PageSource, share_of_calls
from etl.ledger.batches import Batch
from etl.ledger.transaction import Ledger, SerializedLedger
from etl.resources import resource as named
from etl.window import Window


@dataclass
class ExtractRun:
    """One run over one batch."""

    ledger: Ledger
    settings: Settings
    batch: Batch
    event_loop: Wire
    api: PageSource
    workers: WorkerPool
    watch: Watch
    step: str = "sync"
    stop: threading.Event = field(default_factory=threading.Event)
    limit: int | None = None  #: approximate maximum of records per resource, for a trial run
    budget: CallBudget = field(default_factory=CallBudget)
    active_readers: int = 1  #: resources that are being read now
    not_offered: dict[str, str] = field(default_factory=dict)  #: resource and reason
    profiler: SchemaProfiler = field(default_factory=SchemaProfiler)

    def __post_init__(self) -> None:
        self.ledger = SerializedLedger(self.ledger)

    def raise_if_stopped(self) -> None:
        """Raise Interrupted when the run was asked to stop, or when another resource met an error that ends the run."""
        if self.stop.is_set() or self.event_loop.halted:
            raise Interrupted

    def halt(self) -> None:
        """Stop every resource after the page group that is being written."""
        self.event_loop.halted = self.workers.halted = True

    def prefetch(self) -> int:
        """Return how many concurrent calls one resource may make, given how many are being read."""
        return share_of_calls(self.settings.etl_concurrency, self.active_readers)

    def write_pages(
        self,
        resource: str,
        window: Window | None,
        fetch: Callable[[Put[FetchedPage | FetchFailed]], Coroutine[Any, Any, None]],
        group_size: int,
    ) -> Iterator[WriteResult]:
        """Write what `fetch` puts, at most `group_size` answers a transaction, and yield the result of each page group.

        Raises what a commit or the fetching raised; everything committed before is kept.
        """
        pending: deque[Future[WriteResult]] = deque()
        with (
            self.event_loop.holding(size_of) as reservation,
            closing(self.event_loop.stream(fetch, group_size, reservation)) as groups,
        ):
            try:
                for answers in groups:
                    self.raise_if_stopped()
                    self.profile_answers(resource, answers)
                    group = PageGroup(resource, answers, window, dict(self.not_offered))
                    pending.append(self.workers.submit(group))
                    pending[-1].add_done_callback(partial(self.event_loop.release, reservation, group.size))
                    while len(pending) > WORKERS or (pending and pending[0].done()):
                        yield self.wait_for_commit(pending.popleft())
                while pending:
                    yield self.wait_for_commit(pending.popleft())
            finally:
                wait_for([future for future in pending if not future.cancel()])

    def profile_answers(self, resource: str, answers: Iterable[FetchedPage | FetchFailed]) -> None:
        """Add answers to the schema profile of the run."""
        for answer in answers:
            if isinstance(answer, FetchedPage) and answer.answer.page.items:
                self.profiler.observe(named(resource), answer.answer.page.items, answer.call.endpoint)

    def wait_for_commit(self, future: "Future[WriteResult]") -> WriteResult:
        """Wait for a page group's commit and report its progress."""
        result = future.result()
        self.watch(Advanced(self.step, result.resource, result.answers, result.records, result.announced))
        return result
