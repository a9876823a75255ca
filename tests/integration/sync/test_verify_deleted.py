"""Deletions are verified by requesting each record first; merges of customers are detected and reported."""

from collections.abc import Iterator
from typing import Any

import pytest
from sites import Site, open_site, serve_agency, set_faults
from snapshots import deleted_ids, digest, pairs, value
from source_changes import edit, merge

from etl.events import Message
from etl.pipeline import Watcher
from etl.pipeline.reconcile import undo_deletions
from etl.simulator import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Give each test its own agency, since records are removed from it permanently."""
    with serve_agency() as served:
        yield served


@pytest.fixture
def site(simulator: Simulator, database_url: str) -> Iterator[Site]:
    """Give the agency, synced once."""
    with open_site(simulator, database_url) as opened_site:
        assert opened_site.sync_once().exit_status == 0
        opened_site.take_calls()
        yield opened_site


def noting() -> tuple[list[str], Watcher]:
    """Return a watcher, and the list of notes that it receives."""
    notes: list[str] = []
    return notes, Watcher(lambda event: notes.append(event.text) if isinstance(event, Message) else None)


def withhold(monkeypatch: pytest.MonkeyPatch, simulator: Simulator, collection: str, key: Any) -> None:
    """Omit a record that the agency still has from the feeds, as a broken index would."""
    entries = getattr(simulator.world, collection)
    ordinary = entries.within
    monkeypatch.setattr(
        entries, "within", lambda *days, **more: [record for record in ordinary(*days, **more) if record != key]
    )


@pytest.mark.parametrize("table", ["contacts", "policies"])
def test_a_record_that_still_exists_is_not_marked(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    key, other = list(getattr(simulator.world, table))[:2]
    before = deleted_ids(site.engine, table)
    withhold(monkeypatch, simulator, table, key)
    with simulator.lock:
        getattr(simulator.world, table).drop(other)
    notes, watcher = noting()
    summary = site.sync_once(full=True, resources=(table,), watcher=watcher)
    assert summary.exit_status == 0, summary.batch.error
    assert deleted_ids(site.engine, table) == sorted({*before, str(other)})
    assert any("1 still exist" in note for note in notes)
    single = [call for call in site.take_calls() if "SummaryDTO" in call or "SummaryForApi" in call]
    assert len(single) == 2, "one call per missing record"


def test_without_a_call_for_single_records_the_full_scan_decides(site: Site, simulator: Simulator) -> None:
    key = next(iter(simulator.world.contacts))
    with simulator.lock:
        simulator.world.contacts.drop(key)
    set_faults(simulator, f"wrong-verb:Contacts/{key}/ContactSummaryDTO")
    assert site.sync_once(full=True, resources=("contacts",)).exit_status == 0
    assert str(key) in deleted_ids(site.engine, "contacts")


@pytest.mark.fact("hard-deletions")
def test_a_merge_is_detected_reported_and_undone_with_the_full_scan(site: Site, simulator: Simulator) -> None:
    gone, heir, moved = merge(simulator)
    before = digest(site.engine)
    notes, watcher = noting()
    summary = site.sync_once(full=True, watcher=watcher)
    assert summary.exit_status == 0, summary.batch.error
    assert str(gone) in deleted_ids(site.engine, "contacts")
    query = "SELECT concat_ws(' ', table_name, source_id, alias_of), moved FROM etl.aliases"
    assert pairs(site.engine, query) == [(f"contacts {gone} {heir}", len(moved))]
    assert any("1 of the missing records seem merged" in note for note in notes)
    site.sync_once(full=True)
    assert value(site.engine, "SELECT count(*) FROM etl.aliases") == 1
    assert undo_deletions(site.engine, site.settings, summary.batch.id)["contacts"] == 1
    assert value(site.engine, "SELECT count(*) FROM etl.aliases") == 0
    assert before["contacts"][str(gone)]["dead"] is False


def test_a_transferred_policy_is_not_a_merge(site: Site, simulator: Simulator) -> None:
    world = simulator.world
    seller = next(
        contact_id
        for contact_id, policy_ids in world.policies_of.items()
        if policy_ids and contact_id in world.contacts
    )
    buyer = next(
        contact_id
        for contact_id in world.contacts
        if contact_id != seller and world.contacts[contact_id]["Status"] == "A"
    )
    edit(simulator, world.policies, world.policies_of[seller][0], CustomerId=buyer)
    assert site.sync_once(full=True).exit_status == 0
    assert value(site.engine, "SELECT count(*) FROM etl.aliases") == 0


def test_a_record_of_another_tenant_does_not_count_as_ours(site: Site, simulator: Simulator) -> None:
    key = next(iter(simulator.world.claims))
    with simulator.lock:
        simulator.world.claims.drop(key)

    def read_elsewhere(event: object) -> None:
        with site.engine.begin() as connection:
            connection.exec_driver_sql(ELSEWHERE, {"ids": [str(key)]})

    site.sync_once(watcher=Watcher(read_elsewhere), full=True, resources=("claims",))
    assert str(key) in deleted_ids(site.engine, "claims")


ELSEWHERE = """
    WITH batch AS (
        INSERT INTO etl.batches (id, tenant, window_start, window_end, version, rules, command)
        VALUES (gen_random_uuid(), 'another', '2000-01-01', now(), '', '', 'sync') RETURNING id
    )
    INSERT INTO etl.requests (batch_id, resource, path, parameters, status, attempts, milliseconds, bytes, items,
                              records, digest, ids, requested_at)
    SELECT id, 'claims', 'Claims', '{}', 200, 1, 1, 1, 1, 1, '', %(ids)s, now() FROM batch
"""
