"""Raw rows in chunks, and what the services share that process them."""

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from etl.catalogue.resource import Resource
from etl.config.settings import Settings
from etl.database.connect import engine_of
from etl.events import Advanced, Finished, Started, Watch, ignore_event, stop_when_set
from etl.ledger import batches, counters
from etl.ledger.batches import Batch
from etl.ledger.leases import Waiting, hold_lease
from etl.ledger.staging import raw_tables
from etl.ledger.transaction import Ledger
from etl.models.states import BatchState, Outcome, RawState
from etl.record import StagedRecord
from etl.resources import CATALOGUE

#: Raw rows per transaction: large enough for bulk statements, small enough for memory.
CHUNK_SIZE = 2000
#: Sorts before every id.
FIRST_ID = "00000000-0000-0000-0000-000000000000"


def iterate_chunks(
    ledger: Ledger, read: Callable[[Connection, str], Sequence[StagedRecord]]
) -> Iterator[Sequence[StagedRecord]]:
    """Yield chunks of raw rows; `read` returns the chunk after an id."""
    after = FIRST_ID
    while chunk := ledger.read(lambda connection: read(connection, after)):  # noqa: B023 (it is called immediately)
        after = chunk[-1].raw_id
        yield chunk


class Step(ABC):
    """One step over the pending raw rows of one resource of a batch."""

    #: The name of the step in progress events.
    name: ClassVar[str]
    #: The states of raw rows that wait for this step.
    statuses: ClassVar[tuple[RawState, ...]]

    def __init__(self, ledger: Ledger, batch_id: UUID, resource: Resource, rules: str) -> None:
        self.ledger = ledger
        self.batch_id = batch_id
        self.resource = resource
        self.rules = rules

    def run(self, watch: Watch) -> Counter[str]:
        """Process chunk after chunk, each in one transaction, and return the counts."""
        counts: Counter[str] = Counter({Outcome.OLDER: self.ledger.commit(self.skip_superseded)})
        for records in iterate_chunks(self.ledger, self.read_pending):
            counts.update(self.ledger.commit(partial(self.process_chunk, records=records)))
            watch(Advanced(self.name, self.resource.name, 0, len(records)))
        return counts

    def read_pending(self, connection: Connection, after: str) -> Sequence[StagedRecord]:
        """Return the next chunk of raw rows that wait for this step."""
        return raw_tables.read_pending(connection, self.resource, self.batch_id, self.statuses, after, CHUNK_SIZE)

    def skip_superseded(self, connection: Connection) -> int:
        """Skip rows that newer versions superseded, and return their number."""
        older_count = raw_tables.skip_superseded(connection, self.resource, self.batch_id, self.rules)
        counters.add_counts(connection, self.batch_id, self.resource.name, {Outcome.OLDER: older_count})
        return older_count

    @abstractmethod
    def process_chunk(self, connection: Connection, records: Sequence[StagedRecord]) -> Counter[str]:
        """Process one chunk, and return its counts."""


@dataclass(frozen=True)
class StepResults:
    """The counts of a step by resource."""

    batch_id: UUID
    status: BatchState
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"batch {self.batch_id}: {self.status}"]
        for resource, counts in self.counts.items():
            outcomes_text = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()) if number)
            lines.append(f"  {resource:<18} {outcomes_text or 'nothing'}")
        return "\n".join(lines)


class StepService:
    """A service that runs one step over all resources of a batch."""

    def __init__(
        self,
        db: Session | Engine,
        *,
        settings: Settings | None = None,
        watch: Watch = ignore_event,
        stop: threading.Event | None = None,
    ) -> None:
        self.engine = engine_of(db)
        self.settings = settings or Settings.load()
        self.stop = stop or threading.Event()
        self.watch = stop_when_set(self.stop, watch)

    @contextmanager
    def hold_batch(self, batch_id: UUID) -> Iterator[tuple[Ledger, Batch]]:
        """Hold the lease of all resources during the block; an error marks the batch failed."""
        names = [resource.name for resource in CATALOGUE]
        with hold_lease(self.engine, self.settings.etl_tenant, names, Waiting(self.watch, self.stop)) as lease:
            ledger = Ledger(self.engine, self.settings.etl_tenant, lease)
            batch = ledger.read(partial(batches.read_batch, batch_id=batch_id))
            with ledger.mark_failed_on_error(batch_id):
                yield ledger, batch

    def run_step(self, step: Step) -> Counter[str]:
        """Run the step of one resource, report its start and its end, and return the counts."""
        self.watch(Started(step.name, step.resource.name))
        counts = step.run(self.watch)
        self.watch(Finished(step.name, step.resource.name, "done", counts))
        return counts
