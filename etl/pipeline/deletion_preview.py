"""The dry run of a reconcile: reads which records QQCatalyst has, and reports which of ours are missing there.

It writes its own batch and nothing else: no record, watermark or offer, and nothing about the format of the answers.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, Engine

import etl
from etl.api.connection import ApiConnection, connected
from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.engine.id_writer import IdWriter
from etl.engine.workers import WorkerPool
from etl.events import Planned, Started
from etl.extract.account import register_account
from etl.extract.list_reader import ListReader
from etl.extract.offers import counts_as_documented, is_absence
from etl.extract.read_resource import read_list, report_end
from etl.extract.record_traffic import recording_traffic
from etl.extract.run import RESOURCE_ERRORS, ExtractRun
from etl.extract.verify_deleted import verify_deleted
from etl.ledger import balance, batches
from etl.ledger.batches import Batch, BatchResource, BatchResourceKey
from etl.ledger.children.queue import RefreshAge
from etl.ledger.leases import Waiting, hold_lease
from etl.ledger.transaction import Ledger
from etl.models.states import DRY_RECONCILE, BatchState, ResourceState
from etl.pipeline.reconcile import ReconcileContext, reconcile
from etl.pipeline.summary import Summary, summarize_batch
from etl.pipeline.watcher import Watcher
from etl.reshape.rules import rules_version
from etl.resources import find_resource
from etl.window import FIRST_INSTANT, Window


def preview_deletions(engine: Engine, settings: Settings, resources: Sequence[str], watcher: Watcher) -> Summary:
    """Read the ids of these feeds and lists, report the missing records, and return a summary.

    Raises LeaseHeld, CredentialsRefused, DatabaseNotReady, Interrupted; the summary reports the failure of a single
    resource.
    """
    check_migrated(engine)
    with (
        connected(settings, watcher.stop, engine) as api,
        hold_lease(engine, settings.etl_tenant, resources, Waiting(watcher.watch, watcher.stop)) as lease,
    ):
        ledger = Ledger(engine, settings.etl_tenant, lease)
        register_account(ledger, settings, api)
        window = Window(FIRST_INSTANT, api.now)
        options = {"resources": list(resources)}
        batch = batches.build_batch(ledger.tenant, window, rules_version(settings.cleaning), DRY_RECONCILE, options)
        windows = dict.fromkeys(resources, window)
        ledger.commit(partial(batches.create_batch, batch=batch, windows=windows, version=etl.__version__))
        return run_preview(ledger, settings, api, batch, watcher)


def run_preview(ledger: Ledger, settings: Settings, api: ApiConnection, batch: Batch, watcher: Watcher) -> Summary:
    """Read what is left of a dry run, compare, close its batch, and return a summary."""
    began, earlier = time.monotonic(), ledger.commit(partial(batches.recover_work, batch_id=batch.id))
    batch_resources = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
    unread = batches.select_unfinished(batch_resources)
    watcher.watch(Planned(len(batch_resources), len(batch_resources) - len(unread)))
    workers = WorkerPool(ledger, settings.log, batch, partial(make_id_writer, settings=settings, batch=batch))
    run = ExtractRun(
        ledger, settings.reading, batch, api.event_loop, api.api, workers, watcher.watch,
        stop=watcher.stop, clock=watcher.clock, traffic=api.api.traffic, today=api.now.date(), is_dry=True,
    )  # fmt: skip
    with ledger.mark_failed_on_error(batch.id), recording_traffic(ledger, batch.id, api.api.traffic):
        with workers:
            for batch_resource in batch_resources:
                if batch_resource.resource in unread:
                    report_end(run, read_ids(run, batch_resource))
        work = ReconcileContext(ledger, settings, batch, watcher.watch, partial(verify_deleted, api), dry=True)
        read = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
        scans = reconcile(work, read).scans
        ledger.commit(partial(close_preview, batch=batch))
    return replace(summarize_batch(ledger, batch.id, earlier + time.monotonic() - began), swept=scans)


def read_ids(run: ExtractRun, batch_resource: BatchResource) -> BatchResource:
    """Read one list to its end, and return the resource as it ended."""
    resource = find_resource(batch_resource.resource)
    key = BatchResourceKey(batch_id=run.batch.id, resource=resource.name)
    run.raise_if_stopped()
    run.ledger.commit(partial(batches.mark_running, batch_id=run.batch.id, resources=[resource.name]))
    run.watch(Started(run.step, resource.name))
    try:
        read_list(run, ListReader(run, batch_resource))
    except RESOURCE_ERRORS as error:
        is_offered = run.ledger.read(partial(counts_as_documented, tenant=run.ledger.tenant, resource=resource))
        is_absent = is_absence(error, resource) and not is_offered
        state = ResourceState.NOT_OFFERED if is_absent else ResourceState.FAILED
        return run.ledger.commit(partial(batches.set_resource_state, status=state, error=str(error), **key))
    run.ledger.commit(partial(batches.mark_fully_read, complete=True, **key))
    return run.ledger.commit(partial(batches.set_resource_state, status=ResourceState.DONE, **key))


def close_preview(connection: Connection, batch: Batch) -> None:
    """Close the batch of a dry run: completed, or failed when a resource was not read."""
    for state in (BatchState.EXTRACTED, BatchState.TRANSFORMING, BatchState.TRANSFORMED, BatchState.LOADING):
        batches.advance_batch(connection, batch.id, state)
    balance.close_batch(connection, batch.id)


def make_id_writer(ledger: Ledger, settings: Settings, batch: Batch) -> IdWriter:
    """Return a writer that records the ids of pages."""
    zone, age = settings.etl_api_timezone, RefreshAge(*settings.refresh_ages)
    return IdWriter(ledger, batch.id, zone, batch.rules, handle_nothing, age)


def handle_nothing(*_: object) -> Counter[str]:
    """Handle no record."""
    return Counter()
