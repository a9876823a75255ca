"""Operations: emails about incidents, metrics, and repeated runs."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest
from command_line import CommandLine, settings_of
from mail_sink import Sink, free_port, mail_sink

from etl.simulator import Simulator, SimulatorSettings


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(contacts=4)) as served:
        yield served


@pytest.fixture
def sink() -> Iterator[tuple[Sink, int]]:
    with mail_sink() as served:
        yield served


@pytest.fixture
def qqetl(tmp_path: Path, database_url: str, simulator: Simulator, sink: tuple[Sink, int]) -> CommandLine:
    mail = {
        "ETL_SMTP_URL": f"smtp://127.0.0.1:{sink[1]}",
        "ETL_MAIL_FROM": "qqetl@example.com",
        "ETL_MAIL_TO": "ops@example.com",
    }
    return CommandLine(tmp_path, settings_of(simulator) | mail | {"DATABASE_URL": database_url})


SYNC = ("sync", "--resource", "carrier_list")


def test_a_failed_run_is_mailed_once_and_so_is_its_end(qqetl: CommandLine, sink: tuple[Sink, int]) -> None:
    wrong = qqetl.with_settings(QQCATALYST_PASSWORD="wrong-password")
    assert [wrong(*SYNC).returncode for _ in range(2)] == [5, 5]
    assert sink[0].subjects == ["qqetl default: QQCatalyst rejected the credentials"]
    shown = json.loads(qqetl("notices", "--json").stdout)
    assert [(incident["kind"], incident["times_seen"], incident["told"]) for incident in shown["open"]] == [
        ("credentials_refused", 2, True)
    ]
    tried = qqetl("notices", "--test")
    assert (tried.returncode, sink[0].subjects[1:]) == (0, ["qqetl default: test email"])
    for told in (tried.stdout, sink[0].text()):
        assert "QQCatalyst rejected the credentials" in told
    assert "No open incidents" not in sink[0].text()
    assert qqetl(*SYNC).returncode == 0
    assert sink[0].subjects[2:] == ["qqetl default: resolved: QQCatalyst rejected the credentials"]
    assert "Action needed: none" in qqetl("notices").stdout


def test_usage_errors_are_not_mailed_and_a_database_outage_is_mailed_once(
    qqetl: CommandLine, sink: tuple[Sink, int]
) -> None:
    assert qqetl("sync", "--resource", "contracts").returncode == 2
    away = qqetl.with_settings(DATABASE_URL="postgresql://etl:very-secret@127.0.0.1:9/book")
    assert [away(*SYNC).returncode for _ in range(2)] == [4, 4]
    assert sink[0].subjects == ["qqetl default: the database is unavailable"]
    assert "very-secret" not in sink[0].text() + sink[0].html()
    assert qqetl(*SYNC).returncode == 0
    assert sink[0].subjects[1:] == ["qqetl default: resolved: the database is unavailable"]


def test_a_test_email_is_sent_and_unsent_emails_are_listed(qqetl: CommandLine, sink: tuple[Sink, int]) -> None:
    tried = qqetl("notices", "--test")
    assert (tried.returncode, sink[0].subjects) == (0, ["qqetl default: test email"])
    assert "1 email sent" in tried.stdout
    away = qqetl.with_settings(ETL_SMTP_URL=f"smtp://somebody:secret-word@127.0.0.1:{free_port()}")
    refused = away("notices", "--test", "--json")
    assert refused.returncode == 1
    assert "cannot be reached" in refused.stderr
    assert json.loads(refused.stdout)["unsent"][0]["attempts"] == 1
    assert "secret-word" not in refused.stdout + refused.stderr
    assert qqetl("notices", "--look").returncode == 0
    assert len(sink[0].mails) == 2
    without = CommandLine(
        qqetl.folder, {k: v for k, v in qqetl.settings.items() if not k.startswith(("ETL_SM", "ETL_MA"))}
    )
    assert without("notices", "--test").returncode == 2


def test_metrics_are_served_until_a_signal(qqetl: CommandLine, database_url: str) -> None:
    port = free_port()
    server = qqetl.start("metrics", "--port", str(port))
    try:
        assert "qqetl_up 1.0" in fetched(port)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("UPDATE etl.alembic_version SET version_num = '0001'")
        assert "qqetl_up 0.0" in fetched(port)
        taken = qqetl("metrics", "--port", str(port))
        assert taken.returncode == 2
    finally:
        server.send_signal(signal.SIGTERM)
        _, stderr = server.communicate(timeout=30)
    assert server.returncode == 0, stderr


def fetched(port: int) -> str:
    """Return the served metrics, as soon as the server is up."""
    give_up = time.monotonic() + 60
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return str(answer.read().decode())
        except URLError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def test_a_series_survives_failed_runs_and_ends_on_a_signal(qqetl: CommandLine, database_url: str) -> None:
    with Simulator(SimulatorSettings(contacts=4, faults=("token-errors:3",))) as odd:
        series = qqetl.with_settings(**settings_of(odd)).start("sync", "--every", "1s", "--resource", "carrier_list")
        try:
            wait_for_batches(database_url, 2)
        finally:
            series.send_signal(signal.SIGTERM)
            _, stderr = series.communicate(timeout=30)
    assert series.returncode in (0, 1), stderr
    assert stderr.count("Next run in") >= 2


def wait_for_batches(url: str, number: int) -> None:
    give_up = time.monotonic() + 60
    with psycopg.connect(url, autocommit=True) as connection:
        query = "SELECT count(*) FROM etl.batches WHERE status = 'completed'"
        while connection.execute(query).fetchone()[0] < number:  # type: ignore[index]
            assert time.monotonic() < give_up
            time.sleep(0.05)
