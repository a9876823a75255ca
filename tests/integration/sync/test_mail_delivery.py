"""Mail delivery: an unavailable, slow or refusing server, a process that dies, and other tenants."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mail_sink import Sink, free_port, mail_sink, mute_server
from notification_helpers import (
    PERSONAL,
    allow_refused_credentials,
    ended,
    execute,
    ledger,
    open_incidents,
    run,
    with_mail_server,
)
from pydantic import SecretStr
from sites import Site, set_faults
from snapshots import value, values

from etl.errors import (
    ApiUnavailable,
    DatabaseNotReady,
    DatabaseUnavailable,
)
from etl.ledger.notifications import outbox
from etl.notifications import after_run, mail_server
from etl.notifications.send import send_queued


def test_o1_an_unavailable_mail_server_loses_no_mail_and_hides_no_error(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    dead = with_mail_server(site, port, tmp_path)
    set_faults(site.simulator, "token-refused")
    assert run(dead) == 5, "the exit status is that of the first error"
    set_faults(site.simulator)
    allow_refused_credentials(site)
    assert value(site.engine, "SELECT error FROM etl.outbox") == (
        f"The mail server 127.0.0.1:{port} cannot be reached (ConnectionRefusedError)."
    )
    monkeypatch.setattr(mail_server, "TIMEOUT_SECONDS", 0.3)
    with mute_server() as mute:
        assert run(with_mail_server(site, mute, tmp_path)) == 0
    assert values(site.engine, "SELECT attempts FROM etl.outbox ORDER BY number") == [2, 1]
    monkeypatch.undo()
    with mail_sink(port) as (sink, _):
        assert run(dead) == 0
    assert sink.subjects == [
        "qqetl default: QQCatalyst rejected the credentials",
        "qqetl default: resolved: QQCatalyst rejected the credentials",
    ]
    assert value(site.engine, "SELECT count(*) FROM etl.outbox WHERE sent_at IS NULL") == 0


def test_a_refused_mail_does_not_block_the_next_one(notified_site: Site, sink: tuple[Sink, int]) -> None:
    ended(notified_site.with_settings(etl_mail_to="gone@example.com"), ApiUnavailable())
    sink[0].unwanted = "gone@"
    execute(notified_site, "UPDATE etl.outbox SET sent_at = NULL")
    sink[0].mails.clear()
    refused = send_queued(ledger(notified_site), notified_site.with_settings(etl_mail_to="gone@example.com").settings)
    assert (refused.sent, refused.failed) == (0, 1)
    assert send_queued(ledger(notified_site), notified_site.settings).sent == 1


def test_two_processes_send_each_mail_once(notified_site: Site, mails: Sink) -> None:
    for _ in range(3):
        ended(notified_site.with_settings(etl_smtp_url=unreachable()), ApiUnavailable())
        ended(notified_site.with_settings(etl_smtp_url=unreachable()))
    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda _: send_queued(ledger(notified_site), notified_site.settings).sent, range(2)))
    assert sum(done) == 6
    assert len({str(mail["Message-ID"]) for mail in mails.mails}) == len(mails.mails) == 6


def unreachable() -> SecretStr:
    return SecretStr(f"smtp://127.0.0.1:{free_port()}")


def test_a_mail_claimed_by_a_dead_process_is_sent_later(notified_site: Site, mails: Sink) -> None:
    ended(notified_site.with_settings(etl_smtp_url=unreachable()), ApiUnavailable())
    execute(notified_site, "UPDATE etl.outbox SET claimed_until = now() + interval '1 minute'")
    assert send_queued(ledger(notified_site), notified_site.settings).sent == 0
    execute(notified_site, "UPDATE etl.outbox SET claimed_until = now()")
    assert send_queued(ledger(notified_site), notified_site.settings).sent == 1


def test_an_older_incident_is_reported_once_a_mail_server_is_configured(
    site: Site, notified_site: Site, mails: Sink
) -> None:
    ended(site, ApiUnavailable())
    assert open_incidents(site) == [("run_failed", "")]
    assert value(site.engine, "SELECT count(*) FROM etl.outbox") == 0
    ended(notified_site, ApiUnavailable())
    assert len(mails.mails) == 1
    ended(site)
    assert open_incidents(site) == []


def test_tenants_do_not_see_incidents_of_others(notified_site: Site, mails: Sink) -> None:
    other = notified_site.with_settings(etl_tenant="other")
    ended(notified_site, ApiUnavailable())
    ended(other)
    assert open_incidents(notified_site) == [("run_failed", "")]
    assert mails.subjects == ["qqetl default: the run failed"]


@pytest.mark.parametrize("error", [DatabaseUnavailable("PostgreSQL is away"), DatabaseNotReady("Not migrated")])
def test_a_database_incident_is_reported_once_without_the_database(
    notified_site: Site, mails: Sink, error: Exception, tmp_path: Path
) -> None:
    for _ in range(3):
        after_run(None, notified_site.settings, error)
    assert mails.subjects == ["qqetl default: the database is unavailable"]
    assert str(error) in mails.text()
    assert "You will get another email when this is resolved." in mails.text()
    assert [path.name for path in tmp_path.iterdir()] == ["database-trouble-default.json"]
    ended(notified_site)
    assert mails.subjects[1:] == ["qqetl default: resolved: the database is unavailable"]
    assert list(tmp_path.iterdir()) == []
    after_run(None, notified_site.settings, error)
    assert len(mails.mails) == 3


def test_a_database_incident_is_reported_later_if_the_mail_server_is_unavailable(
    notified_site: Site, mails: Sink, tmp_path: Path
) -> None:
    after_run(None, notified_site.with_settings(etl_smtp_url=unreachable()).settings, DatabaseUnavailable())
    assert list(tmp_path.iterdir()) == []
    after_run(None, notified_site.settings, DatabaseUnavailable())
    assert len(mails.mails) == 1


def test_an_unwritable_data_folder_is_named_and_hides_no_error(
    notified_site: Site, mails: Sink, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for _ in range(2):
        after_run(
            None, notified_site.with_settings(etl_data_dir=tmp_path / "file" / "below").settings, DatabaseUnavailable()
        )
    assert len(mails.mails) == 2
    assert "ETL_DATA_DIR" in mails.text()
    assert "when this is resolved" not in mails.text(), "the report was not recorded"


def test_an_error_after_a_run_is_logged_and_not_raised(
    notified_site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(PERSONAL[0])

    monkeypatch.setattr(outbox, "claim_emails", broken)
    ended(notified_site, ApiUnavailable())
    assert "RuntimeError" in caplog.text
    assert PERSONAL[0] not in caplog.text
    assert open_incidents(notified_site) == [("run_failed", "")]
