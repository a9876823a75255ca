"""Leases of dead runs: on the same machine they are replaced at once, elsewhere they are waited for."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event as Flag
from threading import Timer
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from etl.config.settings import Settings
from etl.database import processes
from etl.database.migrate import block_runs
from etl.database.processes import describe_process, is_gone
from etl.errors import Interrupted, LeaseHeld, LeaseLost
from etl.events import Event, Message
from etl.ledger.leases import (
    Lease,
    Waiting,
    acquire_lease,
    hold_lease,
    make_holder_name,
    renew_lease,
    share_lease,
    verify_lease,
)
from etl.load import LoadService
from etl.transform import TransformService

TENANT = "t"
JANUARY = {"start_date": "2026-01-01", "end_date": "2026-02-01"}


def acquire(engine: Engine, *resources: str, tenant: str = TENANT) -> Lease:
    """Acquire a lease in a separate transaction."""
    with engine.begin() as connection:
        return acquire_lease(connection, tenant, resources, make_holder_name())


def still_holds(engine: Engine, lease: Lease) -> bool:
    """Return whether a commit under this lease would succeed."""
    with engine.begin() as connection:
        try:
            verify_lease(connection, lease)
        except LeaseLost:
            return False
    return True


@pytest.fixture
def ended_process() -> str:
    """Give the description of a process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        described = describe_process(process.pid)
        process.kill()
    assert described is not None
    return described


def set_process(engine: Engine, process: str | None) -> None:
    """Let every lease be held by a process."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE etl.leases SET process = :process"), {"process": process})


def test_a_process_is_recognized_as_long_as_it_lives() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        described = describe_process(process.pid)
        assert not is_gone(described)
        process.kill()
        process.wait()
        assert is_gone(described)
    assert not is_gone(describe_process())


def test_a_killed_process_that_nobody_collected_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    described = describe_process(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    while not is_gone(described):  # the test's time limit ends it otherwise
        time.sleep(0.01)
    process.communicate()


def test_another_process_with_the_same_id_is_another() -> None:
    machine, pid, start = str(describe_process()).rsplit(" ", 2)
    assert is_gone(f"{machine} {pid} {int(start) - 1}")
    assert not is_gone(f"another machine {pid} {int(start) - 1}")
    assert not is_gone(None)


def test_a_process_of_another_user_that_proc_hides_is_not_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the mount option `hidepid`, /proc shows a user only that user's own processes."""
    described, machine, process = describe_process(), processes.read_machine(), subprocess.Popen(["true"])
    process.wait()
    monkeypatch.setattr(processes, "PROC", tmp_path)
    monkeypatch.setattr(processes, "read_machine", lambda: machine)
    assert not is_gone(described)
    assert is_gone(f"{machine} {process.pid} 1")


def test_a_dead_holder_of_this_machine_is_replaced_at_once(engine: Engine, ended_process: str) -> None:
    dead = acquire(engine, "contacts", "policies")
    set_process(engine, ended_process)
    with hold_lease(engine, TENANT, ["policies"]) as successor:
        assert dict(successor.tokens)["policies"] == dict(dead.tokens)["policies"] + 1
        assert not still_holds(engine, dead)


def test_a_dead_holder_of_this_machine_delays_no_migration(engine: Engine, ended_process: str) -> None:
    acquire(engine, "contacts")
    with pytest.raises(LeaseHeld), engine.begin() as connection:
        block_runs(connection)
    set_process(engine, ended_process)
    with engine.begin() as connection:
        block_runs(connection)


def test_a_living_holder_of_this_machine_is_not_waited_for(engine: Engine) -> None:
    acquire(engine, "contacts")
    messages: list[Event] = []
    with pytest.raises(LeaseHeld), hold_lease(engine, TENANT, ["contacts"], Waiting(messages.append)):
        pass
    assert messages == []


def test_a_holder_elsewhere_is_waited_for_until_its_lease_expires(engine: Engine, ended_process: str) -> None:
    acquire(engine, "contacts")
    set_process(engine, f"elsewhere {ended_process}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE etl.leases SET expires_at = now() + interval '1 second'"))
    messages: list[Event] = []
    with hold_lease(engine, TENANT, ["contacts"], Waiting(messages.append, pause=0.1)) as lease:
        assert still_holds(engine, lease)
    (message,) = messages
    assert isinstance(message, Message)
    assert "Waiting for at most" in message.text


def test_a_holder_elsewhere_that_renews_its_lease_ends_the_wait(engine: Engine) -> None:
    lease = acquire(engine, "contacts")
    set_process(engine, None)

    def renew(_event: Event) -> None:
        renew_lease(engine, lease)

    with pytest.raises(LeaseHeld), hold_lease(engine, TENANT, ["contacts"], Waiting(renew, pause=0.05)):
        pass


def test_a_wait_for_a_lease_ends_when_asked_to_stop(engine: Engine) -> None:
    acquire(engine, "contacts")
    set_process(engine, None)
    stop = Flag()
    waiting = Waiting(lambda _event: stop.set(), stop)
    with pytest.raises(Interrupted), hold_lease(engine, TENANT, ["contacts"], waiting):
        pass


@pytest.mark.parametrize("step", ["transform", "load"])
def test_a_step_that_waits_for_a_lease_ends_when_asked_to_stop(engine: Engine, step: str) -> None:
    acquire(engine, "contacts")
    set_process(engine, None)
    stop, began = Flag(), time.monotonic()
    options: dict[str, Any] = {"settings": Settings(_env_file=None, etl_tenant=TENANT), "stop": stop}
    Timer(0.3, stop.set).start()
    steps: dict[str, Callable[[], object]] = {
        "transform": partial(TransformService(engine, **options).transform_batch, uuid4()),
        "load": partial(LoadService(engine, **options).load_batch, uuid4(), JANUARY),
    }
    with pytest.raises(Interrupted):
        steps[step]()
    assert time.monotonic() - began < 10


def test_the_lease_of_a_run_of_tasks_is_not_waited_for(engine: Engine) -> None:
    messages: list[Event] = []
    with (
        share_lease(engine, TENANT, ["contacts"], "hourly 1"),
        pytest.raises(LeaseHeld),
        hold_lease(engine, TENANT, ["contacts"], Waiting(messages.append)),
    ):
        pass
    assert messages == []
