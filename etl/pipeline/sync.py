"""The sync on one page: plan, lease, every resource through all steps, what no record brings, the books."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

import etl
from etl.api.connection import Connection as Api
from etl.api.connection import connected
from etl.api.traffic import Traffic
from etl.checks.after_load import look_after_load
from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.events import Note, Watch, unwatched
from etl.extract import ExtractService
from etl.extract.read_resource import Finish
from etl.extract.record_traffic import noting_traffic
from etl.extract.run import Run
from etl.extract.scheduler import read_all
from etl.extract.verify_deleted import second_look
from etl.ledger import balance, batches, sync_history, tenants
from etl.ledger.batches import Batch, Part
from etl.ledger.leases import leased
from etl.ledger.quality import drift
from etl.ledger.quality.drift import Change
from etl.ledger.staging import retention
from etl.ledger.staging.full_scan import Sweep
from etl.ledger.transaction import Ledger
from etl.load import LoadService
from etl.load.computed import fill_derived
from etl.models.states import BatchState, ResourceState
from etl.pipeline.fallbacks import mind_stand_ins
from etl.pipeline.plan import Options, Plan, names_of, new_batch, plan
from etl.pipeline.reconcile import SecondLook, Sweeping, reconcile
from etl.pipeline.replay import replay_refused
from etl.pipeline.resume import interrupted, read_failed_anew, to_take_up
from etl.resources import resource as named
from etl.stream import Stream
from etl.transform import TransformService
from etl.window import Window


@dataclass(frozen=True)
class Summary:
    """How a run ended."""

    batch: Batch
    parts: Sequence[Part]
    tables: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  #: what was written, by table
    seconds: float = 0.0
    calls: int = 0
    waited: float = 0.0  #: seconds in which calls waited for their turn
    drift: Sequence[Change] = ()  #: what this run was the first to see changed about the API's answers
    swept: Sequence[Sweep] = ()  #: what a full sweep showed, resource by resource

    @property
    def exit_status(self) -> int:
        """0 when every offered resource is whole and balanced, 6 when some failed."""
        return 0 if self.batch.status is BatchState.COMPLETED else 6


@dataclass(frozen=True)
class Watcher:
    """Who is told of progress, and who may ask for an end."""

    watch: Watch = unwatched
    stop: threading.Event = field(default_factory=threading.Event)


def sync(
    engine: Engine,
    settings: Settings,
    window: Window | None = None,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Summary:
    """Bring production up to date for one window and return how it went.

    Without a window each resource goes on from where it is complete, after an interrupted run was taken up. Raises
    LeaseHeld, CredentialsRefused, DatabaseNotReady, WindowError, Interrupted; what a single resource fails at is in
    the summary.
    """
    options, watcher = options or Options(), watcher or Watcher()
    check_migrated(engine)
    names = names_of(options.resources)
    with connected(settings, watcher.stop, engine) as api, leased(engine, settings.etl_tenant, names) as lease:
        ledger = Ledger(engine, settings.etl_tenant, lease)
        ledger.commit(partial(tenants.register, settings=settings))
        if window is None:
            take_up_interrupted(ledger, settings, api, options, watcher)
        planned = plan(ledger, settings, api.now, window, options)
        batch = new_batch(ledger, settings, planned, options)
        ledger.commit(partial(begin, batch=batch, planned=planned))
        mind_new_rules(ledger, settings, batch, watcher)
        return carry_out(ledger, settings, api, batch, watcher)


def retry(engine: Engine, settings: Settings, batch_id: UUID | None = None, watcher: Watcher | None = None) -> Summary:
    """Take up a failed or interrupted batch (the newest, unless one is named) where it stopped.

    Raises UsageError when there is nothing to take up, besides what `sync` raises.
    """
    watcher = watcher or Watcher()
    check_migrated(engine)
    ledger = Ledger(engine, settings.etl_tenant)
    batch = ledger.read(partial(to_take_up, tenant=settings.etl_tenant, batch_id=batch_id))
    if batch.command == "extract":
        return step_by_step(engine, settings, batch, watcher)
    names = [part.resource for part in ledger.read(partial(batches.parts, batch_id=batch.id))]
    with connected(settings, watcher.stop, engine) as api, leased(engine, settings.etl_tenant, names) as lease:
        ledger = Ledger(engine, settings.etl_tenant, lease)
        ledger.commit(partial(tenants.register, settings=settings))
        ledger.commit(partial(read_failed_anew, tenant=settings.etl_tenant, batch_id=batch.id))
        return carry_out(ledger, settings, api, batch, watcher)


def step_by_step(engine: Engine, settings: Settings, batch: Batch, watcher: Watcher) -> Summary:
    """Take up a batch of the separate services: what is left to read, to clean and to load."""
    began = time.monotonic()
    told: dict[str, Any] = {"settings": settings, "watch": watcher.watch, "stop": watcher.stop}
    traffic = ExtractService(engine, **told).take_up(batch)
    TransformService(engine, **told).transform_batch(batch.id)
    LoadService(engine, **told).load_batch(batch.id, batch.window)
    return summary(Ledger(engine, settings.etl_tenant), batch.id, traffic, time.monotonic() - began)


def take_up_interrupted(ledger: Ledger, settings: Settings, api: Api, options: Options, watcher: Watcher) -> None:
    """Bring a run to its end that was cut off, so that no page of it is read twice."""
    batch = ledger.read(partial(interrupted, tenant=ledger.tenant, names=names_of(options.resources)))
    if batch is not None:
        watcher.watch(Note(f"Taking up batch {batch.id}, which was interrupted."))
        carry_out(ledger, settings, api, batch, watcher)


def mind_new_rules(ledger: Ledger, settings: Settings, batch: Batch, watcher: Watcher) -> None:
    """Where the cleaning rules have changed since the last run, give refused records another chance and say so."""
    before = ledger.read(partial(batches.rules_before, batch=batch))
    if before is not None and before != batch.rules:
        replay_refused(ledger, settings, batch)
        watcher.watch(Note("The cleaning rules changed since the last run. `qqetl replay` shows what that changes."))


def begin(connection: Connection, batch: Batch, planned: Plan) -> None:
    """Write a new batch; resources that the account does not offer are marked so at once."""
    batches.create(connection, batch, planned.windows, etl.__version__)
    for resource, reason in planned.left_out.items():
        batches.mark(connection, batch.id, resource, ResourceState.NOT_OFFERED, reason)


def carry_out(ledger: Ledger, settings: Settings, api: Api, batch: Batch, watcher: Watcher) -> Summary:
    """Read, clean and load what is left of a batch, and close its books."""
    began = time.monotonic()
    parts = ledger.read(partial(batches.parts, batch_id=batch.id))
    run = run_over(ledger, settings, api, batch, watcher)
    ledger.commit(partial(batches.move, batch_id=batch.id, to=BatchState.EXTRACTING))
    with ledger.failing(batch.id), noting_traffic(ledger, batch.id, api.api.traffic):
        with run.lanes:
            read_all(run, parts, finisher(batch))
        swept = close_books(ledger, settings, batch, watcher, partial(second_look, api))
    return replace(summary(ledger, batch.id, api.api.traffic, time.monotonic() - began), swept=swept)


def run_over(ledger: Ledger, settings: Settings, api: Api, batch: Batch, watcher: Watcher) -> Run:
    """Return what takes the resources of a batch through all steps; its lanes are to be opened."""
    parts = ledger.read(partial(batches.parts, batch_id=batch.id))
    stream = Stream(settings, batch, {part.resource: part.window for part in parts})
    run = Run(ledger, settings, batch, api.wire, api.api, stream.lanes(ledger), watcher.watch, stop=watcher.stop)
    run.limit = batch.options.get("limit")
    run.not_offered = stream.not_offered
    run.not_offered |= {part.resource: part.error or "" for part in parts if part.status is ResourceState.NOT_OFFERED}
    return run


def close_books(
    ledger: Ledger, settings: Settings, batch: Batch, watcher: Watcher, look: SecondLook
) -> Sequence[Sweep]:
    """Do what is due when every resource has ended: the sweep of a full reading, checks, links and sums, retention.

    Returns what the sweep showed.
    """
    parts = ledger.read(partial(batches.parts, batch_id=batch.id))
    swept: Sequence[Sweep] = ()
    if batch.options.get("full") and not batch.options.get("limit"):
        dry = bool(batch.options.get("dry_sweep"))
        swept = reconcile(Sweeping(ledger, settings, batch, watcher.watch, look, dry), parts).sweeps
    mind_stand_ins(ledger, settings, batch, parts)
    look_after_load(ledger, batch.id, watcher.watch)
    ledger.commit(partial(close, batch=batch))
    keep_to_retention(ledger, settings, [part.resource for part in parts])
    return swept


def keep_to_retention(ledger: Ledger, settings: Settings, names: Sequence[str]) -> None:
    """Delete what staging holds longer than it should; a batch that has ended stays as it ended whatever happens."""
    if settings.etl_raw_retention is not None:
        for name in names:
            retention.purge(ledger, named(name), settings.etl_raw_retention)


def finisher(batch: Batch) -> Finish:
    """Return what ends a resource of a batch: its books are closed, and its mark moves when nothing is left of it."""

    def finish(connection: Connection, part: Part, complete: bool) -> ResourceState:  # noqa: FBT001 (a Finish)
        return balance.close_resource(connection, batch, part, moves_mark=complete)

    return finish


def close(connection: Connection, batch: Batch) -> None:
    """Fill what no record brings, walk through the states that the stream took at once, and close the batch."""
    fill_derived(connection, batch.tenant, batch.id)
    for state in (BatchState.EXTRACTED, BatchState.TRANSFORMING, BatchState.TRANSFORMED, BatchState.LOADING):
        batches.move(connection, batch.id, state)
    balance.close_batch(connection, batch.id)


def summary(ledger: Ledger, batch_id: UUID, traffic: Traffic, seconds: float) -> Summary:
    """Return how a batch stands now."""
    batch = ledger.read(partial(batches.load, batch_id=batch_id))
    parts = ledger.read(partial(batches.parts, batch_id=batch_id))
    tables = ledger.read(partial(sync_history.of_batch, batch_id=batch_id))
    changed = ledger.read(partial(drift.of_batch, batch_id=batch_id))
    return Summary(batch, parts, tables, seconds, traffic.calls, traffic.waited_seconds, changed)
