"""The sync: plan, take the lease, run every resource through all steps, and close the batch."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, Engine

import etl
from etl.api.connection import ApiConnection as Api
from etl.api.connection import connected
from etl.checks.after_load import run_checks_after_load
from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.engine.workers import WorkerPool
from etl.events import Message, Planned, Watch
from etl.extract import ExtractService
from etl.extract.account import register_account
from etl.extract.record_traffic import recording_traffic
from etl.extract.run import ExtractRun
from etl.extract.scheduler import read_all
from etl.extract.selection import NEEDS_ENTERPRISE_ACCESS, resource_names
from etl.extract.verify_deleted import verify_deleted
from etl.ledger import balance, batches, watermarks
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.children.queue import RefreshAge
from etl.ledger.leases import Waiting, hold_lease
from etl.ledger.quality import empty_columns
from etl.ledger.staging import retention
from etl.ledger.staging.full_scan import FullScan
from etl.ledger.transaction import Ledger
from etl.load import LoadService
from etl.load.computed import refresh_computed_columns
from etl.local_time import format_moment
from etl.models.states import DRY_RECONCILE, EXTRACT, BatchState, ResourceState
from etl.pipeline.deletion_preview import preview_deletions, run_preview
from etl.pipeline.fallbacks import update_fallbacks
from etl.pipeline.options import Options, Plan
from etl.pipeline.plan import build_batch, plan
from etl.pipeline.reconcile import ReconcileContext, VerifyDeleted, reconcile, select_reconcilable
from etl.pipeline.replay import replay_refused_records
from etl.pipeline.resume import batch_to_resume, find_interrupted, reset_failed
from etl.pipeline.step_back import step_back_resources
from etl.pipeline.stream import make_stream_writer
from etl.pipeline.summary import Summary, summarize_batch
from etl.pipeline.watcher import Watcher
from etl.resources import find_resource
from etl.transform import TransformService
from etl.window import Window


def sync(
    engine: Engine,
    settings: Settings,
    window: Window | None = None,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Summary:
    """Bring production up to date for one window and return a summary.

    Without a window, resumes an interrupted batch, then continues each resource from its watermark. Raises LeaseHeld,
    CredentialsRefused, DatabaseNotReady, WindowError, Interrupted; the summary reports the failure of a single
    resource.
    """
    options, watcher = options or Options(), watcher or Watcher()
    if options.dry_sweep:
        return preview_deletions(engine, settings, select_reconcilable(options.resources, settings), watcher)
    check_migrated(engine)
    names = resource_names(options.resources, settings)
    waiting = Waiting(watcher.watch, watcher.stop)
    with (
        connected(settings, watcher.stop, engine, now=watcher.now) as api,
        hold_lease(engine, settings.etl_tenant, names, waiting) as lease,
    ):
        ledger = Ledger(engine, settings.etl_tenant, lease)
        register_account(ledger, settings, api)
        report_doubted_clock(api, watcher.watch)
        resumed = None
        if window is None:
            resumed = resume_interrupted(ledger, settings, api, options, watcher)
        planned = plan(ledger, settings, api.now, window, options)
        batch = build_batch(ledger, settings, planned, options)
        ledger.commit(partial(write_batch, batch=batch, planned=planned))
        retry_refused_after_rule_change(ledger, settings, batch, watcher)
        summary = run_batch(ledger, settings, api, batch, watcher)
        return summary if resumed is None else summary.after(resumed)


def retry(engine: Engine, settings: Settings, batch_id: UUID | None = None, watcher: Watcher | None = None) -> Summary:
    """Resume a failed or interrupted batch (the newest by default) and return a summary.

    Raises UsageError if there is nothing to resume, and the exceptions of `sync`.
    """
    watcher = watcher or Watcher()
    check_migrated(engine)
    ledger = Ledger(engine, settings.etl_tenant)
    batch = ledger.read(partial(batch_to_resume, tenant=settings.etl_tenant, batch_id=batch_id))
    if batch.command == EXTRACT:
        return retry_in_steps(engine, settings, batch, watcher)
    run_again = run_preview if batch.command == DRY_RECONCILE else run_batch
    names = [
        batch_resource.resource
        for batch_resource in ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
    ]
    waiting = Waiting(watcher.watch, watcher.stop)
    with (
        connected(settings, watcher.stop, engine, now=watcher.now) as api,
        hold_lease(engine, settings.etl_tenant, names, waiting) as lease,
    ):
        ledger = Ledger(engine, settings.etl_tenant, lease)
        register_account(ledger, settings, api)
        ledger.commit(partial(reset_failed, tenant=settings.etl_tenant, batch_id=batch.id))
        return run_again(ledger, settings, api, batch, watcher)


def retry_in_steps(engine: Engine, settings: Settings, batch: Batch, watcher: Watcher) -> Summary:
    """Resume a batch of the separate services: extract, transform and load what is left."""
    began = time.monotonic()
    earlier = Ledger(engine, settings.etl_tenant).commit(partial(batches.recover_work, batch_id=batch.id))
    watch, stop = watcher.watch, watcher.stop
    ExtractService(engine, settings=settings, watch=watch, stop=stop).resume(batch)
    TransformService(engine, settings=settings, watch=watch, stop=stop).transform_batch(batch.id)
    LoadService(engine, settings=settings, watch=watch, stop=stop).load_batch(batch.id, batch.window)
    return summarize_batch(Ledger(engine, settings.etl_tenant), batch.id, earlier + time.monotonic() - began)


def report_doubted_clock(api: Api, watch: Watch) -> None:
    """Report a clock of the API that is too far from ours to be trusted."""
    clock = api.api.api_clock
    if clock.is_doubted and clock.stated is not None:
        hour, day, distance = timedelta(hours=1), timedelta(days=1), abs(clock.stated)
        far = f"{distance / day:.1f} days" if distance > day else f"{distance / hour:.1f} hours"
        direction = "ahead of" if clock.stated > timedelta() else "behind"
        watch(
            Message(
                f"The clock of QQCatalyst is {far} {direction} that of this machine, too far to be trusted. "
                f"The window ends at the earlier time, {format_moment(api.now)}. Check the clock of this machine."
            )
        )


def resume_interrupted(
    ledger: Ledger, settings: Settings, api: Api, options: Options, watcher: Watcher
) -> Summary | None:
    """Finish an interrupted batch, if there is one, so that none of its pages is read twice; return its summary."""
    batch = ledger.read(
        partial(find_interrupted, tenant=ledger.tenant, names=resource_names(options.resources, settings))
    )
    if batch is None:
        return None
    watcher.watch(Message(f"Resuming interrupted batch {batch.id}."))
    return run_batch(ledger, settings, api, batch, watcher)


def retry_refused_after_rule_change(ledger: Ledger, settings: Settings, batch: Batch, watcher: Watcher) -> None:
    """Replay refused records and report it, if the cleaning rules changed since the last run."""
    before = ledger.read(partial(batches.read_previous_rules, batch=batch))
    if before is not None and before != batch.rules:
        replay_refused_records(ledger, settings, batch)
        watcher.watch(Message("The cleaning rules changed since the last run. `qqetl replay` shows the effect."))


def write_batch(connection: Connection, batch: Batch, planned: Plan) -> None:
    """Write a new batch, and mark resources that the account does not offer."""
    batches.create_batch(connection, batch, planned.windows, etl.__version__)
    for resource, reason in planned.left_out.items():
        if resource in planned.windows:
            batches.set_resource_state(connection, batch.id, resource, ResourceState.NOT_OFFERED, reason)
        if reason == NEEDS_ENTERPRISE_ACCESS:
            watermarks.write_offer(connection, batch.tenant, resource, offered=False, reason=reason)


def run_batch(ledger: Ledger, settings: Settings, api: Api, batch: Batch, watcher: Watcher) -> Summary:
    """Read, clean and load what is left of a batch, close it, and return a summary."""
    began, earlier = time.monotonic(), ledger.commit(partial(batches.recover_work, batch_id=batch.id))
    batch_resources = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
    run = build_run(ledger, settings, api, batch, watcher)
    unfinished = batches.select_unfinished(batch_resources)
    watcher.watch(Planned(len(batch_resources), len(batch_resources) - len(unfinished)))
    ledger.commit(partial(batches.advance_batch, batch_id=batch.id, state=BatchState.EXTRACTING))
    with ledger.mark_failed_on_error(batch.id), recording_traffic(ledger, batch.id, api.api.traffic):
        with run.workers:
            read_all(run, batch_resources)
        scans = finish_batch(ledger, settings, batch, watcher, partial(verify_deleted, api))
    summary = summarize_batch(ledger, batch.id, earlier + time.monotonic() - began)
    return replace(summary, swept=scans, has_backlog=run.has_backlog)


def build_run(
    ledger: Ledger, settings: Settings, api: Api, batch: Batch, watcher: Watcher, elapsed: float = 0.0
) -> ExtractRun:
    """Return the run that takes the resources of a batch through all steps; the caller opens its workers.

    `elapsed` are the seconds since the run began, for one of its later tasks.
    """
    batch_resources = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
    windows = {batch_resource.resource: batch_resource.window for batch_resource in batch_resources}
    make_writer = partial(
        make_stream_writer,
        options=settings.cleaning,
        overlap=settings.etl_overlap,
        age=RefreshAge(*settings.refresh_ages),
        batch=batch,
        windows=windows,
    )
    workers = WorkerPool(ledger, settings.log, batch, make_writer)
    return ExtractRun(
        ledger, settings.reading, batch, api.event_loop, api.api, workers, watcher.watch,
        stop=watcher.stop, clock=watcher.clock, traffic=api.api.traffic, today=api.now.date(), elapsed=elapsed,
        limit=batch.options.get("limit"), not_offered=select_not_offered(batch_resources),
    )  # fmt: skip


def select_not_offered(batch_resources: Iterable[BatchResource]) -> set[str]:
    """Return the names of the resources that the account does not offer."""
    return {
        batch_resource.resource
        for batch_resource in batch_resources
        if batch_resource.status is ResourceState.NOT_OFFERED
    }


def finish_batch(
    ledger: Ledger, settings: Settings, batch: Batch, watcher: Watcher, verify: VerifyDeleted
) -> Sequence[FullScan]:
    """Finish a batch whose resources have ended: reconcile, fallbacks, checks, computed columns, retention.

    Returns the full scan of each resource.
    """
    batch_resources = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
    scans: Sequence[FullScan] = ()
    is_old_dry_run = batch.options.get("dry_sweep")  # before it had a batch of its own kind, it loaded what it read
    if batch.options.get("full") and not batch.options.get("limit") and not is_old_dry_run:
        work = ReconcileContext(ledger, settings, batch, watcher.watch, verify)
        step_back_resources(work, batch_resources)
        scans = reconcile(work, batch_resources).scans
    update_fallbacks(ledger, settings, batch, batch_resources)
    run_checks_after_load(ledger, batch.id, watcher.watch)
    ledger.commit(partial(complete_batch, batch=batch))
    if not batch.options.get("limit"):
        note_empty_columns(ledger, settings, batch, batch_resources)
    purge_old_raw_rows(ledger, settings, [batch_resource.resource for batch_resource in batch_resources])
    return scans


def note_empty_columns(
    ledger: Ledger, settings: Settings, batch: Batch, batch_resources: Sequence[BatchResource]
) -> None:
    """Note the columns without any value of the resources that are complete for the first time.

    A resource that is made from others waits until all of these were read, since each may fill other columns.
    """
    unread = find_unread(ledger, settings)
    resources = (
        find_resource(batch_resource.resource)
        for batch_resource in batch_resources
        if batch_resource.status is ResourceState.DONE
    )
    done = [
        resource
        for resource in resources
        if not any(derivation.resource in unread for derivation in resource.derived if not derivation.fallback)
    ]
    ledger.commit(partial(empty_columns.record_empty_columns, tenant=ledger.tenant, batch_id=batch.id, resources=done))


def find_unread(ledger: Ledger, settings: Settings) -> set[str]:
    """Return the resources that the settings select, that the account may offer, and that were never complete."""
    complete = ledger.read(partial(watermarks.read_all_windows, tenant=ledger.tenant))
    not_offered = ledger.read(partial(watermarks.read_not_offered, tenant=ledger.tenant))
    return {name for name in resource_names((), settings) if not complete[name] and name not in not_offered}


def purge_old_raw_rows(ledger: Ledger, settings: Settings, names: Sequence[str]) -> None:
    """Delete staged records older than the retention period; a failure here does not change the batch."""
    if settings.etl_raw_retention is not None:
        for name in names:
            retention.purge_resource(ledger, find_resource(name), settings.etl_raw_retention)


def complete_batch(connection: Connection, batch: Batch) -> None:
    """Refresh computed columns, advance the batch through its states, and close it."""
    refresh_computed_columns(connection, batch.tenant, batch.id)
    for state in (BatchState.EXTRACTED, BatchState.TRANSFORMING, BatchState.TRANSFORMED, BatchState.LOADING):
        batches.advance_batch(connection, batch.id, state)
    balance.close_batch(connection, batch.id)
