"""The digest: what happened, what is due, what needs correction; once a day, at its hour, without names."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mail_sink import Sink
from notification_helpers import ended, execute, with_mail_server
from sites import Site
from snapshots import value, values

from etl.notifications import digest
from etl.notifications.digest import digest_period

CUSTOMER = "Quackenbushel"
#: Hides the agency's own activity, so that the digest shows only what a test inserts.
QUIET = """
    UPDATE policies SET source_created_at = '2001-01-01', expiration_date = '2001-01-01', prior_policy_id = NULL,
        policy_number = 'P-' || source_id, customer_name = 'Quackenbushel', description = 'Quackenbushel';
    UPDATE contacts SET display_name = 'Quackenbushel', last_name = 'Quackenbushel';
    UPDATE terminations SET source_created_at = '2001-01-01', reason = 'Moved away', is_current = false;
    UPDATE etl.findings SET first_seen = '2001-01-01';
    UPDATE policy_details SET business_type = NULL;
    DELETE FROM renewals;
"""


@pytest.fixture
def agency(synced: Site, sink: tuple[Sink, int], tmp_path: Path) -> Site:
    """Give a synced agency without activity, with a digest from midnight on."""
    execute(synced, QUIET)
    digest_of = {"etl_digest_to": "agency@example.com", "etl_digest_at": "00:00"}
    return with_mail_server(synced, sink[1], tmp_path).with_settings(**digest_of)


def numbers(site: Site, condition: str, most: int) -> list[str]:
    """Return the numbers of some policies, and make them live."""
    query = f"SELECT source_id FROM policies WHERE {condition} AND NOT is_placeholder ORDER BY source_id LIMIT {most}"
    some = values(site.engine, query)
    execute(site, "UPDATE policies SET status = 'A', deleted_at = NULL WHERE source_id = ANY(:some)", some=some)
    query = "SELECT policy_number FROM policies WHERE source_id = ANY(:some) ORDER BY source_id"
    return values(site.engine, query, some=some)


def test_a_day_without_business_has_no_digest(agency: Site, mails: Sink) -> None:
    ended(agency)
    assert mails.mails == []
    assert value(agency.engine, "SELECT count(*) FROM etl.digests WHERE mail_id IS NULL") == 1


def test_new_business_cancellations_renewals_and_data_to_correct(agency: Site, mails: Sink) -> None:
    alive = "id NOT IN (SELECT policy_id FROM terminations)"
    (new, *_) = numbers(agency, alive, 1)
    execute(
        agency,
        "UPDATE policies SET source_created_at = now() - interval '1 hour' WHERE policy_number = :new",
        new=new,
    )
    due = numbers(agency, f"{alive} AND policy_number <> '{new}'", 3)
    for number, days in zip(due, (30, 60, 90), strict=True):
        execute(
            agency,
            "UPDATE policies SET expiration_date = CAST(now() AT TIME ZONE 'UTC' AS date) + :days"
            " WHERE policy_number = :one",
            one=number,
            days=days,
        )
    execute(
        agency,
        "UPDATE terminations SET source_created_at = now() - interval '1 hour', termination_date = current_date,"
        " is_current = true, deleted_at = NULL WHERE id = (SELECT id FROM terminations ORDER BY source_id LIMIT 1);"
        "UPDATE policies SET status = 'C', deleted_at = NULL"
        " WHERE id = (SELECT policy_id FROM terminations WHERE is_current ORDER BY source_id LIMIT 1);"
        "UPDATE contacts SET agent_name = 'Kim Lee';"
        "INSERT INTO etl.findings (tenant, resource, table_name, source_id, field, rule, severity, message, batch_id)"
        " SELECT 'default', 'contacts', 'contacts', source_id, 'x', 'test', 'dropped', 'x', gen_random_uuid()"
        " FROM contacts WHERE NOT is_placeholder LIMIT 1",
    )
    ended(agency)
    (arrived,) = mails.mails
    mail_text = mails.text()
    assert mails.recipients == [["agency@example.com"]]
    assert arrived["Subject"].strip().endswith(": 1 new policy, 1 cancellation, 3 renewals due, 1 record to fix")
    assert mail_text.startswith("Account default: activity since 20")
    assert f"New business: 1\n  * {new} (" in mail_text
    assert "Cancellations: 1\n" in mail_text
    assert "Moved away" in mail_text
    for number, days in zip(due, (30, 60, 90), strict=True):
        assert f"Renewals due in {days} days: 1\n  * {number} (expires 20" in mail_text
    assert "Kim Lee: 1 new, " in mail_text
    assert "The data is at most " in mail_text
    assert CUSTOMER not in mail_text + mails.html()


def test_it_is_sent_once_a_day_and_starts_where_the_last_one_ended(agency: Site, mails: Sink) -> None:
    (new,) = numbers(agency, "true", 1)
    execute(agency, "UPDATE policies SET source_created_at = now() WHERE policy_number = :new", new=new)
    for _ in range(3):
        ended(agency)
    assert len(mails.mails) == 1
    execute(agency, "UPDATE etl.digests SET day = day - 1")
    ended(agency)
    assert len(mails.mails) == 1, "yesterday's news is not repeated"


@pytest.mark.parametrize("is_bound", [True, False, None])
def test_a_policy_with_a_bound_renewal_is_not_due(agency: Site, mails: Sink, is_bound: bool | None) -> None:
    (old, new) = numbers(agency, "true", 2)
    execute(
        agency,
        "UPDATE policies SET expiration_date = (now() AT TIME ZONE 'UTC')::date + 30 WHERE policy_number = :old;"
        "INSERT INTO renewals (id, tenant, source_id, policy_id, prior_policy_id, is_confirmed)"
        " SELECT gen_random_uuid(), 'default', 'x', new.id, old.id, :is_bound FROM policies AS old, policies AS new"
        " WHERE old.policy_number = :old AND new.policy_number = :new",
        old=old, new=new, is_bound=is_bound,
    )  # fmt: skip
    ended(agency)
    if is_bound:
        assert mails.mails == []
    else:
        (line,) = [line for line in mails.text().splitlines() if old in line]
        assert line.endswith("renewal not bound)")


@pytest.mark.parametrize("status", ["D", "V"])
@pytest.mark.fact("status-void")
def test_a_void_renewal_leaves_a_policy_due(agency: Site, mails: Sink, status: str) -> None:
    (old, new) = numbers(agency, "true", 2)
    execute(
        agency,
        "UPDATE policies SET expiration_date = (now() AT TIME ZONE 'UTC')::date + 30 WHERE policy_number = :old;"
        "UPDATE policies SET status = :status WHERE policy_number = :new;"
        "INSERT INTO renewals (id, tenant, source_id, policy_id, prior_policy_id, is_confirmed)"
        " SELECT gen_random_uuid(), 'default', 'x', new.id, old.id, true FROM policies AS old, policies AS new"
        " WHERE old.policy_number = :old AND new.policy_number = :new",
        old=old, new=new, status=status,
    )  # fmt: skip
    ended(agency)
    (line,) = [line for line in mails.text().splitlines() if old in line]
    assert "renewal" not in line


def test_a_policy_number_that_looks_like_a_social_security_number_is_masked(agency: Site, mails: Sink) -> None:
    (new,) = numbers(agency, "true", 1)
    execute(
        agency,
        "UPDATE policies SET source_created_at = now(), policy_number = '078-05-1120' WHERE policy_number = :new",
        new=new,
    )
    ended(agency)
    assert len(mails.mails) == 1
    assert "078-05-1120" not in mails.text() + mails.html()


def test_a_long_list_is_cut_and_counted(agency: Site, mails: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "MAX_LISTED", 5)
    execute(agency, "UPDATE policies SET source_created_at = now(), status = 'A', deleted_at = NULL")
    number = value(agency.engine, "SELECT count(*) FROM policies WHERE NOT is_placeholder")
    assert number > 5
    ended(agency)
    assert f"New business: {number}\n" in mails.text()
    assert f"  * and {number - 5} more" in mails.text()


def test_additional_agents_are_counted(agency: Site, mails: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "MAX_LISTED", 2)
    execute(
        agency,
        "DELETE FROM etl.findings;"
        "UPDATE contacts SET agent_name = 'Agent ' || source_id;"
        "INSERT INTO etl.findings (tenant, resource, table_name, source_id, field, rule, severity, message, batch_id)"
        " SELECT 'default', 'contacts', 'contacts', source_id, 'x', 'test', 'dropped', 'x', gen_random_uuid()"
        " FROM contacts WHERE NOT is_placeholder ORDER BY source_id LIMIT 5",
    )
    ended(agency)
    assert "1 new, 1 in total\n  * and 3 more" in mails.text()


@pytest.mark.parametrize(
    ("at", "zone", "hour", "day"),
    [
        ("07:00", "UTC", 6, None),
        ("07:00", "UTC", 7, 25),
        ("07:00", "America/New_York", 11, None),
        ("07:00", "America/New_York", 12, 25),
        ("00:00", "America/New_York", 3, 24),
        ("00:00", "Pacific/Auckland", 12, 26),
    ],
)
def test_its_hour_and_day_are_in_its_time_zone(as_synced: Site, at: str, zone: str, hour: int, day: int | None) -> None:
    settings = as_synced.with_settings(etl_digest_at=at, etl_digest_timezone=zone).settings
    period = digest_period(datetime(2026, 11, 25, hour, tzinfo=UTC), settings, None)
    assert (None if period is None else period.today.day) == day


def test_it_covers_a_week_at_most(as_synced: Site) -> None:
    settings, now = as_synced.with_settings(etl_digest_at="00:00").settings, datetime(2026, 11, 25, tzinfo=UTC)
    period = digest_period(now, settings, now - timedelta(days=300))
    assert period is not None
    assert period.since == now - timedelta(days=7)
