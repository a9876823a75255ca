"""The transform step: cleans every pending raw row of a batch, sets its status, and stores its findings."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from etl.catalogue.resource import Resource
from etl.config.options import CleaningOptions
from etl.config.settings import Settings
from etl.database.connect import engine_of
from etl.events import Finished, Started, Watch, ignore_event, stop_when_set
from etl.ledger import batches, counters, watermarks
from etl.ledger.batches import Batch
from etl.ledger.leases import Waiting, hold_lease
from etl.ledger.staging import raw_tables
from etl.ledger.staging.chunks import Step
from etl.ledger.staging.stage import StageContext, stage_records
from etl.ledger.transaction import Ledger
from etl.models.states import BatchState, RawState
from etl.record import StagedRecord
from etl.reshape.clean import clean_records, clean_status, count_outcomes, make_reshaper, save_findings, usable_records
from etl.reshape.derive import derive_records
from etl.reshape.rules import rules_version
from etl.resources import CATALOGUE, derived_from


@dataclass(frozen=True)
class TransformResults:
    """The counts of a transform by resource."""

    batch_id: UUID
    counts: dict[str, Counter[str]] = field(default_factory=dict)  #: cleaned, refused, findings

    def __str__(self) -> str:
        lines = [f"batch {self.batch_id}: transformed"]
        for resource, counts in self.counts.items():
            outcomes_text = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()) if number)
            lines.append(f"  {resource:<18} {outcomes_text or 'nothing'}")
        return "\n".join(lines)


class TransformService:
    """Cleans the raw rows that an extract staged."""

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

    def transform_batch(self, batch_id: UUID) -> TransformResults:
        """Clean every pending raw row of a batch and return the counts by resource.

        A row that is done is not cleaned again, so a second call does nothing. Raises UsageError for an unknown batch,
        Interrupted after the current chunk when asked to stop: the next call continues from there.
        """
        names = [resource.name for resource in CATALOGUE]
        results = TransformResults(batch_id)
        with hold_lease(self.engine, self.settings.etl_tenant, names, Waiting(self.watch, self.stop)) as lease:
            ledger = Ledger(self.engine, self.settings.etl_tenant, lease)
            batch = ledger.read(partial(batches.read_batch, batch_id=batch_id))
            with ledger.mark_failed_on_error(batch_id):
                ledger.commit(partial(batches.advance_batch, batch_id=batch_id, state=BatchState.TRANSFORMING))
                for resource in sources_first():
                    self.watch(Started("transform", resource.name))
                    step = TransformStep(ledger, batch, resource, self.settings.cleaning)
                    results.counts[resource.name] = step.run(self.watch)
                    self.watch(Finished("transform", resource.name, "done", results.counts[resource.name]))
                ledger.commit(partial(batches.advance_batch, batch_id=batch_id, state=BatchState.TRANSFORMED))
        return results


class TransformStep(Step):
    """The cleaning of one resource of a batch."""

    name = "transform"
    statuses = (RawState.PENDING, RawState.ERROR)

    def __init__(self, ledger: Ledger, batch: Batch, resource: Resource, options: CleaningOptions) -> None:
        super().__init__(ledger, batch.id, resource, rules_version(options))
        self.reshape = make_reshaper(resource, options)
        self.fallbacks = frozenset(
            ledger.read(lambda connection: watermarks.read_not_offered(connection, ledger.tenant))
        )

    def process_chunk(self, connection: Connection, records: Sequence[StagedRecord]) -> Counter[str]:
        """Clean one chunk: statuses, findings, derived records and counts in one transaction."""
        cleaned = clean_records(self.reshape, records)
        statuses = {result.staged.raw_id: clean_status(result, self.rules) for result in cleaned}
        raw_tables.update_status(connection, self.resource, self.batch_id, statuses)
        finding_count = save_findings(connection, self.ledger.tenant, self.resource, self.batch_id, cleaned)
        for child, derivation in derived_from(self.resource.name):
            if not derivation.fallback or child.name in self.fallbacks:
                incoming, sets = derive_records(child, derivation, usable_records(cleaned))
                stage_records(connection, self.stage_context(), child, incoming, sets)
        counts = count_outcomes(cleaned, finding_count)
        counters.add_counts(connection, self.batch_id, self.resource.name, counts)
        return Counter({"cleaned": len(records), **counts})

    def stage_context(self) -> StageContext:
        """Return how derived records are staged: pending, to be cleaned later."""
        return StageContext(self.ledger.tenant, self.batch_id, self.rules)


def sources_first() -> list[Resource]:
    """Return the resources in an order in which derived resources follow their sources."""
    return sorted(CATALOGUE, key=lambda resource: bool(resource.derived))
