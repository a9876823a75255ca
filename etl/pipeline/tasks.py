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
from etl.dependencies import waves
from etl.errors import EtlError, LeaseHeld
from etl.events import Note
from etl.extract.record_traffic import noting_traffic
from etl.extract.run import Run
from etl.extract.verify_deleted import Look, second_look
from etl.ledger import batches, tenants
from etl.ledger.batches import Batch, Part
from etl.ledger.leases import Lease, give_back, shared
from etl.ledger.transaction import Ledger
from etl.models.states import BatchState, ResourceState
from etl.pipeline.finish import end_made, end_read
from etl.pipeline.plan import Options, names_of, new_batch, plan
from etl.pipeline.resume import interrupted
from etl.pipeline.sync import Summary, Watcher, begin, close_books, mind_new_rules, run_over, summary
from etl.pipeline.task_chunks import Piece
from etl.pipeline.work_runner import planned_pieces, read_share
from etl.window import Window

#: Seconds between two tries to get a lease that another run holds.
PAUSE = 10.0


@dataclass(frozen=True)
class Task:
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
    def unleased(self) -> Ledger:
        """The way to the database for reading."""
        return Ledger(self.engine, self.tenant)

    def give_back(self) -> None:
        """Free the lease of the run."""
        give_back(self.engine, Lease(self.tenant, self.run, ()))

    def own_batch(self) -> Batch | None:
        """Return the batch that the run works on, None before it has one."""
        return self.unleased.read(partial(batches.of_run, tenant=self.tenant, run=self.run))

    def batch(self, batch_id: UUID) -> Batch:
        """Return the batch of the run; raise UsageError when there is none."""
        return self.unleased.read(partial(batches.load, batch_id=batch_id))

    def parts(self, batch_id: UUID) -> list[Part]:
        """Return the resources of the batch."""
        return self.unleased.read(partial(batches.parts, batch_id=batch_id))


def begin_run(task: Task, window: Window | None, options: Options, *, patience: float = 0.0) -> UUID:
    """Give a run its batch and return its id: the same one however often this is asked.

    Without a window, a batch that was cut off is taken up; otherwise each resource goes on from where it is complete.
    Waits `patience` seconds for another run to end, then raises LeaseHeld; besides that what `sync` raises.
    """
    check_migrated(task.engine)
    own = task.own_batch()
    if own is not None and own.status is BatchState.COMPLETED:
        return own.id
    deadline = time.monotonic() + patience
    while True:
        try:
            return begun(task, window, options)
        except LeaseHeld:
            if time.monotonic() + PAUSE > deadline or task.watcher.stop.wait(PAUSE):
                raise


def begun(task: Task, window: Window | None, options: Options) -> UUID:
    """Take the lease of a run and return the id of its batch; a run that cannot begin gives the lease back."""
    try:
        with shared(task.engine, task.tenant, names_of(options.resources), task.run) as lease:
            return batch_for(task, Ledger(task.engine, task.tenant, lease), window, options).id
    except LeaseHeld:
        raise
    except EtlError:
        task.give_back()
        raise


def batch_for(task: Task, ledger: Ledger, window: Window | None, options: Options) -> Batch:
    """Return the batch of a run: the one it has, one that was cut off, or a new one."""
    own = ledger.read(partial(batches.of_run, tenant=task.tenant, run=task.run))
    if own is not None:
        return own
    ledger.commit(partial(tenants.register, settings=task.settings))
    left = ledger.read(partial(interrupted, tenant=task.tenant, names=names_of(options.resources)))
    # A full reading is not done by what some other run has left.
    if window is None and left is not None and (left.options.get("full") or not options.full):
        task.watcher.watch(Note(f"Taking up batch {left.id}, which was interrupted."))
        ledger.commit(partial(batches.hand_over, batch_id=left.id, run=task.run))
        return left
    with connected(task.settings, task.watcher.stop, task.engine) as api:
        planned = plan(ledger, task.settings, api.now, window, options)
        batch = new_batch(ledger, task.settings, planned, replace(options, run=task.run))
        ledger.commit(partial(begin, batch=batch, planned=planned))
        with noting_traffic(ledger, batch.id, api.api.traffic):
            mind_new_rules(ledger, task.settings, batch, task.watcher)
    return batch


def plan_wave(task: Task, batch_id: UUID, number: int) -> list[Piece]:
    """End the resources of the waves before and return the pieces in which this one is read.

    What a single resource fails at is kept with the batch. Raises LeaseHeld when another run has begun meanwhile, and
    what concerns all resources.
    """
    batch, names = task.batch(batch_id), waves()[number]
    if batch.status is BatchState.COMPLETED:
        return []
    with at_work(task, batch) as run:
        run.ledger.commit(partial(batches.move, batch_id=batch_id, to=BatchState.EXTRACTING))
        for part in task.parts(batch_id):
            end_read(run.ledger, batch, part)
        return planned_pieces(run, [part for part in task.parts(batch_id) if part.resource in names])


def read_piece(task: Task, batch_id: UUID, piece: Piece) -> None:
    """Read, clean and load what is left of a piece; whoever else was given one of its slices is fenced off.

    What a single resource fails at is kept with the batch. Raises as `plan_wave` does, and LeaseLost when the piece was
    given to another task.
    """
    slices = [f"{share.resource}/{number}" for share in piece.shares for number in share.numbers]
    with at_work(task, task.batch(batch_id), slices) as run, run.lanes:
        parts = {part.resource: part for part in task.parts(batch_id)}
        for share in piece.shares:
            run.check()
            if parts[share.resource].status not in (ResourceState.DONE, ResourceState.NOT_OFFERED):
                read_share(run, parts[share.resource], share)


@contextmanager
def at_work(task: Task, batch: Batch, slices: list[str] | None = None) -> Iterator[Run]:
    """Give what reads a batch: the API, the lease of the run, and its ledger; an error fails the batch, resumable."""
    names = [part.resource for part in task.parts(batch.id)]
    with shared(task.engine, task.tenant, names, task.run, slices or ()) as lease:
        ledger = Ledger(task.engine, task.tenant, lease)
        with (
            ledger.failing(batch.id),
            connected(task.settings, task.watcher.stop, task.engine) as api,
            noting_traffic(ledger, batch.id, api.api.traffic),
        ):
            yield run_over(ledger, task.settings, api, batch, task.watcher)


def close_run(task: Task, batch_id: UUID) -> Summary:
    """End what is left to end, close the books of the run's batch, give back its lease, and return how it went."""
    batch = task.batch(batch_id)
    if batch.status is not BatchState.COMPLETED:
        try:
            close_under_lease(task, batch)
        finally:
            task.give_back()
    calls, waited, seconds = task.unleased.read(partial(batches.spent, batch_id=batch_id))
    return summary(task.unleased, batch_id, Traffic(calls=calls, waited_seconds=waited), seconds)


def close_under_lease(task: Task, batch: Batch) -> None:
    """Close the books of a batch; it fails, resumable, when that cannot be done."""
    parts = task.parts(batch.id)
    with shared(task.engine, task.tenant, [part.resource for part in parts], task.run) as lease:
        ledger = Ledger(task.engine, task.tenant, lease)
        with ledger.failing(batch.id):
            for part in parts:
                end_read(ledger, batch, part)
            end_made(ledger, batch)
            close_books(ledger, task.settings, batch, task.watcher, partial(look_again, task, ledger, batch))


def look_again(task: Task, ledger: Ledger, batch: Batch, resource: Resource, source_ids: Sequence[str]) -> Look | None:
    """Take a second look at records over a connection of its own, where there is a call for it."""
    if resource.single is None:
        return None
    with (
        connected(task.settings, task.watcher.stop, task.engine) as api,
        noting_traffic(ledger, batch.id, api.api.traffic),
    ):
        return second_look(api, resource, source_ids)
