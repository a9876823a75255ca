"""A sync split into tasks, each in its own process or on its own machine: begin, plan, read, close.

The tasks share a batch and a lease under the name of the run. What a task commits stays; a task that is retried, or
runs twice, does what is left. The code that reads, cleans and loads is that of a sync in one process.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from sqlalchemy import Engine

from etl.api.connection import connected
from etl.catalogue.resource import Resource
from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.dependencies import group_by_level
from etl.errors import EtlError, LeaseHeld, UsageError
from etl.events import Message
from etl.extract.account import register_account
from etl.extract.record_traffic import recording_traffic
from etl.extract.run import ExtractRun
from etl.extract.scheduler import is_child
from etl.extract.selection import resource_names
from etl.extract.verify_deleted import DeletionCheck, verify_deleted
from etl.ledger import batches
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.leases import Lease, release_lease, share_lease
from etl.ledger.transaction import Ledger
from etl.models.states import BatchState, ResourceState
from etl.pipeline.finish import finish_derived, finish_read
from etl.pipeline.options import Options
from etl.pipeline.plan import build_batch, plan
from etl.pipeline.resume import find_interrupted
from etl.pipeline.summary import Summary, summarize_batch
from etl.pipeline.sync import (
    build_run,
    finish_batch,
    retry_refused_after_rule_change,
    write_batch,
)
from etl.pipeline.task_chunks import Chunk
from etl.pipeline.watcher import Watcher
from etl.pipeline.work_runner import plan_chunks, read_detail_slices, read_list_slices
from etl.window import Window

#: Seconds between attempts to get a lease that another run holds.
LEASE_RETRY_SECONDS = 10.0


@dataclass(frozen=True)
class RunTask:
    """The database, settings and run of a task."""

    engine: Engine
    settings: Settings
    run: str  #: the unique name of the run
    watcher: Watcher = field(default_factory=Watcher)

    @property
    def tenant(self) -> str:
        """The tenant of the run."""
        return self.settings.etl_tenant

    @property
    def ledger_without_lease(self) -> Ledger:
        """A ledger for reading, without the lease."""
        return Ledger(self.engine, self.tenant)

    def release_lease(self) -> None:
        """Release the lease of the run."""
        release_lease(self.engine, Lease(self.tenant, self.run, ()))

    def find_batch(self) -> Batch | None:
        """Return the batch of the run; None before it has one."""
        return self.ledger_without_lease.read(partial(batches.find_batch_of_run, tenant=self.tenant, run=self.run))

    def load_batch(self, batch_id: UUID) -> Batch:
        """Return a batch by id; raise UsageError if there is none."""
        return self.ledger_without_lease.read(partial(batches.read_batch, batch_id=batch_id))

    def load_parts(self, batch_id: UUID) -> list[BatchResource]:
        """Return the resources of a batch."""
        return self.ledger_without_lease.read(partial(batches.read_batch_resources, batch_id=batch_id))


def begin_run(task: RunTask, window: Window | None, options: Options, *, wait_seconds: float = 0.0) -> UUID:
    """Return the id of the run's batch, creating the batch at the first call.

    Without a window, resumes an interrupted batch, or continues each resource from its watermark. Waits up to
    `wait_seconds` seconds for another run to end, then raises LeaseHeld; also raises the exceptions of `sync`.
    """
    check_migrated(task.engine)
    own = task.find_batch()
    if own is not None and own.status is BatchState.COMPLETED:
        return own.id
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return start_run(task, window, options)
        except LeaseHeld:
            if time.monotonic() + LEASE_RETRY_SECONDS > deadline or task.watcher.stop.wait(LEASE_RETRY_SECONDS):
                raise


def start_run(task: RunTask, window: Window | None, options: Options) -> UUID:
    """Take the lease of a run and return the id of its batch; release the lease if the run cannot start."""
    try:
        with share_lease(task.engine, task.tenant, resource_names(options.resources, task.settings), task.run) as lease:
            return resume_or_create_batch(task, Ledger(task.engine, task.tenant, lease), window, options).id
    except LeaseHeld:
        raise
    except EtlError:
        task.release_lease()
        raise


def resume_or_create_batch(task: RunTask, ledger: Ledger, window: Window | None, options: Options) -> Batch:
    """Return the batch of a run: its own, an interrupted one, or a new one."""
    if options.dry_sweep:
        raise UsageError("A dry run is not divided into tasks. Run `qqetl reconcile --dry-run`.")
    own = ledger.read(partial(batches.find_batch_of_run, tenant=task.tenant, run=task.run))
    if own is not None:
        ledger.commit(partial(batches.assign_to_run, batch_id=own.id, run=task.run))  # its hour begins again
        return own
    with connected(task.settings, task.watcher.stop, task.engine) as api:
        register_account(ledger, task.settings, api)
        interrupted = ledger.read(
            partial(find_interrupted, tenant=task.tenant, names=resource_names(options.resources, task.settings))
        )
        # Resuming a batch that was not a full read would not make this run a full read.
        if window is None and interrupted is not None and (interrupted.options.get("full") or not options.full):
            task.watcher.watch(Message(f"Resuming interrupted batch {interrupted.id}."))
            ledger.commit(partial(batches.assign_to_run, batch_id=interrupted.id, run=task.run))
            return interrupted
        planned = plan(ledger, task.settings, api.now, window, options)
        batch = build_batch(ledger, task.settings, planned, replace(options, run=task.run))
        ledger.commit(partial(write_batch, batch=batch, planned=planned))
        with recording_traffic(ledger, batch.id, api.api.traffic):
            retry_refused_after_rule_change(ledger, task.settings, batch, task.watcher)
    return batch


def plan_level(task: RunTask, batch_id: UUID, number: int) -> list[Chunk]:
    """Finish the resources of earlier dependency levels, and return the chunks of this one.

    Stores the failure of a single resource with the batch. Raises LeaseHeld if another run has started meanwhile, and
    errors that concern all resources.
    """
    batch, names = task.load_batch(batch_id), group_by_level()[number]
    if batch.status is BatchState.COMPLETED:
        return []
    with open_run(task, batch) as run:
        run.ledger.commit(partial(batches.advance_batch, batch_id=batch_id, state=BatchState.EXTRACTING))
        for batch_resource in task.load_parts(batch_id):
            finish_read(run.ledger, batch, batch_resource, task.settings.etl_refused_limit)
        return plan_chunks(
            run, [batch_resource for batch_resource in task.load_parts(batch_id) if batch_resource.resource in names]
        )


def read_chunk(task: RunTask, batch_id: UUID, chunk: Chunk) -> None:
    """Read, clean and load what is left of a chunk; another task with one of its slices is fenced off.

    Stores the failure of a single resource with the batch. Raises the exceptions of `plan_level`, and LeaseLost if
    another task has taken over the chunk.
    """
    slices = [f"{item.resource}/{number}" for item in chunk.resources for number in item.numbers]
    with open_run(task, task.load_batch(batch_id), slices) as run, run.workers:
        batch_resources = {batch_resource.resource: batch_resource for batch_resource in task.load_parts(batch_id)}
        items = [
            item
            for item in chunk.resources
            if batch_resources[item.resource].status not in (ResourceState.DONE, ResourceState.NOT_OFFERED)
        ]
        for item in items:
            run.raise_if_stopped()
            if not is_child(batch_resources[item.resource]):
                read_list_slices(run, batch_resources[item.resource], item)
        read_detail_slices(run, batch_resources, [item for item in items if is_child(batch_resources[item.resource])])


@contextmanager
def open_run(task: RunTask, batch: Batch, slices: list[str] | None = None) -> Iterator[ExtractRun]:
    """Open the API connection, lease and ledger of a batch; an error marks the batch failed, and it can be resumed."""
    names = [batch_resource.resource for batch_resource in task.load_parts(batch.id)]
    with share_lease(task.engine, task.tenant, names, task.run, slices or ()) as lease:
        ledger = Ledger(task.engine, task.tenant, lease)
        with (
            ledger.mark_failed_on_error(batch.id),
            connected(task.settings, task.watcher.stop, task.engine) as api,
            recording_traffic(ledger, batch.id, api.api.traffic),
        ):
            elapsed = ledger.read(partial(batches.read_seconds_of_run, batch_id=batch.id))
            yield build_run(ledger, task.settings, api, batch, task.watcher, elapsed)


def close_run(task: RunTask, batch_id: UUID) -> Summary:
    """Finish and close the run's batch, release its lease, and return a summary."""
    batch = task.load_batch(batch_id)
    if batch.status is not BatchState.COMPLETED:
        try:
            finish_run(task, batch)
        finally:
            task.release_lease()
    _, _, seconds = task.ledger_without_lease.read(partial(batches.read_traffic, batch_id=batch_id))
    return summarize_batch(task.ledger_without_lease, batch_id, seconds)


def finish_run(task: RunTask, batch: Batch) -> None:
    """Finish the resources of a batch and close it; an error marks the batch failed, and it can be resumed."""
    batch_resources = task.load_parts(batch.id)
    with share_lease(
        task.engine, task.tenant, [batch_resource.resource for batch_resource in batch_resources], task.run
    ) as lease:
        ledger = Ledger(task.engine, task.tenant, lease)
        with ledger.mark_failed_on_error(batch.id):
            for batch_resource in batch_resources:
                finish_read(ledger, batch, batch_resource, task.settings.etl_refused_limit)
            finish_derived(ledger, batch, task.settings.etl_refused_limit)
            finish_batch(ledger, task.settings, batch, task.watcher, partial(verify_in_task, task, ledger, batch))


def verify_in_task(
    task: RunTask, ledger: Ledger, batch: Batch, resource: Resource, source_ids: Sequence[str]
) -> DeletionCheck | None:
    """Check records individually over a separate API connection; return None if the API has no call for one record."""
    if resource.changes.single is None:
        return None
    with (
        connected(task.settings, task.watcher.stop, task.engine) as api,
        recording_traffic(ledger, batch.id, api.api.traffic),
    ):
        return verify_deleted(api, resource, source_ids)
