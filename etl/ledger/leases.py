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

from etl.database.connect import bounded
from etl.database.retry import patiently
from etl.database.sqlstate import database_errors
from etl.errors import EtlError, LeaseHeld, LeaseLost

#: Seconds without a sign of life after which another run may take over.
LIFE = 60
#: Seconds between two signs of life, and that one of them may take: another is due by then.
BEAT = 15
#: Seconds that giving a lease back may take; it frees itself otherwise.
FAREWELL = 5
#: The same life for a run that is made of tasks: between two of them, or while one that died waits for its next try,
#: nobody gives a sign.
LIFE_OF_TASKS = 900

TAKE = text("""
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

MINE = text("""
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
CHECK = text("""
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

GIVE_BACK = text("UPDATE etl.leases SET expires_at = now() WHERE tenant = :tenant AND holder = :holder")

#: Slices are named by the resource and a number behind a stroke; outside of their run they mean nothing.
FORGET_SLICES = text("DELETE FROM etl.leases WHERE tenant = :tenant AND holder = :holder AND resource LIKE '%/%'")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write some resources of a tenant, as long as nobody else was given it."""

    tenant: str
    holder: str
    tokens: tuple[tuple[str, int], ...]  #: resource and fencing token
    life: int = LIFE


def new_holder() -> str:
    """Return a name that no other run has, and that tells people where this one runs."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def name_of(holder: str) -> str:
    """Return the name under which others see the transactions of a holder; PostgreSQL keeps 63 letters of one."""
    return f"qqetl {blake2b(holder.encode(), digest_size=8).hexdigest()}"


def take(connection: Connection, tenant: str, resources: Collection[str], holder: str, life: int = LIFE) -> Lease:
    """Take the lease of all `resources` or of none; raise LeaseHeld naming who holds one of them.

    A holder may take it again, whose first try was committed though the answer was lost. What a predecessor has not
    committed is undone, so that it keeps no row from its successor.
    """
    parameters = {"tenant": tenant, "resources": sorted(resources)}
    predecessors = connection.execute(PREDECESSORS, {**parameters, "holder": holder}).scalars().all()
    taken = connection.execute(TAKE, {**parameters, "holder": holder, "life": life}).all()
    if len(taken) < len(set(resources)):
        others = [row for row in connection.execute(HOLDERS, parameters) if row.holder != holder]
        named = f"{others[0].resource} by {others[0].holder}" if others else "one of the resources"
        seconds = max(LIFE, *(row.seconds for row in others)) if others else LIFE
        raise LeaseHeld(
            f"Another run is at work (it holds {named}). Wait for its end; if its process died, "
            f"its lock frees itself within {seconds} seconds."
        )
    connection.execute(END_SESSIONS, {"names": [name_of(one) for one in predecessors]})
    return Lease(tenant, holder, tuple((row.resource, row.token) for row in taken), life)


def join(
    connection: Connection, tenant: str, resources: Collection[str], run: str, slices: Collection[str] = ()
) -> Lease:
    """Return the lease of a run that several tasks share, taking what it does not hold (yet, or any more).

    Slices are seized: the task that was given them last is the one to read them. Raises LeaseHeld while another run
    holds a resource.
    """
    place = {"tenant": tenant, "holder": run}
    held = {row.resource: row.token for row in connection.execute(MINE, {**place, "resources": list(resources)})}
    if lacking := set(resources) - held.keys():
        held |= dict(take(connection, tenant, lacking, run, LIFE_OF_TASKS).tokens)
    if slices:
        seized = connection.execute(SEIZE, {**place, "resources": sorted(slices), "life": LIFE_OF_TASKS})
        held |= {row.resource: row.token for row in seized}
    return Lease(tenant, run, tuple(sorted(held.items())), LIFE_OF_TASKS)


def hold(connection: Connection, lease: Lease) -> None:
    """Lock the lease rows until the commit; raise LeaseLost when one of them has another holder by now."""
    resources, tokens = zip(*lease.tokens, strict=True)
    parameters = {"tenant": lease.tenant, "holder": lease.holder, "resources": list(resources), "tokens": list(tokens)}
    if connection.execute(CHECK, parameters).scalar_one() < len(resources):
        raise LeaseLost


@contextmanager
def leased(engine: Engine, tenant: str, resources: Sequence[str]) -> Iterator[Lease]:
    """Hold the lease for as long as the block runs, with signs of life from a thread of its own."""
    holder = new_holder()

    def try_to_take() -> Lease:
        with database_errors(), engine.begin() as connection:
            return take(connection, tenant, resources, holder)

    lease = patiently(try_to_take)
    try:
        with signs_of_life(engine, lease):
            yield lease
    finally:
        give_back(engine, lease)


@contextmanager
def shared(
    engine: Engine, tenant: str, resources: Collection[str], run: str, slices: Collection[str] = ()
) -> Iterator[Lease]:
    """Hold the lease of a run for one of its tasks; it lives on for the next, until it is given back.

    Raises LeaseHeld while another run holds a resource.
    """

    def try_to_join() -> Lease:
        with database_errors(), engine.begin() as connection:
            return join(connection, tenant, resources, run, slices)

    lease = patiently(try_to_join)
    try:
        with signs_of_life(engine, lease):
            yield lease
    finally:
        give_sign(engine, lease)


@contextmanager
def signs_of_life(engine: Engine, lease: Lease) -> Iterator[None]:
    """Renew a lease now and then for as long as the block runs."""
    done = threading.Event()
    beat = threading.Thread(target=renew, args=(engine, lease, done), name="lease", daemon=True)
    beat.start()
    try:
        yield
    finally:
        done.set()
        beat.join(timeout=BEAT)


def renew(engine: Engine, lease: Lease, done: threading.Event) -> None:
    """Give a sign of life now and then until `done`."""
    while not done.wait(BEAT):
        give_sign(engine, lease)


def give_sign(engine: Engine, lease: Lease) -> None:
    """Let a lease live on from now; where the database does not let us, the next sign makes that good."""
    with suppress(EtlError), database_errors(), bounded(engine, statement_s=BEAT).begin() as connection:
        connection.execute(RENEW, {"tenant": lease.tenant, "holder": lease.holder, "life": lease.life})


def give_back(engine: Engine, lease: Lease) -> None:
    """Free the lease; where the database does not let us, it frees itself when its life ends."""
    with suppress(EtlError), database_errors(), bounded(engine, statement_s=FAREWELL).begin() as connection:
        for statement in (GIVE_BACK, FORGET_SLICES):
            connection.execute(statement, {"tenant": lease.tenant, "holder": lease.holder})
