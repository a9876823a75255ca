"""The commands on one database: output as text and as JSON."""

import csv
import io
import json
import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import psycopg
import pytest
from command_line import CommandLine, settings_of

from etl.resources import CATALOGUE
from etl.simulator import Simulator, SimulatorSettings

NAMES = [resource.name for resource in CATALOGUE if not resource.is_optional]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(contacts=12)) as served:
        yield served


@pytest.fixture
def qqetl(tmp_path: Path, database_url: str, simulator: Simulator) -> CommandLine:
    return CommandLine(tmp_path, settings_of(simulator) | {"DATABASE_URL": database_url})


def as_json(qqetl: CommandLine, *words: str, status: int = 0) -> Any:
    done = qqetl(*words, "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


#: Tables that all API clients write to, and the log of commits.
SHARED = ("etl.tokens", "etl.call_limits", "etl.account_calls", "etl.commits")


def counts(url: str) -> dict[str, int]:
    """Return the number of rows of each table, without the shared ones."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'raw', 'etl')"
        ).fetchall()
        names = [name for (name,) in tables if name not in SHARED]
        rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in names}
    return {name: row[0] for name, row in rows.items() if row is not None}


def test_two_syncs_and_the_output_of_other_commands(qqetl: CommandLine, database_url: str) -> None:
    before = counts(database_url)
    plan = as_json(qqetl.with_settings(ETL_RATE="10"), "sync", "--dry-run")
    assert [entry["resource"] for entry in plan["resources"]] == NAMES
    assert plan["seconds"] == ceil(plan["calls"] / 10) - 1, "an idle account answers the first ten at once"
    assert counts(database_url) == before, "a dry run writes only to shared tables"

    first = as_json(qqetl, "sync")
    assert first["status"] == "completed"
    assert all(part["balanced"] for part in first["resources"])
    assert sum(counts["inserted"] for counts in first["tables"].values()) > 100
    assert first["calls"] <= plan["calls"] + 2, "the plan is an upper bound, without the sign-in"

    second = qqetl("sync")
    assert second.returncode == 0
    assert "Nothing was written" in second.stdout
    assert "✓" in second.stdout
    assert "postgresql://" in second.stderr

    status = as_json(qqetl, "status", "--max-lag", "1h")
    assert [entry["resource"] for entry in status["resources"]] == NAMES
    assert status["late"] == []
    offered = [entry for entry in status["resources"] if entry["offered"] is not False]
    assert len(offered) > 20
    assert all(entry["lag_seconds"] < 3600 and not entry["gaps"] for entry in offered)
    assert next(entry for entry in status["resources"] if entry["resource"] == "contacts")["rows"] > 0

    batches = as_json(qqetl, "runs")
    assert [entry["status"] for entry in batches] == ["completed", "completed"]
    assert batches[1]["batch"] == first["batch"]
    sheet = qqetl("runs", first["batch"][:8])
    assert sheet.returncode == 0
    assert sheet.stdout.count("✓") == len(offered) + 1, "and the sum"
    assert " inserted" in sheet.stdout
    listed = as_json(qqetl, "resources")
    assert [entry["resource"] for entry in listed] == [resource.name for resource in CATALOGUE]
    assert next(entry for entry in listed if entry["resource"] == "claims")["offered"] is True


def test_a_status_before_the_first_run_is_late(qqetl: CommandLine) -> None:
    status = as_json(qqetl, "status", "--max-lag", "2h", status=1)
    assert status["late"] == NAMES
    assert "no batch yet" in qqetl("runs").stdout.lower()


def test_the_three_steps(qqetl: CommandLine) -> None:
    extracted = qqetl("extract", "--resource", "policies")
    assert extracted.returncode == 0, extracted.stderr
    batch = extracted.stdout.strip()
    transformed = as_json(qqetl, "transform", batch[:8])
    assert transformed["batch"] == batch
    assert transformed["resources"]["policies"]["cleaned"] > 0
    loaded = as_json(qqetl, "load", batch)
    assert loaded["status"] == "completed"
    assert loaded["resources"]["policies"]["inserted"] == transformed["resources"]["policies"]["cleaned"]
    refused = qqetl("retry", batch)
    assert refused.returncode == 2
    assert "completed" in refused.stderr


def test_findings_as_json_and_csv(qqetl: CommandLine, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("""
            INSERT INTO etl.findings
                (tenant, resource, table_name, source_id, field, rule, severity, message, raw_value, batch_id)
            VALUES
                ('default', 'contacts', 'contacts', '=1+1', 'email', 'email-no-domain', 'dropped', '@SUM(A1) bad',
                 'jane@', gen_random_uuid()),
                ('default', 'policies', 'policies', '7', 'status', 'code-unknown', 'noted', 'status is unknown',
                 'ZZ', gen_random_uuid())
        """)
    (contacts, policies) = as_json(qqetl, "findings", "--open")
    assert (contacts["resource"], contacts["open"], policies["rule"]) == ("contacts", 1, "code-unknown")
    done = qqetl("findings", "--csv")
    first, second = csv.DictReader(io.StringIO(done.stdout))
    assert (first["source_id"], first["message"]) == ("'=1+1", "'@SUM(A1) bad")
    assert first["raw_value"] == "••••@"
    assert "jane" not in done.stdout
    assert second["raw_value"] == "ZZ"


def test_a_run_stopped_by_max_minutes_can_be_resumed(qqetl: CommandLine) -> None:
    done = qqetl("sync", "--max-minutes", "0.00001")
    assert done.returncode == 1
    assert "minute limit" in done.stderr
    assert as_json(qqetl, "runs")[0]["status"] == "failed"


def test_a_terminal_gets_a_bar_and_a_pipe_gets_lines(qqetl: CommandLine) -> None:
    status, shown = qqetl.on_terminal("sync", "--resource", "contacts", "--resource", "account_info")
    assert status == 0, shown
    assert "\x1b[?25l" in shown, "the cursor hides while the bar moves"
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "and is shown again"
    assert "Up to date with QQCatalyst" in shown
    piped = qqetl("sync", "--resource", "contacts", "--resource", "account_info")
    assert "\x1b" not in piped.stdout + piped.stderr
    assert "contacts          " in piped.stderr


def test_no_color_is_respected(qqetl: CommandLine) -> None:
    _, coloured = qqetl.on_terminal("runs")
    status, plain = qqetl.on_terminal("status", NO_COLOR="1")
    assert status == 0, coloured
    assert "\x1b[3" not in plain
    lines = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).rstrip() for line in plain.splitlines()]
    assert [line for line in lines if len(line) > 80 and not line.startswith("Database: ")] == []
