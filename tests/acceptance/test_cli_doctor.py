"""`qqetl doctor`: what it says of everything a run needs and of each call, its exit status, and how gently it asks."""

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

CALLS = [one.name for one in CATALOGUE for _ in one.endpoints]


@contextmanager
def agency(*faults: str, **settings: Any) -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(**{"contacts": 12, "faults": faults, **settings})) as served:
        yield served


@pytest.fixture
def qqetl(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path, {"DATABASE_URL": database_url})


def examined(qqetl: CommandLine, simulator: Simulator, status: int = 0, **settings: str) -> dict[str, Any]:
    """Return what the doctor says, for a program."""
    done = qqetl.with_settings(**(settings_of(simulator) | settings))("doctor", "--json")
    assert done.returncode == status, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["exit_status"] == status
    return found


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {one["resource"]: one["verdict"] for one in found["calls"]}


def rows_of(url: str) -> dict[str, int]:
    """Return the numbers of rows of every table of ours that has any."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'raw', 'etl')"
        ).fetchall()
        counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in names}  # type: ignore[index]
    return {name: count for name, count in counts.items() if count}


def test_a_healthy_account_is_ready_and_was_asked_gently(qqetl: CommandLine, database_url: str) -> None:
    before = rows_of(database_url)
    with agency() as simulator:
        found = examined(qqetl, simulator)
        asked = [one for one in simulator.requests if one.path.startswith("/v1/") and "Ping" not in one.path]
    assert [one["name"] for one in found["checks"]] == ["settings", "database", "migrations", "token", "clock"]
    assert all(one["good"] for one in found["checks"])
    assert [one["resource"] for one in found["calls"]] == CALLS
    assert set(verdicts(found).values()) <= {"as declared", "offered, empty"}
    assert len(asked) <= len(CALLS), "each call once"
    sizes = {one.query.rpartition("pageSize=")[2] for one in asked if "pageSize" in one.query}
    assert sizes == {"10"}
    after = rows_of(database_url)
    kept = {name for name in after if after[name] != before.get(name)}
    assert kept <= {"etl.offers", "etl.tokens", "etl.call_limits", "etl.commits"}, "it stores no record"


def test_what_differs_is_told_call_by_call(qqetl: CommandLine, database_url: str) -> None:
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
        found = examined(qqetl, simulator, 6)
    said = verdicts(found)
    calls = {one["resource"]: one for one in found["calls"]}
    assert (said["billing_records"], said["claims"], said["contacts"]) == ("refused", "not offered", "other fields")
    assert calls["contacts"]["new_fields"] == ["Mood"]
    assert calls["contacts"]["missing_fields"] == ["DisplayName"]
    assert calls["locations"]["new_fields"] == []
    assert done.returncode == 6
    for words in ("Refused although every account is known to have it: billing_records", "new: Mood", "Not offered"):
        assert words in done.stdout
    with psycopg.connect(database_url) as connection:
        offers: dict[str, bool] = dict(connection.execute("SELECT resource, offered FROM etl.offers").fetchall())
    assert (offers["claims"], offers["carriers"]) == (False, True)
    assert "billing_records" not in offers, "a proven resource that is refused is no matter of offers"


def test_records_without_their_id_are_of_another_shape(qqetl: CommandLine) -> None:
    with agency("lost-field:EntityID") as simulator:
        found = examined(qqetl, simulator, 6)
    calls = {one["resource"]: one for one in found["calls"]}
    assert (calls["contacts"]["verdict"], calls["contacts"]["reason"]) == ("other shape", "each item has no id")
    assert calls["documents"]["verdict"] == "undecided", "there is no contact to ask about"
    assert calls["policies"]["verdict"] == "as declared"


def test_refused_credentials(qqetl: CommandLine) -> None:
    with agency() as simulator:
        found = examined(qqetl, simulator, 5, QQCATALYST_PASSWORD="wrong")
        assert [one["name"] for one in found["checks"] if not one["good"]] == ["token"]
        assert found["calls"] == []
        assert len([one for one in simulator.requests if one.path == "/oauth/token"]) == 1


def test_a_database_that_is_not_ready_keeps_nobody_from_asking_the_api(tmp_path: Path, empty_database_url: str) -> None:
    with agency() as simulator:
        qqetl = CommandLine(tmp_path, {"DATABASE_URL": empty_database_url})
        found = examined(qqetl, simulator, 4)
        assert [one["name"] for one in found["checks"] if not one["good"]] == ["migrations"]
        assert [one["resource"] for one in found["calls"]] == CALLS
        away = empty_database_url.rpartition("/")[0] + "/nowhere"
        found = examined(CommandLine(tmp_path, {"DATABASE_URL": away}), simulator, 4)
        assert [one["name"] for one in found["checks"] if not one["good"]] == ["database"]


def test_wrong_settings_are_told_at_once(qqetl: CommandLine) -> None:
    done = qqetl.with_settings(ETL_PAGE_SIZE="none", ETL_RATE="-1")("doctor", "--json")
    assert done.returncode == 2
    (check,) = json.loads(done.stdout)["checks"]
    assert (check["name"], check["good"]) == ("settings", False)
    assert "ETL_PAGE_SIZE" in check["words"]
    assert "ETL_RATE" in check["words"]


def test_clocks_that_differ_are_told(qqetl: CommandLine) -> None:
    with agency("clock-skew:-7200") as simulator:
        found = examined(qqetl, simulator)
    assert -7210 < found["clock_skew_seconds"] < -7190
    assert any("clock" in words for words in found["advice"])


def test_a_sync_tells_of_drift_and_the_doctor_lists_it(qqetl: CommandLine) -> None:
    with agency('set-field:Mood="glad"') as simulator:
        within = qqetl.with_settings(**settings_of(simulator))
        first = within("sync", "--limit", "3", "--resource", "contacts")
        assert first.returncode == 0, first.stderr
        assert "contacts: new field Mood (text)" in first.stdout
        second = within("sync", "--limit", "3", "--resource", "contacts", "--json")
        assert json.loads(second.stdout)["drift"] == []
        found = examined(qqetl, simulator)
    assert [(one["resource"], one["path"], one["state"]) for one in found["drift"]] == [("contacts", "Mood", "new")]
