"""Data quality on the command line: findings by agent, checks, explanations, replay."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from command_line import CommandLine, settings_of

from etl.checks import CHECKS
from etl.simulator import Simulator, SimulatorSettings


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(contacts=12)) as served:
        yield served


@pytest.fixture
def qqetl(tmp_path: Path, database_url: str, simulator: Simulator) -> CommandLine:
    return CommandLine(tmp_path, settings_of(simulator) | {"DATABASE_URL": database_url})


def as_json(qqetl: CommandLine, *words: str) -> Any:
    done = qqetl(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_placeholder_policy_number_is_found_explained_and_fixed(
    qqetl: CommandLine, simulator: Simulator, database_url: str
) -> None:
    policy = next(entry for entry in simulator.world.policies.values() if entry["Status"] == "A" and entry["AgentName"])
    key, agent = policy["PolicyId"], policy["AgentName"].strip()
    simulator.world.policies.change(key, simulator.server.now(), PolicyNumber="TBA")
    assert qqetl("sync").returncode == 0

    checks = {entry["check"]: entry for entry in as_json(qqetl, "checks")}
    assert list(checks) == [entry.name for entry in CHECKS]
    assert checks["placeholder-policy-number"]["open_findings"] >= 1
    hits = as_json(qqetl, "checks", "placeholder-policy-number")["hits"]
    assert ("TBA", str(key)) in [(entry["policy_number"], entry["source_id"]) for entry in hits]
    shown = qqetl("checks", "placeholder-policy-number").stdout
    assert "To do: Enter the policy number" in shown
    assert str(key) in shown

    printed = qqetl("checks", "placeholder-policy-number", "--sql").stdout
    with psycopg.connect(database_url) as connection:
        assert str(key) in [row[2] for row in connection.execute(printed).fetchall()]

    lines = list(csv.DictReader(io.StringIO(qqetl("findings", "--csv").stdout)))
    line = next(
        entry for entry in lines if entry["rule"] == "placeholder-policy-number" and entry["source_id"] == str(key)
    )
    assert (line["policy_number"], line["agent"]) == ("TBA", agent)
    assert line["office"]
    by_agent = {entry["name"]: entry["open"] for entry in as_json(qqetl, "findings", "--open", "--by", "agent")}
    assert by_agent[agent] >= 1
    assert agent in qqetl("findings", "--by", "agent").stdout

    simulator.world.policies.change(key, simulator.server.now(), PolicyNumber="HO 4711-26")
    assert "fixed" in qqetl("sync").stderr
    assert str(key) not in [
        entry["source_id"] for entry in as_json(qqetl, "checks", "placeholder-policy-number")["hits"]
    ]


def test_a_row_is_explained_and_replayed(qqetl: CommandLine, simulator: Simulator, database_url: str) -> None:
    assert qqetl("sync").returncode == 0
    contact = next(
        entry for entry in simulator.world.contacts.values() if entry["Email"] and entry["Line1"] and entry["LastName"]
    )
    key = str(contact["EntityID"])
    shown = qqetl("explain", "contacts", key)
    assert "Contacts/LastModifiedCreated" in shown.stdout
    assert contact["Line1"].strip() not in shown.stdout
    assert contact["Line1"].strip() in qqetl("explain", "contacts", key, "--personal", "--json").stdout
    sources = [entry["resource"] for entry in as_json(qqetl, "explain", "contacts", key)["roads"]]
    assert sources == ["contacts", "account_info"]

    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE contacts SET city = 'Elsewhere' WHERE source_id = %s", [key])
        assert "; the row has Elsewhere" in " ".join(qqetl("explain", "contacts", key).stdout.split())
        dry = as_json(qqetl, "replay", "--resource", "contacts")
        assert dry["changes"] == [{"table": "contacts", "column": "city", "rows": 1, "source_ids": [key]}]
        city = "SELECT city FROM contacts WHERE source_id = %s"
        assert connection.execute(city, [key]).fetchone() == ("Elsewhere",)
        assert "Nothing was written" in qqetl("replay", "--resource", "contacts").stdout
        applied = qqetl("replay", "--resource", "contacts", "--apply")
        assert applied.returncode == 0, applied.stderr
        assert "Written by batch" in applied.stdout
        assert connection.execute(city, [key]).fetchone() != ("Elsewhere",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["checks", "--sql"], "name it"),
        (["checks", "term-gaps"], "Did you mean term-gap"),
        (["checks", "term-gap", "--sql", "--json"], "cannot be combined"),
        (["explain", "policy", "1"], "Did you mean policies"),
        (["explain", "policies", "nobody"], "No row 'nobody'"),
        (["replay", "--resource", "polices"], "Did you mean policies"),
        (["findings", "--csv", "--by", "agent"], "cannot be combined"),
    ],
)
def test_usage_errors_are_one_line(qqetl: CommandLine, words: list[str], message: str) -> None:
    done = qqetl(*words)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
