"""What the services of single steps share: the lease of a batch, the loop over its resources, the results."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from etl.config.settings import Settings
from etl.database.connect import engine_of
from etl.events import Finished, Started, Watch, ignore_event, stop_when_set
from etl.ledger import batches
from etl.ledger.batches import Batch
from etl.ledger.leases import Waiting, hold_lease
from etl.ledger.staging.chunks import Step
from etl.ledger.transaction import Ledger
from etl.models.states import BatchState
from etl.resources import CATALOGUE


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
