"""Leases: one writer per resource and tenant, with a fencing token that every commit checks."""

import os
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, text

from etl.database.connect import with_limits
from etl.database.processes import describe_process, is_gone, is_here
from etl.database.retry import with_retries
from etl.database.sqlstate import database_errors
from etl.errors import EtlError, HeldByOther, Interrupted, LeaseLost
from etl.events import Message, Watch
from etl.queries import Queries

SQL = Queries(__file__)

#: Seconds without a renewal after which another run may take over.
TTL = 60
#: Seconds between two renewals, and the time limit of one renewal.
HEARTBEAT = 15
#: Time limit, in seconds, for releasing a lease; the lease expires otherwise.
RELEASE_SECONDS = 5
#: Seconds between two looks at the lease of a run that may be dead.
POLL = 1.0
#: The TTL for a run that consists of tasks: no process renews the lease between two tasks or before a task's next try.
TASK_TTL = 900

RELEASE = text("UPDATE etl.leases SET expires_at = now() WHERE tenant = :tenant AND holder = :holder")

#: A slice's lease is named "resource/number" and has no meaning outside its run.
FORGET_SLICES = text("DELETE FROM etl.leases WHERE tenant = :tenant AND holder = :holder AND resource LIKE '%/%'")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write some resources of a tenant until another holder takes it over."""

    tenant: str
    holder: str
    tokens: tuple[tuple[str, int], ...]  #: resource and fencing token
    ttl: int = TTL


def make_holder_name() -> str:
    """Make a unique holder name that shows on which machine and in which process the run is."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def application_name(holder: str) -> str:
    """Return the PostgreSQL application name of a holder's sessions, within the limit of 63 characters."""
    return f"qqetl {blake2b(holder.encode(), digest_size=8).hexdigest()}"


def acquire_lease(
    connection: Connection, tenant: str, resources: Collection[str], holder: str, ttl: int = TTL
) -> Lease:
    """Acquire the lease of all `resources` or of none; raise LeaseHeld with the name of the current holder.

    The same holder may acquire it again, in case the first answer was lost after the commit. A holder whose process is
    gone from this machine is replaced at once. Open transactions of a predecessor are terminated, so that they lock no
    rows.
    """
    parameters = {"tenant": tenant, "resources": sorted(resources)}
    expire_dead(connection, {**parameters, "holder": holder})
    predecessors = connection.execute(SQL["predecessors"], {**parameters, "holder": holder}).scalars().all()
    process = describe_process() if ttl == TTL else None  # a task ends before its lease does
    acquired = connection.execute(
        SQL["acquire"], {**parameters, "holder": holder, "life": ttl, "process": process}
    ).all()
    if len(acquired) < len(set(resources)):
        raise held_by_other([row for row in connection.execute(SQL["holders"], parameters) if row.holder != holder])
    connection.execute(SQL["end_sessions"], {"names": [application_name(predecessor) for predecessor in predecessors]})
    return Lease(tenant, holder, tuple((row.resource, row.token) for row in acquired), ttl)


def expire_dead(connection: Connection, parameters: Mapping[str, Any]) -> None:
    """End the leases of holders whose process is gone from this machine."""
    dead = [row.holder for row in connection.execute(SQL["processes"], parameters) if is_gone(row.process)]
    if dead:
        connection.execute(SQL["expire"], {"tenant": parameters["tenant"], "holders": dead})


def held_by_other(holders: Sequence[Any]) -> HeldByOther:
    """Return the error that others hold these leases; none if they were released meanwhile."""
    held = f"{holders[0].resource} by {holders[0].holder}" if holders else "one of the resources"
    seconds = max((int(row.seconds) for row in holders), default=0)
    return HeldByOther(
        f"Another run is active (lease: {held}). Wait until it ends. If its process died, the lease expires within "
        f"{max(TTL, seconds)} seconds.",
        seconds,
        {(row.resource, row.holder): row.expires_at for row in holders},
        may_be_dead=all(not is_here(row.process) for row in holders),
    )


def join_lease(
    connection: Connection, tenant: str, resources: Collection[str], run: str, slices: Collection[str] = ()
) -> Lease:
    """Return the lease of a run that several tasks share, and acquire the resources that the run does not hold.

    Slices are taken over even from a running task: the task that got them last reads them. Raises LeaseHeld while
    another run holds a resource.
    """
    run_values = {"tenant": tenant, "holder": run}
    tokens = {
        row.resource: row.token for row in connection.execute(SQL["held"], {**run_values, "resources": list(resources)})
    }
    if missing := set(resources) - tokens.keys():
        tokens |= dict(acquire_lease(connection, tenant, missing, run, TASK_TTL).tokens)
    if slices:
        seized = connection.execute(SQL["seize"], {**run_values, "resources": sorted(slices), "life": TASK_TTL})
        tokens |= {row.resource: row.token for row in seized}
    return Lease(tenant, run, tuple(sorted(tokens.items())), TASK_TTL)


def verify_lease(connection: Connection, lease: Lease) -> None:
    """Lock the lease rows until the commit; raise LeaseLost when another run holds one of them."""
    resources, tokens = zip(*lease.tokens, strict=True)
    parameters = {"tenant": lease.tenant, "holder": lease.holder, "resources": list(resources), "tokens": list(tokens)}
    if connection.execute(SQL["count_held"], parameters).scalar_one() < len(resources):
        raise LeaseLost


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait for the lease of a run that may be dead."""

    watch: Watch
    stop: threading.Event = field(default_factory=threading.Event)
    pause: float = POLL  #: seconds between two looks


def wait_for_lease(acquire: Callable[[], Lease], waiting: Waiting) -> Lease:
    """Return the lease; if its holder may be dead, wait until the lease expires or is renewed."""
    first: HeldByOther | None = None
    while True:
        try:
            return acquire()
        except HeldByOther as held:
            if not held.may_be_dead or held.seconds > TTL or (first is not None and held.is_renewed_since(first)):
                raise
            if first is None:
                first = held
                waiting.watch(Message(f"{held} Waiting for at most {held.seconds} seconds."))
        if waiting.stop.wait(waiting.pause):
            raise Interrupted


@contextmanager
def hold_lease(
    engine: Engine, tenant: str, resources: Sequence[str], waiting: Waiting | None = None
) -> Iterator[Lease]:
    """Hold a lease during the block, and renew it in a background thread.

    Of a run on another machine nobody here can tell whether it died: with `waiting`, its lease is waited for, at most
    TTL seconds. Raises LeaseHeld, with `waiting` as soon as the lease is seen renewed, and Interrupted when the run is
    stopped.
    """
    holder = make_holder_name()

    def acquire() -> Lease:
        with database_errors(), engine.begin() as connection:
            return acquire_lease(connection, tenant, resources, holder)

    lease = with_retries(acquire) if waiting is None else wait_for_lease(partial(with_retries, acquire), waiting)
    try:
        with keep_alive(engine, lease):
            yield lease
    finally:
        release_lease(engine, lease)


@contextmanager
def share_lease(
    engine: Engine, tenant: str, resources: Collection[str], run: str, slices: Collection[str] = ()
) -> Iterator[Lease]:
    """Hold the lease of a run during one of its tasks, and keep it for the next task until `release_lease`.

    Raises LeaseHeld while another run holds a resource.
    """

    def acquire() -> Lease:
        with database_errors(), engine.begin() as connection:
            return join_lease(connection, tenant, resources, run, slices)

    lease = with_retries(acquire)
    try:
        with keep_alive(engine, lease):
            yield lease
    finally:
        renew_lease(engine, lease)


@contextmanager
def keep_alive(engine: Engine, lease: Lease) -> Iterator[None]:
    """Renew a lease in a background thread during the block."""
    stop = threading.Event()
    thread = threading.Thread(target=renew_until, args=(engine, lease, stop), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=HEARTBEAT)


def renew_until(engine: Engine, lease: Lease, stop: threading.Event) -> None:
    """Renew a lease at regular intervals until `stop` is set."""
    while not stop.wait(HEARTBEAT):
        renew_lease(engine, lease)


def renew_lease(engine: Engine, lease: Lease) -> None:
    """Renew a lease once. After a database error the next renewal tries again."""
    with suppress(EtlError), database_errors(), with_limits(engine, statement_s=HEARTBEAT).begin() as connection:
        connection.execute(SQL["renew"], {"tenant": lease.tenant, "holder": lease.holder, "life": lease.ttl})


def release_lease(engine: Engine, lease: Lease) -> None:
    """Release a lease. After a database error the lease expires on its own."""
    with suppress(EtlError), database_errors(), with_limits(engine, statement_s=RELEASE_SECONDS).begin() as connection:
        for statement in (RELEASE, FORGET_SLICES):
            connection.execute(statement, {"tenant": lease.tenant, "holder": lease.holder})
