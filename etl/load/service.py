"""The load step: writes the clean raw rows of a batch to production, resource by resource in catalogue order."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from etl.catalogue.resource import Resource
from etl.checks.after_load import run_checks_after_load
from etl.config.options import CleaningOptions
from etl.config.settings import Settings
from etl.database.connect import engine_of
from etl.events import Finished, Started, Watch, ignore_event, stop_when_set
from etl.ledger import batches, counters
from etl.ledger.balance import close_batch, close_resource
from etl.ledger.batches import Batch
from etl.ledger.leases import Waiting, hold_lease
from etl.ledger.staging import raw_tables
from etl.ledger.staging.chunks import Step
from etl.ledger.transaction import Ledger
from etl.load.chunk import load_chunk
from etl.load.computed import refresh_computed_columns
from etl.load.rows import LoadContext, soft_delete_missing
from etl.models.states import BatchState, RawState, ResourceState
from etl.record import StagedRecord
from etl.reshape.clean import clean_records, make_reshaper
from etl.reshape.rules import rules_version
from etl.resources import CATALOGUE
from etl.window import Window


@dataclass(frozen=True)
class LoadResults:
    """The counts of a load by resource."""

    batch_id: UUID
    status: BatchState
    counts: dict[str, Counter[str]] = field(default_factory=dict)  #: rows by outcome

    def __str__(self) -> str:
        lines = [f"batch {self.batch_id}: {self.status}"]
        for resource, counts in self.counts.items():
            outcomes_text = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()) if number)
            lines.append(f"  {resource:<18} {outcomes_text or 'nothing'}")
        return "\n".join(lines)


class LoadService:
    """Loads the rows that a transform cleaned."""

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

    def load_batch(self, batch_id: UUID, sync_window: Window | Mapping[str, Any]) -> LoadResults:
        """Write the clean rows of a batch within the window, finish the batch, and return the counts by resource.

        A second call writes nothing. Raises UsageError for an unknown batch, WindowError for an invalid window,
        Interrupted after the current chunk when asked to stop: the next call continues from there.
        """
        window = Window.of(sync_window).widened(self.settings.etl_overlap)
        names = [resource.name for resource in CATALOGUE]
        counts: dict[str, Counter[str]] = {}
        with hold_lease(self.engine, self.settings.etl_tenant, names, Waiting(self.watch, self.stop)) as lease:
            ledger = Ledger(self.engine, self.settings.etl_tenant, lease)
            batch = ledger.read(partial(batches.read_batch, batch_id=batch_id))
            with ledger.mark_failed_on_error(batch_id):
                ledger.commit(partial(batches.advance_batch, batch_id=batch_id, state=BatchState.LOADING))
                for resource in CATALOGUE:
                    self.watch(Started("load", resource.name))
                    step = LoadStep(
                        ledger, LoadContext(ledger.tenant, batch_id, window), resource, self.settings.cleaning
                    )
                    counts[resource.name] = step.run(self.watch)
                    self.watch(Finished("load", resource.name, "done", counts[resource.name]))
                ledger.commit(partial(refresh_computed_columns, tenant=ledger.tenant, batch_id=batch_id))
                run_checks_after_load(ledger, batch_id, self.watch)
                return LoadResults(batch_id, ledger.commit(partial(finish_batch, batch=batch)), counts)


def finish_batch(connection: Connection, batch: Batch) -> BatchState:
    """End every resource that was read to its end, then the batch; return the batch's last state."""
    for batch_resource in batches.read_batch_resources(connection, batch.id):
        if batch_resource.fully_read and batch_resource.status is ResourceState.RUNNING:
            close_resource(connection, batch, batch_resource, moves_watermark=batch_resource.complete)
    return close_batch(connection, batch.id)


class LoadStep(Step):
    """The load of one resource of a batch."""

    name = "load"
    statuses = (RawState.TRANSFORMED, RawState.VALIDATION_ERROR)

    def __init__(self, ledger: Ledger, context: LoadContext, resource: Resource, options: CleaningOptions) -> None:
        super().__init__(ledger, context.batch_id, resource, rules_version(options))
        self.context = context
        self.reshape = make_reshaper(resource, options)

    def run(self, watch: Watch) -> Counter[str]:
        """Load chunk after chunk, then mark missing records as deleted, and return the counts."""
        counts = super().run(watch)
        counts["deleted"] = self.ledger.commit(
            partial(soft_delete_missing, context=self.context, resource=self.resource)
        )
        return counts

    def process_chunk(self, connection: Connection, records: Sequence[StagedRecord]) -> Counter[str]:
        """Load one chunk: rows, statuses and counts in one transaction."""
        cleaned = clean_records(self.reshape, records)
        loaded = load_chunk(connection, self.context, self.resource, cleaned, self.rules)
        raw_tables.update_status(connection, self.resource, self.batch_id, loaded.statuses)
        counters.add_counts(connection, self.batch_id, self.resource.name, loaded.counts)
        return loaded.counts
