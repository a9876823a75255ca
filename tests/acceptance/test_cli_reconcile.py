"""`qqetl reconcile`: missing records are reported, marked deleted and restored; deletion limit and merges."""

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
        return {
            source_id
            for (source_id,) in connection.execute(f"SELECT source_id FROM {table} WHERE deleted_at IS NOT NULL")
        }


def merge(simulator: Simulator) -> tuple[str, str]:
    """Merge one customer into another in QQCatalyst: one id disappears, the other one gets its policies."""
    world = simulator.world
    gone = next(key for key, policies in world.policies_of.items() if policies and key in world.contacts)
    heir = next(key for key in world.contacts if key != gone and world.contacts[key]["Status"] == "A")
    with simulator.lock:
        for policy in [key for key in world.policies if world.policies[key]["CustomerId"] == gone]:
            world.policies.change(policy, simulator.server.now(), CustomerId=heir)
        world.contacts.drop(gone)
    return str(gone), str(heir)


def test_missing_records_are_reported_deleted_and_restored(
    qqetl: CommandLine, simulator: Simulator, database_url: str
) -> None:
    assert qqetl("sync", "--resource", "contacts", "--resource", "policies", "--resource", "claims").returncode == 0
    before = {table: dead(database_url, table) for table in ("contacts", "claims")}
    claim = next(key for key in simulator.world.claims if str(key) not in before["claims"])
    with simulator.lock:
        simulator.world.claims.drop(claim)
    gone, heir = merge(simulator)
    some = ("--resource", "contacts", "--resource", "policies", "--resource", "claims")

    dry_run = qqetl("reconcile", "--dry-run", *some)
    assert dry_run.returncode == 0
    assert f"records are missing in QQCatalyst and would be marked deleted: {claim}." in dry_run.stderr
    assert re.search(r"claims: 1 of \d+ records are missing in QQCatalyst\n", dry_run.stdout)
    assert "Nothing was loaded, changed or deleted." in dry_run.stdout
    assert json.loads(qqetl("reconcile", "--dry-run", "--json", *some).stdout)["vanished"] == {
        "claims": 1,
        "contacts": 1,
    }
    assert {table: dead(database_url, table) for table in before} == before

    done = qqetl("reconcile", *some)
    assert done.returncode == 0, done.stderr
    assert "1 of the missing records seem merged into others" in done.stderr
    assert dead(database_url, "claims") == before["claims"] | {str(claim)}
    assert dead(database_url, "contacts") == before["contacts"] | {gone}
    with psycopg.connect(database_url) as connection:
        aliases = connection.execute("SELECT table_name, source_id, alias_of FROM etl.aliases").fetchall()
    assert aliases == [("contacts", gone, heir)]
    assert "missing in QQCatalyst" in qqetl("explain", "claims", str(claim)).stdout
    newest = json.loads(qqetl("runs", "--json").stdout)[0]
    assert (newest["deleted"], newest["status"]) == (2, "completed")

    back = qqetl("reconcile", "--undo", newest["batch"][:8])
    assert back.returncode == 0, back.stderr
    assert back.stdout.splitlines() == [f"{name}: 1 row no longer marked deleted" for name in ("contacts", "claims")]
    assert {table: dead(database_url, table) for table in before} == before
    again = qqetl("reconcile", "--undo", newest["batch"][:8])
    assert (again.returncode, again.stdout.strip()) == (
        0,
        "Nothing to undo: no row is still marked deleted by this batch.",
    )


def test_the_deletion_limit_holds_until_it_is_raised(
    qqetl: CommandLine, simulator: Simulator, database_url: str
) -> None:
    rules = ("--resource", "commission_rules")
    assert qqetl("sync", *rules).returncode == 0
    with simulator.lock:
        del simulator.world.agency_rules[:40]
    stopped = qqetl("reconcile", *rules)
    assert stopped.returncode == 6
    assert dead(database_url, "commission_rules") == set()
    assert "qqetl retry" not in stopped.stdout, "a retry would change nothing"
    command = re.search(r"`ETL_DELETE_BRAKE=(0\.\d\d) qqetl (reconcile [^`]*)`", stopped.stdout)
    assert command is not None
    assert qqetl("sync", *rules).returncode == 0
    stopped_text = "too many commission_rules disappeared at once; none were deleted"
    assert stopped_text in qqetl("status").stdout, "a sync does not resolve it"
    confirmed = qqetl.with_settings(ETL_DELETE_BRAKE=command[1])(*command[2].split())
    assert confirmed.returncode == 0, confirmed.stderr
    assert len(dead(database_url, "commission_rules")) == 40
    assert "too much of" not in qqetl("status").stdout


def test_placeholders_are_listed_with_their_age(qqetl: CommandLine, database_url: str) -> None:
    assert qqetl("sync", "--resource", "policies").returncode == 0
    waiting = {entry["table"]: entry["number"] for entry in json.loads(qqetl("status", "--json").stdout)["orphans"]}
    with psycopg.connect(database_url) as connection:
        listed = connection.execute("""
            SELECT table_name, count(*), bool_and(age >= interval '0'), bool_and(referred_to > 0)
            FROM etl.orphans GROUP BY table_name
        """).fetchall()
    assert {table: number for table, number, *_ in listed} == waiting
    assert {"contacts", "employees", "carriers"} <= waiting.keys()
    assert all(aged and referred for *_, aged, referred in listed)


def test_a_resource_that_needs_no_reconciling_is_refused(qqetl: CommandLine) -> None:
    refused = qqetl("reconcile", "--resource", "coverages")
    assert (refused.returncode, "read in complete sets" in refused.stderr) == (2, True)
