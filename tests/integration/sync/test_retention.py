"""Retention: old superseded versions and requests are deleted; the newest version of a record is always kept."""

from datetime import timedelta

import pytest
from sites import Site
from snapshots import digest, value, values
from sqlalchemy import text

from etl.ledger.staging import retention
from etl.ledger.transaction import Ledger
from etl.resources import find_resource
from etl.simulator import Simulator

OLD = "UPDATE raw.raw_contacts SET superseded_at = superseded_at - interval '40 days' WHERE superseded_at IS NOT NULL"
VERSIONS = "SELECT count(*) FROM raw.raw_contacts WHERE source_id = :key"


@pytest.fixture
def changed(synced: Site, simulator: Simulator) -> tuple[Site, str]:
    """Give a site with a contact in three versions, and the contact's id."""
    key = next(iter(simulator.world.contacts))
    for street in ("1 First Street", "2 Second Street"):
        simulator.world.contacts.change(key, simulator.server.now(), Line1=street)
        assert synced.sync_once().exit_status == 0
    assert value(synced.engine, VERSIONS, key=str(key)) == 3
    return synced, str(key)


def aged(site: Site, *statements: str) -> None:
    with site.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_without_the_setting_everything_is_kept(changed: tuple[Site, str]) -> None:
    site, key = changed
    aged(site, OLD)
    before = value(site.engine, "SELECT count(*) FROM etl.requests")
    site.sync_once()
    assert value(site.engine, VERSIONS, key=key) == 3
    assert value(site.engine, "SELECT count(*) FROM etl.requests") > before


def test_old_versions_are_deleted_and_the_newest_is_kept(changed: tuple[Site, str]) -> None:
    site, key = changed
    aged(site, OLD)
    before = digest(site.engine)
    newest = values(site.engine, "SELECT id FROM raw.raw_contacts WHERE superseded_at IS NULL ORDER BY id")
    assert site.with_settings(etl_raw_retention=timedelta(days=30)).sync_once().exit_status == 0
    assert values(site.engine, "SELECT id FROM raw.raw_contacts ORDER BY id") == newest
    assert value(site.engine, VERSIONS, key=key) == 1
    assert digest(site.engine) == before


def test_versions_younger_than_the_retention_are_kept(changed: tuple[Site, str]) -> None:
    site, key = changed
    aged(site, OLD)
    site.with_settings(etl_raw_retention=timedelta(days=50)).sync_once()
    assert value(site.engine, VERSIONS, key=key) == 3


def test_the_last_version_of_a_deleted_record_is_kept(changed: tuple[Site, str]) -> None:
    site, key = changed
    condition = f"source_id = '{key}' AND superseded_at IS NULL"
    last = value(site.engine, f"SELECT id FROM raw.raw_contacts WHERE {condition}")
    gone = f"UPDATE raw.raw_contacts SET superseded_at = now(), gone_batch_id = id WHERE {condition}"
    aged(site, gone, OLD, f"UPDATE contacts SET raw_id = NULL WHERE source_id = '{key}'")
    ledger = Ledger(site.engine, "default")
    assert retention.purge_resource(ledger, find_resource("contacts"), timedelta(days=30)) == {"raw.raw_contacts": 2}
    assert values(site.engine, "SELECT id FROM raw.raw_contacts WHERE source_id = :key", key=key) == [last]


def test_the_version_loaded_into_production_is_kept(changed: tuple[Site, str]) -> None:
    site, key = changed
    first = value(
        site.engine, "SELECT id FROM raw.raw_contacts WHERE source_id = :key ORDER BY version_at LIMIT 1", key=key
    )
    aged(site, OLD, f"UPDATE contacts SET raw_id = '{first}' WHERE source_id = '{key}'")
    site.with_settings(etl_raw_retention=timedelta(days=30)).sync_once()
    assert first in values(site.engine, "SELECT id FROM raw.raw_contacts WHERE source_id = :key", key=key)
    assert value(site.engine, VERSIONS, key=key) == 2


def test_requests_of_completed_batches_are_deleted_and_others_are_kept(changed: tuple[Site, str]) -> None:
    site, _ = changed
    batch = value(site.engine, "SELECT id FROM etl.batches ORDER BY started_at LIMIT 1")
    aged(
        site,
        "UPDATE etl.requests SET requested_at = requested_at - interval '40 days'",
        f"UPDATE etl.batches SET status = 'failed' WHERE id = '{batch}'",
    )
    own_requests = value(site.engine, "SELECT count(*) FROM etl.requests WHERE batch_id = :batch", batch=batch)
    site.with_settings(etl_raw_retention=timedelta(days=30)).sync_once()
    old = "SELECT count(*) FROM etl.requests WHERE requested_at < now() - interval '30 days'"
    assert value(site.engine, old) == own_requests > 0
