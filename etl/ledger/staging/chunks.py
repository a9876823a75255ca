"""Raw rows portion by portion, in the order of their ids; and the loop that every step of the separate services is."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.events import Advanced, Watch
from etl.ledger import counters
from etl.ledger.staging import raw_tables
from etl.ledger.transaction import Ledger
from etl.models.states import Outcome, RawState
from etl.record import StagedRecord

#: Raw rows that one transaction takes: large enough for bulk, small enough for memory.
CHUNK_SIZE = 2000
#: Before every id.
FIRST_ID = "00000000-0000-0000-0000-000000000000"


def iterate_chunks(
    ledger: Ledger, read: Callable[[Connection, str], Sequence[StagedRecord]]
) -> Iterator[Sequence[StagedRecord]]:
    """Yield what `read` returns of the raw rows behind an id, from the first one on, until there are none."""
    after = FIRST_ID
    while portion := ledger.read(lambda connection: read(connection, after)):  # noqa: B023 (it is run at once)
        after = portion[-1].raw_id
        yield portion


class Step(ABC):
    """One step over the waiting raw rows of one resource of a batch."""

    #: What the step is called where progress is told.
    name: ClassVar[str]
    #: The states of raw rows that wait for it.
    statuses: ClassVar[tuple[RawState, ...]]

    def __init__(self, ledger: Ledger, batch_id: UUID, resource: Resource, rules: str) -> None:
        self.ledger = ledger
        self.batch_id = batch_id
        self.resource = resource
        self.rules = rules

    def run(self, watch: Watch) -> Counter[str]:
        """Take portion after portion, each in one transaction, and return the counts."""
        counts: Counter[str] = Counter({Outcome.OLDER: self.ledger.commit(self.skip_superseded)})
        for candidates in iterate_chunks(self.ledger, self.read_pending):
            counts.update(self.ledger.commit(partial(self.process_chunk, candidates=candidates)))
            watch(Advanced(self.name, self.resource.name, 0, len(candidates)))
        return counts

    def read_pending(self, connection: Connection, after: str) -> Sequence[StagedRecord]:
        """Return the next raw rows that wait for the step."""
        return raw_tables.read_pending(connection, self.resource, self.batch_id, self.statuses, after, CHUNK_SIZE)

    def skip_superseded(self, connection: Connection) -> int:
        """Leave out what newer versions superseded, and count it."""
        older = raw_tables.skip_superseded(connection, self.resource, self.batch_id, self.rules)
        counters.add_counts(connection, self.batch_id, self.resource.name, {Outcome.OLDER: older})
        return older

    @abstractmethod
    def process_chunk(self, connection: Connection, candidates: Sequence[StagedRecord]) -> Counter[str]:
        """Take one portion, and return its counts."""
