"""The load step: writes the clean raw rows of a batch to production, resource by resource in catalogue order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue.resource import Resource
from etl.checks.after_load import run_checks_after_load
from etl.config.options import CleaningOptions
from etl.engine.step_service import StepResults, StepService
from etl.events import Watch
from etl.ledger import batches, counters
from etl.ledger.balance import close_batch, close_resource
from etl.ledger.batches import Batch
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


class LoadResults(StepResults):
    """The counts of a load by resource: rows by outcome."""


class LoadService(StepService):
    """Loads the rows that a transform cleaned."""

    def load_batch(self, batch_id: UUID, sync_window: Window | Mapping[str, Any]) -> LoadResults:
        """Write the clean rows of a batch within the window, finish the batch, and return the counts by resource.

        A second call writes nothing. Raises UsageError for an unknown batch, WindowError for an invalid window,
        Interrupted after the current chunk when asked to stop: the next call continues from there.
        """
        window = Window.of(sync_window).widened(self.settings.etl_overlap)
        with self.hold_batch(batch_id) as (ledger, batch):
            ledger.commit(partial(batches.advance_batch, batch_id=batch_id, state=BatchState.LOADING))
            context = LoadContext(ledger.tenant, batch_id, window)
            counts = {
                resource.name: self.run_step(LoadStep(ledger, context, resource, self.settings.cleaning))
                for resource in CATALOGUE
            }
            ledger.commit(partial(refresh_computed_columns, tenant=ledger.tenant, batch_id=batch_id))
            run_checks_after_load(ledger, batch_id, self.watch)
            finish = partial(finish_batch, batch=batch, refused_limit=self.settings.etl_refused_limit)
            return LoadResults(batch_id, ledger.commit(finish), counts)


def finish_batch(connection: Connection, batch: Batch, refused_limit: float) -> BatchState:
    """End every resource that was read to its end, then the batch; return the batch's last state."""
    for batch_resource in batches.read_batch_resources(connection, batch.id):
        if batch_resource.fully_read and batch_resource.status is ResourceState.RUNNING:
            close_resource(
                connection, batch, batch_resource, refused_limit=refused_limit, moves_watermark=batch_resource.complete
            )
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
