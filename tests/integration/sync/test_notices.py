"""Notices: a mail for each thing that a person has to see to, one when it begins and one when it is over."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from mail_sink import Sink, free_port, mail_sink, mute_server
from observing import value, values
from pydantic import SecretStr
from sqlalchemy import text
from workbench import Site, break_with

from etl.errors import (
    ApiUnavailable,
    DatabaseNotReady,
    DatabaseUnavailable,
    EtlError,
    Interrupted,
    LeaseHeld,
    UsageError,
)
from etl.ledger import outbox, troubles
from etl.ledger.troubles import Trouble
from etl.ledger.unit import Ledger
from etl.models.states import TroubleKind
from etl.notices import after_run, mail_server
from etl.notices.letter import as_mail
from etl.notices.sending import send_waiting
from etl.notices.wording import of_troubles
from etl.simulator.faults import Faults

SOME = ("claims", "carriers")
PERSONAL = ("jane@example.com", "078-05-1120")


@pytest.fixture
def sink() -> Iterator[tuple[Sink, int]]:
    with mail_sink() as served:
        yield served


@pytest.fixture
def mails(sink: tuple[Sink, int]) -> Sink:
    return sink[0]


@pytest.fixture
def told(site: Site, sink: tuple[Sink, int], tmp_path: Path) -> Site:
    """Give a site whose notices reach the sink."""
    return mailing(site, sink[1], tmp_path)


def mailing(site: Site, port: int, folder: Path) -> Site:
    return site.under(**mail_settings(port), etl_data_dir=folder)


def mail_settings(port: int) -> dict[str, Any]:
    return {
        "etl_smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"),
        "etl_mail_from": "qqetl@example.com",
        "etl_mail_to": "ops@example.com",
    }


def ledger(site: Site) -> Ledger:
    return Ledger(site.engine, site.settings.etl_tenant)


def ended(site: Site, error: Exception | None = None, *, whole: bool = True) -> None:
    after_run(ledger(site), site.settings, error, whole=whole)


def run(site: Site, **options: Any) -> int:
    """Run a sync as a command does, and look after its end."""
    try:
        summary = site.sync_once(**{"resources": SOME, **options})
    except EtlError as error:
        ended(site, error)
        return error.exit_status
    ended(site, whole=summary.exit_status == 0)
    return summary.exit_status


def let_credentials_rest_no_longer(site: Site) -> None:
    """Let refused credentials be tried again at once."""
    execute(site, "UPDATE etl.tokens SET refused_until = now()")


class FailsAt(Faults):
    """Answers calls of some paths with errors of the server."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(())
        self.paths = paths

    def of_request(self, request: web.Request) -> web.Response | None:
        return web.Response(status=503) if any(path in request.path for path in self.paths) else None


def fail_at(site: Site, *paths: str) -> None:
    """Let calls below some paths fail from now on, and no others."""
    site.simulator.server.faults = FailsAt(paths)


def open_troubles(site: Site) -> list[tuple[str, str]]:
    found = ledger(site).read(partial(troubles.still_open, tenant="default"))
    return sorted((one.kind.value, one.subject) for one in found)


def test_o2_the_same_failure_every_hour_is_one_mail_and_one_when_it_is_over(told: Site, mails: Sink) -> None:
    break_with(told.simulator, "token-errors:9999")
    assert {run(told) for _ in range(24)} == {1}
    assert mails.subjects == ["qqetl default: the run failed"]
    assert value(told.engine, "SELECT times_seen FROM etl.troubles") == 24
    break_with(told.simulator)
    assert run(told) == 0
    assert mails.subjects[1:] == ["qqetl default: over: the run failed"]
    assert "seen in 24 runs" in mails.text()
    assert "Nothing else needs you." in mails.text()
    assert run(told) == 0
    assert len(mails.mails) == 2


def test_a_failure_that_comes_back_is_a_new_one(told: Site, mails: Sink) -> None:
    for error in (ApiUnavailable(), None, ApiUnavailable(), ApiUnavailable(), None):
        ended(told, error)
    assert [one.removeprefix("qqetl default: ") for one in mails.subjects] == [
        "the run failed",
        "over: the run failed",
        "the run failed",
        "over: the run failed",
    ]


def test_refused_credentials_are_told_once(told: Site, mails: Sink) -> None:
    break_with(told.simulator, "token-refused")
    assert (run(told), run(told)) == (5, 5)
    assert mails.subjects == ["qqetl default: QQCatalyst refused the credentials"]
    assert "QQCATALYST_CLIENT_ID" in mails.text()
    break_with(told.simulator)
    let_credentials_rest_no_longer(told)
    assert run(told) == 0
    assert mails.subjects[-1] == "qqetl default: over: QQCatalyst refused the credentials"


def test_resources_that_fail_together_are_one_mail_and_a_further_one_is_another(told: Site, mails: Sink) -> None:
    fail_at(told, "Claims")
    assert (run(told), run(told)) == (6, 6)
    assert mails.subjects == ["qqetl default: claims failed"]
    batch = value(told.engine, "SELECT id FROM etl.batches ORDER BY started_at LIMIT 1")
    assert f"qqetl retry {str(batch)[:8]}" in mails.text()
    assert "<li>claims failed" in mails.html()
    fail_at(told, "Claims", "Carriers")
    assert run(told) == 6
    assert mails.subjects[1:] == ["qqetl default: carriers failed"]
    assert "Told before, and still so:\n  * claims failed" in mails.text()
    fail_at(told, "Carriers")
    assert run(told) == 6
    assert mails.subjects[2:] == ["qqetl default: over: claims failed"]
    assert "Still so:\n  * carriers failed" in mails.text()
    break_with(told.simulator)
    assert run(told) == 0
    assert mails.subjects[3:] == ["qqetl default: over: carriers failed"]


def test_a_total_that_never_agrees_is_told_as_books_that_do_not_balance(told: Site, mails: Sink) -> None:
    break_with(told.simulator, "wrong-total:7")
    assert run(told, resources=("claims",)) == 6
    assert mails.subjects == ["qqetl default: the books of claims do not balance"]
    assert "announced" in mails.text()


def test_books_that_do_not_balance_are_told(told: Site, mails: Sink) -> None:
    assert run(told) == 0
    execute(told, "UPDATE etl.batch_resources SET status = 'failed', error = '2 and 3', trouble = 'balance_off'"
                  " WHERE resource = 'claims'")  # fmt: skip
    ended(told, whole=False)
    assert mails.subjects == ["qqetl default: the books of claims do not balance"]


def test_a_brake_that_was_pulled_is_told(told: Site, mails: Sink) -> None:
    assert run(told, resources=("commission_rules",)) == 0
    world = told.simulator.world
    with told.simulator.lock:
        kept, world.agency_rules[:] = list(world.agency_rules), world.agency_rules[40:]
    try:
        assert run(told, resources=("commission_rules",), full=True) == 6
    finally:
        with told.simulator.lock:
            world.agency_rules[:] = kept
    assert mails.subjects == ["qqetl default: too much of commission_rules vanished at once"]
    assert "ETL_DELETE_BRAKE" in mails.text()


def test_data_that_are_stale_although_runs_end_well_are_told(told: Site, mails: Sink) -> None:
    assert run(told) == 0
    execute(told, "UPDATE etl.watermarks SET complete_to = complete_to - interval '3 days'"
                  " WHERE resource = 'claims'")  # fmt: skip
    ended(told)
    ended(told)
    assert mails.subjects == ["qqetl default: data are stale"]
    assert "claims 3 d" in mails.text()
    assert run(told) == 0
    assert mails.subjects[1:] == ["qqetl default: over: data are stale"]
    ended(told.under(etl_stale_after=timedelta()))
    assert len(mails.mails) == 2


def test_what_is_stale_because_runs_fail_is_no_second_notice(told: Site, mails: Sink) -> None:
    assert run(told) == 0
    execute(told, "UPDATE etl.watermarks SET complete_to = complete_to - interval '3 days'")
    ended(told, ApiUnavailable())
    ended(told, LeaseHeld())
    assert mails.subjects == ["qqetl default: the run failed"]


DRIFT = """
    INSERT INTO etl.drift
        (tenant, resource, path, types, objects, presence, null_rate, example_codes, state, change, changed_at)
    SELECT 'default', 'contacts', path, '{text}', 30, 0, 0, '{}', state, path || ' is ' || state, now()
    FROM (VALUES ('City', 'lost'), ('Zip', 'retyped'), ('Email', 'emptied'), ('Mood', 'new'), ('Status', 'new_code'))
        AS seen (path, state)
"""


def test_fields_that_somebody_may_miss_are_told_and_new_ones_are_not(told: Site, mails: Sink) -> None:
    execute(told, DRIFT)
    ended(told)
    ended(told)
    assert mails.subjects == ["qqetl default: the API changed contacts.City, contacts.Email and contacts.Zip"]
    assert "City is lost" in mails.text()
    assert "Mood" not in mails.text()
    execute(told, "UPDATE etl.drift SET state = 'known' WHERE path <> 'Zip'")
    ended(told)
    assert mails.subjects[1:] == ["qqetl default: over: the API changed contacts.City and contacts.Email"]


def execute(site: Site, statement: str) -> None:
    with site.engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("error", [UsageError("x"), Interrupted(), LeaseHeld()], ids=lambda one: type(one).__name__)
def test_what_needs_nobody_is_not_mailed_and_ends_nothing(told: Site, mails: Sink, error: Exception) -> None:
    ended(told, error)
    assert mails.subjects == []
    ended(told, ApiUnavailable())
    ended(told, error)
    assert open_troubles(told) == [("run_failed", "")]
    assert len(mails.mails) == 1


def test_an_error_that_was_not_foreseen_is_told_by_its_kind_alone(told: Site, mails: Sink) -> None:
    ended(told, KeyError(f"{PERSONAL}"))
    assert "not foreseen (KeyError)" in mails.text()
    assert not any(one in mails.text() + mails.html() for one in PERSONAL)


def test_o3_words_that_break_lines_break_no_header_and_carry_nobody_into_the_mail(told: Site, mails: Sink) -> None:
    nasty = f"broken\r\nBcc: everybody@example.com\r\n\r\n<script>alert(1)</script> {PERSONAL}"
    ended(told, ApiUnavailable(nasty))
    (arrived,) = mails.mails
    assert mails.recipients == [["ops@example.com"]]
    assert arrived["Bcc"] is None
    assert arrived["Subject"] == "qqetl default: the run failed"
    assert "\nBcc:" not in mails.text()
    assert "<script>" not in mails.html()
    assert not any(one in mails.text() + mails.html() for one in (*PERSONAL, "everybody@example.com"))


def test_o3_a_resource_whose_name_breaks_lines_breaks_no_header(told: Site, mails: Sink) -> None:
    nasty = Trouble(TroubleKind.DRIFT, "x\r\nBcc: everybody@example.com", "why")
    mail = as_mail(of_troubles("default", [nasty]))
    ledger(told).commit(partial(outbox.write, tenant="default", mail=mail))
    send_waiting(ledger(told), told.settings)
    (arrived,) = mails.mails
    assert arrived["Bcc"] is None
    assert str(arrived["Subject"]).strip() == r"qqetl default: the API changed x\r\nBcc: [e-mail]"


def test_o1_a_dead_mail_server_loses_nothing_and_hides_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    dead = mailing(site, port, tmp_path)
    break_with(site.simulator, "token-refused")
    assert run(dead) == 5, "the exit status is that of the first error"
    break_with(site.simulator)
    let_credentials_rest_no_longer(site)
    assert value(site.engine, "SELECT error FROM etl.outbox") == (
        f"The mail server 127.0.0.1:{port} cannot be reached (ConnectionRefusedError)."
    )
    monkeypatch.setattr(mail_server, "PATIENCE", 0.3)
    with mute_server() as mute:
        assert run(mailing(site, mute, tmp_path)) == 0
    assert values(site.engine, "SELECT attempts FROM etl.outbox ORDER BY number") == [2, 1]
    monkeypatch.undo()
    with mail_sink(port) as (sink, _):
        assert run(dead) == 0
    assert sink.subjects == [
        "qqetl default: QQCatalyst refused the credentials",
        "qqetl default: over: QQCatalyst refused the credentials",
    ]
    assert value(site.engine, "SELECT count(*) FROM etl.outbox WHERE sent_at IS NULL") == 0


def test_a_mail_that_is_refused_does_not_keep_the_next_one_back(told: Site, sink: tuple[Sink, int]) -> None:
    ended(told.under(etl_mail_to="gone@example.com"), ApiUnavailable())
    sink[0].unwanted = "gone@"
    execute(told, "UPDATE etl.outbox SET sent_at = NULL")
    sink[0].mails.clear()
    refused = send_waiting(ledger(told), told.under(etl_mail_to="gone@example.com").settings)
    assert (refused.sent, refused.failed) == (0, 1)
    assert send_waiting(ledger(told), told.settings).sent == 1


def test_two_processes_send_each_mail_once(told: Site, mails: Sink) -> None:
    for _ in range(3):
        ended(told.under(etl_smtp_url=unreachable()), ApiUnavailable())
        ended(told.under(etl_smtp_url=unreachable()))
    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda _: send_waiting(ledger(told), told.settings).sent, range(2)))
    assert sum(done) == 6
    assert len({str(one["Message-ID"]) for one in mails.mails}) == len(mails.mails) == 6


def unreachable() -> SecretStr:
    return SecretStr(f"smtp://127.0.0.1:{free_port()}")


def test_a_mail_that_a_dead_process_had_claimed_is_sent_later(told: Site, mails: Sink) -> None:
    ended(told.under(etl_smtp_url=unreachable()), ApiUnavailable())
    execute(told, "UPDATE etl.outbox SET claimed_until = now() + interval '1 minute'")
    assert send_waiting(ledger(told), told.settings).sent == 0
    execute(told, "UPDATE etl.outbox SET claimed_until = now()")
    assert send_waiting(ledger(told), told.settings).sent == 1


def test_what_began_before_there_was_a_mail_server_is_told_once_there_is_one(
    site: Site, told: Site, mails: Sink
) -> None:
    ended(site, ApiUnavailable())
    assert open_troubles(site) == [("run_failed", "")]
    assert value(site.engine, "SELECT count(*) FROM etl.outbox") == 0
    ended(told, ApiUnavailable())
    assert len(mails.mails) == 1
    ended(site)
    assert open_troubles(site) == []


def test_accounts_do_not_see_each_others_troubles(told: Site, mails: Sink) -> None:
    other = told.under(etl_tenant="other")
    ended(told, ApiUnavailable())
    ended(other)
    assert open_troubles(told) == [("run_failed", "")]
    assert mails.subjects == ["qqetl default: the run failed"]


@pytest.mark.parametrize("error", [DatabaseUnavailable("PostgreSQL is away"), DatabaseNotReady("Not migrated")])
def test_trouble_with_the_database_is_told_without_it_and_once(
    told: Site, mails: Sink, error: Exception, tmp_path: Path
) -> None:
    for _ in range(3):
        after_run(None, told.settings, error)
    assert mails.subjects == ["qqetl default: the database cannot be used"]
    assert str(error) in mails.text()
    assert [path.name for path in tmp_path.iterdir()] == ["database-trouble-default.json"]
    ended(told)
    assert mails.subjects[1:] == ["qqetl default: over: the database cannot be used"]
    assert list(tmp_path.iterdir()) == []
    after_run(None, told.settings, error)
    assert len(mails.mails) == 3


def test_trouble_with_the_database_is_told_later_where_the_mail_server_is_away_too(
    told: Site, mails: Sink, tmp_path: Path
) -> None:
    after_run(None, told.under(etl_smtp_url=unreachable()).settings, DatabaseUnavailable())
    assert list(tmp_path.iterdir()) == []
    after_run(None, told.settings, DatabaseUnavailable())
    assert len(mails.mails) == 1


def test_a_data_folder_that_cannot_be_written_is_named_and_hides_nothing(
    told: Site, mails: Sink, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for _ in range(2):
        after_run(None, told.under(etl_data_dir=tmp_path / "file" / "below").settings, DatabaseUnavailable())
    assert len(mails.mails) == 2
    assert "ETL_DATA_DIR" in mails.text()


def test_what_goes_wrong_after_a_run_is_logged_and_raised_nowhere(
    told: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(PERSONAL[0])

    monkeypatch.setattr(outbox, "claim", broken)
    ended(told, ApiUnavailable())
    assert "RuntimeError" in caplog.text
    assert PERSONAL[0] not in caplog.text
    assert open_troubles(told) == [("run_failed", "")]
