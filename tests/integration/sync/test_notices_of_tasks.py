"""Notices of a run in tasks: one mail for each new trouble, whichever task meets it and whichever task dies."""

import pytest
from mail_sink import Sink
from notices_bench import execute, open_troubles
from workbench import Site, break_with, environment_of

from etl.dags import steps
from etl.dags.names import WAVES
from etl.errors import CredentialsRefused, UsageError

RUN = "qqcatalyst_sync/scheduled__1"
REFUSED = "qqetl default: QQCatalyst refused the credentials"
FAILED, OVER = "qqetl default: the run failed", "qqetl default: over: the run failed"


@pytest.fixture(autouse=True)
def _environment(told: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tasks find the site and the sink in their environment, as they do in Airflow."""
    own = environment_of(told) | {
        "ETL_SMTP_URL": told.settings.etl_smtp_url.get_secret_value() if told.settings.etl_smtp_url else "",
        "ETL_MAIL_FROM": told.settings.etl_mail_from or "",
        "ETL_MAIL_TO": told.settings.etl_mail_to or "",
        "ETL_DATA_DIR": str(told.settings.etl_data_dir),
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)


def begin(run: str = RUN) -> str:
    """Begin a run over two resources of the first wave, and return the id of its batch."""
    batch = steps.begin(None, run, {"resources": ["carriers", "departments"]}, full=False)
    assert batch is not None
    return batch


def read_all(batch: str, run: str = RUN) -> None:
    """Do what the tasks between the first and the last do."""
    for number in range(len(WAVES)):
        for piece in steps.plan(None, run, batch, number):
            steps.read(None, run, batch, piece)


def close(batch: str, run: str = RUN) -> int:
    """Do what the last task does, and return how the run ended."""
    return steps.close(None, run, batch)[1].exit_status


def goes_well(run: str) -> None:
    """Do all tasks of a run."""
    batch = begin(run)
    read_all(batch, run)
    assert close(batch, run) == 0


def refuse_credentials(told: Site) -> None:
    """Let the token be gone and no other be given."""
    execute(told, "DELETE FROM etl.tokens")
    break_with(told.simulator, "token-refused")


def test_what_a_task_has_told_is_not_over_when_the_books_are_closed(told: Site, mails: Sink) -> None:
    batch = begin()
    refuse_credentials(told)
    with pytest.raises(CredentialsRefused):
        steps.plan(None, RUN, batch, 0)
    assert close(batch) == 6
    assert mails.subjects == [REFUSED]
    break_with(told.simulator)
    execute(told, "DELETE FROM etl.tokens")
    goes_well("later")
    assert mails.subjects[1:] == ["qqetl default: over: QQCatalyst refused the credentials"]


def test_tasks_that_died_while_they_read_are_told_by_the_end(mails: Sink) -> None:
    batch = begin()
    assert steps.plan(None, RUN, batch, 0) != []
    assert close(batch) == 6
    assert mails.subjects == [FAILED]
    assert "departments and carriers" in mails.text()
    goes_well("later")
    assert mails.subjects[1:] == [OVER]


def test_a_run_whose_begin_died_is_told_once_and_is_over_with_the_next(told: Site, mails: Sink) -> None:
    for run in (RUN, "next"):
        steps.tell_of_death(None, run, "begin")
    assert mails.subjects == [FAILED]
    assert "`begin` of qqcatalyst_sync/scheduled__1" in mails.text()
    assert open_troubles(told) == [("run_failed", "")]
    goes_well("later")
    assert mails.subjects[1:] == [OVER]


def test_a_run_whose_close_died_is_told_with_its_batch(mails: Sink) -> None:
    batch = begin()
    read_all(batch)
    steps.tell_of_death(None, RUN, "close")
    assert mails.subjects == [FAILED]
    assert f"batch {batch[:8]}" in mails.text()
    goes_well("later")
    assert mails.subjects[1:] == [OVER]


def test_a_death_after_an_error_that_was_told_adds_nothing(told: Site, mails: Sink) -> None:
    refuse_credentials(told)
    with pytest.raises(CredentialsRefused):
        begin()
    steps.tell_of_death(None, RUN, "begin")
    assert mails.subjects == [REFUSED]
    assert open_troubles(told) == [("credentials_refused", "")]


def test_usage_is_not_mailed(mails: Sink) -> None:
    with pytest.raises(UsageError):
        steps.begin(None, RUN, {"to": "2026-01-01"}, full=False)
    assert mails.subjects == []
