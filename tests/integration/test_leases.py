"""Leases: one writer per resource and tenant; a dead holder is replaced, and fenced off if it wakes up."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from etl.database.connect import make_engine
from etl.errors import Interrupted, LeaseHeld, LeaseLost
from etl.ledger import batches, leases
from etl.ledger.leases import (
    TTL,
    Lease,
    acquire_lease,
    hold_lease,
    make_holder_name,
    release_lease,
    renew_until,
    share_lease,
    verify_lease,
)
from etl.ledger.transaction import Ledger
from etl.models.states import BatchState
from etl.window import Window

TENANT = "t"


def acquire(engine: Engine, *resources: str, tenant: str = TENANT) -> Lease:
    """Acquire a lease in a separate transaction."""
    with engine.begin() as connection:
        return acquire_lease(connection, tenant, resources, make_holder_name())


def let_expire(engine: Engine) -> None:
    """Let every lease expire."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE etl.leases SET expires_at = now() - interval '1 second'"))


def remaining_ttl(engine: Engine) -> timedelta:
    """Return the remaining time of the lease that expires first."""
    with engine.connect() as connection:
        left: timedelta = connection.execute(text("SELECT min(expires_at) - now() FROM etl.leases")).scalar_one()
        return left


def still_holds(engine: Engine, lease: Lease) -> bool:
    """Return whether a commit under this lease would succeed."""
    with engine.begin() as connection:
        try:
            verify_lease(connection, lease)
        except LeaseLost:
            return False
    return True


@contextmanager
def impatient(engine: Engine) -> Iterator[Connection]:
    """Yield a transaction that fails at once when it would have to wait for a lock."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
        yield connection


def test_a_second_run_fails_with_the_name_of_the_holder(engine: Engine) -> None:
    first = acquire(engine, "contacts", "policies")
    with pytest.raises(LeaseHeld, match=rf"contacts by {first.holder}") as refused:
        acquire(engine, "contacts")
    assert refused.value.exit_status == 3
    assert still_holds(engine, first)


def test_all_resources_are_acquired_or_none(engine: Engine) -> None:
    acquire(engine, "policies")
    with pytest.raises(LeaseHeld, match="policies by"):
        acquire(engine, "claims", "policies", "quotes")
    assert acquire(engine, "claims", "quotes").tokens == (("claims", 1), ("quotes", 1))


def test_other_resources_and_other_tenants_are_free(engine: Engine) -> None:
    held = [acquire(engine, "contacts"), acquire(engine, "policies"), acquire(engine, "contacts", tenant="another")]
    assert all(still_holds(engine, lease) for lease in held)


def test_a_dead_holder_is_replaced_and_fenced_off(engine: Engine) -> None:
    dead = acquire(engine, "contacts", "policies")
    let_expire(engine)
    successor = acquire(engine, "policies")
    assert dict(successor.tokens)["policies"] == dict(dead.tokens)["policies"] + 1
    assert still_holds(engine, successor)
    assert not still_holds(engine, dead)  # although its contacts were not acquired


def test_a_stalled_holder_without_a_successor_continues(engine: Engine) -> None:
    stalled = acquire(engine, "contacts")
    let_expire(engine)
    assert still_holds(engine, stalled)


def test_a_fenced_off_run_commits_nothing(engine: Engine) -> None:
    dead = acquire(engine, "contacts")
    let_expire(engine)
    acquire(engine, "contacts")
    with pytest.raises(LeaseLost):
        Ledger(engine, TENANT, dead).commit(lambda connection: connection.execute(text("CREATE TABLE late (id int)")))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT to_regclass('late')")).scalar_one() is None


def test_a_batch_that_was_taken_over_is_not_marked_failed(engine: Engine) -> None:
    dead = acquire(engine, "contacts")
    batch = batches.build_batch(
        TENANT, Window.of({"start_date": "2026-01-01", "end_date": "2026-02-01"}), "1", "sync", {}
    )
    parts = {"contacts": batch.window}
    Ledger(engine, TENANT, dead).commit(partial(batches.create_batch, batch=batch, windows=parts, version="1"))
    let_expire(engine)
    successor = acquire(engine, "contacts")
    Ledger(engine, TENANT, dead).fail(batch.id, Interrupted())
    assert Ledger(engine, TENANT).read(partial(batches.read_batch, batch_id=batch.id)).status is BatchState.CREATED
    Ledger(engine, TENANT, successor).fail(batch.id, Interrupted())
    assert Ledger(engine, TENANT).read(partial(batches.read_batch, batch_id=batch.id)).status is BatchState.FAILED


def test_a_fenced_off_holder_cannot_renew_its_lease(engine: Engine) -> None:
    dead = acquire(engine, "contacts")
    let_expire(engine)
    successor = acquire(engine, "contacts")
    renew_until(engine, dead, CountdownEvent(1))  # type: ignore[arg-type]  # all that it needs of an event
    release_lease(engine, dead)
    assert still_holds(engine, successor)
    with pytest.raises(LeaseHeld):
        acquire(engine, "contacts")


def test_workers_of_one_run_commit_concurrently(engine: Engine) -> None:
    lease = acquire(engine, "contacts")
    with impatient(engine) as connection, impatient(engine) as other:
        verify_lease(connection, lease)
        verify_lease(other, lease)


def test_a_successor_waits_for_a_verified_commit(engine: Engine) -> None:
    lease = acquire(engine, "contacts")
    let_expire(engine)
    with engine.begin() as worker:
        verify_lease(worker, lease)
        with pytest.raises(OperationalError, match="lock timeout"), impatient(engine) as successor:
            acquire_lease(successor, TENANT, ["contacts"], make_holder_name())
    assert acquire(engine, "contacts").tokens == (("contacts", 2),)


def test_a_block_holds_and_releases_its_lease(engine: Engine) -> None:
    with hold_lease(engine, TENANT, ["contacts"]) as lease:
        assert still_holds(engine, lease)
        with pytest.raises(LeaseHeld):
            acquire(engine, "contacts")
    assert acquire(engine, "contacts").tokens == (("contacts", 2),)


def test_a_block_that_fails_releases_its_lease(engine: Engine) -> None:
    with pytest.raises(ValueError, match="on its own"), hold_lease(engine, TENANT, ["contacts"]):
        raise ValueError("on its own")
    assert acquire(engine, "contacts").tokens == (("contacts", 2),)


class CountdownEvent:
    """An event that is set after some calls of `wait`, which do not wait."""

    def __init__(self, number: int) -> None:
        self.left = number

    def wait(self, _: float) -> bool:
        self.left -= 1
        return self.left < 0


def test_the_tasks_of_a_run_share_its_lease(engine: Engine) -> None:
    with share_lease(engine, TENANT, ["contacts", "policies"], "hourly 1") as first:
        pass
    with pytest.raises(LeaseHeld, match=r"contacts by hourly 1.* within (8|9)[0-9]+ seconds"):
        acquire(engine, "contacts")
    with share_lease(engine, TENANT, ["contacts"], "hourly 1") as second:
        assert dict(second.tokens)["contacts"] == dict(first.tokens)["contacts"]
    release_lease(engine, second)
    assert acquire(engine, "contacts").tokens == (("contacts", 2),)


def test_a_run_acquires_its_expired_lease_again(engine: Engine) -> None:
    with share_lease(engine, TENANT, ["contacts"], "hourly 1") as first:
        pass
    let_expire(engine)
    with hold_lease(engine, TENANT, ["contacts"]), pytest.raises(LeaseHeld):
        acquire(engine, "contacts")
    with share_lease(engine, TENANT, ["contacts"], "hourly 1") as again:
        assert still_holds(engine, again)
        assert not still_holds(engine, first)


def test_a_slice_belongs_to_the_task_that_got_it_last(engine: Engine) -> None:
    with (
        share_lease(engine, TENANT, ["contacts"], "hourly 1", ["contacts/0"]) as dead,
        share_lease(engine, TENANT, ["contacts"], "hourly 1", ["contacts/0", "contacts/1"]) as successor,
        share_lease(engine, TENANT, ["contacts"], "hourly 1", ["contacts/2"]) as neighbor,
    ):
        assert [still_holds(engine, lease) for lease in (dead, successor, neighbor)] == [False, True, True]


def test_renewals_keep_a_lease(engine: Engine) -> None:
    lease = acquire(engine, "contacts")
    let_expire(engine)
    renew_until(engine, lease, CountdownEvent(1))  # type: ignore[arg-type]  # all that it needs of an event
    assert timedelta(seconds=TTL - 5) < remaining_ttl(engine) <= timedelta(seconds=TTL)


def test_the_ttl_spans_several_heartbeats() -> None:
    assert leases.TTL >= 3 * leases.HEARTBEAT


def test_an_unreachable_database_skips_a_renewal(engine: Engine) -> None:
    lease = acquire(engine, "contacts")
    nowhere = make_engine("postgresql://nobody@127.0.0.1:1/none")
    countdown = CountdownEvent(2)
    renew_until(nowhere, lease, countdown)  # type: ignore[arg-type]  # all that it needs of an event
    release_lease(nowhere, lease)
    assert countdown.left == -1
    nowhere.dispose()
