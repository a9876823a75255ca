"""Exit statuses that schedulers rely on, each with one line on standard error."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from command_line import CommandLine, settings_of

from etl.database.connect import make_engine
from etl.ledger.leases import hold_lease
from etl.simulator import Simulator, SimulatorSettings

CONTACTS = 8


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(contacts=CONTACTS)) as served:
        yield served


@pytest.fixture
def qqetl(tmp_path: Path, database_url: str, simulator: Simulator) -> CommandLine:
    return CommandLine(tmp_path, settings_of(simulator) | {"DATABASE_URL": database_url})


def error_line(stderr: str) -> str:
    """Return the line with the error message."""
    lines = [line for line in stderr.splitlines() if line.startswith(("qqetl: ", "Error: "))]
    assert len(lines) == 1, stderr
    assert "Traceback" not in stderr
    return lines[0]


def test_2_settings_all_errors_in_one_line(qqetl: CommandLine) -> None:
    done = qqetl.with_settings(ETL_RATE="fast", ETL_OVERLAP="soon")("sync")
    assert done.returncode == 2
    message = error_line(done.stderr)
    assert "ETL_RATE" in message
    assert "ETL_OVERLAP" in message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sync", "--every", "often"], "--every"),
        (["sync", "--every", "1h", "--dry-run"], "--dry-run"),
        (["sync", "--from", "yesterday"], "--from must be an ISO date"),
        (["sync", "--from", "2026-02-01", "--to", "2026-01-01"], "reversed"),
        (["sync", "--from", "2999-01-01"], "future"),
        (["sync", "--resource", "contracts"], "Did you mean contacts?"),
        (["sync", "--limit", "0"], "--limit"),
        (["retry"], "no batch yet"),
        (["transform", "abcdef"], "no batch abcdef"),
        (["findings", "--csv", "--json"], "cannot be combined"),
        (["db", "restore", "missing.dump"], "no backup file"),
        (["db", "url"], "no embedded database"),
        (["simulate", "--faults", "nonsense"], "There is no fault"),
        (["simulate", "--faults", "account-limit:60/6,jsn"], "is not a call limit"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_2_usage(qqetl: CommandLine, words: list[str], message: str) -> None:
    done = qqetl(*words)
    assert done.returncode == 2, done.stderr
    assert message in error_line(done.stderr)


def test_2_no_database_is_chosen_by_default(tmp_path: Path, simulator: Simulator) -> None:
    done = CommandLine(tmp_path, settings_of(simulator))("sync")
    assert done.returncode == 2
    assert "--embedded" in error_line(done.stderr)
    assert not (tmp_path / "data").exists()


def test_2_a_reversed_window_creates_no_database(tmp_path: Path, simulator: Simulator) -> None:
    done = CommandLine(tmp_path, settings_of(simulator))(
        "sync", "--embedded", "--from", "2026-02-01", "--to", "2026-01-01"
    )
    assert done.returncode == 2
    assert "reversed" in error_line(done.stderr)
    assert not (tmp_path / "data").exists()


def test_3_another_run_holds_the_lock(qqetl: CommandLine, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO etl.leases (tenant, resource, holder, token, expires_at)"
            " VALUES ('default', 'contacts', 'other:1:x', 7, now() + interval '1 hour')"
        )
    done = qqetl("sync")
    assert done.returncode == 3
    assert "contacts by other:1:x" in error_line(done.stderr)


def test_4_unreachable_without_showing_the_password(qqetl: CommandLine) -> None:
    done = qqetl.with_settings(DATABASE_URL="postgresql://etl:very-secret@127.0.0.1:9/book")("status")
    assert done.returncode == 4
    error_line(done.stderr)
    assert "postgresql://etl@127.0.0.1:9/book" in done.stderr
    assert "very-secret" not in done.stderr + done.stdout


def test_4_not_migrated_then_migrated_then_changed(qqetl: CommandLine, empty_database_url: str) -> None:
    fresh = qqetl.with_settings(DATABASE_URL=empty_database_url)
    refused = fresh("sync")
    assert refused.returncode == 4
    assert "qqetl db upgrade" in error_line(refused.stderr)
    assert fresh("db", "check").returncode == 4
    assert "Migrated from nothing" in fresh("db", "upgrade").stdout
    again = fresh("db", "upgrade")
    assert "Already" in again.stdout
    assert "A run is active" not in again.stderr
    engine = make_engine(empty_database_url)
    with hold_lease(engine, "default", ["contacts"]):
        during = fresh("db", "upgrade")
    engine.dispose()
    assert (during.returncode, "Already" in during.stdout) == (0, True)
    assert "A run is active" in during.stderr
    assert "run `qqetl db upgrade` again when the run has ended" in " ".join(during.stderr.split())
    assert fresh("db", "check").returncode == 0
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("ALTER TABLE etl.batches ADD COLUMN scribble text")
    changed = fresh("db", "check")
    assert changed.returncode == 4
    assert "scribble" in error_line(changed.stderr)


def test_1_an_unreachable_token_address_is_named(qqetl: CommandLine) -> None:
    done = qqetl.with_settings(QQCATALYST_TOKEN_URL="http://127.0.0.1:9/oauth/token")("sync")
    assert done.returncode == 1
    assert "token address: 127.0.0.1 cannot be reached" in error_line(done.stderr)


def test_5_credentials_refused(qqetl: CommandLine) -> None:
    done = qqetl.with_settings(QQCATALYST_PASSWORD="wrong-password")("sync")
    assert done.returncode == 5
    assert "wrong-password" not in error_line(done.stderr)


def test_6_a_resource_failed_and_the_next_command_is_named(qqetl: CommandLine) -> None:
    with Simulator(SimulatorSettings(contacts=CONTACTS, faults=("wrong-total:7",))) as odd:
        done = qqetl.with_settings(**settings_of(odd))("sync", "--resource", "policies")
    assert done.returncode == 6, done.stdout + done.stderr
    assert "✗ policies" in done.stdout
    assert "qqetl retry" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_1_interrupted_and_resumed(qqetl: CommandLine, database_url: str, number: int) -> None:
    with Simulator(SimulatorSettings(contacts=60, latency=0.3)) as slow:
        run = qqetl.with_settings(**settings_of(slow)).start("sync")
        wait_for_details(database_url, slow)
        run.send_signal(number)
        _, stderr = run.communicate(timeout=30)
    assert run.returncode == 1
    assert "qqetl retry" in error_line(stderr)
    with Simulator(SimulatorSettings(contacts=60, founded=slow.world.founded)) as quick:
        again = qqetl.with_settings(**settings_of(quick))("retry")
    assert again.returncode == 0, again.stdout + again.stderr


def wait_for_details(url: str, simulator: Simulator) -> None:
    """Wait until a run reads the details of contacts."""
    give_up = time.monotonic() + 60
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < give_up:
            if connection.execute("SELECT count(*) FROM etl.child_queue WHERE covered_at IS NOT NULL").fetchone()[0]:  # type: ignore[index]
                return
            time.sleep(0.05)
    raise AssertionError(f"no run began; the simulator saw {len(simulator.requests)} requests")
