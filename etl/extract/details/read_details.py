"""Reads the resources of a batch that have a call per parent, together, and records how each ended."""

from collections.abc import Sequence
from functools import partial

from etl.events import Message
from etl.extract.details.detail_reader import DetailReader
from etl.extract.read_resource import finish_resource, mark_unreadable, report_end
from etl.extract.run import ExtractRun
from etl.ledger import batches
from etl.ledger.batches import BatchResource
from etl.ledger.children import queue as children
from etl.models.states import ResourceState
from etl.resources import find_resource


def read_details(run: ExtractRun, batch_resources: Sequence[BatchResource]) -> dict[str, ResourceState]:
    """Read details in order of value over all resources, and return the final state of each resource."""
    if not batch_resources:
        return {}
    names = [batch_resource.resource for batch_resource in batch_resources]
    run.ledger.commit(partial(batches.mark_running, batch_id=run.batch.id, resources=names))
    reader = DetailReader(run, batch_resources)
    reader.write_rounds(reader.rounds())
    outstanding = reader.count_outstanding()
    run.has_backlog = run.is_share_over() and any(outstanding.get(name) for name in reader.readings)
    if run.has_backlog:
        run.watch(Message("Stopped reading details after 57 minutes. The next run continues."))
    return {name: end_reading(run, reader, name, outstanding.get(name, 0)) for name in reader.readings}


def end_reading(run: ExtractRun, reader: DetailReader, name: str, outstanding: int) -> ResourceState:
    """Record and report how the reading of a resource ended, and return its final state."""
    resource, error = find_resource(name), reader.readings[name].error
    if error is not None:
        ended = mark_unreadable(run, resource, error)
    else:
        profile = run.profiler.pop_profile(resource)
        were_parents_read = run.ledger.read(partial(children.were_parents_read, batch=run.batch, resource=resource))
        is_complete = outstanding == 0 and were_parents_read and run.limit is None
        limit = run.options.refused_limit
        ended = finish_resource(run.ledger, run.batch, resource, limit, complete=is_complete, profile=profile)
    report_end(run, ended)
    return ended.status
