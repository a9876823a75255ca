"""Reconciling: after everything was read, what no reading met has vanished at the source and is marked deleted."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from etl.catalogue import Resource
from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.errors import UsageError
from etl.events import Message, Watch
from etl.extract.verify_deleted import DeletionCheck
from etl.ledger import batches
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.leases import hold_lease
from etl.ledger.staging import full_scan, merges
from etl.ledger.staging.full_scan import FullScan
from etl.ledger.transaction import Ledger
from etl.load.rows import LoadContext, soft_delete_missing
from etl.models.states import ResourceState, TroubleKind
from etl.resources import CATALOGUE
from etl.resources import resource as named
from etl.window import FIRST_INSTANT

#: How many of the vanished are named.
MAX_LISTED_IDS = 5


@dataclass(frozen=True)
class ReconcileResult:
    """What a sweep found, and what was done about it."""

    sweeps: list[FullScan] = field(default_factory=list)
    braked: list[FullScan] = field(default_factory=list)


#: Asks for records one by one; None where there is no such call.
VerifyDeleted = Callable[[Resource, Sequence[str]], DeletionCheck | None]


def skip_verification(_resource: Resource, _source_ids: Sequence[str]) -> DeletionCheck | None:
    """Take no second look."""
    return None


@dataclass(frozen=True, slots=True)
class ReconcileContext:
    """What a reconciling works with."""

    ledger: Ledger
    settings: Settings
    batch: Batch
    watch: Watch
    verify: VerifyDeleted = skip_verification
    dry: bool = False


def reconcile(work: ReconcileContext, parts: Iterable[BatchResource]) -> ReconcileResult:
    """Mark deleted what a finished full reading did not meet, resource by resource, each in one transaction.

    A resource of which too many records would vanish at once is left as it is, and failed: a person has to look.
    """
    done = ReconcileResult()
    for part in parts:
        resource = named(part.resource)
        if is_fully_read(resource, part):
            done.sweeps.append(found := reconcile_resource(work, resource))
            if found.is_over_limit(work.settings.etl_delete_brake):
                done.braked.append(found)
    return done


def reconcile_resource(work: ReconcileContext, resource: Resource) -> FullScan:
    """Reconcile one resource, and return what the sweep showed."""
    place: dict[str, Any] = {"resource": resource, "tenant": work.batch.tenant, "batch_id": work.batch.id}
    found = work.ledger.read(partial(full_scan.measure_scan, **place))
    if not found.missing_count:
        return found
    unmet = work.ledger.read(partial(full_scan.find_missing, **place))
    if found.is_over_limit(work.settings.etl_delete_brake):
        apply_delete_brake(work.ledger, work.batch, found, unmet, work.watch)
        return found
    look = work.verify(resource, unmet)
    spared = look.unconfirmed if look is not None else frozenset()
    report_missing(work, found, [one for one in unmet if one not in spared], look)
    if not work.dry and len(spared) < found.missing_count:
        merged = work.ledger.commit(partial(mark_missing_deleted, resource=resource, batch=work.batch, spared=spared))
        report_merged(work, resource, merged)
    return found


def report_missing(work: ReconcileContext, found: FullScan, vanished: Sequence[str], look: DeletionCheck | None) -> None:
    """Say what vanished, what becomes of it, and what was doubtful about it."""
    if vanished:
        fate = "would be marked deleted" if work.dry else "are marked deleted"
        words = f"{len(vanished)} of {found.known_count} records vanished and {fate}: {format_ids(vanished)}"
        work.watch(Message(f"{found.resource}: {words}."))
    doubtful = len(look.unconfirmed) if look is not None else 0
    if look is not None and doubtful:
        words = f"asked for one by one, {look.still_exist} of them still answer; {doubtful - look.still_exist} did not say"
        work.watch(Message(f"{found.resource}: {doubtful} more were not met and are left alone: {words}."))


def format_ids(source_ids: Sequence[str]) -> str:
    """Return the first ids, and how many more there are."""
    more = len(source_ids) - MAX_LISTED_IDS
    named = ", ".join(sorted(source_ids, key=lambda one: (len(one), one))[:MAX_LISTED_IDS])
    return f"{named} and {more} more" if more > 0 else named


def report_merged(work: ReconcileContext, resource: Resource, merged: int) -> None:
    """Say that records vanished while others gained what was theirs."""
    if merged:
        words = f"{merged} of the vanished seem merged into others, which gained what was theirs; see etl.aliases"
        work.watch(Message(f"{resource.name}: {words}."))


def select_reconcilable(names: Iterable[str]) -> tuple[Resource, ...]:
    """Return the resources, of these or of all, that are read as one list, so that what is not in it has vanished.

    Raises UsageError for one that is not: what is read per parent is a complete set with every answer.
    """
    chosen = [named(name) for name in names]
    for one in chosen:
        if not is_single_list(one):
            raise UsageError(f"{one.name} is read in complete sets, and needs no reconciling.")
    return tuple(chosen) or tuple(one for one in CATALOGUE if is_single_list(one))


def is_single_list(resource: Resource) -> bool:
    """Tell whether the records of a resource are read as one list."""
    return bool(resource.endpoints) and resource.parent is None and resource.nested is None


def is_fully_read(resource: Resource, part: BatchResource) -> bool:
    """Tell whether every id of a resource was read: from the first instant on, to the end, and one list for all."""
    complete = part.complete and part.status is ResourceState.DONE and part.window.start <= FIRST_INSTANT
    return complete and is_single_list(resource)


def mark_missing_deleted(connection: Connection, resource: Resource, batch: Batch, spared: Collection[str]) -> int:
    """Mark a resource's vanished records gone and their rows deleted; return how many seem merged into others."""
    full_scan.mark_missing(connection, resource, batch.tenant, batch.id, spared)
    soft_delete_missing(connection, LoadContext(batch.tenant, batch.id, batch.window), resource)
    return merges.detect_merges(connection, resource.model, batch.tenant, batch.id)


def apply_delete_brake(ledger: Ledger, batch: Batch, found: FullScan, unmet: Sequence[str], watch: Watch) -> None:
    """Fail a resource whose sweep cannot be believed."""
    words = (
        f"{found.missing_count} of {found.known_count} records were not met by the full reading ({format_ids(unmet)}); so many at "
        "once are not marked deleted. If they are really gone, raise the brake for one run: "
        f"`ETL_DELETE_BRAKE={found.find_passing_share():.2f} qqetl reconcile --resource {found.resource}`."
    )
    watch(Message(f"{found.resource}: {words}"))
    failed = partial(batches.set_resource_state, status=ResourceState.FAILED, error=words, trouble=TroubleKind.BRAKE_PULLED)
    ledger.commit(partial(failed, batch_id=batch.id, resource=found.resource))


def undo_deletions(engine: Engine, settings: Settings, batch_id: UUID) -> Mapping[str, int]:
    """Take back what a batch marked as vanished, and return how many rows of each resource live again.

    Raises UsageError for an unknown batch, LeaseHeld while another run is at work.
    """
    check_migrated(engine)
    swept = select_reconcilable(())
    with hold_lease(engine, settings.etl_tenant, [one.name for one in swept]) as lease:
        ledger = Ledger(engine, settings.etl_tenant, lease)
        batch = ledger.read(partial(batches.read_batch, batch_id=batch_id))
        if not batch.options.get("full"):
            raise UsageError(f"Batch {batch_id} did not read everything, so it marked nothing as vanished.")
        back = partial(full_scan.restore_missing, tenant=ledger.tenant, batch_id=batch_id)
        return {one.name: ledger.commit(partial(back, resource=one)) for one in swept}
