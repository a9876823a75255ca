"""No public name changes unnoticed: columns, functions, states, and what the command line writes for programs."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from command_line import CommandLine, settings_of
from mail_sink import free_port
from public_names import assert_kept, stored

from etl.simulator import Simulator, SimulatorSettings

SCHEMAS = ("public", "raw", "etl", "history", "masked")
COLUMNS = """
    SELECT table_name || '.' || column_name || ' ' || CASE data_type WHEN 'ARRAY' THEN udt_name ELSE data_type END
    FROM information_schema.columns WHERE table_schema = %s
"""
RELATIONS = """
    SELECT DISTINCT table_schema || ' ' || table_type FROM information_schema.tables
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
"""
FUNCTIONS = """
    SELECT space.nspname || '.' || one.proname || '(' || pg_get_function_arguments(one.oid) || ')'
    FROM pg_proc AS one JOIN pg_namespace AS space ON space.oid = one.pronamespace
    WHERE space.nspname NOT IN ('pg_catalog', 'information_schema')
"""
GUARDS = """
    SELECT CAST(conrelid AS regclass)::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'c' AND conrelid <> 0 AND pg_get_constraintdef(oid) LIKE '%= ANY%'
"""
#: What is prose or data in place of keys: the maps whose keys are tables, resources, columns or outcomes.
MAPS = ("tables", "tables.*", "vanished", "computed", "counts", "resources", "resources.*")
#: Keys of log lines that hold numbers: the counts of a resource, named like the columns of its balance.
COUNTS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'batch_resources'"
SOME = ("--resource", "contacts", "--resource", "policies", "--resource", "claims")


def rows(url: str, query: str, *values: str) -> list[tuple[Any, ...]]:
    """Return the rows that a query gives."""
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(query.encode(), values or None)
        return done.fetchall() if done.description else []


def test_tables_views_columns_functions_and_guarded_states_keep_their_names(database_url: str) -> None:
    found: dict[str, Iterable[str]] = {
        f"columns_{schema}": [name for (name,) in rows(database_url, COLUMNS, schema)] for schema in SCHEMAS
    }
    found["schemas"] = [name for (name,) in rows(database_url, RELATIONS)]
    found["functions"] = [name for (name,) in rows(database_url, FUNCTIONS)]
    found["guarded_states"] = guarded(database_url)
    assert_kept(found)


def guarded(url: str) -> Iterator[str]:
    """Yield the values that a CHECK allows in a column; all staging tables stand as one."""
    for table, guard in rows(url, GUARDS):
        name = re.sub(r"^raw\.raw_\w+$", "raw.*", table)
        for column, words in re.findall(r"\((?:\()?(\w+)\)?(?:::text)? = ANY \(+ARRAY\[([^\]]*)\]", guard):
            yield from (f"{name}.{column} = {word}" for word in re.findall(r"'([^']*)'", words))


@dataclass
class Said:
    """What the command line wrote for programs: key paths by command, heads of tables, names of metrics."""

    qqetl: CommandLine
    keys: set[str] = field(default_factory=set)
    heads: set[str] = field(default_factory=set)

    def __call__(self, *words: str, named: str = "", **settings: str) -> Any:
        """Run a command with `--json`, note its keys under the words given, and return what it wrote."""
        done = self.qqetl.with_settings(**settings)(*words, "--json")
        assert done.stdout, done.stderr
        value = json.loads(done.stdout)
        label = named or " ".join(words)
        self.keys |= {f"{label}: {path}" for path in key_paths(value)}
        return value

    def table(self, *words: str) -> None:
        """Run a command that writes comma-separated values, and note its head."""
        head = next(csv.reader(io.StringIO(self.qqetl(*words).stdout)))
        self.heads |= {f"{' '.join(words)}: {name}" for name in head}


def key_paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of all keys of a JSON value, `*` for keys that are data."""
    if isinstance(value, list):
        for one in value:
            yield from key_paths(one, f"{path}[]")
    if isinstance(value, dict):
        for key, one in value.items():
            below = f"{path}.{'*' if path in MAPS else key}".lstrip(".")
            yield below
            yield from key_paths(one, below)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(seed=20, contacts=10, faults=('set-field:Mood="glad"',))) as served:
        yield served


@pytest.fixture
def said(tmp_path: Path, database_url: str, simulator: Simulator) -> Said:
    own = {
        "DATABASE_URL": database_url,
        "ETL_SMTP_URL": f"smtp://127.0.0.1:{free_port()}",
        "ETL_MAIL_FROM": "qqetl@example.com",
        "ETL_MAIL_TO": "operations@example.com",
        "LOG_FILE": str(tmp_path / "log"),
        "LOG_LEVEL": "DEBUG",
    }
    return Said(CommandLine(tmp_path, settings_of(simulator) | own))


@pytest.mark.timeout(600)
def test_what_the_command_line_writes_for_programs_keeps_its_names(
    said: Said, simulator: Simulator, database_url: str
) -> None:
    steps(said)
    troubled(said, database_url)
    synced(said, simulator)
    looked_at(said, database_url)
    reconciled(said, simulator)
    outstanding(said, database_url)
    assert_kept(
        {
            "json_keys": said.keys | simulated(said.qqetl),
            "csv_columns": said.heads,
            "metrics": metrics(said.qqetl("metrics").stdout),
            "log_keys_of_every_line": log_keys(said.qqetl, database_url),
            "finding_rules_of_records": rules_of_records(said.qqetl, database_url),
            "simulator_faults": faults(said.qqetl),
            "roles": re.findall(r"CREATE ROLE (\w+)", said.qqetl("db", "roles").stdout),
        }
    )


def steps(said: Said) -> None:
    """Take the three steps one by one, over two stretches that leave a gap between them."""
    batch = said("extract", "--from", "2026-01-01", "--to", "2026-01-02", *SOME, named="extract")["batch"]
    said("transform", batch, named="transform BATCH")
    said("load", batch, named="load BATCH")
    said("sync", "--from", "2026-03-01", "--to", "2026-03-02", *SOME, named="sync")
    assert any(one["gaps"] for one in said("status")["resources"])


def troubled(said: Said, url: str) -> None:
    """Fail, so that a person is needed and a mail waits; take the run up."""
    assert said.qqetl.with_settings(QQCATALYST_PASSWORD="wrong")("sync", *SOME).returncode == 5
    notices = said("notices")
    assert notices["open"]
    assert notices["unsent"]
    assert said.qqetl("sync", "--max-minutes", "0.00001", *SOME).returncode == 1
    said("retry")
    explained(said, url, "carriers", "is_placeholder")


def explained(said: Said, url: str, table: str, condition: str) -> None:
    """Explain the first row of a table that a condition holds for."""
    ((key,),) = rows(url, f"SELECT source_id FROM {table} WHERE {condition} ORDER BY 1 LIMIT 1")
    said("explain", table, key, named="explain TABLE ID")


def synced(said: Said, simulator: Simulator) -> None:
    """Plan and do a whole sync, with something for a check to find."""
    policy = next(one for one in simulator.world.policies.values() if one["Status"] == "A")
    simulator.world.policies.change(policy["PolicyId"], simulator.server.now(), PolicyNumber="TBA")
    assert any(one["due"] for one in said("sync", "--dry-run", ETL_RATE="10")["resources"])
    said("sync")


def looked_at(said: Said, url: str) -> None:
    """Ask for all that can be asked for."""
    newest = said("runs")[0]["batch"]
    said("runs", newest, named="runs BATCH")
    for by in ("rule", "agent"):
        assert said("findings", "--by", by)
    said.table("findings", "--csv")
    said("status")
    said("checks")
    assert said("checks", "placeholder-policy-number", named="checks NAME")["hits"]
    said("resources")
    said("doctor")
    explained(said, url, "contacts", "source_id IN (SELECT source_id FROM etl.findings WHERE table_name = 'contacts')")
    explained(said, url, "renewals", "NOT is_placeholder")
    rows(url, "UPDATE contacts SET city = 'Elsewhere' WHERE NOT is_placeholder")
    assert said("replay", "--resource", "contacts", named="replay")["changes"]


def outstanding(said: Said, url: str) -> None:
    """Ask how things stand while a list is half read and details are due, as after a run that did not end."""
    rows(url, "UPDATE etl.batch_resources SET status = 'failed'")
    rows(url, "UPDATE etl.slices SET first_day = '2026-01-01', last_day = '2026-01-02'")
    rows(url, "UPDATE etl.child_queue SET due_at = now() - interval '1 hour'")
    backfill = said("status")["backfill"]
    assert backfill["details"]
    assert backfill["lists"]


def reconciled(said: Said, simulator: Simulator) -> None:
    """Let a record vanish, mark it deleted, take that back; plan to forget a person."""
    with simulator.lock:
        simulator.world.claims.drop(next(iter(simulator.world.claims)))
    assert said("reconcile", "--dry-run", *SOME, named="reconcile --dry-run")["vanished"]
    batch = said("reconcile", *SOME, named="reconcile")["batch"]
    undone = said.qqetl("reconcile", "--undo", batch, "--json")
    assert json.loads(undone.stdout) == {"claims": 1}
    assert said("forget", str(next(iter(simulator.world.contacts))), "--dry-run", named="forget ID --dry-run")["counts"]


def simulated(qqetl: CommandLine) -> set[str]:
    """Return the keys that the simulator writes when it is served by command."""
    served = qqetl.start("simulate", "--contacts", "1", "--json")
    try:
        assert served.stdout is not None
        return {f"simulate: {path}" for path in key_paths(json.loads(served.stdout.readline()))}
    finally:
        served.terminate()
        served.communicate(timeout=30)


def metrics(text: str) -> Iterator[str]:
    """Yield the metrics with their types, and the labels of their samples."""
    yield from (f"{name} is a {kind}" for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        spelled = ", ".join(re.findall(r"(?:^|,)(\w+)=", labels))
        yield f"{name}{{{spelled}}}"


def log_keys(qqetl: CommandLine, url: str) -> set[str]:
    """Return the keys of log lines that no call names: those of every line, and of all lines of a block."""
    lines = [json.loads(line) for line in Path(qqetl.settings["LOG_FILE"]).read_text().splitlines()]
    named = {
        key for line in stored("log_keys") if "bound" not in line for key in re.findall(r"\w+", line.partition(": ")[2])
    }
    return {key for line in lines for key in line} - named - {name for (name,) in rows(url, COUNTS)}


def rules_of_records(qqetl: CommandLine, url: str) -> set[str]:
    """Return the rules of findings that come neither from a kind nor from a check."""
    with Simulator(SimulatorSettings(seed=20, contacts=10, faults=("no-id", "lost-field:EffectiveDate"))) as odd:
        qqetl.with_settings(**settings_of(odd), ETL_TENANT="odd")("sync", "--resource", "policies")
    found = {rule for (rule,) in rows(url, "SELECT DISTINCT rule FROM etl.findings")}
    return found - stored("finding_rules") - {line.partition(":")[0] for line in stored("checks")}


def faults(qqetl: CommandLine) -> list[str]:
    """Return the names of the faults that a simulator can be told to have."""
    listed = qqetl("simulate", "--list-faults").stdout
    return re.findall(r"^\W*([a-z]+(?:-[a-z]+)*)  +\S", listed, re.MULTILINE)
