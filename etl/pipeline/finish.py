"""Finishing the resources of a run that several tasks share: those read from the API, and those derived from them."""

from functools import partial

from etl.errors import ApiUnavailable
from etl.extract.read_resource import check_sources, finish_resource
from etl.ledger import batches, slices
from etl.ledger.batches import Batch, BatchResource, BatchResourceKey
from etl.ledger.children import queue as children
from etl.ledger.transaction import Ledger
from etl.models.states import ENDED, ResourceState
from etl.resources import find_resource

UNREAD = "only partly read; the next run resumes from there"


def finish_read(ledger: Ledger, batch: Batch, batch_resource: BatchResource, refused_limit: float) -> None:
    """Finish a resource if all its slices were read; otherwise leave it failed or running, for a run to resume."""
    resource = find_resource(batch_resource.resource)
    remaining = ledger.read(partial(slices.read_open_slices, batch_id=batch.id, resource=batch_resource.resource))
    if batch_resource.status in ENDED or not resource.endpoints or remaining is None:
        return
    if not remaining:
        is_complete = has_nothing_outstanding(ledger, batch, batch_resource)
        finish_resource(ledger, batch, resource, refused_limit, complete=is_complete)


def has_nothing_outstanding(ledger: Ledger, batch: Batch, batch_resource: BatchResource) -> bool:
    """Return whether a resource that was read has no calls left for another run."""
    resource = find_resource(batch_resource.resource)
    if resource.parent is None:
        return True
    if not ledger.read(partial(children.were_parents_read, batch=batch, resource=resource)):
        return False
    return ledger.read(partial(children.count_outstanding, tenant=ledger.tenant)).get(batch_resource.resource, 0) == 0


def finish_derived(ledger: Ledger, batch: Batch, refused_limit: float) -> None:
    """Finish the resources derived from others, and record which resources were only partly read."""
    batch_resources = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
    statuses = {
        batch_resource.resource: batch_resource.status if batch_resource.status in ENDED else ResourceState.FAILED
        for batch_resource in batch_resources
    }
    for batch_resource in batch_resources:
        key = BatchResourceKey(batch_id=batch.id, resource=batch_resource.resource)
        resource = find_resource(batch_resource.resource)
        if batch_resource.status in ENDED:
            continue
        if resource.endpoints:
            if batch_resource.status is not ResourceState.FAILED:
                ledger.commit(partial(batches.set_resource_state, status=batch_resource.status, error=UNREAD, **key))
            continue
        try:
            check_sources(resource, statuses)
        except ApiUnavailable as error:
            ledger.commit(partial(batches.set_resource_state, status=ResourceState.FAILED, error=str(error), **key))
        else:
            finish_resource(ledger, batch, resource, refused_limit)
