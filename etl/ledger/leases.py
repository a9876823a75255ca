"""One writer per resource and tenant: lease rows with a fencing token that every commit checks."""

import os
import socket
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from uuid import uuid4

from sqlalchemy import Connection, Engine, text

from etl.database.connect import with_limits
from etl.database.retry import with_retries
from etl.database.sqlstate import database_errors
from etl.errors import EtlError, LeaseHeld, LeaseLost

#: Seconds without a sign of life after which another run may take over.
TTL = 60
#: Seconds between two signs of life, and that one of them may take: another is due by then.
HEARTBEAT = 15
#: Seconds that giving a lease back may take; it frees itself otherwise.
RELEASE_SECONDS = 5
#: The same life for a run that is made of tasks: between two of them, or while one that died waits for its next try,
#: nobody gives a sign.
TASK_TTL = 900

ACQUIRE = text("""
    INSERT INTO etl.leases AS held (tenant, resource, holder, token, expires_at)
    SELECT :tenant, wanted.resource, :holder, 1, now() + make_interval(secs => :life)
    FROM unnest(CAST(:resources AS text[])) AS wanted (resource)
    ORDER BY wanted.resource
    ON CONFLICT (tenant, resource) DO UPDATE
    SET holder = excluded.holder, expires_at = excluded.expires_at,
        token = CASE WHEN held.holder = excluded.holder THEN held.token ELSE held.token + 1 END
    WHERE held.expires_at < now() OR held.holder = excluded.holder
    RETURNING held.resource, held.token
""")

#: Whose lease has ended, for whatever reason.
PREDECESSORS = text("""
    SELECT DISTINCT holder FROM etl.leases
    WHERE tenant = :tenant AND resource = ANY(:resources) AND holder <> :holder AND expires_at < now()
""")

#: A process that stands still in the midst of a COPY keeps its locks for ever: no time-out of the server ends that.
END_SESSIONS = text("""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = ANY(:names) AND datname = current_database() AND usename = current_user
""")

HOLDERS = text("""
    SELECT resource, holder, ceil(extract(epoch FROM expires_at - now())) AS seconds FROM etl.leases
    WHERE tenant = :tenant AND resource = ANY(:resources) AND expires_at >= now() ORDER BY resource
""")

HELD = text("""
    SELECT resource, token FROM etl.leases
    WHERE tenant = :tenant AND holder = :holder AND resource = ANY(:resources)
""")

#: Whoever had it before is fenced off, alive or not: it is for the caller to know that its place is taken.
SEIZE = text("""
    INSERT INTO etl.leases AS held (tenant, resource, holder, token, expires_at)
    SELECT :tenant, wanted.resource, :holder, 1, now() + make_interval(secs => :life)
    FROM unnest(CAST(:resources AS text[])) AS wanted (resource)
    ORDER BY wanted.resource
    ON CONFLICT (tenant, resource) DO UPDATE
    SET holder = excluded.holder, token = held.token + 1, expires_at = excluded.expires_at
    RETURNING held.resource, held.token
""")

#: FOR SHARE lets the workers of one run commit side by side and makes a successor wait for them.
COUNT_HELD = text("""
    SELECT count(*) FROM (
        SELECT FROM etl.leases AS held
        JOIN unnest(CAST(:resources AS text[]), CAST(:tokens AS bigint[])) AS mine (resource, token)
            ON mine.resource = held.resource AND mine.token = held.token
        WHERE held.tenant = :tenant AND held.holder = :holder
        FOR SHARE OF held
    ) AS still_mine
""")

RENEW = text("""
    UPDATE etl.leases SET expires_at = now() + make_interval(secs => :life)
    WHERE tenant = :tenant AND holder = :holder
""")

RELEASE = text("UPDATE etl.leases SET expires_at = now() WHERE tenant = :tenant AND holder = :holder")

#: Slices are named by the resource and a number behind a stroke; outside of their run they mean nothing.
FORGET_SLICES = text("DELETE FROM etl.leases WHERE tenant = :tenant AND holder = :holder AND resource LIKE '%/%'")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write some resources of a tenant, as long as nobody else was given it."""

    tenant: str
    holder: str
    tokens: tuple[tuple[str, int], ...]  #: resource and fencing token
    ttl: int = TTL


def make_holder_name() -> str:
    """Return a name that no other run has, and that tells people where this one runs."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def application_name(holder: str) -> str:
    """Return the name under which others see the transactions of a holder; PostgreSQL keeps 63 letters of one."""
    return f"qqetl {blake2b(holder.encode(), digest_size=8).hexdigest()}"


def acquire_lease(
    connection: Connection, tenant: str, resources: Collection[str], holder: str, ttl: int = TTL
) -> Lease:
    """Take the lease of all `resources` or of none; raise LeaseHeld naming who holds one of them.

    A holder may take it again, whose first try was committed though the answer was lost. What a predecessor has not
    committed is undone, so that it keeps no row from its successor.
    """
    parameters = {"tenant": tenant, "resources": sorted(resources)}
    predecessors = connection.execute(PREDECESSORS, {**parameters, "holder": holder}).scalars().all()
    taken = connection.execute(ACQUIRE, {**parameters, "holder": holder, "life": ttl}).all()
    if len(taken) < len(set(resources)):
        others = [row for row in connection.execute(HOLDERS, parameters) if row.holder != holder]
        named = f"{others[0].resource} by {others[0].holder}" if others else "one of the resources"
        seconds = max(TTL, *(row.seconds for row in others)) if others else TTL
        raise LeaseHeld(
            f"Another run is at work (it holds {named}). Wait for its end; if its process died, "
            f"its lock frees itself within {seconds} seconds."
        )
    connection.execute(END_SESSIONS, {"names": [application_name(one) for one in predecessors]})
    return Lease(tenant, holder, tuple((row.resource, row.token) for row in taken), ttl)


def join_lease(
    connection: Connection, tenant: str, resources: Collection[str], run: str, slices: Collection[str] = ()
) -> Lease:
    """Return the lease of a run that several tasks share, taking what it does not hold (yet, or any more).

    Slices are seized: the task that was given them last is the one to read them. Raises LeaseHeld while another run
    holds a resource.
    """
    place = {"tenant": tenant, "holder": run}
    held = {row.resource: row.token for row in connection.execute(HELD, {**place, "resources": list(resources)})}
    if lacking := set(resources) - held.keys():
        held |= dict(acquire_lease(connection, tenant, lacking, run, TASK_TTL).tokens)
    if slices:
        seized = connection.execute(SEIZE, {**place, "resources": sorted(slices), "life": TASK_TTL})
        held |= {row.resource: row.token for row in seized}
    return Lease(tenant, run, tuple(sorted(held.items())), TASK_TTL)


def verify_lease(connection: Connection, lease: Lease) -> None:
    """Lock the lease rows until the commit; raise LeaseLost when one of them has another holder by now."""
    resources, tokens = zip(*lease.tokens, strict=True)
    parameters = {"tenant": lease.tenant, "holder": lease.holder, "resources": list(resources), "tokens": list(tokens)}
    if connection.execute(COUNT_HELD, parameters).scalar_one() < len(resources):
        raise LeaseLost


@contextmanager
def hold_lease(engine: Engine, tenant: str, resources: Sequence[str]) -> Iterator[Lease]:
    """Hold the lease for as long as the block runs, with signs of life from a thread of its own."""
    holder = make_holder_name()

    def try_to_take() -> Lease:
        with database_errors(), engine.begin() as connection:
            return acquire_lease(connection, tenant, resources, holder)

    lease = with_retries(try_to_take)
    try:
        with keep_alive(engine, lease):
            yield lease
    finally:
        release_lease(engine, lease)


@contextmanager
def share_lease(
    engine: Engine, tenant: str, resources: Collection[str], run: str, slices: Collection[str] = ()
) -> Iterator[Lease]:
    """Hold the lease of a run for one of its tasks; it lives on for the next, until it is given back.

    Raises LeaseHeld while another run holds a resource.
    """

    def try_to_join() -> Lease:
        with database_errors(), engine.begin() as connection:
            return join_lease(connection, tenant, resources, run, slices)

    lease = with_retries(try_to_join)
    try:
        with keep_alive(engine, lease):
            yield lease
    finally:
        renew_lease(engine, lease)


@contextmanager
def keep_alive(engine: Engine, lease: Lease) -> Iterator[None]:
    """Renew a lease now and then for as long as the block runs."""
    done = threading.Event()
    beat = threading.Thread(target=renew_until, args=(engine, lease, done), name="lease", daemon=True)
    beat.start()
    try:
        yield
    finally:
        done.set()
        beat.join(timeout=HEARTBEAT)


def renew_until(engine: Engine, lease: Lease, done: threading.Event) -> None:
    """Give a sign of life now and then until `done`."""
    while not done.wait(HEARTBEAT):
        renew_lease(engine, lease)


def renew_lease(engine: Engine, lease: Lease) -> None:
    """Let a lease live on from now; where the database does not let us, the next sign makes that good."""
    with suppress(EtlError), database_errors(), with_limits(engine, statement_s=HEARTBEAT).begin() as connection:
        connection.execute(RENEW, {"tenant": lease.tenant, "holder": lease.holder, "life": lease.ttl})


def release_lease(engine: Engine, lease: Lease) -> None:
    """Free the lease; where the database does not let us, it frees itself when its life ends."""
    with suppress(EtlError), database_errors(), with_limits(engine, statement_s=RELEASE_SECONDS).begin() as connection:
        for statement in (RELEASE, FORGET_SLICES):
            connection.execute(statement, {"tenant": lease.tenant, "holder": lease.holder})
