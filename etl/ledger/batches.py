"""Batches and their resources: create, read, advance, fail."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, insert, select, text, update

from etl.errors import Interrupted, UsageError
from etl.models.bookkeeping import batch_resources, batches, slices
from etl.models.states import DRY_RECONCILE, ENDED, FORWARD, BatchState, IncidentKind, Outcome, ResourceState
from etl.queries import Queries
from etl.window import Window

SQL = Queries(__file__)


class BatchResourceKey(TypedDict):
    """The arguments that name one resource of a batch."""

    batch_id: UUID
    resource: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One run over one window: a row of `etl.batches`."""

    id: UUID
    tenant: str
    window: Window
    status: BatchState
    rules: str
    command: str
    options: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def was_stopped(self) -> bool:
        """Whether the last run of the batch was stopped on request, and met no error."""
        return self.status is BatchState.FAILED and self.error == str(Interrupted())

    @property
    def shown_status(self) -> str:
        """The status for people: a batch that was stopped on request has not failed."""
        return "stopped" if self.was_stopped else self.status.value


@dataclass(frozen=True, slots=True)
class BatchResource:
    """One resource of a batch: a row of `etl.batch_resources`."""

    resource: str
    status: ResourceState
    window: Window
    counts: Mapping[str, int]
    fully_read: bool = False  #: whether this batch has read the resource to the end
    complete: bool = False  #: whether no work is left for another run, such as a backlog beyond the call budget
    error: str | None = None
    trouble: IncidentKind | None = None  #: the kind of incident if the resource failed without an exception

    @property
    def is_unread(self) -> bool:
        """Whether the resource has more to read and has not failed."""
        return self.status in (ResourceState.PENDING, ResourceState.RUNNING)


def create_batch(connection: Connection, batch: Batch, windows: Mapping[str, Window], version: str) -> None:
    """Insert a batch with its resources and the window of each resource."""
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
                "resource": resource,
                "number": position,
                "window_start": window.start,
                "window_end": window.end,
            }
            for position, (resource, window) in enumerate(windows.items())
        ],
    )


def build_batch(tenant: str, window: Window, rules: str, command: str, options: Mapping[str, Any]) -> Batch:
    """Return a new batch that is not in the database yet."""
    return Batch(uuid4(), tenant, window, BatchState.CREATED, rules, command, options)


def read_batch(connection: Connection, batch_id: UUID) -> Batch:
    """Return the batch with this id; raise UsageError when it does not exist."""
    row = connection.execute(select(batches).where(batches.c.id == batch_id)).one_or_none()
    if row is None:
        raise UsageError(f"There is no batch {batch_id}. Run `qqetl runs` to list the batches.")
    return to_batch(row)


def read_newest_batch(connection: Connection, tenant: str, without: Collection[str] = ()) -> Batch | None:
    """Return the newest batch of the tenant, except those of some commands, or None if there is none."""
    query = select(batches).where(batches.c.tenant == tenant, batches.c.command.not_in(without))
    row = connection.execute(query.order_by(batches.c.started_at.desc()).limit(1)).one_or_none()
    return None if row is None else to_batch(row)


def find_batch_of_run(connection: Connection, tenant: str, run: str) -> Batch | None:
    """Return the batch of a run that consists of several tasks, or None before the batch exists."""
    is_of_run = (batches.c.tenant == tenant) & (batches.c.options["run"].astext == run)
    row = connection.execute(
        select(batches).where(is_of_run).order_by(batches.c.started_at.desc()).limit(1)
    ).one_or_none()
    return None if row is None else to_batch(row)


def assign_to_run(connection: Connection, batch_id: UUID, run: str) -> None:
    """Assign a batch to another run, which begins now."""
    options = batches.c.options.concat(func.jsonb_build_object("run", run, "run_began", func.now()))
    connection.execute(update(batches).where(batches.c.id == batch_id).values(options=options))


def read_seconds_of_run(connection: Connection, batch_id: UUID) -> float:
    """Return for how many seconds the run of a batch has gone on, in all its tasks."""
    return float(connection.execute(SQL["seconds_of_run"], {"batch_id": batch_id}).scalar_one())


def read_previous_rules(connection: Connection, batch: Batch) -> str | None:
    """Return the version of the cleaning rules in the tenant's last completed batch, or None before the first one.

    A dry run cleans nothing.
    """
    is_completed = (batches.c.status == BatchState.COMPLETED) & (batches.c.command != DRY_RECONCILE)
    query = (
        select(batches.c.rules)
        .where(batches.c.tenant == batch.tenant, is_completed)
        .order_by(batches.c.started_at.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def to_batch(row: Any) -> Batch:
    """Convert a row of `etl.batches` to a batch."""
    window = Window(row.window_start, row.window_end)
    return Batch(row.id, row.tenant, window, BatchState(row.status), row.rules, row.command, row.options, row.error)


def advance_batch(connection: Connection, batch_id: UUID, state: BatchState) -> None:
    """Advance a batch to a state. A batch that is already in this state or a later one does not change.

    A failed batch is resumed by this call. A completed batch stays completed.
    """
    earlier_states = [earlier.value for earlier in (*FORWARD[: FORWARD.index(state)], BatchState.FAILED)]
    finished = {"finished_at": text("now()")} if state is BatchState.COMPLETED else {"finished_at": None}
    connection.execute(
        update(batches)
        .where(batches.c.id == batch_id, batches.c.status.in_(earlier_states))
        .values(status=state, error=None, **finished)
    )


def mark_batch_failed(connection: Connection, batch_id: UUID, error: str) -> None:
    """Mark a batch failed with the reason. A completed batch stays completed."""
    connection.execute(
        update(batches)
        .where(batches.c.id == batch_id, batches.c.status != BatchState.COMPLETED)
        .values(status=BatchState.FAILED, error=error, finished_at=text("now()"))
    )


def read_batch_resources(connection: Connection, batch_id: UUID) -> list[BatchResource]:
    """Return the resources of a batch in the order of extraction."""
    query = select(batch_resources).where(batch_resources.c.batch_id == batch_id).order_by(batch_resources.c.number)
    return [to_batch_resource(row) for row in connection.execute(query)]


def read_batch_resource(connection: Connection, batch_id: UUID, resource: str) -> BatchResource | None:
    """Return one resource of a batch, None if the batch does not have it."""
    is_resource = (batch_resources.c.batch_id == batch_id) & (batch_resources.c.resource == resource)
    row = connection.execute(select(batch_resources).where(is_resource)).one_or_none()
    return None if row is None else to_batch_resource(row)


def to_batch_resource(row: Any) -> BatchResource:
    """Convert a row of `etl.batch_resources` to a batch resource."""
    columns = ("pages", "fetched", "findings", *Outcome)
    counts = {name: getattr(row, name) for name in map(str, columns)}
    window = Window(row.window_start, row.window_end)
    fully_read, complete = (bool(row.position.get(name)) for name in ("whole", "complete"))
    trouble = IncidentKind(row.trouble) if row.trouble else None
    return BatchResource(
        row.resource, ResourceState(row.status), window, counts, fully_read, complete, row.error, trouble
    )


def set_resource_state(
    connection: Connection,
    batch_id: UUID,
    resource: str,
    status: ResourceState,
    error: str | None = None,
    trouble: IncidentKind | None = None,
) -> BatchResource:
    """Set the state of one resource of a batch, with the reason if it failed or is not offered; return the resource."""
    changed = (
        update(batch_resources)
        .where(batch_resources.c.batch_id == batch_id, batch_resources.c.resource == resource)
        .values(status=status, error=error, trouble=trouble)
    )
    return to_batch_resource(connection.execute(changed.returning(batch_resources)).one())


def mark_running(connection: Connection, batch_id: UUID, resources: Collection[str]) -> None:
    """Mark resources of a batch as running, without the reason of an earlier failure."""
    connection.execute(
        update(batch_resources)
        .where(batch_resources.c.batch_id == batch_id, batch_resources.c.resource.in_(resources))
        .values(status=ResourceState.RUNNING, error=None, trouble=None)
    )


def add_traffic(connection: Connection, batch_id: UUID, calls: int, waited: float) -> None:
    """Add API calls and the seconds that they waited to a batch."""
    sums = {"calls": batches.c.calls + calls, "waited_seconds": batches.c.waited_seconds + waited}
    connection.execute(update(batches).where(batches.c.id == batch_id).values(sums))


#: Seconds without an answer that count as work at most.
LONGEST_GAP = 60


def recover_work(connection: Connection, batch_id: UUID) -> float:
    """Add the calls that a killed run did not store to a batch; return the seconds that earlier runs worked on it."""
    connection.execute(SQL["recover_calls"], {"batch_id": batch_id})
    return float(connection.execute(SQL["seconds_of_work"], {"batch_id": batch_id, "pause": LONGEST_GAP}).scalar_one())


def mark_fully_read(connection: Connection, batch_id: UUID, resource: str, *, complete: bool) -> BatchResource:
    """Mark a resource as fully read, and store the total that the API reported; return the resource.

    `complete` says that no work is left for another run.
    """
    is_resource = (batch_resources.c.batch_id == batch_id) & (batch_resources.c.resource == resource)
    announced_total = select(func.sum(slices.c.total)).where(
        slices.c.batch_id == batch_id, slices.c.resource == resource
    )
    position = {"whole": True, "complete": complete}
    values = {"position": position, "api_total": announced_total.scalar_subquery()}
    changed = update(batch_resources).where(is_resource).values(values)
    return to_batch_resource(connection.execute(changed.returning(batch_resources)).one())


def read_traffic(connection: Connection, batch_id: UUID) -> tuple[int, float, float]:
    """Return the API calls of a batch, the seconds that they waited, and the seconds since the batch started."""
    age = func.extract("epoch", func.now() - batches.c.started_at)
    query = select(batches.c.calls, batches.c.waited_seconds, age).where(batches.c.id == batch_id)
    calls, waited, seconds = connection.execute(query).one()
    return calls, waited, float(seconds)


def select_unfinished(resources: Sequence[BatchResource]) -> list[str]:
    """Return the names of the resources that are not finished."""
    return [batch_resource.resource for batch_resource in resources if batch_resource.status not in ENDED]
