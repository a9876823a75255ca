"""Batches: made, moved forward, failed, taken up again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, insert, select, text, update

from etl.errors import UsageError
from etl.models.bookkeeping import batch_resources, batches, slices
from etl.models.states import ENDED, FORWARD, BatchState, Outcome, ResourceState, TroubleKind
from etl.window import Window


@dataclass(frozen=True, slots=True)
class Batch:
    """One run over one window."""

    id: UUID
    tenant: str
    window: Window
    status: BatchState
    rules: str
    command: str
    options: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class BatchResource:
    """One resource of a batch."""

    resource: str
    status: ResourceState
    window: Window
    counts: Mapping[str, int]
    fully_read: bool = False  #: whether this batch has nothing more to read of it
    complete: bool = False  #: whether nothing is left for another run either, such as a backlog beyond the budget
    error: str | None = None
    trouble: TroubleKind | None = None  #: of what kind, where it failed otherwise than by an error

    @property
    def is_unread(self) -> bool:
        """Whether something is left to read that nothing has failed at."""
        return self.status in (ResourceState.PENDING, ResourceState.RUNNING)


def create_batch(connection: Connection, batch: Batch, parts: Mapping[str, Window], version: str) -> None:
    """Write a new batch with its resources, each with a window of its own."""
    connection.execute(
        insert(batches).values(
            id=batch.id,
            tenant=batch.tenant,
            window_start=batch.window.start,
            window_end=batch.window.end,
            status=batch.status,
            rules=batch.rules,
            version=version,
            command=batch.command,
            options=dict(batch.options),
        )
    )
    connection.execute(
        insert(batch_resources),
        [
            {
                "batch_id": batch.id,
                "resource": name,
                "number": number,
                "window_start": window.start,
                "window_end": window.end,
            }
            for number, (name, window) in enumerate(parts.items())
        ],
    )


def build_batch(tenant: str, window: Window, rules: str, command: str, options: Mapping[str, Any]) -> Batch:
    """Return a batch that was not written yet."""
    return Batch(uuid4(), tenant, window, BatchState.CREATED, rules, command, options)


def read_batch(connection: Connection, batch_id: UUID) -> Batch:
    """Return the batch of this id; raise UsageError when there is none."""
    row = connection.execute(select(batches).where(batches.c.id == batch_id)).one_or_none()
    if row is None:
        raise UsageError(f"There is no batch {batch_id}. `qqetl runs` lists them.")
    return to_batch(row)


def read_newest_batch(connection: Connection, tenant: str) -> Batch | None:
    """Return the tenant's newest batch, None before the first."""
    query = select(batches).where(batches.c.tenant == tenant).order_by(batches.c.started_at.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else to_batch(row)


def find_batch_of_run(connection: Connection, tenant: str, run: str) -> Batch | None:
    """Return the batch that a run of several tasks works on, None before it has one."""
    mine = (batches.c.tenant == tenant) & (batches.c.options["run"].astext == run)
    row = connection.execute(select(batches).where(mine).order_by(batches.c.started_at.desc()).limit(1)).one_or_none()
    return None if row is None else to_batch(row)


def assign_to_run(connection: Connection, batch_id: UUID, run: str) -> None:
    """Note that another run works on a batch from now on."""
    options = batches.c.options.concat({"run": run})
    connection.execute(update(batches).where(batches.c.id == batch_id).values(options=options))


def read_previous_rules(connection: Connection, batch: Batch) -> str | None:
    """Return the version of the rules that the tenant's last completed batch went by, None before the first."""
    query = (
        select(batches.c.rules)
        .where(batches.c.tenant == batch.tenant, batches.c.status == BatchState.COMPLETED)
        .order_by(batches.c.started_at.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def to_batch(row: Any) -> Batch:
    """Return a row of `etl.batches` as a batch."""
    window = Window(row.window_start, row.window_end)
    return Batch(row.id, row.tenant, window, BatchState(row.status), row.rules, row.command, row.options, row.error)


def advance_batch(connection: Connection, batch_id: UUID, to: BatchState) -> None:
    """Move a batch forward to a state; one that is already there or further stays where it is.

    A failed batch is taken up by this move. A completed one stays completed.
    """
    before = [state.value for state in (*FORWARD[: FORWARD.index(to)], BatchState.FAILED)]
    finished = {"finished_at": text("now()")} if to is BatchState.COMPLETED else {"finished_at": None}
    connection.execute(
        update(batches)
        .where(batches.c.id == batch_id, batches.c.status.in_(before))
        .values(status=to, error=None, **finished)
    )


def mark_batch_failed(connection: Connection, batch_id: UUID, error: str) -> None:
    """Mark a batch failed with a reason in words; a completed one stays completed."""
    connection.execute(
        update(batches)
        .where(batches.c.id == batch_id, batches.c.status != BatchState.COMPLETED)
        .values(status=BatchState.FAILED, error=error, finished_at=text("now()"))
    )


def read_batch_resources(connection: Connection, batch_id: UUID) -> list[BatchResource]:
    """Return the resources of a batch in the order of extraction."""
    query = select(batch_resources).where(batch_resources.c.batch_id == batch_id).order_by(batch_resources.c.number)
    return [to_batch_resource(row) for row in connection.execute(query)]


def to_batch_resource(row: Any) -> BatchResource:
    """Return a row of `etl.batch_resources` as a part."""
    names = ("pages", "fetched", "findings", *Outcome)
    counts = {name: getattr(row, name) for name in map(str, names)}
    window = Window(row.window_start, row.window_end)
    whole, complete = (bool(row.position.get(name)) for name in ("whole", "complete"))
    trouble = TroubleKind(row.trouble) if row.trouble else None
    return BatchResource(row.resource, ResourceState(row.status), window, counts, whole, complete, row.error, trouble)


def set_resource_state(
    connection: Connection,
    batch_id: UUID,
    resource: str,
    status: ResourceState,
    error: str | None = None,
    trouble: TroubleKind | None = None,
) -> None:
    """Set the state of one resource of a batch, with the reason when it failed or is not offered."""
    connection.execute(
        update(batch_resources)
        .where(batch_resources.c.batch_id == batch_id, batch_resources.c.resource == resource)
        .values(status=status, error=error, trouble=trouble)
    )


def add_traffic(connection: Connection, batch_id: UUID, calls: int, waited: float) -> None:
    """Add to what a batch has asked of the API."""
    sums = {"calls": batches.c.calls + calls, "waited_seconds": batches.c.waited_seconds + waited}
    connection.execute(update(batches).where(batches.c.id == batch_id).values(sums))


def mark_fully_read(connection: Connection, batch_id: UUID, resource: str, *, complete: bool) -> None:
    """Note that a resource was read to its end, how many records the API said there are, and whether that is all."""
    mine = (batch_resources.c.batch_id == batch_id) & (batch_resources.c.resource == resource)
    announced = select(func.sum(slices.c.total)).where(slices.c.batch_id == batch_id, slices.c.resource == resource)
    position = {"whole": True, "complete": complete}
    values = {"position": position, "api_total": announced.scalar_subquery()}
    connection.execute(update(batch_resources).where(mine).values(values))


def read_traffic(connection: Connection, batch_id: UUID) -> tuple[int, float, float]:
    """Return the calls of a batch, the seconds that they waited for their turn, and those since it was begun."""
    age = func.extract("epoch", func.now() - batches.c.started_at)
    query = select(batches.c.calls, batches.c.waited_seconds, age).where(batches.c.id == batch_id)
    calls, waited, seconds = connection.execute(query).one()
    return calls, waited, float(seconds)


def select_unfinished(rows: Sequence[BatchResource]) -> list[str]:
    """Return the resources of a batch that are still to be done."""
    return [part.resource for part in rows if part.status not in ENDED]
