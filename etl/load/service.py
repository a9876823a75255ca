"""The third step: clean raw rows of a batch into production, resource by resource in the order of the catalogue."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from etl.catalogue import Resource
from etl.checks.after_load import look_after_load
from etl.config.settings import Settings
from etl.database.handed import engine_of
from etl.events import Began, Ended, Watch, until, unwatched
from etl.ledger import batches, counters
from etl.ledger.balance import close_batch, close_resource
from etl.ledger.batches import Batch
from etl.ledger.leases import leased
from etl.ledger.staging import raw_tables
from etl.ledger.staging.chunks import Step
from etl.ledger.transaction import Ledger
from etl.load.chunk import load_portion
from etl.load.computed import fill_derived
from etl.load.rows import Target, bury_gone
from etl.models.states import BatchState, RawState, ResourceState
from etl.record import Candidate
from etl.reshape.clean import clean, reshaper
from etl.reshape.rules import rules_version
from etl.resources import CATALOGUE
from etl.window import Window


@dataclass(frozen=True)
class LoadResults:
    """What a load wrote, resource by resource."""

    batch_id: UUID
    status: BatchState
    counts: dict[str, Counter[str]] = field(default_factory=dict)  #: rows by outcome

    def __str__(self) -> str:
        lines = [f"batch {self.batch_id}: {self.status}"]
        for resource, counts in self.counts.items():
            said = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()) if number)
            lines.append(f"  {resource:<18} {said or 'nothing'}")
        return "\n".join(lines)


class LoadService:
    """Writes what a transform cleaned."""

    def __init__(
        self,
        db: Session | Engine,
        *,
        settings: Settings | None = None,
        watch: Watch = unwatched,
        stop: threading.Event | None = None,
    ) -> None:
        self.engine = engine_of(db)
        self.settings = settings or Settings.load()
        self.watch = until(stop, watch)

    def load_batch(self, batch_id: UUID, sync_window: Window | Mapping[str, Any]) -> LoadResults:
        """Write the clean rows of a batch that the window covers, close the books, and return the counts per resource.

        A second call writes nothing. Raises UsageError for an unknown batch, WindowError for an unusable window,
        Interrupted after the portion in which it was asked to stop: the next call goes on from there.
        """
        window = Window.of(sync_window).widened(self.settings.etl_overlap)
        names = [resource.name for resource in CATALOGUE]
        counts: dict[str, Counter[str]] = {}
        with leased(self.engine, self.settings.etl_tenant, names) as lease:
            ledger = Ledger(self.engine, self.settings.etl_tenant, lease)
            batch = ledger.read(partial(batches.load, batch_id=batch_id))
            with ledger.failing(batch_id):
                ledger.commit(partial(batches.move, batch_id=batch_id, to=BatchState.LOADING))
                for resource in CATALOGUE:
                    self.watch(Began("load", resource.name))
                    step = LoadStep(ledger, Target(ledger.tenant, batch_id, window), resource, self.settings)
                    counts[resource.name] = step.run(self.watch)
                    self.watch(Ended("load", resource.name, "done", counts[resource.name]))
                ledger.commit(partial(fill_derived, tenant=ledger.tenant, batch_id=batch_id))
                look_after_load(ledger, batch_id, self.watch)
                return LoadResults(batch_id, ledger.commit(partial(close_books, batch=batch)), counts)


def close_books(connection: Connection, batch: Batch) -> BatchState:
    """End every resource that was read to its end, then the batch; return the batch's last state."""
    for part in batches.parts(connection, batch.id):
        if part.whole and part.status is ResourceState.RUNNING:
            close_resource(connection, batch, part, moves_mark=part.complete)
    return close_batch(connection, batch.id)


class LoadStep(Step):
    """The load of one resource of a batch."""

    name = "load"
    statuses = (RawState.TRANSFORMED, RawState.VALIDATION_ERROR)

    def __init__(self, ledger: Ledger, target: Target, resource: Resource, settings: Settings) -> None:
        super().__init__(ledger, target.batch_id, resource, rules_version(settings))
        self.target = target
        self.reshape = reshaper(resource, settings)

    def run(self, watch: Watch) -> Counter[str]:
        """Load portion after portion, then mark deleted what has gone, and return the counts."""
        counts = super().run(watch)
        counts["deleted"] = self.ledger.commit(partial(bury_gone, target=self.target, resource=self.resource))
        return counts

    def portion(self, connection: Connection, candidates: Sequence[Candidate]) -> Counter[str]:
        """Load one portion: rows, verdicts and counts in one transaction."""
        cleaned = clean(self.reshape, candidates)
        loaded = load_portion(connection, self.target, self.resource, cleaned, self.rules)
        raw_tables.settle(connection, self.resource, self.batch_id, loaded.verdicts)
        counters.count(connection, self.batch_id, self.resource.name, loaded.counts)
        return loaded.counts
