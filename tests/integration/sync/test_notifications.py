"""Notifications: an email for each incident that needs a person, one when it starts and one when it is resolved."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from mail_sink import Sink
from notification_helpers import (
    PERSONAL,
    allow_refused_credentials,
    ended,
    execute,
    fail_at,
    ledger,
    open_incidents,
    run,
)
from sites import Site, set_faults
from snapshots import value

from etl.config.redaction import HIDDEN
from etl.errors import (
    ApiUnavailable,
    Interrupted,
    LeaseHeld,
    UsageError,
)
from etl.ledger.notifications import outbox
from etl.ledger.notifications.incidents import Incident
from etl.models.states import IncidentKind
from etl.notifications.message import to_mail
from etl.notifications.send import send_queued
from etl.notifications.templates import new_incidents_message, resolved_message


def test_o2_a_recurring_failure_is_one_mail_and_one_when_it_is_resolved(notified_site: Site, mails: Sink) -> None:
    set_faults(notified_site.simulator, "token-errors:9999")
    assert {run(notified_site) for _ in range(24)} == {1}
    assert mails.subjects == ["qqetl default: the run failed"]
    assert value(notified_site.engine, "SELECT times_seen FROM etl.troubles") == 24
    set_faults(notified_site.simulator)
    assert run(notified_site) == 0
    assert mails.subjects[1:] == ["qqetl default: resolved: the run failed"]
    assert "seen in 24 runs" in mails.text()
    assert "No open incidents." in mails.text()
    assert run(notified_site) == 0
    assert len(mails.mails) == 2


def test_a_failure_that_returns_is_a_new_incident(notified_site: Site, mails: Sink) -> None:
    for error in (ApiUnavailable(), None, ApiUnavailable(), ApiUnavailable(), None):
        ended(notified_site, error)
    assert [subject.removeprefix("qqetl default: ") for subject in mails.subjects] == [
        "the run failed",
        "resolved: the run failed",
        "the run failed",
        "resolved: the run failed",
    ]


def test_refused_credentials_are_reported_once(notified_site: Site, mails: Sink) -> None:
    set_faults(notified_site.simulator, "token-refused")
    assert (run(notified_site), run(notified_site)) == (5, 5)
    assert mails.subjects == ["qqetl default: QQCatalyst rejected the credentials"]
    assert "QQCATALYST_CLIENT_ID" in mails.text()
    set_faults(notified_site.simulator)
    allow_refused_credentials(notified_site)
    assert run(notified_site) == 0
    assert mails.subjects[-1] == "qqetl default: resolved: QQCatalyst rejected the credentials"
    assert "rejected the credentials (seen in 2 runs, since" in mails.text()


@pytest.mark.parametrize("kind", IncidentKind)
def test_our_own_messages_are_not_masked_as_secrets(kind: IncidentKind) -> None:
    trouble = Incident(kind, "claims", "No reason.", UUID(int=0), datetime(2026, 1, 1, tzinfo=UTC), 2)
    for letter in (
        new_incidents_message("default", [trouble], [trouble]),
        resolved_message("default", [trouble], [trouble]),
    ):
        mail = to_mail(letter)
        assert HIDDEN not in mail.subject + mail.body + mail.html


def test_resources_that_fail_together_are_one_mail_and_a_later_one_is_another(notified_site: Site, mails: Sink) -> None:
    assert run(notified_site) == 0, "what has returned records counts as documented"
    fail_at(notified_site, "Claims")
    assert (run(notified_site), run(notified_site)) == (6, 6)
    assert mails.subjects == ["qqetl default: claims failed"]
    batch = value(notified_site.engine, "SELECT id FROM etl.batches ORDER BY started_at OFFSET 1 LIMIT 1")
    assert f"qqetl retry {str(batch)[:8]}" in mails.text()
    assert "<li>claims failed" in mails.html()
    assert f"run <code>qqetl retry {str(batch)[:8]}</code>" in mails.html()
    fail_at(notified_site, "Claims", "Carriers")
    assert run(notified_site) == 6
    assert mails.subjects[1:] == ["qqetl default: carrier_list failed"]
    assert "Still open:\n  * claims failed" in mails.text()
    fail_at(notified_site, "Carriers")
    assert run(notified_site) == 6
    assert mails.subjects[2:] == ["qqetl default: resolved: claims failed"]
    assert "Still open:\n  * carrier_list failed" in mails.text()
    set_faults(notified_site.simulator)
    assert run(notified_site) == 0
    assert mails.subjects[3:] == ["qqetl default: resolved: carrier_list failed"]


def test_a_total_mismatch_is_reported_as_an_imbalance(notified_site: Site, mails: Sink) -> None:
    set_faults(notified_site.simulator, "wrong-total:7")
    assert run(notified_site, resources=("claims",)) == 6
    assert mails.subjects == ["qqetl default: record counts of claims do not balance"]
    assert "UTC): The API reported" in mails.text(), "the resource is named once"


def test_an_imbalance_is_reported(notified_site: Site, mails: Sink) -> None:
    assert run(notified_site) == 0
    statement = "UPDATE etl.batch_resources SET status = 'failed', error = '2 and 3', trouble = 'balance_off'"
    execute(notified_site, f"{statement} WHERE resource = 'claims'")
    ended(notified_site, whole=False)
    assert mails.subjects == ["qqetl default: record counts of claims do not balance"]


def test_an_aborted_deletion_is_reported(notified_site: Site, mails: Sink) -> None:
    assert run(notified_site, resources=("commission_rules",)) == 0
    world = notified_site.simulator.world
    with notified_site.simulator.lock:
        kept, world.agency_rules[:] = list(world.agency_rules), world.agency_rules[40:]
    try:
        assert run(notified_site, resources=("commission_rules",), full=True) == 6
    finally:
        with notified_site.simulator.lock:
            world.agency_rules[:] = kept
    assert mails.subjects == ["qqetl default: too many commission_rules disappeared at once; none were deleted"]
    assert "ETL_DELETE_BRAKE" in mails.text()


def test_stale_data_despite_successful_runs_are_reported(notified_site: Site, mails: Sink) -> None:
    assert run(notified_site) == 0
    execute(notified_site, "UPDATE etl.watermarks SET complete_to = complete_to - interval '3 days'")
    execute(
        notified_site,
        "UPDATE etl.watermarks SET complete_to = complete_to - interval '1 day' WHERE resource = 'claims'",
    )
    ended(notified_site)
    ended(notified_site)
    assert mails.subjects == ["qqetl default: data is stale"]
    assert "More than 1 d behind: claims by 4 d; carrier_list by 3 d." in mails.text()
    assert run(notified_site) == 0
    assert mails.subjects[1:] == ["qqetl default: resolved: data is stale"]
    ended(notified_site.with_settings(etl_stale_after=timedelta()))
    assert len(mails.mails) == 2


def test_stale_data_of_failed_runs_are_not_reported_twice(notified_site: Site, mails: Sink) -> None:
    assert run(notified_site) == 0
    execute(notified_site, "UPDATE etl.watermarks SET complete_to = complete_to - interval '3 days'")
    ended(notified_site, ApiUnavailable())
    ended(notified_site, LeaseHeld())
    assert mails.subjects == ["qqetl default: the run failed"]


DRIFT = """
    INSERT INTO etl.drift
        (tenant, resource, path, types, objects, presence, null_rate, example_codes, state, change, changed_at)
    SELECT 'default', 'contacts', path, '{text}', 30, 0, 0, '{}', state, path || ' is ' || state, now()
    FROM (VALUES ('City', 'lost'), ('Zip', 'retyped'), ('Email', 'emptied'), ('Mood', 'new'), ('Status', 'new_code'))
        AS seen (path, state)
"""


def test_lost_fields_are_reported_and_new_ones_are_not(notified_site: Site, mails: Sink) -> None:
    execute(notified_site, DRIFT)
    ended(notified_site)
    ended(notified_site)
    assert mails.subjects == ["qqetl default: the API changed contacts.City, contacts.Email and contacts.Zip"]
    assert "City is lost" in mails.text()
    assert "Mood" not in mails.text()
    execute(notified_site, "UPDATE etl.drift SET state = 'known' WHERE path <> 'Zip'")
    ended(notified_site)
    assert mails.subjects[1:] == ["qqetl default: resolved: the API changed contacts.City and contacts.Email"]


@pytest.mark.parametrize(
    "error", [UsageError("x"), Interrupted(), LeaseHeld()], ids=lambda connection: type(connection).__name__
)
def test_events_without_action_needed_are_not_mailed_and_resolve_nothing(
    notified_site: Site, mails: Sink, error: Exception
) -> None:
    ended(notified_site, error)
    assert mails.subjects == []
    ended(notified_site, ApiUnavailable())
    ended(notified_site, error)
    assert open_incidents(notified_site) == [("run_failed", "")]
    assert len(mails.mails) == 1


def test_an_unexpected_error_is_reported_by_its_type_only(notified_site: Site, mails: Sink) -> None:
    ended(notified_site, KeyError(f"{PERSONAL}"))
    assert "Unexpected error (KeyError)" in mails.text()
    assert not any(personal in mails.text() + mails.html() for personal in PERSONAL)


def test_o3_line_breaks_in_messages_inject_no_header_or_recipient(notified_site: Site, mails: Sink) -> None:
    nasty = f"broken\r\nBcc: everybody@example.com\r\n\r\n<script>alert(1)</script> {PERSONAL}"
    ended(notified_site, ApiUnavailable(nasty))
    (arrived,) = mails.mails
    assert mails.recipients == [["ops@example.com"]]
    assert arrived["Bcc"] is None
    assert arrived["Subject"] == "qqetl default: the run failed"
    assert "\nBcc:" not in mails.text()
    assert "<script>" not in mails.html()
    assert not any(personal in mails.text() + mails.html() for personal in (*PERSONAL, "everybody@example.com"))


def test_o3_line_breaks_in_a_resource_name_inject_no_header(notified_site: Site, mails: Sink) -> None:
    nasty = Incident(IncidentKind.DRIFT, "x\r\nBcc: everybody@example.com", "why")
    mail = to_mail(new_incidents_message("default", [nasty]))
    ledger(notified_site).commit(partial(outbox.enqueue, tenant="default", mail=mail))
    send_queued(ledger(notified_site), notified_site.settings)
    (arrived,) = mails.mails
    assert arrived["Bcc"] is None
    assert str(arrived["Subject"]).strip() == r"qqetl default: the API changed x\r\nBcc: [e-mail]"
