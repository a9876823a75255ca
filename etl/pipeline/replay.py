"""The newest raw versions through today's rules again: without one call of the API, dry unless asked to write."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, Engine

import etl
from etl.catalogue import Resource
from etl.checks.after_load import run_checks_after_load
from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.events import Advanced, Finished, Started, Watch, ignore_event
from etl.ledger import balance, batches, children, watermarks
from etl.ledger.batches import Batch
from etl.ledger.leases import hold_lease
from etl.ledger.staging import raw_tables
from etl.ledger.staging.chunks import CHUNK_SIZE, iterate_chunks
from etl.ledger.staging.classify import IncomingRecord
from etl.ledger.transaction import Ledger
from etl.load.computed import refresh_computed_columns
from etl.models.states import BatchState, ResourceState
from etl.record import StagedRecord
from etl.reshape.rules import rules_version
from etl.resources import CATALOGUE, selected
from etl.stream import Stream
from etl.window import FIRST_INSTANT, Window


@dataclass(frozen=True)
class Replayed:
    """What a replay changed, or would change."""

    applied: bool
    batch_id: UUID | None
    counts: dict[str, Counter[str]] = field(default_factory=dict)  #: by resource: records by outcome
    #: By table and column: how many rows differ, and the source ids of some.
    changes: dict[tuple[str, str], tuple[int, list[str]]] = field(default_factory=dict)


def replay(
    engine: Engine, settings: Settings, resource: str | None = None, *, apply: bool = False, watch: Watch = ignore_event
) -> Replayed:
    """Take the newest versions of all records (or of one resource) through today's rules; write only with `apply`.

    Returns counts by resource, and which columns change. Raises LeaseHeld while another run is at work, UsageError for
    an unknown resource, DatabaseNotReady.
    """
    check_migrated(engine)
    resources = selected([resource] if resource else ())
    names = [one.name for one in resources]
    with hold_lease(engine, settings.etl_tenant, names) as lease:
        ledger = Ledger(engine, settings.etl_tenant, lease)
        window = Window(FIRST_INSTANT, ledger.read(children.read_database_time))
        batch = batches.build_batch(ledger.tenant, window, rules_version(settings), "replay", {"resource": resource})
        if apply:
            parts = dict.fromkeys(names, window)
            ledger.commit(partial(batches.create_batch, batch=batch, parts=parts, version=etl.__version__))
        done = ReplayRun(ledger, settings, batch, apply=apply, watch=watch).run(resources)
        if apply:
            run_checks_after_load(ledger, batch.id, watch)
            ledger.commit(partial(complete_replay, batch=batch))
    return done


def replay_refused_records(ledger: Ledger, settings: Settings, batch: Batch) -> None:
    """Give records that other rules refused another chance, as part of a batch that is under way."""
    ReplayRun(ledger, settings, batch, apply=True, watch=ignore_event, refused_only=True).run(CATALOGUE)


class ReplayRun:
    """One going-over of raw rows."""

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
        self.rules = rules_version(settings) if refused_only else None
        self.replayed = Replayed(apply, batch.id if apply else None)
        window = Window(FIRST_INSTANT, ledger.read(children.read_database_time))
        windows = {one.name: window for one in CATALOGUE}
        self.stream = Stream(settings, batch, windows, self.replayed.changes, force=True)
        self.stream.not_offered = ledger.read(partial(watermarks.read_not_offered, tenant=ledger.tenant, within=None))

    def run(self, resources: tuple[Resource, ...]) -> Replayed:
        """Go over the raw rows of some resources and return what came of it."""
        for resource in resources:
            self.watch(Started("replay", resource.name))
            counts: Counter[str] = Counter()
            for portion in iterate_chunks(self.ledger, partial(self.next_records, resource)):
                counts.update(self.transact(partial(self.replay_chunk, resource=resource, candidates=portion)))
                self.watch(Advanced("replay", resource.name, 0, len(portion)))
            self.replayed.counts[resource.name] = counts
            self.watch(Finished("replay", resource.name, "done", counts))
        return self.replayed

    def next_records(self, resource: Resource, connection: Connection, after: str) -> list[StagedRecord]:
        """Return the next raw rows of a resource."""
        return raw_tables.read_newest_versions(
            connection, resource, self.ledger.tenant, after=after, most=CHUNK_SIZE, refused_by=self.rules
        )

    def replay_chunk(self, connection: Connection, resource: Resource, candidates: Sequence[StagedRecord]) -> Counter[str]:
        """Deliver raw rows once more, as if they came from the API."""
        arrivals = [IncomingRecord(one.record, None) for one in candidates]
        return self.stream.process_records(connection, resource, arrivals, [], None)


def complete_replay(connection: Connection, batch: Batch) -> None:
    """Fill what no record brings and close the books of a replay; marks stay, since nothing was read."""
    refresh_computed_columns(connection, batch.tenant, batch.id)
    for part in batches.read_batch_resources(connection, batch.id):
        wrong = balance.describe_difference(part)
        batches.set_resource_state(connection, batch.id, part.resource, ResourceState.FAILED if wrong else ResourceState.DONE, wrong)
    batches.advance_batch(connection, batch.id, BatchState.LOADING)
    balance.close_batch(connection, batch.id)
