"""Reconciling marks as deleted what a full scan no longer finds, with a limit and an undo."""

from collections.abc import Iterator

import pytest
from sites import Site, open_site, serve_agency
from snapshots import deleted_ids, digest, value
from source_changes import drop_claim, drop_claims

from etl.errors import UsageError
from etl.events import Message
from etl.models.states import ResourceState
from etl.pipeline import Watcher
from etl.pipeline.reconcile import select_reconcilable, undo_deletions
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
        yield opened_site


def test_a_missing_record_is_marked_as_deleted_and_revived_on_its_return(site: Site) -> None:
    before, known = deleted_ids(site.engine, "claims"), digest(site.engine)
    world = site.simulator.world
    key = next(key for key in world.claims if str(key) not in before)
    kept = world.claims[key]
    drop_claim(site, key)
    site.sync_once()
    assert deleted_ids(site.engine, "claims") == before, "an incremental run cannot know"
    assert site.sync_once(full=True).exit_status == 0
    assert deleted_ids(site.engine, "claims") == sorted([*before, str(key)])
    with site.simulator.lock:
        world.claims.put(key, kept, site.simulator.server.now(), None)
        world.claims.change(key, site.simulator.server.now(), Description="back again")
    site.sync_once()
    assert deleted_ids(site.engine, "claims") == before
    assert digest(site.engine)["claims"][str(key)]["claim_number"] == known["claims"][str(key)]["claim_number"]


def test_a_dry_run_reports_and_marks_nothing(site: Site) -> None:
    before = deleted_ids(site.engine, "claims")
    drop_claims(site, 1)
    notes: list[str] = []
    watcher = Watcher(lambda event: notes.append(event.text) if isinstance(event, Message) else None)
    site.sync_once(watcher=watcher, full=True, dry_sweep=True)
    assert deleted_ids(site.engine, "claims") == before
    assert any("claims: 1 of" in note and "would be marked" in note for note in notes)


def test_it_can_be_undone(site: Site) -> None:
    before = digest(site.engine)
    drop_claims(site, 1)
    batch = site.sync_once(full=True).batch
    assert digest(site.engine) != before
    assert undo_deletions(site.engine, site.settings, batch.id)["claims"] == 1
    assert digest(site.engine) == before
    assert undo_deletions(site.engine, site.settings, batch.id)["claims"] == 0


def test_a_run_without_a_full_scan_has_nothing_to_undo(site: Site) -> None:
    batch_id = value(site.engine, "SELECT id FROM etl.batches LIMIT 1")
    with pytest.raises(UsageError, match="was not a full read"):
        undo_deletions(site.engine, site.settings, batch_id)


def test_nothing_is_deleted_when_too_many_records_are_missing(site: Site) -> None:
    with site.simulator.lock:
        del site.simulator.world.agency_rules[:40]
    before = deleted_ids(site.engine, "commission_rules")
    summary = site.sync_once(full=True)
    part = next(part for part in summary.parts if part.resource == "commission_rules")
    assert (summary.exit_status, part.status) == (6, ResourceState.FAILED)
    assert "ETL_DELETE_BRAKE" in (part.error or "")
    assert deleted_ids(site.engine, "commission_rules") == before
    assert site.with_settings(etl_delete_brake=1.0).sync_once(full=True).exit_status == 0
    assert len(deleted_ids(site.engine, "commission_rules")) == len(before) + 40


def test_a_record_read_by_another_run_during_the_scan_is_not_missing(site: Site) -> None:
    before = deleted_ids(site.engine, "claims")
    (gone,) = drop_claims(site, 1)

    def meet_elsewhere(event: object) -> None:
        with site.engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO etl.requests (batch_id, resource, path, parameters, status, attempts, milliseconds, bytes,"
                " items, records, digest, ids, requested_at)"
                " SELECT (SELECT id FROM etl.batches LIMIT 1), 'claims', 'Claims', '{}', 200, 1, 1, 1, 1, 1, '',"
                " ARRAY[%s], now()",
                (gone,),
            )

    site.sync_once(watcher=Watcher(meet_elsewhere), full=True)
    assert deleted_ids(site.engine, "claims") == before


def test_resources_read_in_complete_sets_need_no_reconciliation() -> None:
    with pytest.raises(UsageError, match="coverages is always read in complete sets"):
        select_reconcilable(["coverages"])
