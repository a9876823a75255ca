"""Reconciling on the command line: what vanished is told of, marked, taken back; a brake, a merge, what waits."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from command_line import CommandLine, settings_of

from etl.simulator import Simulator, SimulatorSettings


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(seed=20, contacts=10)) as served:
        yield served


@pytest.fixture
def qqetl(tmp_path: Path, database_url: str, simulator: Simulator) -> CommandLine:
    return CommandLine(tmp_path, settings_of(simulator) | {"DATABASE_URL": database_url})


def dead(database_url: str, table: str) -> set[str]:
    """Return the source ids of rows that are marked deleted."""
    with psycopg.connect(database_url) as connection:
        return {one for (one,) in connection.execute(f"SELECT source_id FROM {table} WHERE deleted_at IS NOT NULL")}


def merge(simulator: Simulator) -> tuple[str, str]:
    """Merge a customer into another at the source: one id vanishes, and another gains its policies."""
    world = simulator.world
    gone = next(one for one, mine in world.policies_of.items() if mine and one in world.contacts)
    heir = next(one for one in world.contacts if one != gone and world.contacts[one]["Status"] == "A")
    with simulator.lock:
        for key in [one for one in world.policies if world.policies[one]["CustomerId"] == gone]:
            world.policies.change(key, simulator.server.now(), CustomerId=heir)
        world.contacts.drop(gone)
    return str(gone), str(heir)


def test_from_what_vanished_to_what_was_taken_back(qqetl: CommandLine, simulator: Simulator, database_url: str) -> None:
    assert qqetl("sync", "--resource", "contacts", "--resource", "policies", "--resource", "claims").returncode == 0
    before = {table: dead(database_url, table) for table in ("contacts", "claims")}
    claim = next(one for one in simulator.world.claims if str(one) not in before["claims"])
    with simulator.lock:
        simulator.world.claims.drop(claim)
    gone, heir = merge(simulator)
    some = ("--resource", "contacts", "--resource", "policies", "--resource", "claims")

    told = qqetl("reconcile", "--dry-run", *some)
    assert told.returncode == 0
    assert f"records vanished and would be marked deleted: {claim}." in told.stderr
    assert re.search(r"claims: 1 of \d+ records vanished, and are left as they are", told.stdout)
    assert json.loads(qqetl("reconcile", "--dry-run", "--json", *some).stdout)["vanished"] == {
        "claims": 1,
        "contacts": 1,
    }
    assert {table: dead(database_url, table) for table in before} == before

    done = qqetl("reconcile", *some)
    assert done.returncode == 0, done.stderr
    assert "1 of the vanished seem merged into others" in done.stderr
    assert dead(database_url, "claims") == before["claims"] | {str(claim)}
    assert dead(database_url, "contacts") == before["contacts"] | {gone}
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT table_name, source_id, alias_of FROM etl.aliases").fetchall()
    assert found == [("contacts", gone, heir)]
    assert "gone at the source" in qqetl("explain", "claims", str(claim)).stdout
    newest = json.loads(qqetl("runs", "--json").stdout)[0]
    assert (newest["deleted"], newest["status"]) == (2, "completed")

    back = qqetl("reconcile", "--undo", newest["batch"][:8])
    assert back.returncode == 0, back.stderr
    assert back.stdout.splitlines() == [f"{name}: 1 row no longer marked deleted" for name in ("contacts", "claims")]
    assert {table: dead(database_url, table) for table in before} == before
    again = qqetl("reconcile", "--undo", newest["batch"][:8])
    assert (again.returncode, again.stdout.strip()) == (0, "Nothing that this batch marked deleted is still so.")


def test_a_brake_holds_until_somebody_lets_go(qqetl: CommandLine, simulator: Simulator, database_url: str) -> None:
    rules = ("--resource", "commission_rules")
    assert qqetl("sync", *rules).returncode == 0
    with simulator.lock:
        del simulator.world.agency_rules[:40]
    braked = qqetl("reconcile", *rules)
    assert braked.returncode == 6
    assert dead(database_url, "commission_rules") == set()
    assert "qqetl retry" not in braked.stdout, "to try again would change nothing"
    cure = re.search(r"`ETL_DELETE_BRAKE=(0\.\d\d) qqetl (reconcile [^`]*)`", braked.stdout)
    assert cure is not None
    assert qqetl("sync", *rules).returncode == 0
    assert "too much of commission_rules vanished at once" in qqetl("status").stdout, "a sync says nothing of it"
    let_go = qqetl.with_settings(ETL_DELETE_BRAKE=cure[1])(*cure[2].split())
    assert let_go.returncode == 0, let_go.stderr
    assert len(dead(database_url, "commission_rules")) == 40
    assert "too much of" not in qqetl("status").stdout


def test_what_waits_for_its_record_is_listed_with_its_age(qqetl: CommandLine, database_url: str) -> None:
    assert qqetl("sync", "--resource", "policies").returncode == 0
    waiting = {one["table"]: one["number"] for one in json.loads(qqetl("status", "--json").stdout)["orphans"]}
    with psycopg.connect(database_url) as connection:
        listed = connection.execute("""
            SELECT table_name, count(*), bool_and(age >= interval '0'), bool_and(referred_to > 0)
            FROM etl.orphans GROUP BY table_name
        """).fetchall()
    assert {table: number for table, number, *_ in listed} == waiting
    assert {"contacts", "employees", "carriers"} <= waiting.keys()
    assert all(aged and referred for *_, aged, referred in listed)


def test_what_needs_no_reconciling_is_refused(qqetl: CommandLine) -> None:
    refused = qqetl("reconcile", "--resource", "coverages")
    assert (refused.returncode, "read in complete sets" in refused.stderr) == (2, True)
