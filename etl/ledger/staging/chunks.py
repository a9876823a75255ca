"""Raw rows in chunks, and a step over all that wait for it."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue.resource import Resource
from etl.events import Advanced, Watch
from etl.ledger import counters
from etl.ledger.staging import raw_tables
from etl.ledger.transaction import Ledger
from etl.models.states import Outcome, RawState
from etl.record import StagedRecord

#: Raw rows per transaction: large enough for bulk statements, small enough for memory.
CHUNK_SIZE = 2000
#: Sorts before every id.
FIRST_ID = "00000000-0000-0000-0000-000000000000"


def iterate_chunks(
    ledger: Ledger, read: Callable[[Connection, str], Sequence[StagedRecord]]
) -> Iterator[Sequence[StagedRecord]]:
    """Yield chunks of raw rows; `read` returns the chunk after an id."""
    after = FIRST_ID
    while chunk := ledger.read(lambda connection: read(connection, after)):  # noqa: B023 (it is called immediately)
        after = chunk[-1].raw_id
        yield chunk


class Step(ABC):
    """One step over the pending raw rows of one resource of a batch."""

    #: The name of the step in progress events.
    name: ClassVar[str]
    #: The states of raw rows that wait for this step.
    statuses: ClassVar[tuple[RawState, ...]]

    def __init__(self, ledger: Ledger, batch_id: UUID, resource: Resource, rules: str) -> None:
        self.ledger = ledger
        self.batch_id = batch_id
        self.resource = resource
        self.rules = rules

    def run(self, watch: Watch) -> Counter[str]:
        """Process chunk after chunk, each in one transaction, and return the counts."""
        counts: Counter[str] = Counter({Outcome.OLDER: self.ledger.commit(self.skip_superseded)})
        for records in iterate_chunks(self.ledger, self.read_pending):
            counts.update(self.ledger.commit(partial(self.process_chunk, records=records)))
            watch(Advanced(self.name, self.resource.name, 0, len(records)))
        return counts

    def read_pending(self, connection: Connection, after: str) -> Sequence[StagedRecord]:
        """Return the next chunk of raw rows that wait for this step."""
        return raw_tables.read_pending(connection, self.resource, self.batch_id, self.statuses, after, CHUNK_SIZE)

    def skip_superseded(self, connection: Connection) -> int:
        """Skip rows that newer versions superseded, and return their number."""
        older_count = raw_tables.skip_superseded(connection, self.resource, self.batch_id, self.rules)
        counters.add_counts(connection, self.batch_id, self.resource.name, {Outcome.OLDER: older_count})
        return older_count

    @abstractmethod
    def process_chunk(self, connection: Connection, records: Sequence[StagedRecord]) -> Counter[str]:
        """Process one chunk, and return its counts."""
