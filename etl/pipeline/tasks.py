"""A sync in tasks, of which each may run in a process or on a machine of its own: begin, plan, read, close.

They share a batch and a lease under the run's name. Whatever a task has committed stands; one that is tried again, or
run twice, does what is left. The same code reads, cleans and loads as in a sync of one process.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from sqlalchemy import Engine

from etl.api.connection import connected
from etl.api.traffic import Traffic
from etl.catalogue import Resource
from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.dependencies import group_by_level
from etl.errors import EtlError, LeaseHeld
from etl.events import Message
from etl.extract.record_traffic import recording_traffic
from etl.extract.run import ExtractRun
from etl.extract.verify_deleted import DeletionCheck, verify_deleted
from etl.ledger import batches, tenants
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.leases import Lease, release_lease, share_lease
from etl.ledger.transaction import Ledger
from etl.models.states import BatchState, ResourceState
from etl.pipeline.finish import finish_derived, finish_read
from etl.pipeline.plan import Options, build_batch, plan, resource_names
from etl.pipeline.resume import find_interrupted
from etl.pipeline.sync import (
    Summary,
    Watcher,
    build_run,
    finish_batch,
    retry_refused_after_rule_change,
    summarize_batch,
    write_batch,
)
from etl.pipeline.task_chunks import Chunk
from etl.pipeline.work_runner import plan_chunks, read_slices
from etl.window import Window

#: Seconds between two tries to get a lease that another run holds.
LEASE_RETRY_SECONDS = 10.0


@dataclass(frozen=True)
class RunTask:
    """Where a task works, and the run that it is a part of."""

    engine: Engine
    settings: Settings
    run: str  #: its name; no two runs have the same
    watcher: Watcher = field(default_factory=Watcher)

    @property
    def tenant(self) -> str:
        """The name of the account."""
        return self.settings.etl_tenant

    @property
    def ledger_without_lease(self) -> Ledger:
        """The way to the database for reading."""
        return Ledger(self.engine, self.tenant)

    def release_lease(self) -> None:
        """Free the lease of the run."""
        release_lease(self.engine, Lease(self.tenant, self.run, ()))

    def find_batch(self) -> Batch | None:
        """Return the batch that the run works on, None before it has one."""
        return self.ledger_without_lease.read(partial(batches.find_batch_of_run, tenant=self.tenant, run=self.run))

    def load_batch(self, batch_id: UUID) -> Batch:
        """Return the batch of the run; raise UsageError when there is none."""
        return self.ledger_without_lease.read(partial(batches.read_batch, batch_id=batch_id))

    def load_parts(self, batch_id: UUID) -> list[BatchResource]:
        """Return the resources of the batch."""
        return self.ledger_without_lease.read(partial(batches.read_batch_resources, batch_id=batch_id))


def begin_run(task: RunTask, window: Window | None, options: Options, *, patience: float = 0.0) -> UUID:
    """Give a run its batch and return its id: the same one however often this is asked.

    Without a window, a batch that was cut off is taken up; otherwise each resource goes on from where it is complete.
    Waits `patience` seconds for another run to end, then raises LeaseHeld; besides that what `sync` raises.
    """
    check_migrated(task.engine)
    own = task.find_batch()
    if own is not None and own.status is BatchState.COMPLETED:
        return own.id
    deadline = time.monotonic() + patience
    while True:
        try:
            return start_run(task, window, options)
        except LeaseHeld:
            if time.monotonic() + LEASE_RETRY_SECONDS > deadline or task.watcher.stop.wait(LEASE_RETRY_SECONDS):
                raise


def start_run(task: RunTask, window: Window | None, options: Options) -> UUID:
    """Take the lease of a run and return the id of its batch; a run that cannot begin gives the lease back."""
    try:
        with share_lease(task.engine, task.tenant, resource_names(options.resources), task.run) as lease:
            return resume_or_create_batch(task, Ledger(task.engine, task.tenant, lease), window, options).id
    except LeaseHeld:
        raise
    except EtlError:
        task.release_lease()
        raise


def resume_or_create_batch(task: RunTask, ledger: Ledger, window: Window | None, options: Options) -> Batch:
    """Return the batch of a run: the one it has, one that was cut off, or a new one."""
    own = ledger.read(partial(batches.find_batch_of_run, tenant=task.tenant, run=task.run))
    if own is not None:
        return own
    ledger.commit(partial(tenants.register_tenant, settings=task.settings))
    left = ledger.read(partial(find_interrupted, tenant=task.tenant, names=resource_names(options.resources)))
    # A full reading is not done by what some other run has left.
    if window is None and left is not None and (left.options.get("full") or not options.full):
        task.watcher.watch(Message(f"Taking up batch {left.id}, which was interrupted."))
        ledger.commit(partial(batches.assign_to_run, batch_id=left.id, run=task.run))
        return left
    with connected(task.settings, task.watcher.stop, task.engine) as api:
        planned = plan(ledger, task.settings, api.now, window, options)
        batch = build_batch(ledger, task.settings, planned, replace(options, run=task.run))
        ledger.commit(partial(write_batch, batch=batch, planned=planned))
        with recording_traffic(ledger, batch.id, api.api.traffic):
            retry_refused_after_rule_change(ledger, task.settings, batch, task.watcher)
    return batch


def plan_level(task: RunTask, batch_id: UUID, number: int) -> list[Chunk]:
    """End the resources of the waves before and return the pieces in which this one is read.

    What a single resource fails at is kept with the batch. Raises LeaseHeld when another run has begun meanwhile, and
    what concerns all resources.
    """
    batch, names = task.load_batch(batch_id), group_by_level()[number]
    if batch.status is BatchState.COMPLETED:
        return []
    with open_run(task, batch) as run:
        run.ledger.commit(partial(batches.advance_batch, batch_id=batch_id, to=BatchState.EXTRACTING))
        for part in task.load_parts(batch_id):
            finish_read(run.ledger, batch, part)
        return plan_chunks(run, [part for part in task.load_parts(batch_id) if part.resource in names])


def read_chunk(task: RunTask, batch_id: UUID, piece: Chunk) -> None:
    """Read, clean and load what is left of a piece; whoever else was given one of its slices is fenced off.

    What a single resource fails at is kept with the batch. Raises as `plan_wave` does, and LeaseLost when the piece was
    given to another task.
    """
    slices = [f"{share.resource}/{number}" for share in piece.resources for number in share.numbers]
    with open_run(task, task.load_batch(batch_id), slices) as run, run.workers:
        parts = {part.resource: part for part in task.load_parts(batch_id)}
        for share in piece.resources:
            run.raise_if_stopped()
            if parts[share.resource].status not in (ResourceState.DONE, ResourceState.NOT_OFFERED):
                read_slices(run, parts[share.resource], share)


@contextmanager
def open_run(task: RunTask, batch: Batch, slices: list[str] | None = None) -> Iterator[ExtractRun]:
    """Give what reads a batch: the API, the lease of the run, and its ledger; an error fails the batch, resumable."""
    names = [part.resource for part in task.load_parts(batch.id)]
    with share_lease(task.engine, task.tenant, names, task.run, slices or ()) as lease:
        ledger = Ledger(task.engine, task.tenant, lease)
        with (
            ledger.mark_failed_on_error(batch.id),
            connected(task.settings, task.watcher.stop, task.engine) as api,
            recording_traffic(ledger, batch.id, api.api.traffic),
        ):
            yield build_run(ledger, task.settings, api, batch, task.watcher)


def close_run(task: RunTask, batch_id: UUID) -> Summary:
    """End what is left to end, close the books of the run's batch, give back its lease, and return how it went."""
    batch = task.load_batch(batch_id)
    if batch.status is not BatchState.COMPLETED:
        try:
            finish_run(task, batch)
        finally:
            task.release_lease()
    calls, waited, seconds = task.ledger_without_lease.read(partial(batches.read_traffic, batch_id=batch_id))
    return summarize_batch(task.ledger_without_lease, batch_id, Traffic(calls=calls, waited_seconds=waited), seconds)


def finish_run(task: RunTask, batch: Batch) -> None:
    """Close the books of a batch; it fails, resumable, when that cannot be done."""
    parts = task.load_parts(batch.id)
    with share_lease(task.engine, task.tenant, [part.resource for part in parts], task.run) as lease:
        ledger = Ledger(task.engine, task.tenant, lease)
        with ledger.mark_failed_on_error(batch.id):
            for part in parts:
                finish_read(ledger, batch, part)
            finish_derived(ledger, batch)
            finish_batch(ledger, task.settings, batch, task.watcher, partial(verify_in_task, task, ledger, batch))


def verify_in_task(task: RunTask, ledger: Ledger, batch: Batch, resource: Resource, source_ids: Sequence[str]) -> DeletionCheck | None:
    """Take a second look at records over a connection of its own, where there is a call for it."""
    if resource.single is None:
        return None
    with (
        connected(task.settings, task.watcher.stop, task.engine) as api,
        recording_traffic(ledger, batch.id, api.api.traffic),
    ):
        return verify_deleted(api, resource, source_ids)
