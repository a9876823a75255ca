"""Reconciling marks as deleted what a full scan no longer finds, with a limit and an undo."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sites import Site, open_site, serve_agency
from snapshots import changed_tables, deleted_ids, digest, pairs, text_of_tables, value
from source_changes import drop_claim, drop_claims
from sqlalchemy import text

from etl.errors import Interrupted, UsageError
from etl.events import Finished, Message
from etl.models.states import IncidentKind, ResourceState
from etl.notifications.detect import detect
from etl.pipeline import Watcher, retry
from etl.pipeline.deletion_preview import preview_deletions
from etl.pipeline.reconcile import select_reconcilable, undo_deletions
from etl.simulator import Simulator
from etl.status.metrics import METRICS

#: What a run that stores no record writes: its batch, its calls, its lease and its token.
OF_A_RUN = {f"etl.{name}" for name in (
    "batches", "batch_resources", "slices", "requests", "commits", "leases", "account_calls", "call_limits", "tokens",
)}  # fmt: skip


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


@pytest.mark.fact("hard-deletions")
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
    with site.simulator.lock:
        site.simulator.world.tick(site.simulator.server.now(), 30)
    drop_claims(site, 1)
    before = text_of_tables(site.engine)
    notes: list[str] = []
    watcher = Watcher(lambda event: notes.append(event.text) if isinstance(event, Message) else None)
    names = select_reconcilable((), site.settings)
    summary = site.sync_once(watcher=watcher, full=True, dry_sweep=True)
    assert summary.exit_status == 0
    assert len(summary.swept) == len(names)
    assert {scan.resource: scan.missing_count for scan in summary.swept if scan.missing_count} == {"claims": 1}
    assert any("claims: 1 of" in note and "would be marked" in note for note in notes)
    assert changed_tables(before, text_of_tables(site.engine)) <= OF_A_RUN
    assert value(site.engine, "SELECT count(*) FROM etl.requests WHERE batch_id = :batch", batch=summary.batch.id) > 5
    of_run = "SELECT count(contents) FROM etl.requests WHERE batch_id = :batch"
    assert value(site.engine, of_run, batch=summary.batch.id) == 0, "its pages answer for no later page"


def test_a_dry_run_stores_no_finding_of_items_that_cannot_be_staged(database_url: str) -> None:
    with serve_agency(faults=("no-id",)) as simulator, open_site(simulator, database_url) as site:
        site.sync_once()
        of_items = "SELECT count(*) FROM etl.findings WHERE rule = 'record-unusable'"
        assert value(site.engine, of_items) > 0
        with site.engine.begin() as connection:
            connection.execute(text("DELETE FROM etl.findings"))
        site.sync_once(full=True, dry_sweep=True)
        assert value(site.engine, of_items) == 0


def test_a_dry_run_does_not_hide_an_interrupted_sync(site: Site) -> None:
    with site.engine.begin() as connection:
        connection.execute(text("UPDATE etl.batches SET status = 'loading', finished_at = NULL"))
    preview_deletions(site.engine, site.settings, ["claims"], Watcher())
    assert site.sync_once().resumed_batch is not None


def test_a_completed_dry_run_does_not_hide_a_failed_batch_from_retry(site: Site) -> None:
    with site.engine.begin() as connection:
        connection.execute(text("UPDATE etl.batch_resources SET status = 'failed' WHERE resource = 'claims'"))
        connection.execute(text("UPDATE etl.batches SET status = 'failed'"))
    assert preview_deletions(site.engine, site.settings, ["claims"], Watcher()).exit_status == 0
    assert retry(site.engine, site.settings).batch.command == "sync"


def test_an_interrupted_dry_run_of_an_earlier_version_deletes_nothing(site: Site) -> None:
    """It was a full read that marked nothing, with an option that said so."""
    before = deleted_ids(site.engine, "claims")
    drop_claims(site, 1)
    assert site.sync_once(resources=("claims",)).exit_status == 0
    with site.engine.begin() as connection:
        connection.execute(
            text("""
            UPDATE etl.batches SET status = 'loading', finished_at = NULL, command = 'reconcile',
                options = options || '{"full": true, "dry_sweep": true}', window_start = '2000-01-01'
            WHERE id = (SELECT id FROM etl.batches ORDER BY started_at DESC LIMIT 1)
        """)
        )
        connection.execute(
            text("""
            UPDATE etl.batch_resources SET window_start = '2000-01-01'
            WHERE batch_id = (SELECT id FROM etl.batches ORDER BY started_at DESC LIMIT 1)
        """)
        )
    assert site.sync_once().resumed_batch is not None
    assert deleted_ids(site.engine, "claims") == before


def test_a_dry_run_is_no_success_of_a_sync(site: Site) -> None:
    query = next(metric.sql for metric in METRICS if metric.name == "qqetl_last_success_timestamp_seconds")
    before = pairs(site.engine, query)
    preview_deletions(site.engine, site.settings, ["claims"], Watcher())
    assert pairs(site.engine, query) == before != []


def test_a_dry_run_after_a_change_of_the_rules_leaves_the_refused_records_to_the_next_sync(site: Site) -> None:
    with site.engine.begin() as connection:
        connection.execute(text("UPDATE etl.batches SET rules = 'earlier'"))
    preview_deletions(site.engine, site.settings, ["claims"], Watcher())
    notes: list[str] = []
    site.sync_once(watcher=Watcher(lambda event: notes.append(event.text) if isinstance(event, Message) else None))
    assert any("cleaning rules changed" in note for note in notes)


def test_a_dry_run_that_stopped_is_resumed_by_retry(site: Site) -> None:
    drop_claims(site, 1)
    stopped = threading.Event()
    watcher = Watcher(lambda event: stopped.set() if isinstance(event, Finished) else None, stopped)
    names = select_reconcilable((), site.settings)
    with pytest.raises(Interrupted):
        preview_deletions(site.engine, site.settings, names, watcher)
    before = text_of_tables(site.engine)
    read = value(site.engine, "SELECT count(*) FROM etl.batch_resources WHERE status = 'done' AND batch_id IN"
                 " (SELECT id FROM etl.batches WHERE command = 'reconcile --dry-run')")  # fmt: skip
    assert read == 1
    site.take_calls()
    summary = retry(site.engine, site.settings)
    assert {scan.resource: scan.missing_count for scan in summary.swept if scan.missing_count} == {"claims": 1}
    assert changed_tables(before, text_of_tables(site.engine)) <= OF_A_RUN


def test_a_dry_run_over_the_limit_is_no_incident(site: Site) -> None:
    with site.simulator.lock:
        del site.simulator.world.agency_rules[:40]
    summary = preview_deletions(site.engine, site.settings, ["commission_rules"], Watcher())
    assert summary.exit_status == 6
    with site.engine.connect() as connection:
        found = detect(connection, site.settings.etl_tenant, timedelta(days=1), None)
    assert [incident.kind for incident in found.incidents if incident.kind is IncidentKind.BRAKE_PULLED] == []


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


def test_resources_read_in_complete_sets_need_no_reconciliation(site: Site) -> None:
    with pytest.raises(UsageError, match="coverages is always read in complete sets"):
        select_reconcilable(["coverages"], site.settings)


def test_only_what_a_sync_reads_is_reconciled(site: Site) -> None:
    names = select_reconcilable((), site.with_settings(etl_resources="-claims").settings)
    assert "contacts" in names
    assert "claims" not in names
    assert select_reconcilable(["claims"], site.with_settings(etl_resources="-claims").settings) == ("claims",)
