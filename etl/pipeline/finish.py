"""When several tasks read a resource: it has ended when no slice is left, and what is made of others when they have."""

from functools import partial
from typing import Any

from etl.errors import ApiUnavailable
from etl.extract.read_resource import check_sources, finish_resource
from etl.ledger import batches, children, slices
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.transaction import Ledger
from etl.models.states import ENDED, ResourceState
from etl.pipeline.sync import build_finish
from etl.resources import resource as named

UNREAD = "not all of it was read; the next run goes on there"


def finish_read(ledger: Ledger, batch: Batch, part: BatchResource) -> None:
    """End a resource whose slices were all read.

    One that has slices left stays as it is: failed for the reason that a task gave, else to be taken up.
    """
    resource = named(part.resource)
    left = ledger.read(partial(slices.read_open_slices, batch_id=batch.id, resource=part.resource))
    if part.status in ENDED or not resource.endpoints or left is None:
        return
    if not left:
        finish_resource(ledger, batch.id, resource, build_finish(batch), complete=has_nothing_outstanding(ledger, part))


def has_nothing_outstanding(ledger: Ledger, part: BatchResource) -> bool:
    """Tell whether nothing of a resource that was read is left for another run."""
    if named(part.resource).parent is None:
        return True
    return ledger.read(partial(children.read_coverage, resource=part.resource, tenant=ledger.tenant)).outstanding == 0


def finish_derived(ledger: Ledger, batch: Batch) -> None:
    """End the resources that are made from others, and say of those that were not read to their end that it is so."""
    parts = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
    ends = {part.resource: part.status if part.status in ENDED else ResourceState.FAILED for part in parts}
    for part in parts:
        place: dict[str, Any] = {"batch_id": batch.id, "resource": part.resource}
        resource = named(part.resource)
        if part.status in ENDED:
            continue
        if resource.endpoints:
            if part.status is not ResourceState.FAILED:
                ledger.commit(partial(batches.set_resource_state, status=part.status, error=UNREAD, **place))
            continue
        try:
            check_sources(resource, ends)
        except ApiUnavailable as error:
            ledger.commit(partial(batches.set_resource_state, status=ResourceState.FAILED, error=str(error), **place))
        else:
            finish_resource(ledger, batch.id, resource, build_finish(batch))
