"""Public names do not change unnoticed: columns, functions, states, and machine-readable output."""

import csv
import io
import json
import re
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
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
    SELECT space.nspname || '.' || f.proname || '(' || pg_get_function_arguments(f.oid) || ')'
    FROM pg_proc AS f JOIN pg_namespace AS space ON space.oid = f.pronamespace
    WHERE space.nspname NOT IN ('pg_catalog', 'information_schema')
"""
GUARDS = """
    SELECT CAST(conrelid AS regclass)::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'c' AND conrelid <> 0 AND pg_get_constraintdef(oid) LIKE '%= ANY%'
"""
#: Maps whose keys are data: tables, resources, columns or outcomes.
MAPS = ("tables", "tables.*", "vanished", "computed", "counts", "resources", "resources.*")
#: Log keys of counts, named like the columns of the balance.
COUNTS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'batch_resources'"
SOME = ("--resource", "contacts", "--resource", "policies", "--resource", "claims")


def rows(url: str, query: str, *values: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(query.encode(), values or None)
        return done.fetchall() if done.description else []


def test_database_names_are_unchanged(database_url: str) -> None:
    names: dict[str, Iterable[str]] = {
        f"columns_{schema}": [name for (name,) in rows(database_url, COLUMNS, schema)] for schema in SCHEMAS
    }
    names["schemas"] = [name for (name,) in rows(database_url, RELATIONS)]
    names["functions"] = [name for (name,) in rows(database_url, FUNCTIONS)]
    names["guarded_states"] = guarded(database_url)
    assert_kept(names)


def guarded(url: str) -> Iterator[str]:
    """Yield the values that a CHECK allows in a column; staging tables are listed as one."""
    for table, guard in rows(url, GUARDS):
        name = re.sub(r"^raw\.raw_\w+$", "raw.*", table)
        for column, words in re.findall(r"\((?:\()?(\w+)\)?(?:::text)? = ANY \(+ARRAY\[([^\]]*)\]", guard):
            yield from (f"{name}.{column} = {word}" for word in re.findall(r"'([^']*)'", words))


@dataclass
class Collector:
    """Machine-readable output: key paths by command, and CSV headers."""

    qqetl: CommandLine
    keys: set[str] = field(default_factory=set)
    headers: set[str] = field(default_factory=set)

    def __call__(self, *words: str, label: str = "", **settings: str) -> Any:
        """Run a command with `--json`, collect its keys, and return its output."""
        done = self.qqetl.with_settings(**settings)(*words, "--json")
        assert done.stdout, done.stderr
        value = json.loads(done.stdout)
        path_label = label or " ".join(words)
        self.keys |= {f"{path_label}: {path}" for path in key_paths(value)}
        return value

    def table(self, *words: str) -> None:
        """Run a command that writes CSV, and collect its header."""
        head = next(csv.reader(io.StringIO(self.qqetl(*words).stdout)))
        self.headers |= {f"{' '.join(words)}: {name}" for name in head}


def key_paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of all keys of a JSON value, `*` for keys that are data."""
    if isinstance(value, list):
        for item in value:
            yield from key_paths(item, f"{path}[]")
    if isinstance(value, dict):
        for key, item in value.items():
            below = f"{path}.{'*' if path in MAPS else key}".lstrip(".")
            yield below
            yield from key_paths(item, below)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(seed=20, contacts=10, faults=('set-field:Mood="glad"',))) as served:
        yield served


@pytest.fixture
def collector(tmp_path: Path, database_url: str, simulator: Simulator) -> Collector:
    variables = {
        "DATABASE_URL": database_url,
        "ETL_SMTP_URL": f"smtp://127.0.0.1:{free_port()}",
        "ETL_MAIL_FROM": "qqetl@example.com",
        "ETL_MAIL_TO": "operations@example.com",
        "LOG_FILE": str(tmp_path / "log"),
        "LOG_LEVEL": "DEBUG",
    }
    return Collector(CommandLine(tmp_path, settings_of(simulator) | variables))


@pytest.mark.timeout(600)
def test_machine_readable_names_are_unchanged(collector: Collector, simulator: Simulator, database_url: str) -> None:
    run_steps(collector)
    fail_and_retry(collector, simulator, database_url)
    run_sync(collector, simulator)
    show_all(collector, database_url)
    run_reconcile(collector, simulator)
    show_backlog(collector, database_url)
    assert_kept(
        {
            "json_keys": collector.keys | simulated(collector.qqetl),
            "csv_columns": collector.headers,
            "metrics": metrics(collector.qqetl("metrics").stdout),
            "log_keys_of_every_line": log_keys(collector.qqetl, database_url),
            "finding_rules_of_records": rules_of_records(collector.qqetl, database_url),
            "simulator_faults": faults(collector.qqetl),
            "roles": re.findall(r"CREATE ROLE (\w+)", collector.qqetl("db", "roles").stdout),
        }
    )


def run_steps(collector: Collector) -> None:
    """Run the three steps, over two windows with a gap between them."""
    batch = collector("extract", "--from", "2026-01-01", "--to", "2026-01-02", *SOME, label="extract")["batch"]
    collector("transform", batch, label="transform BATCH")
    collector("load", batch, label="load BATCH")
    collector("sync", "--from", "2026-03-01", "--to", "2026-03-02", *SOME, label="sync")
    assert any(entry["gaps"] for entry in collector("status")["resources"])


def fail_and_retry(collector: Collector, simulator: Simulator, url: str) -> None:
    """Fail, so that there is an incident and an unsent email; resume the run."""
    assert collector.qqetl.with_settings(QQCATALYST_PASSWORD="wrong")("sync", *SOME).returncode == 5
    notices = collector("notices")
    assert notices["open"]
    assert notices["unsent"]
    interrupt_sync(collector, simulator, url)
    collector("retry")
    explain_row(collector, url, "locations", "is_placeholder")


def interrupt_sync(collector: Collector, simulator: Simulator, url: str) -> None:
    """Interrupt a sync of the same agency, with slow answers, after it has written its batch."""
    with Simulator(replace(simulator.settings, latency=1, founded=simulator.world.founded)) as slow:
        run = collector.qqetl.with_settings(**settings_of(slow)).start("sync", *SOME)
        give_up = time.monotonic() + 60
        while not rows(url, "SELECT 1 FROM etl.batches WHERE status = 'extracting'"):
            assert time.monotonic() < give_up, "no run began"
            time.sleep(0.05)
        run.send_signal(signal.SIGTERM)
        assert run.communicate(timeout=60)
    assert run.returncode == 1


def explain_row(collector: Collector, url: str, table: str, condition: str) -> None:
    """Explain the first row that matches a condition."""
    ((key,),) = rows(url, f"SELECT source_id FROM {table} WHERE {condition} ORDER BY 1 LIMIT 1")
    collector("explain", table, key, label="explain TABLE ID")


def run_sync(collector: Collector, simulator: Simulator) -> None:
    """Plan and run a full sync, with a hit for a check."""
    policy = next(record for record in simulator.world.policies.values() if record["Status"] == "A")
    simulator.world.policies.change(policy["PolicyId"], simulator.server.now(), PolicyNumber="TBA")
    assert any(entry["due"] for entry in collector("sync", "--dry-run", ETL_RATE="10")["resources"])
    collector("sync")


TABLE_WITH_A_FINDING = """
    SELECT finding.table_name FROM etl.findings AS finding JOIN public.policies AS policy
        ON finding.table_name = 'policies' AND policy.source_id = finding.source_id AND policy.tenant = finding.tenant
    UNION SELECT finding.table_name FROM etl.findings AS finding JOIN public.contacts AS contact
        ON finding.table_name = 'contacts' AND contact.source_id = finding.source_id AND contact.tenant = finding.tenant
    LIMIT 1
"""


def show_all(collector: Collector, url: str) -> None:
    """Run all commands that show data."""
    newest = collector("runs")[0]["batch"]
    collector("runs", newest, label="runs BATCH")
    for by in ("rule", "agent"):
        assert collector("findings", "--by", by)
    collector.table("findings", "--csv")
    collector("status")
    collector("checks")
    assert collector("checks", "placeholder-policy-number", label="checks NAME")["hits"]
    collector("resources")
    collector("doctor")
    ((table,),) = rows(url, TABLE_WITH_A_FINDING)
    explain_row(
        collector, url, table, f"source_id IN (SELECT source_id FROM etl.findings WHERE table_name = '{table}')"
    )
    explain_row(collector, url, "carriers", "NOT is_placeholder")
    rows(url, "UPDATE contacts SET city = 'Elsewhere' WHERE NOT is_placeholder")
    assert collector("replay", "--resource", "contacts", label="replay")["changes"]


def show_backlog(collector: Collector, url: str) -> None:
    """Show the status while a list is half read and details are due, as after an interrupted run."""
    rows(url, "UPDATE etl.batch_resources SET status = 'failed'")
    rows(url, "UPDATE etl.slices SET first_day = '2026-01-01', last_day = '2026-01-02'")
    rows(url, "UPDATE etl.child_queue SET due_at = now() - interval '1 hour'")
    backfill = collector("status")["backfill"]
    assert backfill["details"]
    assert backfill["lists"]


def run_reconcile(collector: Collector, simulator: Simulator) -> None:
    """Remove a record, mark it deleted, undo that; plan to forget a person."""
    with simulator.lock:
        simulator.world.claims.drop(next(iter(simulator.world.claims)))
    assert collector("reconcile", "--dry-run", *SOME, label="reconcile --dry-run")["vanished"]
    batch = collector("reconcile", *SOME, label="reconcile")["batch"]
    undone = collector.qqetl("reconcile", "--undo", batch, "--json")
    assert json.loads(undone.stdout) == {"claims": 1}
    assert collector("forget", str(next(iter(simulator.world.contacts))), "--dry-run", label="forget ID --dry-run")[
        "counts"
    ]


def simulated(qqetl: CommandLine) -> set[str]:
    """Return the keys that `qqetl simulate` prints."""
    served = qqetl.start("simulate", "--contacts", "1", "--json")
    try:
        assert served.stdout is not None
        return {f"simulate: {path}" for path in key_paths(json.loads(served.stdout.readline()))}
    finally:
        served.terminate()
        served.communicate(timeout=30)


def metrics(text: str) -> Iterator[str]:
    """Yield the metrics with their types and labels."""
    yield from (f"{name} is a {kind}" for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        spelled = ", ".join(re.findall(r"(?:^|,)(\w+)=", labels))
        yield f"{name}{{{spelled}}}"


def log_keys(qqetl: CommandLine, url: str) -> set[str]:
    """Return the log keys that no call names: those of every line and of all lines in a block."""
    lines = [json.loads(line) for line in Path(qqetl.settings["LOG_FILE"]).read_text().splitlines()]
    named_keys = {
        key for line in stored("log_keys") if "bound" not in line for key in re.findall(r"\w+", line.partition(": ")[2])
    }
    return {key for line in lines for key in line} - named_keys - {name for (name,) in rows(url, COUNTS)}


def rules_of_records(qqetl: CommandLine, url: str) -> set[str]:
    """Return the rules of findings that come from neither a kind nor a check."""
    with Simulator(SimulatorSettings(seed=20, contacts=10, faults=("no-id", "lost-field:EffectiveDate"))) as odd:
        qqetl.with_settings(**settings_of(odd), ETL_TENANT="odd")("sync", "--resource", "policies")
    rules = {rule for (rule,) in rows(url, "SELECT DISTINCT rule FROM etl.findings")}
    return rules - stored("finding_rules") - {line.partition(":")[0] for line in stored("checks")}


def faults(qqetl: CommandLine) -> list[str]:
    """Return the names of the faults that a simulator can have."""
    listed = qqetl("simulate", "--list-faults").stdout
    return re.findall(r"^\W*([a-z]+(?:-[a-z]+)*)  +\S", listed, re.MULTILINE)
