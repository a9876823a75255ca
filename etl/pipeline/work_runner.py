"""The pieces of one wave: planned once a batch, each share read by the code that reads a whole resource."""

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from math import ceil
from typing import Any

from sqlalchemy import Connection

from etl.events import Began
from etl.extract.call_budget import Budget
from etl.extract.child_reader import ByParents
from etl.extract.list_reader import BySlices
from etl.extract.read_resource import ITS_OWN, note_drift, settle
from etl.extract.run import Run
from etl.extract.scheduler import is_child
from etl.ledger import batches, children, slices
from etl.ledger.batches import Part
from etl.ledger.children import Portion
from etl.ledger.slices import Slice
from etl.models.states import ENDED, ResourceState
from etl.pipeline.task_chunks import Piece, Share, packed, parts_of_queue, weight_of, weight_of_calls
from etl.resources import resource as named


def planned_pieces(run: Run, parts: Iterable[Part]) -> list[Piece]:
    """Return the pieces in which resources are read as far as they are not yet; those that cannot be planned fail."""
    shares: list[Share] = []
    parts = list(parts)
    budget = budget_left(run, {part.resource for part in parts})
    for part in parts:
        if part.status not in ENDED:
            run.ledger.commit(
                partial(batches.mark, batch_id=run.batch.id, resource=part.resource, status=ResourceState.RUNNING)
            )
            run.watch(Began(run.step, part.resource))
            try:
                shares += of_parents(run, part, budget) if is_child(part) else of_slices(run, part)
            except ITS_OWN as error:
                settle(run, named(part.resource), error)
    return packed(shares)


def of_slices(run: Run, part: Part) -> Iterator[Share]:
    """Yield a share for each slice of a resource that is still to be read."""
    for one in BySlices(run, part).planned():
        yield Share(part.resource, (one.number,), weight_of(one))


def of_parents(run: Run, part: Part, budget: Budget) -> Iterator[Share]:
    """Yield shares of what is to be asked for once per parent, within what is left of the budget."""
    reading = ByParents(run, part)
    run.ledger.commit(reading.queue)
    calls = budget.take(part.resource, reading.outstanding())
    budget.end(part.resource)
    left = run.ledger.commit(partial(portions_left, run=run, resource=part.resource, calls=calls))
    limited = run.settings.etl_child_budget is not None
    for one in left:
        most = ceil(calls / len(left))
        yield Share(part.resource, (one.number,), weight_of_calls(most), most if limited else None)


def budget_left(run: Run, wave: Collection[str]) -> Budget:
    """Return what is left of the run's budget for the resources of a wave, and for those whose wave is to come."""
    calls = run.settings.etl_child_budget
    if calls is None:
        return Budget()
    every = run.ledger.read(partial(batches.parts, batch_id=run.batch.id))
    made = sum(part.counts["pages"] for part in every if is_child(part))
    sharing = [part for part in every if is_child(part) and part.status not in ENDED]
    to_come = [part.resource for part in sharing if part.resource in wave or part.status is ResourceState.PENDING]
    return Budget(calls - made, to_come)


def portions_left(connection: Connection, run: Run, resource: str, calls: int) -> list[Slice]:
    """Return the portions of a queue that are still to be read, made when the resource is begun."""
    place: dict[str, Any] = {"batch_id": run.batch.id, "resource": resource}
    known = slices.planned(connection, **place)
    if known is None:
        slices.plan(connection, planned=[Slice(number, 0) for number in range(parts_of_queue(calls))], **place)
        known = slices.planned(connection, **place) or []
    if not calls:
        for one in known:
            slices.end(connection, number=one.number, **place)
        known = []
    return known


def read_share(run: Run, part: Part, share: Share) -> None:
    """Read the slices of one share; what only its resource fails at is kept with the batch."""
    try:
        if is_child(part):
            read_portions(run, part, share)
        else:
            BySlices(run, part).read(share.numbers)
    except ITS_OWN as error:
        settle(run, named(part.resource), error)
    note_drift(run, named(part.resource))


def read_portions(run: Run, part: Part, share: Share) -> None:
    """Ask for the details of the parents in some portions of a queue, as many as the share's budget allows."""
    place: dict[str, Any] = {"batch_id": run.batch.id, "resource": part.resource}
    left = {one.number for one in run.ledger.read(partial(slices.planned, **place)) or ()}
    number = run.ledger.read(partial(slices.number_of, **place))
    budget = Budget(share.budget, [part.resource])
    for one in left.intersection(share.numbers):
        reading = ByParents(run, part, Portion(one, number), budget)
        reading.read_due(run.ledger.read(children.now))
        run.ledger.commit(partial(slices.end, number=one, **place))
