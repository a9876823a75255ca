"""Leases: one writer per resource and tenant, taken over when its holder is dead, and fenced off when it wakes up."""

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


def taken(engine: Engine, *resources: str, tenant: str = TENANT) -> Lease:
    """Take a lease in a transaction of its own."""
    with engine.begin() as connection:
        return acquire_lease(connection, tenant, resources, make_holder_name())


def let_expire(engine: Engine) -> None:
    """Let time pass until every lease has run out."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE etl.leases SET expires_at = now() - interval '1 second'"))


def life_left(engine: Engine) -> timedelta:
    """Return how long the first lease to run out still has."""
    with engine.connect() as connection:
        left: timedelta = connection.execute(text("SELECT min(expires_at) - now() FROM etl.leases")).scalar_one()
        return left


def still_holds(engine: Engine, lease: Lease) -> bool:
    """Tell whether a commit under this lease would pass."""
    with engine.begin() as connection:
        try:
            verify_lease(connection, lease)
        except LeaseLost:
            return False
    return True


@contextmanager
def impatient(engine: Engine) -> Iterator[Connection]:
    """Give a transaction that fails at once where it would have to wait for another."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
        yield connection


def test_a_second_run_is_told_who_holds_what_with_a_status_of_its_own(engine: Engine) -> None:
    first = taken(engine, "contacts", "policies")
    with pytest.raises(LeaseHeld, match=rf"contacts by {first.holder}") as refused:
        taken(engine, "contacts")
    assert refused.value.exit_status == 3
    assert still_holds(engine, first)


def test_all_resources_are_taken_or_none(engine: Engine) -> None:
    taken(engine, "policies")
    with pytest.raises(LeaseHeld, match="policies by"):
        taken(engine, "claims", "policies", "quotes")
    assert taken(engine, "claims", "quotes").tokens == (("claims", 1), ("quotes", 1))


def test_other_resources_and_other_tenants_are_free(engine: Engine) -> None:
    held = [taken(engine, "contacts"), taken(engine, "policies"), taken(engine, "contacts", tenant="another")]
    assert all(still_holds(engine, lease) for lease in held)


def test_a_dead_holder_is_followed_and_fenced_off(engine: Engine) -> None:
    dead = taken(engine, "contacts", "policies")
    let_expire(engine)
    successor = taken(engine, "policies")
    assert dict(successor.tokens)["policies"] == dict(dead.tokens)["policies"] + 1
    assert still_holds(engine, successor)
    assert not still_holds(engine, dead)  # although nobody took its contacts


def test_a_stalled_holder_whom_nobody_followed_goes_on(engine: Engine) -> None:
    stalled = taken(engine, "contacts")
    let_expire(engine)
    assert still_holds(engine, stalled)


def test_nothing_of_a_fenced_off_run_is_committed(engine: Engine) -> None:
    dead = taken(engine, "contacts")
    let_expire(engine)
    taken(engine, "contacts")
    with pytest.raises(LeaseLost):
        Ledger(engine, TENANT, dead).commit(lambda connection: connection.execute(text("CREATE TABLE late (id int)")))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT to_regclass('late')")).scalar_one() is None


def test_a_batch_that_another_run_took_over_is_not_marked_failed(engine: Engine) -> None:
    dead = taken(engine, "contacts")
    batch = batches.build_batch(TENANT, Window.of({"start_date": "2026-01-01", "end_date": "2026-02-01"}), "1", "sync", {})
    parts = {"contacts": batch.window}
    Ledger(engine, TENANT, dead).commit(partial(batches.create_batch, batch=batch, windows=parts, version="1"))
    let_expire(engine)
    successor = taken(engine, "contacts")
    Ledger(engine, TENANT, dead).fail(batch.id, Interrupted())
    assert Ledger(engine, TENANT).read(partial(batches.read_batch, batch_id=batch.id)).status is BatchState.CREATED
    Ledger(engine, TENANT, successor).fail(batch.id, Interrupted())
    assert Ledger(engine, TENANT).read(partial(batches.read_batch, batch_id=batch.id)).status is BatchState.FAILED


def test_a_fenced_off_holder_revives_nothing_by_a_sign_of_life(engine: Engine) -> None:
    dead = taken(engine, "contacts")
    let_expire(engine)
    successor = taken(engine, "contacts")
    renew_until(engine, dead, Beats(1))  # type: ignore[arg-type]  # all that it needs of an event
    release_lease(engine, dead)
    assert still_holds(engine, successor)
    with pytest.raises(LeaseHeld):
        taken(engine, "contacts")


def test_workers_of_one_run_commit_side_by_side(engine: Engine) -> None:
    lease = taken(engine, "contacts")
    with impatient(engine) as one, impatient(engine) as other:
        verify_lease(one, lease)
        verify_lease(other, lease)


def test_a_successor_waits_for_a_commit_that_was_let_through(engine: Engine) -> None:
    lease = taken(engine, "contacts")
    let_expire(engine)
    with engine.begin() as worker:
        verify_lease(worker, lease)
        with pytest.raises(OperationalError, match="lock timeout"), impatient(engine) as successor:
            acquire_lease(successor, TENANT, ["contacts"], make_holder_name())
    assert taken(engine, "contacts").tokens == (("contacts", 2),)


def test_a_block_holds_its_lease_and_gives_it_back(engine: Engine) -> None:
    with hold_lease(engine, TENANT, ["contacts"]) as lease:
        assert still_holds(engine, lease)
        with pytest.raises(LeaseHeld):
            taken(engine, "contacts")
    assert taken(engine, "contacts").tokens == (("contacts", 2),)


def test_a_block_that_fails_gives_its_lease_back(engine: Engine) -> None:
    with pytest.raises(ValueError, match="on its own"), hold_lease(engine, TENANT, ["contacts"]):
        raise ValueError("on its own")
    assert taken(engine, "contacts").tokens == (("contacts", 2),)


class Beats:
    """An event that comes after so many beats, without waiting for them."""

    def __init__(self, number: int) -> None:
        self.left = number

    def wait(self, _: float) -> bool:
        self.left -= 1
        return self.left < 0


def test_the_tasks_of_a_run_share_its_lease_and_no_other_run_gets_it_between_them(engine: Engine) -> None:
    with share_lease(engine, TENANT, ["contacts", "policies"], "hourly 1") as first:
        pass
    with pytest.raises(LeaseHeld, match=r"contacts by hourly 1.* within (8|9)[0-9]+ seconds"):
        taken(engine, "contacts")
    with share_lease(engine, TENANT, ["contacts"], "hourly 1") as second:
        assert dict(second.tokens)["contacts"] == dict(first.tokens)["contacts"]
    release_lease(engine, second)
    assert taken(engine, "contacts").tokens == (("contacts", 2),)


def test_a_run_takes_its_lease_anew_when_it_ran_out_and_nobody_is_at_work(engine: Engine) -> None:
    with share_lease(engine, TENANT, ["contacts"], "hourly 1") as first:
        pass
    let_expire(engine)
    with hold_lease(engine, TENANT, ["contacts"]), pytest.raises(LeaseHeld):
        taken(engine, "contacts")
    with share_lease(engine, TENANT, ["contacts"], "hourly 1") as again:
        assert still_holds(engine, again)
        assert not still_holds(engine, first)


def test_a_slice_belongs_to_the_task_that_was_given_it_last(engine: Engine) -> None:
    with (
        share_lease(engine, TENANT, ["contacts"], "hourly 1", ["contacts/0"]) as dead,
        share_lease(engine, TENANT, ["contacts"], "hourly 1", ["contacts/0", "contacts/1"]) as successor,
        share_lease(engine, TENANT, ["contacts"], "hourly 1", ["contacts/2"]) as neighbor,
    ):
        assert [still_holds(engine, one) for one in (dead, successor, neighbor)] == [False, True, True]


def test_signs_of_life_keep_a_lease(engine: Engine) -> None:
    lease = taken(engine, "contacts")
    let_expire(engine)
    renew_until(engine, lease, Beats(1))  # type: ignore[arg-type]  # all that it needs of an event
    assert timedelta(seconds=TTL - 5) < life_left(engine) <= timedelta(seconds=TTL)


def test_a_life_spans_several_beats() -> None:
    assert leases.TTL >= 3 * leases.HEARTBEAT


def test_a_database_out_of_reach_costs_a_beat_and_nothing_else(engine: Engine) -> None:
    lease = taken(engine, "contacts")
    nowhere = make_engine("postgresql://nobody@127.0.0.1:1/none")
    beats = Beats(2)
    renew_until(nowhere, lease, beats)  # type: ignore[arg-type]  # all that it needs of an event
    release_lease(nowhere, lease)
    assert beats.left == -1
    nowhere.dispose()
