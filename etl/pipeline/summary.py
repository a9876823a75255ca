"""The summary of a run: what it read and wrote, with the interrupted batch that it finished first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from etl.errors import ExitStatus
from etl.ledger import batches, sync_history
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.children import child_samples
from etl.ledger.children.child_samples import ChildSample
from etl.ledger.quality import drift, findings
from etl.ledger.quality.drift import DriftChange
from etl.ledger.staging.full_scan import FullScan
from etl.ledger.transaction import Ledger
from etl.models.states import BatchState, ResourceState
from etl.window import Window


@dataclass(frozen=True)
class Summary:
    """The result of a run."""

    batch: Batch
    parts: Sequence[BatchResource]
    tables: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  #: rows written, by table and outcome
    seconds: float = 0.0  #: of work on the batch, those of earlier runs included
    calls: int = 0  #: of the batch, those of earlier runs included
    waited: float = 0.0  #: seconds in which calls waited for the call limit
    drift: Sequence[DriftChange] = ()  #: changes of the API that this run was the first to see
    swept: Sequence[FullScan] = ()  #: the full scan of each resource, after a full read
    has_backlog: bool = False  #: whether details are left because the time for them was over
    samples: Sequence[ChildSample] = ()  #: which calls are left out because a sample showed no records
    open_findings: int = 0  #: of the whole database, as `qqetl findings --open` lists them
    resumed_batch: UUID | None = None  #: the interrupted batch that the run finished first; all counts include it

    @property
    def exit_status(self) -> int:
        """0 if every offered resource is complete and balanced, 6 if some failed."""
        return ExitStatus.DONE if self.batch.status is BatchState.COMPLETED else ExitStatus.INCOMPLETE

    @property
    def incomplete(self) -> tuple[str, ...]:
        """The resources that have work left for another run, such as details beyond the call budget."""
        return tuple(part.resource for part in self.parts if part.status is ResourceState.DONE and not part.complete)

    def after(self, resumed: "Summary") -> "Summary":
        """Return the summary of this run and of the interrupted batch that it finished first, as of one run."""
        start = min(resumed.batch.window.start, self.batch.window.start)
        return replace(
            self,
            batch=replace(self.batch, window=Window(start, self.batch.window.end)),
            parts=list(add_parts(resumed.parts, self.parts)),
            tables=add_tables(resumed.tables, self.tables),
            seconds=resumed.seconds + self.seconds,
            calls=resumed.calls + self.calls,
            waited=resumed.waited + self.waited,
            drift=[*resumed.drift, *self.drift],
            swept=[*resumed.swept, *self.swept],
            resumed_batch=resumed.batch.id,
        )


def add_parts(first: Sequence[BatchResource], second: Sequence[BatchResource]) -> Iterator[BatchResource]:
    """Yield the resources of two batches; one that is in both has the counts of both and the state of the second."""
    by_name = {part.resource: part for part in first}
    for part in second:
        before = by_name.pop(part.resource, None)
        yield (
            part
            if before is None
            else replace(
                part,
                counts={name: count + before.counts.get(name, 0) for name, count in part.counts.items()},
                window=Window(min(before.window.start, part.window.start), part.window.end),
            )
        )
    yield from by_name.values()


def add_tables(
    first: Mapping[str, Mapping[str, int]], second: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """Return the row counts of two batches, by table and outcome."""
    return {
        table: {
            name: first.get(table, {}).get(name, 0) + second.get(table, {}).get(name, 0)
            for name in {**first.get(table, {}), **second.get(table, {})}
        }
        for table in sorted({*first, *second})
    }


def summarize_batch(ledger: Ledger, batch_id: UUID, seconds: float) -> Summary:
    """Return the summary of a batch as stored now: calls, records and rows of all runs that worked on it."""
    batch = ledger.read(partial(batches.read_batch, batch_id=batch_id))
    batch_resources = ledger.read(partial(batches.read_batch_resources, batch_id=batch_id))
    calls, waited, _ = ledger.read(partial(batches.read_traffic, batch_id=batch_id))
    return Summary(
        batch,
        batch_resources,
        ledger.read(partial(sync_history.read_history, batch_id=batch_id)),
        seconds,
        calls,
        waited,
        ledger.read(partial(drift.read_changes_of_batch, batch_id=batch_id)),
        samples=ledger.read(partial(child_samples.read_samples, tenant=ledger.tenant)),
        open_findings=ledger.read(partial(findings.count_open, tenant=ledger.tenant)),
    )
