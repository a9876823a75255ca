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
from etl.checks.after_load import run_checks_after_load
from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.events import Message, Watch, ignore_event
from etl.extract import ExtractService
from etl.extract.read_resource import FinishResource
from etl.extract.record_traffic import recording_traffic
from etl.extract.run import ExtractRun
from etl.extract.scheduler import read_all
from etl.extract.verify_deleted import verify_deleted
from etl.ledger import balance, batches, sync_history, tenants
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.leases import hold_lease
from etl.ledger.quality import drift
from etl.ledger.quality.drift import DriftChange
from etl.ledger.staging import retention
from etl.ledger.staging.full_scan import FullScan
from etl.ledger.transaction import Ledger
from etl.load import LoadService
from etl.load.computed import refresh_computed_columns
from etl.models.states import BatchState, ResourceState
from etl.pipeline.fallbacks import update_fallbacks
from etl.pipeline.plan import Options, Plan, build_batch, plan, resource_names
from etl.pipeline.reconcile import ReconcileContext, VerifyDeleted, reconcile
from etl.pipeline.replay import replay_refused_records
from etl.pipeline.resume import batch_to_resume, find_interrupted, reset_failed
from etl.resources import resource as named
from etl.stream import Stream
from etl.transform import TransformService
from etl.window import Window


@dataclass(frozen=True)
class Summary:
    """How a run ended."""

    batch: Batch
    parts: Sequence[BatchResource]
    tables: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  #: what was written, by table
    seconds: float = 0.0
    calls: int = 0
    waited: float = 0.0  #: seconds in which calls waited for their turn
    drift: Sequence[DriftChange] = ()  #: what this run was the first to see changed about the API's answers
    swept: Sequence[FullScan] = ()  #: what a full sweep showed, resource by resource

    @property
    def exit_status(self) -> int:
        """0 when every offered resource is whole and balanced, 6 when some failed."""
        return 0 if self.batch.status is BatchState.COMPLETED else 6


@dataclass(frozen=True)
class Watcher:
    """Who is told of progress, and who may ask for an end."""

    watch: Watch = ignore_event
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
    names = resource_names(options.resources)
    with connected(settings, watcher.stop, engine) as api, hold_lease(engine, settings.etl_tenant, names) as lease:
        ledger = Ledger(engine, settings.etl_tenant, lease)
        ledger.commit(partial(tenants.register_tenant, settings=settings))
        if window is None:
            resume_interrupted(ledger, settings, api, options, watcher)
        planned = plan(ledger, settings, api.now, window, options)
        batch = build_batch(ledger, settings, planned, options)
        ledger.commit(partial(write_batch, batch=batch, planned=planned))
        retry_refused_after_rule_change(ledger, settings, batch, watcher)
        return run_batch(ledger, settings, api, batch, watcher)


def retry(engine: Engine, settings: Settings, batch_id: UUID | None = None, watcher: Watcher | None = None) -> Summary:
    """Take up a failed or interrupted batch (the newest, unless one is named) where it stopped.

    Raises UsageError when there is nothing to take up, besides what `sync` raises.
    """
    watcher = watcher or Watcher()
    check_migrated(engine)
    ledger = Ledger(engine, settings.etl_tenant)
    batch = ledger.read(partial(batch_to_resume, tenant=settings.etl_tenant, batch_id=batch_id))
    if batch.command == "extract":
        return retry_in_steps(engine, settings, batch, watcher)
    names = [part.resource for part in ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))]
    with connected(settings, watcher.stop, engine) as api, hold_lease(engine, settings.etl_tenant, names) as lease:
        ledger = Ledger(engine, settings.etl_tenant, lease)
        ledger.commit(partial(tenants.register_tenant, settings=settings))
        ledger.commit(partial(reset_failed, tenant=settings.etl_tenant, batch_id=batch.id))
        return run_batch(ledger, settings, api, batch, watcher)


def retry_in_steps(engine: Engine, settings: Settings, batch: Batch, watcher: Watcher) -> Summary:
    """Take up a batch of the separate services: what is left to read, to clean and to load."""
    began = time.monotonic()
    told: dict[str, Any] = {"settings": settings, "watch": watcher.watch, "stop": watcher.stop}
    traffic = ExtractService(engine, **told).resume(batch)
    TransformService(engine, **told).transform_batch(batch.id)
    LoadService(engine, **told).load_batch(batch.id, batch.window)
    return summarize_batch(Ledger(engine, settings.etl_tenant), batch.id, traffic, time.monotonic() - began)


def resume_interrupted(ledger: Ledger, settings: Settings, api: Api, options: Options, watcher: Watcher) -> None:
    """Bring a run to its end that was cut off, so that no page of it is read twice."""
    batch = ledger.read(partial(find_interrupted, tenant=ledger.tenant, names=resource_names(options.resources)))
    if batch is not None:
        watcher.watch(Message(f"Taking up batch {batch.id}, which was interrupted."))
        run_batch(ledger, settings, api, batch, watcher)


def retry_refused_after_rule_change(ledger: Ledger, settings: Settings, batch: Batch, watcher: Watcher) -> None:
    """Where the cleaning rules have changed since the last run, give refused records another chance and say so."""
    before = ledger.read(partial(batches.read_previous_rules, batch=batch))
    if before is not None and before != batch.rules:
        replay_refused_records(ledger, settings, batch)
        watcher.watch(Message("The cleaning rules changed since the last run. `qqetl replay` shows what that changes."))


def write_batch(connection: Connection, batch: Batch, planned: Plan) -> None:
    """Write a new batch; resources that the account does not offer are marked so at once."""
    batches.create_batch(connection, batch, planned.windows, etl.__version__)
    for resource, reason in planned.not_offered.items():
        batches.set_resource_state(connection, batch.id, resource, ResourceState.NOT_OFFERED, reason)


def run_batch(ledger: Ledger, settings: Settings, api: Api, batch: Batch, watcher: Watcher) -> Summary:
    """Read, clean and load what is left of a batch, and close its books."""
    began = time.monotonic()
    parts = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
    run = build_run(ledger, settings, api, batch, watcher)
    ledger.commit(partial(batches.advance_batch, batch_id=batch.id, to=BatchState.EXTRACTING))
    with ledger.mark_failed_on_error(batch.id), recording_traffic(ledger, batch.id, api.api.traffic):
        with run.workers:
            read_all(run, parts, build_finish(batch))
        swept = finish_batch(ledger, settings, batch, watcher, partial(verify_deleted, api))
    return replace(summarize_batch(ledger, batch.id, api.api.traffic, time.monotonic() - began), swept=swept)


def build_run(ledger: Ledger, settings: Settings, api: Api, batch: Batch, watcher: Watcher) -> ExtractRun:
    """Return what takes the resources of a batch through all steps; its lanes are to be opened."""
    parts = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
    stream = Stream(settings, batch, {part.resource: part.window for part in parts})
    run = ExtractRun(ledger, settings, batch, api.wire, api.api, stream.make_pool(ledger), watcher.watch, stop=watcher.stop)
    run.limit = batch.options.get("limit")
    run.not_offered = stream.not_offered
    run.not_offered |= {part.resource: part.error or "" for part in parts if part.status is ResourceState.NOT_OFFERED}
    return run


def finish_batch(
    ledger: Ledger, settings: Settings, batch: Batch, watcher: Watcher, look: VerifyDeleted
) -> Sequence[FullScan]:
    """Do what is due when every resource has ended: the sweep of a full reading, checks, links and sums, retention.

    Returns what the sweep showed.
    """
    parts = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
    swept: Sequence[FullScan] = ()
    if batch.options.get("full") and not batch.options.get("limit"):
        dry = bool(batch.options.get("dry_sweep"))
        swept = reconcile(ReconcileContext(ledger, settings, batch, watcher.watch, look, dry), parts).sweeps
    update_fallbacks(ledger, settings, batch, parts)
    run_checks_after_load(ledger, batch.id, watcher.watch)
    ledger.commit(partial(complete_batch, batch=batch))
    purge_old_raw_rows(ledger, settings, [part.resource for part in parts])
    return swept


def purge_old_raw_rows(ledger: Ledger, settings: Settings, names: Sequence[str]) -> None:
    """Delete what staging holds longer than it should; a batch that has ended stays as it ended whatever happens."""
    if settings.etl_raw_retention is not None:
        for name in names:
            retention.purge_resource(ledger, named(name), settings.etl_raw_retention)


def build_finish(batch: Batch) -> FinishResource:
    """Return what ends a resource of a batch: its books are closed, and its mark moves when nothing is left of it."""

    def finish(connection: Connection, part: BatchResource, complete: bool) -> ResourceState:  # noqa: FBT001 (a Finish)
        return balance.close_resource(connection, batch, part, moves_watermark=complete)

    return finish


def complete_batch(connection: Connection, batch: Batch) -> None:
    """Fill what no record brings, walk through the states that the stream took at once, and close the batch."""
    refresh_computed_columns(connection, batch.tenant, batch.id)
    for state in (BatchState.EXTRACTED, BatchState.TRANSFORMING, BatchState.TRANSFORMED, BatchState.LOADING):
        batches.advance_batch(connection, batch.id, state)
    balance.close_batch(connection, batch.id)


def summarize_batch(ledger: Ledger, batch_id: UUID, traffic: Traffic, seconds: float) -> Summary:
    """Return how a batch stands now."""
    batch = ledger.read(partial(batches.read_batch, batch_id=batch_id))
    parts = ledger.read(partial(batches.read_batch_resources, batch_id=batch_id))
    tables = ledger.read(partial(sync_history.read_history, batch_id=batch_id))
    changed = ledger.read(partial(drift.read_changes_of_batch, batch_id=batch_id))
    return Summary(batch, parts, tables, seconds, traffic.calls, traffic.waited_seconds, changed)
