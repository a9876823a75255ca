"""Notifications of a run in tasks: one email per new incident, no matter which task meets it or dies."""

import pytest
from mail_sink import Sink
from notification_helpers import execute, open_incidents
from sites import Site, environment_of, set_faults

from etl.dags import steps
from etl.dags.names import LEVELS
from etl.errors import CredentialsRefused, UsageError

RUN = "qqcatalyst_sync/scheduled__1"
REFUSED = "qqetl default: QQCatalyst rejected the credentials"
FAILED, OVER = "qqetl default: the run failed", "qqetl default: resolved: the run failed"


@pytest.fixture(autouse=True)
def _environment(notified_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment in which tasks find the site and the mail server, as in Airflow."""
    variables = environment_of(notified_site) | {
        "ETL_SMTP_URL": notified_site.settings.etl_smtp_url.get_secret_value()
        if notified_site.settings.etl_smtp_url
        else "",
        "ETL_MAIL_FROM": notified_site.settings.etl_mail_from or "",
        "ETL_MAIL_TO": notified_site.settings.etl_mail_to or "",
        "ETL_DATA_DIR": str(notified_site.settings.etl_data_dir),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def begin(run: str = RUN) -> str:
    """Begin a run over two independent resources, and return the id of its batch."""
    batch = steps.start_batch(None, run, {"resources": ["carrier_list", "departments"]}, full=False)
    assert batch is not None
    return batch


def read_all(batch: str, run: str = RUN) -> None:
    """Do what the tasks between the first and the last do."""
    for number in range(len(LEVELS)):
        for piece in steps.plan_chunks(None, run, batch, number):
            steps.process_chunk(None, run, batch, piece)


def close(batch: str, run: str = RUN) -> int:
    """Do what the last task does, and return how the run ended."""
    return steps.close_batch(None, run, batch)[1].exit_status


def goes_well(run: str) -> None:
    """Do all tasks of a run."""
    batch = begin(run)
    read_all(batch, run)
    assert close(batch, run) == 0


def refuse_credentials(notified_site: Site) -> None:
    """Delete the token and let the API refuse to issue another."""
    execute(notified_site, "DELETE FROM etl.tokens")
    set_faults(notified_site.simulator, "token-refused")


def test_an_incident_of_a_task_is_not_resolved_at_the_end_of_its_run(notified_site: Site, mails: Sink) -> None:
    batch = begin()
    refuse_credentials(notified_site)
    with pytest.raises(CredentialsRefused):
        steps.plan_chunks(None, RUN, batch, 0)
    assert close(batch) == 6
    assert mails.subjects == [REFUSED]
    set_faults(notified_site.simulator)
    execute(notified_site, "DELETE FROM etl.tokens")
    goes_well("later")
    assert mails.subjects[1:] == ["qqetl default: resolved: QQCatalyst rejected the credentials"]


def test_tasks_that_died_while_reading_are_reported_at_the_end(mails: Sink) -> None:
    batch = begin()
    assert [piece for number in range(len(LEVELS)) for piece in steps.plan_chunks(None, RUN, batch, number)] != []
    assert close(batch) == 6
    assert mails.subjects == [FAILED]
    assert "departments and carrier_list" in mails.text()
    goes_well("later")
    assert mails.subjects[1:] == [OVER]


def test_a_dead_begin_task_is_reported_once_and_resolved_by_the_next_run(notified_site: Site, mails: Sink) -> None:
    for run in (RUN, "next"):
        steps.report_dead_run(None, run, "begin")
    assert mails.subjects == [FAILED]
    assert "`begin` of qqcatalyst_sync/scheduled__1" in mails.text()
    assert open_incidents(notified_site) == [("run_failed", "")]
    goes_well("later")
    assert mails.subjects[1:] == [OVER]


def test_a_dead_close_task_is_reported_with_its_batch(mails: Sink) -> None:
    batch = begin()
    read_all(batch)
    steps.report_dead_run(None, RUN, "close")
    assert mails.subjects == [FAILED]
    assert f"batch {batch[:8]}" in mails.text()
    goes_well("later")
    assert mails.subjects[1:] == [OVER]


def test_a_dead_task_after_a_reported_error_is_not_reported_again(notified_site: Site, mails: Sink) -> None:
    refuse_credentials(notified_site)
    with pytest.raises(CredentialsRefused):
        begin()
    steps.report_dead_run(None, RUN, "begin")
    assert mails.subjects == [REFUSED]
    assert open_incidents(notified_site) == [("credentials_refused", "")]


def test_a_usage_error_is_not_mailed(mails: Sink) -> None:
    with pytest.raises(UsageError):
        steps.start_batch(None, RUN, {"to": "2026-01-01"}, full=False)
    assert mails.subjects == []
