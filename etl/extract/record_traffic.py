"""Records the API traffic of a run with its batch: for a sync, a step or a task."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from etl.api.traffic import Traffic
from etl.ledger import batches
from etl.ledger.transaction import Ledger


@contextmanager
def noting_traffic(ledger: Ledger, batch_id: UUID, traffic: Traffic) -> Iterator[None]:
    """Keep with a batch what was asked of the API until the block ends, and was not noted before.

    So the greeting and what planning asked are counted, too. Whatever ends a run outranks a trouble with this.
    """
    try:
        yield
    finally:
        calls, waited = traffic.not_yet_noted()
        ledger.attempt(partial(batches.note_traffic, batch_id=batch_id, calls=calls, waited=waited))
