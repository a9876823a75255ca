"""Reconciling: after a full scan, records that are missing in QQCatalyst are marked deleted."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, Engine

from etl.catalogue.resource import Resource
from etl.config.settings import Settings
from etl.database.revisions import check_migrated
from etl.errors import UsageError
from etl.events import Message, Watch
from etl.extract.selection import find_out_of_reach, resource_names
from etl.extract.verify_deleted import DeletionCheck
from etl.ledger import batches
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.leases import hold_lease
from etl.ledger.staging import full_scan, merges
from etl.ledger.staging.full_scan import FullScan
from etl.ledger.transaction import Ledger
from etl.load.nested import follow_records_around
from etl.load.rows import LoadContext, soft_delete_missing
from etl.models.states import IncidentKind, ResourceState
from etl.resources import CATALOGUE, find_resource
from etl.window import FIRST_INSTANT

#: Missing records listed in a message.
MAX_LISTED_IDS = 5
#: Why a full scan proves nothing: an answer said nothing about which records there are.
UNPROVEN = "{} records were not returned, but QQCatalyst answered without a list. None was marked deleted."


@dataclass(frozen=True)
class ReconcileResult:
    """The full scan of each resource, and those stopped by the deletion limit."""

    scans: list[FullScan] = field(default_factory=list)
    over_limit: list[FullScan] = field(default_factory=list)


#: Checks records individually; returns None if the API has no call for one record.
VerifyDeleted = Callable[[Resource, Sequence[str]], DeletionCheck | None]


def skip_verification(_resource: Resource, _source_ids: Sequence[str]) -> DeletionCheck | None:
    """Check no record."""
    return None


@dataclass(frozen=True, slots=True)
class ReconcileContext:
    """The ledger, settings and batch of a reconcile."""

    ledger: Ledger
    settings: Settings
    batch: Batch
    watch: Watch
    verify: VerifyDeleted = skip_verification
    dry: bool = False


def reconcile(work: ReconcileContext, batch_resources: Iterable[BatchResource]) -> ReconcileResult:
    """Mark records deleted that a complete full scan did not return, each resource in one transaction.

    A resource with too many missing records is left unchanged and marked failed: a person has to decide.
    """
    result = ReconcileResult()
    for batch_resource in batch_resources:
        resource = find_resource(batch_resource.resource)
        if is_fully_read(resource, batch_resource):
            result.scans.append(scan := reconcile_resource(work, resource))
            if scan.is_over_limit(work.settings.etl_delete_brake):
                result.over_limit.append(scan)
    return result


def reconcile_resource(work: ReconcileContext, resource: Resource) -> FullScan:
    """Reconcile one resource and return its full scan."""
    tenant, batch_id = work.batch.tenant, work.batch.id
    scan = work.ledger.read(partial(full_scan.measure_scan, resource=resource, tenant=tenant, batch_id=batch_id))
    if not scan.missing_count:
        return scan
    if work.ledger.read(partial(full_scan.has_unanswered, resource=resource, batch_id=batch_id)):
        work.watch(Message(f"{resource.name}: {UNPROVEN.format(scan.missing_count)}"))
        return FullScan(resource.name, scan.known_count, 0, is_proven=False)
    missing = work.ledger.read(partial(full_scan.find_missing, resource=resource, tenant=tenant, batch_id=batch_id))
    if scan.is_over_limit(work.settings.etl_delete_brake):
        apply_deletion_limit(work, scan, missing)
        return scan
    check = work.verify(resource, missing)
    excluded = check.unconfirmed if check is not None else frozenset()
    report_missing(work, scan, [source_id for source_id in missing if source_id not in excluded], check)
    if not work.dry and len(excluded) < scan.missing_count:
        merged = work.ledger.commit(
            partial(mark_missing_deleted, resource=resource, batch=work.batch, excluded=excluded)
        )
        report_merged(work, resource, merged)
    return replace(scan, missing_count=scan.missing_count - len(excluded))


def report_missing(work: ReconcileContext, scan: FullScan, missing: Sequence[str], check: DeletionCheck | None) -> None:
    """Report which records are missing, what is done with them, and which were not confirmed as deleted."""
    if missing:
        action = "would be marked deleted" if work.dry else "are marked deleted"
        counts = f"{len(missing)} of {scan.known_count} records are missing in QQCatalyst"
        work.watch(Message(f"{scan.resource}: {counts} and {action}: {format_ids(missing)}."))
    unconfirmed = len(check.unconfirmed) if check is not None else 0
    if check is not None and unconfirmed:
        unchecked = unconfirmed - check.still_exist
        work.watch(
            Message(
                f"{scan.resource}: {unconfirmed} more records were not returned by the full read and are left "
                f"unchanged. Checked individually: {check.still_exist} still exist, {unchecked} could not be checked."
            )
        )


def format_ids(source_ids: Sequence[str]) -> str:
    """Return the first ids, and the number of others."""
    more = len(source_ids) - MAX_LISTED_IDS
    listed = ", ".join(sorted(source_ids, key=lambda source_id: (len(source_id), source_id))[:MAX_LISTED_IDS])
    return f"{listed} and {more} more" if more > 0 else listed


def report_merged(work: ReconcileContext, resource: Resource, merged: int) -> None:
    """Report missing records that seem merged into others."""
    if merged:
        text = f"{merged} of the missing records seem merged into others, which took over their data; see etl.aliases"
        work.watch(Message(f"{resource.name}: {text}."))


def select_reconcilable(names: Collection[str], settings: Settings) -> tuple[str, ...]:
    """Return the named resources, or those that a sync reads as one list.

    Raises UsageError for a resource that is read per parent: each of its responses is a complete set.
    """
    for name in names:
        if not is_single_list(find_resource(name)):
            raise UsageError(f"{name} is always read in complete sets, so it needs no reconcile.")
    out_of_reach = find_out_of_reach(settings, names)
    read = (name for name in resource_names((), settings) if name not in out_of_reach)
    return tuple(names) or tuple(name for name in read if is_single_list(find_resource(name)))


def is_single_list(resource: Resource) -> bool:
    """Return whether the records of a resource are read as one list."""
    return bool(resource.endpoints) and resource.parent is None and resource.nested is None


def is_fully_read(resource: Resource, batch_resource: BatchResource) -> bool:
    """Return whether a batch read every id of a resource: one list, completely, from the first instant on."""
    is_done = batch_resource.complete and batch_resource.status is ResourceState.DONE
    return is_done and batch_resource.window.start <= FIRST_INSTANT and is_single_list(resource)


def mark_missing_deleted(connection: Connection, resource: Resource, batch: Batch, excluded: Collection[str]) -> int:
    """Mark a resource's missing records and their rows deleted; return the number that seem merged into others."""
    full_scan.mark_missing(connection, resource, batch.tenant, batch.id, excluded)
    soft_delete_missing(connection, LoadContext(batch.tenant, batch.id, batch.window), resource)
    return merges.detect_merges(connection, resource.model, batch.tenant, batch.id)


def apply_deletion_limit(work: ReconcileContext, scan: FullScan, missing: Sequence[str]) -> None:
    """Mark a resource failed that has too many missing records."""
    counts = f"{scan.missing_count} of {scan.known_count} records are missing in QQCatalyst ({format_ids(missing)})"
    consequence = "These are too many to delete at once, so none was marked deleted. If they are really gone,"
    stop_changes(work, scan, f"{counts}. {consequence}")


def stop_changes(work: ReconcileContext, scan: FullScan, what_happened: str) -> None:
    """Mark a resource failed in which too many records would change at once, and show how to raise the limit."""
    command = f"ETL_DELETE_BRAKE={scan.find_passing_share():.2f} qqetl reconcile --resource {scan.resource}"
    reason = f"{what_happened} raise the limit for one run: `{command}`."
    work.watch(Message(f"{scan.resource}: {reason}"))
    failed = partial(
        batches.set_resource_state, status=ResourceState.FAILED, error=reason, trouble=IncidentKind.BRAKE_PULLED
    )
    work.ledger.commit(partial(failed, batch_id=work.batch.id, resource=scan.resource))


def undo_deletions(engine: Engine, settings: Settings, batch_id: UUID) -> Mapping[str, int]:
    """Restore the rows that a batch marked deleted as missing; return the number of restored rows by resource.

    Raises UsageError for an unknown batch, LeaseHeld while another run is active.
    """
    check_migrated(engine)
    resources = [resource for resource in CATALOGUE if is_single_list(resource)]
    with hold_lease(engine, settings.etl_tenant, [resource.name for resource in resources]) as lease:
        ledger = Ledger(engine, settings.etl_tenant, lease)
        batch = ledger.read(partial(batches.read_batch, batch_id=batch_id))
        if not batch.options.get("full"):
            raise UsageError(f"Batch {batch_id} was not a full read, so it marked no missing records.")
        back = partial(full_scan.restore_missing, tenant=ledger.tenant, batch_id=batch_id)
        restored = {resource.name: ledger.commit(partial(back, resource=resource)) for resource in resources}
        ledger.commit(partial(follow_records_around, tenant=ledger.tenant, batch_id=batch_id))
        return restored
