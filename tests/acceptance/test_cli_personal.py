"""`qqetl forget` and `qqetl db roles` on the command line."""

import getpass
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from command_line import CommandLine, settings_of

from etl.simulator import Simulator, SimulatorSettings


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(contacts=6)) as served:
        yield served


@pytest.fixture
def qqetl(tmp_path: Path, database_url: str, simulator: Simulator) -> CommandLine:
    return CommandLine(tmp_path, settings_of(simulator) | {"DATABASE_URL": database_url})


def test_a_person_is_forgotten_after_confirmation(qqetl: CommandLine, database_url: str, simulator: Simulator) -> None:
    assert qqetl("sync", "--resource", "contacts", "--resource", "policies").returncode == 0
    person = str(next(iter(simulator.world.contacts)))
    name = simulator.world.contacts[int(person)]["DisplayName"]

    plan = qqetl("forget", person, "--dry-run", "--json")
    assert plan.returncode == 0, plan.stderr
    planned = json.loads(plan.stdout)
    assert (planned["contact"], planned["applied"]) == (person, False)

    refused = qqetl("forget", person)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr

    done = qqetl("forget", person, "--yes")
    assert done.returncode == 0, done.stderr
    assert "public.contacts" in done.stdout
    assert name not in plan.stdout + plan.stderr + done.stdout + done.stderr
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT actor, action, counts FROM etl.audit").fetchone()
    assert row == (getpass.getuser(), "forget", planned["counts"])


def test_an_unknown_contact_is_a_usage_error(qqetl: CommandLine) -> None:
    done = qqetl("forget", "12345", "--yes")
    assert done.returncode == 2
    assert "No contact 12345" in done.stderr


def test_the_roles_are_printed_as_sql_that_runs(qqetl: CommandLine, database_url: str) -> None:
    done = qqetl("db", "roles")
    assert done.returncode == 0, done.stderr
    with psycopg.connect(database_url) as connection:
        before = connection.execute("SELECT count(*) FROM pg_default_acl").fetchone()
        assert before == (0,), "nothing is changed by printing"
        connection.execute(done.stdout.encode())
        allowed = connection.execute(
            "SELECT has_table_privilege('qqcatalyst_masked', 'masked.contacts', 'SELECT'),"
            " has_table_privilege('qqcatalyst_masked', 'public.contacts', 'SELECT')"
        ).fetchone()
        connection.rollback()
    assert allowed == (True, False)
