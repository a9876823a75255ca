"""`qqetl doctor`: checks, calls, exit status, and the number of requests."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from command_line import CommandLine, settings_of

from etl.resources import CATALOGUE
from etl.simulator import Simulator, SimulatorSettings

CALLS = [resource.name for resource in CATALOGUE if not resource.optional for _ in resource.endpoints]


@contextmanager
def agency(*faults: str, **settings: Any) -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(**{"contacts": 12, "faults": faults, **settings})) as served:
        yield served


@pytest.fixture
def qqetl(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path, {"DATABASE_URL": database_url})


def run_doctor(qqetl: CommandLine, simulator: Simulator, status: int = 0, **settings: str) -> dict[str, Any]:
    """Return the report as JSON."""
    done = qqetl.with_settings(**(settings_of(simulator) | settings))("doctor", "--json")
    assert done.returncode == status, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["exit_status"] == status
    return report


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {call["resource"]: call["verdict"] for call in report["calls"]}


def rows_of(url: str) -> dict[str, int]:
    """Return the number of rows of each table that is not empty."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'raw', 'etl')"
        ).fetchall()
        counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in names}  # type: ignore[index]
    return {name: count for name, count in counts.items() if count}


def test_a_healthy_account_is_ready_after_few_calls(qqetl: CommandLine, database_url: str) -> None:
    before = rows_of(database_url)
    with agency() as simulator:
        report = run_doctor(qqetl, simulator)
        requests = [entry for entry in simulator.requests if entry.path.startswith("/v1/") and "Ping" not in entry.path]
    assert [entry["name"] for entry in report["checks"]] == ["settings", "database", "migrations", "token", "clock"]
    assert all(entry["good"] for entry in report["checks"])
    assert [entry["resource"] for entry in report["calls"]] == CALLS
    enterprise = {resource.name for resource in CATALOGUE if resource.needs_enterprise_access}
    assert {name for name, verdict in verdicts(report).items() if verdict == "not offered"} == enterprise
    assert set(verdicts(report).values()) <= {"as declared", "offered, empty", "not offered"}
    assert len(requests) <= len(CALLS), "each call once"
    sizes = {entry.query.rpartition("pageSize=")[2] for entry in requests if "pageSize" in entry.query}
    assert sizes == {"500"}, "the size that runs use"
    after = rows_of(database_url)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed <= {"etl.offers", "etl.tokens", "etl.call_limits", "etl.commits", "etl.list_limits"}, (
        "no record is stored"
    )


def test_differences_are_reported_per_call(qqetl: CommandLine, database_url: str) -> None:
    faults = (
        "forbidden:Billing",
        "not-found:Claims",
        'set-field:Mood="glad"',
        "lost-field:DisplayName",
        "html-login:2@9",
    )
    with agency(*faults, documented_only=True) as simulator:
        settings = settings_of(simulator)
        done = qqetl.with_settings(**settings)("doctor")
        report = run_doctor(qqetl, simulator, 6)
    results = verdicts(report)
    calls = {call["resource"]: call for call in report["calls"]}
    assert (results["billing_records"], results["claims"], results["contacts"]) == (
        "refused",
        "not offered",
        "other fields",
    )
    assert calls["contacts"]["new_fields"] == ["Mood"]
    assert calls["contacts"]["missing_fields"] == ["DisplayName"]
    assert calls["locations"]["new_fields"] == []
    assert done.returncode == 6
    for words in (
        "Refused, although every account should have it: billing_records",
        "new: Mood",
        "Not offered",
    ):
        assert words in done.stdout
    with psycopg.connect(database_url) as connection:
        offers: dict[str, bool] = dict(connection.execute("SELECT resource, offered FROM etl.offers").fetchall())
    assert (offers["claims"], offers["carrier_list"]) == (False, True)
    assert "billing_records" not in offers, "a proven resource that is refused is not marked as not offered"


def test_records_without_an_id_have_another_format(qqetl: CommandLine) -> None:
    with agency("lost-field:EntityID") as simulator:
        report = run_doctor(qqetl, simulator, 6)
    calls = {call["resource"]: call for call in report["calls"]}
    assert (calls["contacts"]["verdict"], calls["contacts"]["reason"]) == ("other shape", "each item has no id")
    assert calls["documents"]["verdict"] == "undecided", "there is no contact to request details of"
    assert calls["policies"]["verdict"] == "as declared"


def test_refused_credentials(qqetl: CommandLine) -> None:
    with agency() as simulator:
        report = run_doctor(qqetl, simulator, 5, QQCATALYST_PASSWORD="wrong")
        assert [entry["name"] for entry in report["checks"] if not entry["good"]] == ["token"]
        assert report["calls"] == []
        assert len([entry for entry in simulator.requests if entry.path == "/oauth/token"]) == 1


def test_the_api_is_checked_without_a_ready_database(tmp_path: Path, empty_database_url: str) -> None:
    with agency() as simulator:
        qqetl = CommandLine(tmp_path, {"DATABASE_URL": empty_database_url})
        report = run_doctor(qqetl, simulator, 4)
        assert [entry["name"] for entry in report["checks"] if not entry["good"]] == ["migrations"]
        assert [entry["resource"] for entry in report["calls"]] == CALLS
        away = empty_database_url.rpartition("/")[0] + "/nowhere"
        report = run_doctor(CommandLine(tmp_path, {"DATABASE_URL": away}), simulator, 4)
        assert [entry["name"] for entry in report["checks"] if not entry["good"]] == ["database"]


def test_invalid_settings_end_the_check(qqetl: CommandLine) -> None:
    done = qqetl.with_settings(ETL_PAGE_SIZE="none", ETL_RATE="-1")("doctor", "--json")
    assert done.returncode == 2
    (check,) = json.loads(done.stdout)["checks"]
    assert (check["name"], check["good"]) == ("settings", False)
    assert "ETL_PAGE_SIZE" in check["words"]
    assert "ETL_RATE" in check["words"]


def test_a_clock_difference_is_reported(qqetl: CommandLine) -> None:
    with agency("clock-skew:-7200") as simulator:
        report = run_doctor(qqetl, simulator)
    assert -7210 < report["clock_skew_seconds"] < -7190
    assert any("clock" in words for words in report["advice"])


def test_a_sync_reports_drift_once_and_the_doctor_lists_it(qqetl: CommandLine) -> None:
    with agency('set-field:Mood="glad"') as simulator:
        within = qqetl.with_settings(**settings_of(simulator))
        first = within("sync", "--limit", "3", "--resource", "contacts")
        assert first.returncode == 0, first.stderr
        assert "contacts: new field Mood (text)" in first.stdout
        second = within("sync", "--limit", "3", "--resource", "contacts", "--json")
        assert json.loads(second.stdout)["drift"] == []
        report = run_doctor(qqetl, simulator)
    assert [(change["resource"], change["path"], change["state"]) for change in report["drift"]] == [
        ("contacts", "Mood", "new")
    ]
