"""`qqetl doctor`: checks, calls, exit status, and the number of requests."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from command_line import CommandLine, settings_of
from sites import copied_token

from etl.resources import CATALOGUE
from etl.simulator import Simulator, SimulatorSettings
from etl.simulator.access import REFUSALS

CALLS = [resource.name for resource in CATALOGUE for _ in resource.endpoints]
#: Calls that the doctor makes at most; those that the call limit refused do not count.
MOST_CALLS = 29
GOLDEN = Path(__file__).parent / "golden"


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
        requests = [entry for entry in simulator.requests if entry.path.startswith("/v1/")]
    names = [entry["name"] for entry in report["checks"]]
    assert names == ["settings", "database", "rights", "migrations", "token", "clock"]
    assert all(entry["good"] for entry in report["checks"])
    assert [entry["resource"] for entry in report["calls"]] == CALLS
    known = {entry["resource"]: (entry["proven"], entry["documented"]) for entry in report["calls"]}
    assert known["quotes"] == (True, dict.fromkeys(("path", "envelope", "id", "fields"), "vendor"))
    assert known["acord_forms"] == (
        False, {"path": "integrator", "envelope": "assumed", "id": "vendor", "fields": "vendor"}
    )  # fmt: skip
    results = verdicts(report)
    enterprise = {resource.name for resource in CATALOGUE if resource.needs_enterprise_access}
    assert {results.pop(name) for name in enterprise} == {"enterprise only"}
    assert {results.pop(resource.name) for resource in CATALOGUE if resource.is_optional} == {"not requested"}
    assert set(results.values()) <= {"as declared", "offered, empty"}
    assert len(requests) == report["calls_made"] <= MOST_CALLS
    calls = [(entry.path, entry.query) for entry in requests]
    assert len(calls) == len(set(calls)), "each call once: this agency has one page of everything"
    sizes = {entry.query.rpartition("pageSize=")[2] for entry in requests if "pageSize" in entry.query}
    assert sizes == {"500"}, "the page size of a sync"
    assert {entry.query.split("&")[0] for entry in requests if "startDate" in entry.query} == {"startDate=1999-12-31"}
    after = rows_of(database_url)
    changed = {name for name in after if after[name] != before.get(name)}
    kept = {"etl.offers", "etl.tokens", "etl.call_limits", "etl.account_calls", "etl.commits", "etl.list_limits"}
    assert changed <= kept, "no record is stored"


def test_differences_are_reported_per_call(qqetl: CommandLine, database_url: str) -> None:
    faults = (
        "forbidden:Billing",
        "not-found:Claims",
        'set-field:Mood="glad"',
        "lost-field:DisplayName",
        "html-login:1@9",
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
        assert words in " ".join(done.stdout.split())
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


def shown(qqetl: CommandLine, simulator: Simulator, status: int, **settings: str) -> str:
    """Return what a terminal of 80 columns shows, without colors and what differs from run to run."""
    within = qqetl.with_settings(**{**settings_of(simulator), "ETL_RATE": "", "ETL_RATE_LIMIT": "58/60s", **settings})
    code, output = within.on_terminal("doctor")
    text = re.sub(r"\x1b\[[0-9;]*m", "", output).replace("\r", "")
    assert code == status, text
    text = re.sub(r"postgresql://\S+", "postgresql://DATABASE", text)
    text = re.sub(r"differs from QQCatalyst by .*", "agrees with QQCatalyst", text)
    text = re.sub(r"The clock of this machine is off by.*?\n\n", "", text, flags=re.DOTALL)
    lines = [line.rstrip() for line in text.splitlines() if "warning   clocks differ" not in line]
    assert [line for line in lines if len(line) > 80 and "✓ database" not in line] == []
    return "\n".join(lines).strip() + "\n"


def assert_golden(name: str, text: str) -> None:
    """Compare with a stored output; TEST_ACCEPT_GOLDEN=1 stores it."""
    file = GOLDEN / f"doctor_{name}.txt"
    if os.environ.get("TEST_ACCEPT_GOLDEN") == "1":
        file.write_text(text)
    assert text == file.read_text(), f"Where this is meant: TEST_ACCEPT_GOLDEN=1, and look at the diff of {file.name}."


#: An ordinary account: no enterprise access, and nothing that only some accounts have. Its clock stands still, so that
#: the same policies are in force whenever the test runs.
ORDINARY: dict[str, Any] = {"documented_only": True, "contacts": 60, "now": datetime(2026, 9, 1, 12, tzinfo=UTC)}


def count_calls(simulator: Simulator, *statuses: int) -> int:
    return sum(entry.path.startswith("/v1/") and entry.status not in statuses for entry in simulator.requests)


def test_an_ordinary_account_is_ready(qqetl: CommandLine) -> None:
    with agency(**ORDINARY) as simulator:
        assert_golden("ordinary", shown(qqetl, simulator, 0))
        assert count_calls(simulator) <= MOST_CALLS
        assert not any("enterprise" in entry.path for entry in simulator.requests)


@pytest.mark.parametrize("answer", REFUSALS)
def test_undocumented_calls_may_be_refused_in_many_ways(qqetl: CommandLine, answer: str) -> None:
    with agency(undocumented_answer=answer, **ORDINARY) as simulator:
        text = shown(qqetl, simulator, 0)
        assert count_calls(simulator) <= MOST_CALLS
    assert text == (GOLDEN / "doctor_ordinary.txt").read_text(), "all ways mean the same"


def test_one_failure_of_an_undocumented_call_is_not_remembered(qqetl: CommandLine, database_url: str) -> None:
    with agency(undocumented_answer="server-error", **ORDINARY) as simulator:
        shown(qqetl, simulator, 0)
    with psycopg.connect(database_url) as connection:
        offers: dict[str, bool] = dict(connection.execute("SELECT resource, offered FROM etl.offers").fetchall())
    assert "claims" not in offers, "a status 500 may pass; a sync tries three times"
    assert offers["carrier_list"] is True


def test_the_call_limit_is_distinguished_from_refused_credentials(qqetl: CommandLine) -> None:
    with agency("account-limit:14/3,text,others=4", **ORDINARY) as simulator:
        text = shown(qqetl, simulator, 0, ETL_RATE_LIMIT="14/3s")
        refused = sum(entry.status == 401 for entry in simulator.requests)
        assert count_calls(simulator, 401) <= MOST_CALLS
        assert sum(entry.path == "/oauth/token" for entry in simulator.requests) == 1, "no token call because of it"
    assert refused > 0
    text = re.sub(rf"\b{refused} refused", "N refused", text)
    text = re.sub(rf"refused {refused} of \d+ calls", "refused N of M calls", text)
    assert_golden("limit", text)


def test_wrong_credentials_end_the_check(qqetl: CommandLine) -> None:
    with agency(**ORDINARY) as simulator:
        assert_golden("credentials", shown(qqetl, simulator, 5, QQCATALYST_PASSWORD="wrong"))


def test_a_smaller_page_size_is_found(qqetl: CommandLine) -> None:
    with agency(max_page=100, **ORDINARY) as simulator:
        assert_golden("page_size", shown(qqetl, simulator, 0))
        assert count_calls(simulator) <= MOST_CALLS


def test_everything_documented_may_fail_within_the_calls(qqetl: CommandLine) -> None:
    with agency("server-errors:always", **ORDINARY) as simulator:
        done = qqetl.with_settings(**settings_of(simulator))("doctor")
        assert count_calls(simulator) <= MOST_CALLS
    assert done.returncode == 1, done.stdout


def kept_by(url: str) -> list[tuple[Any, ...]]:
    """Return what the doctor remembers of an account: what it offers, and the page sizes of its lists."""
    with psycopg.connect(url) as connection:
        offers = connection.execute("SELECT tenant, resource, offered FROM etl.offers").fetchall()
        sizes = connection.execute("SELECT tenant, resource, page_size FROM etl.list_limits").fetchall()
    return sorted((*offers, *sizes), key=str)


def test_a_copied_token_of_another_agency_is_rejected_and_nothing_is_remembered(
    qqetl: CommandLine, database_url: str
) -> None:
    """A token does not name its account; the offices show to which agency the data of the tenant belongs."""
    nobody = dict.fromkeys(("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD"), "")

    def ask_with_token(simulator: Simulator, status: int) -> dict[str, Any]:
        token = copied_token(simulator)
        without_login = {f"QQCATALYST_{name}": value for name, value in nobody.items()}
        return run_doctor(qqetl, simulator, status, QQCATALYST_ACCESS_TOKEN=token, **without_login)

    with agency(**ORDINARY) as simulator, agency(seed=77, max_page=100, contacts=12) as other:
        ask_with_token(simulator, 0)
        assert kept_by(database_url) == [], "nothing shows yet whose the tenant is"
        assert qqetl.with_settings(**settings_of(simulator))("sync", "--resource", "locations").returncode == 0
        before = kept_by(database_url)
        report = ask_with_token(other, 2)
        assert kept_by(database_url) == before
        (failed,) = (check for check in report["checks"] if not check["good"])
        assert failed["name"] == "account"
        assert "belong to another agency than the data of the tenant 'default'" in failed["words"]
        assert verdicts(report)["claims"] == "as declared", "what the token opens is shown nevertheless"
        ask_with_token(simulator, 0)
        assert ("default", "claims", False) in kept_by(database_url)


def test_another_login_is_rejected_and_nothing_is_remembered(qqetl: CommandLine, database_url: str) -> None:
    with agency(**ORDINARY) as simulator, agency(seed=77, username="south", contacts=12) as other:
        assert qqetl.with_settings(**settings_of(simulator))("sync", "--resource", "locations").returncode == 0
        before = kept_by(database_url)
        report = run_doctor(qqetl, other, 2, QQCATALYST_USERNAME="south")
        assert "belongs to another QQCatalyst account" in report["checks"][-1]["words"]
        assert kept_by(database_url) == before


def test_all_asks_for_enterprise_feeds_too(qqetl: CommandLine) -> None:
    with agency(**ORDINARY) as simulator:
        done = qqetl.with_settings(**settings_of(simulator))("doctor", "--all", "--json")
        paths = {entry.path for entry in simulator.requests}
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert {"/v1/enterprise/personaldrivers", "/v1/enterprise/personalvehicles"} <= paths
    assert verdicts(report)["drivers"] == "enterprise only", "a 403 there is no failure"


def test_the_plan_contains_what_the_first_sync_then_takes(qqetl: CommandLine) -> None:
    with agency(max_page=10, **ORDINARY) as simulator:
        within = qqetl.with_settings(**settings_of(simulator), ETL_PAGE_SIZE="10")
        plan = json.loads(within("doctor", "--json").stdout)["plan"]
        simulator.requests.clear()
        assert within("sync").returncode == 0
        calls = count_calls(simulator)
    assert [entry["resource"] for entry in plan["estimated_from"]] == ["contacts", "policies"]
    assert plan["complete"]["calls_low"] * 0.9 <= calls <= plan["complete"]["calls"] * 1.1
    assert plan["useful"]["calls"] < plan["complete"]["calls_low"]


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
        assert report["plan"]["complete"]["calls"] > 100, "the plan needs no database"
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
