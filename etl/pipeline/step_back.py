"""Stepping back: after a full read, records that the source itself set back replace our newer versions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from sqlalchemy import Connection

from etl.catalogue.resource import Resource
from etl.events import Message
from etl.ledger import counters
from etl.ledger.batches import BatchResource
from etl.ledger.staging import full_scan, step_back
from etl.ledger.staging.full_scan import FullScan
from etl.load.rows import soft_delete_missing
from etl.models.states import Outcome
from etl.pipeline.reconcile import ReconcileContext, format_ids, is_fully_read, stop_changes
from etl.pipeline.stream import Stream
from etl.resources import derived_from, find_resource

#: The outcomes of a load that replaced something.
WRITTEN = (Outcome.INSERTED, Outcome.UPDATED, Outcome.UNCHANGED)


def step_back_resources(work: ReconcileContext, batch_resources: Iterable[BatchResource]) -> None:
    """Replace newer versions of ours by what two readings of each full read returned, each resource in one transaction.

    A resource with too many such records is left unchanged and marked failed: a person has to decide.
    """
    for batch_resource in batch_resources:
        resource = find_resource(batch_resource.resource)
        if is_fully_read(resource, batch_resource):
            step_back_resource(work, resource)


def step_back_resource(work: ReconcileContext, resource: Resource) -> None:
    """Replace the newer versions of one resource."""
    tenant, batch_id = work.batch.tenant, work.batch.id
    confirmed = work.ledger.read(partial(step_back.find_confirmed, resource=resource, tenant=tenant, batch_id=batch_id))
    if not confirmed:
        return
    source_ids = list(confirmed)
    scan = work.ledger.read(partial(full_scan.measure_scan, resource=resource, tenant=tenant, batch_id=batch_id))
    known_count = scan.known_count
    counted = f"{len(source_ids)} of {known_count} records are older in QQCatalyst than here"
    # Only a version that the source dated can have been set back there.
    older = FullScan(resource.name, known_count, sum(confirmed.values()))
    if older.is_over_limit(work.settings.etl_delete_brake):
        stop_changes(
            work, older,
            f"{counted} ({format_ids(source_ids)}). These are too many to replace at once, so none was changed. If "
            "QQCatalyst was restored from a backup,",
        )  # fmt: skip
        return
    work.watch(Message(f"{resource.name}: {counted} and are set back: {format_ids(source_ids)}."))
    stream = Stream(work.settings.cleaning, work.settings.etl_overlap, work.batch, {})
    work.ledger.commit(partial(replace_versions, stream=stream, resource=resource, source_ids=source_ids))


def replace_versions(connection: Connection, stream: Stream, resource: Resource, source_ids: Sequence[str]) -> None:
    """Load older versions in place of ours, and count them again: as stepped back instead of older."""
    batch = stream.batch
    older = step_back.withdraw_newest(connection, resource, batch.tenant, batch.id, source_ids)
    counts = stream.process_records(connection, resource, older)
    for child, _ in derived_from(resource.name):
        soft_delete_missing(connection, stream.make_target(child), child)
    written = Counter({str(outcome): counts[outcome] for outcome in WRITTEN})
    moved = Counter({Outcome.STEPPED_BACK.value: written.total(), Outcome.OLDER.value: -len(older)})
    moved.subtract({**written, "fetched": len(older)})
    counters.add_counts(connection, batch.id, resource.name, moved)
