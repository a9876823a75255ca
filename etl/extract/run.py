"""What all resources of one run share, and how a stream of answers is led into the lanes."""

import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from etl.api.event_loop import EventLoopThread, Put
from etl.config.settings import Settings
from etl.drift.profiler import Radar
from etl.engine.answers import Fetched, Missed
from etl.engine.page_writer import Consumption, Group, weight
from etl.engine.workers import LANES, Lanes
from etl.errors import Interrupted
from etl.events import Advanced, Watch
from etl.extract.call_budget import Budget
from etl.extract.reader import Api, share_of
from etl.ledger.batches import Batch
from etl.ledger.transaction import Ledger, TakingTurns
from etl.resources import resource as named
from etl.window import Window


@dataclass
class Run:
    """One run over one batch."""

    ledger: Ledger
    settings: Settings
    batch: Batch
    wire: EventLoopThread
    api: Api
    lanes: Lanes
    watch: Watch
    step: str = "sync"
    stop: threading.Event = field(default_factory=threading.Event)
    limit: int | None = None  #: records a resource may bring, about; for a first gentle look
    budget: Budget = field(default_factory=Budget)
    beside: int = 1  #: resources that are read at this time
    not_offered: dict[str, str] = field(default_factory=dict)  #: resource and reason
    radar: Radar = field(default_factory=Radar)

    def __post_init__(self) -> None:
        self.ledger = TakingTurns(self.ledger)

    def check(self) -> None:
        """Raise Interrupted when the run was asked to stop, or has to, as another resource met what concerns all."""
        if self.stop.is_set() or self.wire.halted:
            raise Interrupted

    def halt(self) -> None:
        """Let every resource end after what is being written."""
        self.wire.halted = self.lanes.halted = True

    def ahead(self) -> int:
        """Return how many calls one resource has under way, as many others are read beside it."""
        return share_of(self.settings.etl_concurrency, self.beside)

    def consume(
        self,
        resource: str,
        window: Window | None,
        produce: Callable[[Put[Fetched | Missed]], Coroutine[Any, Any, None]],
        most: int,
    ) -> Iterator[Consumption]:
        """Commit what `produce` puts, at most `most` answers a transaction, and yield what each group came to.

        Raises what a commit or the producer raised; everything committed before stays.
        """
        under_way: deque[Future[Consumption]] = deque()
        with self.wire.holding(weight) as held, closing(self.wire.stream(produce, most, held)) as groups:
            try:
                for answers in groups:
                    self.check()
                    self.look_at(resource, answers)
                    group = Group(resource, answers, window, dict(self.not_offered))
                    under_way.append(self.lanes.submit(group))
                    under_way[-1].add_done_callback(partial(self.wire.release, held, group.size))
                    while len(under_way) > LANES or (under_way and under_way[0].done()):
                        yield self.committed(under_way.popleft())
                while under_way:
                    yield self.committed(under_way.popleft())
            finally:
                wait_for([future for future in under_way if not future.cancel()])

    def look_at(self, resource: str, answers: Iterable[Fetched | Missed]) -> None:
        """Let the radar have a look at what arrived."""
        for one in answers:
            if isinstance(one, Fetched) and one.answer.page.items:
                self.radar.look(named(resource), one.answer.page.items, one.call.endpoint)

    def committed(self, future: "Future[Consumption]") -> Consumption:
        """Wait for a group's commit and tell whoever watches."""
        done = future.result()
        self.watch(Advanced(self.step, done.resource, done.answers, done.records, done.announced))
        return done
