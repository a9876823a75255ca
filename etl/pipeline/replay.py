"""The replay: cleans the newest raw versions again under the current rules, without any API call."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, Engine

import etl
from etl.catalogue.resource import Resource
from etl.checks.after_load import run_checks_after_load
from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.events import Advanced, Finished, Started, Watch, ignore_event
from etl.ledger import balance, batches, watermarks
from etl.ledger.batches import Batch
from etl.ledger.children import child_refresh
from etl.ledger.children import queue as children
from etl.ledger.leases import Waiting, hold_lease
from etl.ledger.staging import raw_tables
from etl.ledger.staging.chunks import CHUNK_SIZE, iterate_chunks
from etl.ledger.staging.classify import IncomingRecord
from etl.ledger.transaction import Ledger
from etl.load.computed import refresh_computed_columns
from etl.models.states import BatchState, ResourceState
from etl.pipeline.stream import Stream
from etl.record import StagedRecord
from etl.reshape.rules import rules_version
from etl.resources import CATALOGUE, selected
from etl.window import FIRST_INSTANT, Window


@dataclass(frozen=True)
class Replayed:
    """The result of a replay: the changes made, or those that it would make."""

    applied: bool
    batch_id: UUID | None
    counts: dict[str, Counter[str]] = field(default_factory=dict)  #: by resource: records by outcome
    #: By table and column: the number of rows that differ, and the source ids of some.
    changes: dict[tuple[str, str], tuple[int, list[str]]] = field(default_factory=dict)


def replay(
    engine: Engine, settings: Settings, resource: str | None = None, *, apply: bool = False, watch: Watch = ignore_event
) -> Replayed:
    """Clean the newest versions of all records (or of one resource) under the current rules; write only with `apply`.

    Returns the counts by resource and the columns that change. Raises LeaseHeld while another run is active, UsageError
    for an unknown resource, DatabaseNotReady.
    """
    check_migrated(engine)
    resources = selected([resource] if resource else ())
    names = [selected_resource.name for selected_resource in resources]
    with hold_lease(engine, settings.etl_tenant, names, Waiting(watch)) as lease:
        ledger = Ledger(engine, settings.etl_tenant, lease)
        window = Window(FIRST_INSTANT, ledger.read(children.read_database_time))
        batch = batches.build_batch(
            ledger.tenant, window, rules_version(settings.cleaning), "replay", {"resource": resource}
        )
        if apply:
            windows = dict.fromkeys(names, window)
            ledger.commit(partial(batches.create_batch, batch=batch, windows=windows, version=etl.__version__))
        replayed = ReplayRun(ledger, settings, batch, apply=apply, watch=watch).run(resources)
        if apply:
            run_checks_after_load(ledger, batch.id, watch)
            ledger.commit(partial(complete_replay, batch=batch))
    return replayed


def replay_refused_records(ledger: Ledger, settings: Settings, batch: Batch) -> None:
    """Clean refused records again under the current rules, as part of an open batch."""
    ReplayRun(ledger, settings, batch, apply=True, watch=ignore_event, refused_only=True).run(CATALOGUE)
    ledger.commit(partial(child_refresh.require_full_refresh, tenant=ledger.tenant))


class ReplayRun:
    """One pass over raw rows."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        batch: Batch,
        *,
        apply: bool,
        watch: Watch,
        refused_only: bool = False,
    ) -> None:
        self.ledger = ledger
        self.watch = watch
        self.transact = ledger.commit if apply else ledger.dry_run
        self.rules = rules_version(settings.cleaning) if refused_only else None
        self.replayed = Replayed(apply, batch.id if apply else None)
        window = Window(FIRST_INSTANT, ledger.read(children.read_database_time))
        windows = {resource.name: window for resource in CATALOGUE}
        self.stream = Stream(settings.cleaning, settings.etl_overlap, batch, windows, self.replayed.changes, force=True)
        remembered = ledger.read(partial(watermarks.read_not_offered, tenant=ledger.tenant, within=None))
        self.not_offered = frozenset(remembered)

    def run(self, resources: tuple[Resource, ...]) -> Replayed:
        """Replay the raw rows of some resources and return the result."""
        for resource in resources:
            self.watch(Started("replay", resource.name))
            counts: Counter[str] = Counter()
            for chunk in iterate_chunks(self.ledger, partial(self.next_records, resource)):
                counts.update(self.transact(partial(self.replay_chunk, resource=resource, records=chunk)))
                self.watch(Advanced("replay", resource.name, 0, len(chunk)))
            self.replayed.counts[resource.name] = counts
            self.watch(Finished("replay", resource.name, "done", counts))
        return self.replayed

    def next_records(self, resource: Resource, connection: Connection, after: str) -> list[StagedRecord]:
        """Return the next chunk of raw rows of a resource."""
        return raw_tables.read_newest_versions(
            connection, resource, self.ledger.tenant, after=after, limit=CHUNK_SIZE, refused_by=self.rules
        )

    def replay_chunk(self, connection: Connection, resource: Resource, records: Sequence[StagedRecord]) -> Counter[str]:
        """Process raw rows again, as if they came from the API."""
        incoming = [IncomingRecord(staged.record, None) for staged in records]
        return self.stream.process_records(connection, resource, incoming, not_offered=self.not_offered)


def complete_replay(connection: Connection, batch: Batch) -> None:
    """Refresh computed columns and close the batch of a replay; watermarks stay, since nothing was read."""
    refresh_computed_columns(connection, batch.tenant, batch.id)
    child_refresh.require_full_refresh(connection, batch.tenant)
    for batch_resource in batches.read_batch_resources(connection, batch.id):
        imbalance = balance.describe_difference(batch_resource)
        status = ResourceState.FAILED if imbalance else ResourceState.DONE
        batches.set_resource_state(connection, batch.id, batch_resource.resource, status, imbalance)
    batches.advance_batch(connection, batch.id, BatchState.LOADING)
    balance.close_batch(connection, batch.id)
