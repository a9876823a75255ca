"""Records the API traffic of a run with its batch: for a sync, a step or a task."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from etl.api.traffic import Traffic
from etl.ledger import batches
from etl.ledger.transaction import Ledger


@contextmanager
def recording_traffic(ledger: Ledger, batch_id: UUID, traffic: Traffic) -> Iterator[None]:
    """Store with a batch the calls made until the block ends that were not stored before.

    This includes the first contact and the calls of planning. An error of the block takes precedence over one of
    storing.
    """
    try:
        yield
    finally:
        calls, waited = traffic.not_yet_noted()
        ledger.try_once(partial(batches.add_traffic, batch_id=batch_id, calls=calls, waited=waited))
