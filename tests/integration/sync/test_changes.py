"""How a sync handles changes at the source: what is written, requested, and marked as deleted."""

from collections.abc import Iterator
from typing import Any

import pytest
from sites import Site, make_children_due, serve_agency
from snapshots import changed_tables, row_versions, value, values
from source_changes import edit, living_contact, living_policy
from test_second_sync import calls, per_parent

from etl.simulator import Simulator


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give the agency of this module, which its tests change by hand."""
    with serve_agency() as served:
        yield served


def row(site: Site, table: str, key: object, columns: str) -> Any:
    return value(site.engine, f"SELECT {columns} FROM {table} WHERE source_id = :key", key=str(key))


def test_only_a_changed_contact_is_written(synced: Site, simulator: Simulator) -> None:
    key = living_contact(simulator.world)
    edit(simulator, simulator.world.contacts, key, Line1="1 Changed Lane", HasBeenModified=True)
    before = row_versions(synced.engine)
    summary = synced.sync_once()
    assert summary.exit_status == 0
    assert summary.tables["contacts"]["updated"] == 1
    assert changed_tables(before, row_versions(synced.engine)) - {"employees"} == {"contacts"}
    rewritten = set(before["contacts"]) ^ set(row_versions(synced.engine)["contacts"])
    assert len(rewritten) == 2  # the row version before, and now
    assert row(synced, "contacts", key, "line1") == "1 Changed Lane"


def test_child_records_are_requested_only_for_changed_parents(synced: Site, simulator: Simulator) -> None:
    synced.sync_once()
    synced.take_calls()
    key = living_policy(simulator.world)
    edit(simulator, simulator.world.policies, key, Description="changed")
    assert synced.sync_once().exit_status == 0
    paths = per_parent(calls(synced))
    assert {path.split("/")[1] for path in paths} == {str(key)}
    assert sorted(path.split("/")[2] for path in paths) == [
        "Adjustments", "Coverages", "Equipment", "PolicyInfo", "Quotes"
    ]  # fmt: skip


def test_a_touch_changes_only_the_time_at_the_source(synced: Site, simulator: Simulator) -> None:
    key = next(iter(simulator.world.claims))
    edit(simulator, simulator.world.claims, key)
    times = "concat_ws(' ', updated_at, last_synced_at, etl_batch_id, raw_id, content_hash)"
    before = row(synced, "claims", key, times)
    summary = synced.sync_once()
    claims = next(part for part in summary.parts if part.resource == "claims")
    assert (claims.counts["unchanged"], claims.counts["updated"]) == (claims.counts["fetched"], 0)
    assert row(synced, "claims", key, times) == before
    modified = row(synced, "claims", key, "source_modified_at")
    at_source = simulator.world.claims.modified(key)
    assert at_source is not None
    assert modified.replace(microsecond=0) == at_source.replace(microsecond=0)
    assert row(synced, "claims", key, "version_at") == modified


@pytest.mark.fact("deleted")
def test_a_deletion_mark_of_the_source_deletes_and_its_removal_revives(synced: Site, simulator: Simulator) -> None:
    key = living_contact(simulator.world)
    edit(simulator, simulator.world.contacts, key, Status="D")
    summary = synced.sync_once()
    assert summary.tables["contacts"]["deleted"] == 1
    assert row(synced, "contacts", key, "deleted_at") is not None
    edit(simulator, simulator.world.contacts, key, Status="A")
    summary = synced.sync_once()
    assert summary.tables["contacts"]["revived"] == 1
    assert row(synced, "contacts", key, "deleted_at") is None


def test_a_removed_coverage_is_deleted_and_revived_when_it_returns(synced: Site, simulator: Simulator) -> None:
    world = simulator.world
    key = living_policy(world)
    items = world.detail("coverages", key)
    gone = items[-1]["CoverageID"]
    world.keep("coverages", key, items[:-1])
    edit(simulator, world.policies, key)
    assert synced.sync_once().tables["coverages"]["deleted"] == 1
    assert row(synced, "coverages", gone, "deleted_at") is not None
    world.keep("coverages", key, items)
    edit(simulator, world.policies, key)
    assert synced.sync_once().tables["coverages"]["revived"] == 1
    assert row(synced, "coverages", gone, "deleted_at") is None


def test_an_empty_set_deletes_all_its_former_members(synced: Site, simulator: Simulator) -> None:
    world = simulator.world
    key = living_policy(world, "quotes", 1)
    items = world.detail("quotes", key)
    world.keep("quotes", key, [])
    edit(simulator, world.policies, key)
    synced.sync_once()
    alive = """
        SELECT count(*) FROM quotes JOIN policies p ON p.id = policy_id
        WHERE p.source_id = :key AND quotes.deleted_at IS NULL
    """
    assert value(synced.engine, alive, key=str(key)) == 0
    fees = """
        SELECT count(*) FROM fees JOIN quotes q ON q.id = quote_id JOIN policies p ON p.id = q.policy_id
        WHERE p.source_id = :key AND fees.deleted_at IS NULL
    """
    world.keep("quotes", key, items)
    edit(simulator, world.policies, key)
    synced.sync_once()
    assert value(synced.engine, alive, key=str(key)) == len(items)
    assert value(synced.engine, fees, key=str(key)) == sum(len(item["QuoteCarrierFees"]) for item in items)


def test_a_sold_vehicle_is_marked_as_deleted(synced: Site, simulator: Simulator) -> None:
    world = simulator.world
    key = next(key for key in world.garage if world.detail("vehicles", key))
    items = world.detail("vehicles", key)
    world.keep("vehicles", key, items[1:])
    edit(simulator, world.policies, key)
    assert synced.sync_once().tables["vehicles"]["deleted"] == 1
    assert row(synced, "vehicles", items[0]["VehicleID"], "deleted_at") is not None
    world.keep("vehicles", key, items)


def test_a_fee_removed_from_its_policy_is_marked_as_deleted(synced: Site, simulator: Simulator) -> None:
    world = simulator.world
    policy = next(
        candidate
        for candidate in world.policies.values()
        if candidate["PolicyAgencyFees"] and candidate["Status"] == "A"
    )
    edit(simulator, world.policies, policy["PolicyId"], PolicyAgencyFees=[])
    summary = synced.sync_once()
    assert summary.tables["fees"]["deleted"] == len(policy["PolicyAgencyFees"])
    edit(simulator, world.policies, policy["PolicyId"], PolicyAgencyFees=policy["PolicyAgencyFees"])
    assert synced.sync_once().tables["fees"]["revived"] == len(policy["PolicyAgencyFees"])


def test_a_value_that_is_removed_and_restored_counts_as_two_changes(synced: Site, simulator: Simulator) -> None:
    key = living_contact(simulator.world)
    first = simulator.world.contacts[key]["City"]
    edit(simulator, simulator.world.contacts, key, City="Elsewhere")
    assert synced.sync_once().tables["contacts"]["updated"] == 1
    edit(simulator, simulator.world.contacts, key, City=first)
    assert synced.sync_once().tables["contacts"]["updated"] == 1
    assert row(synced, "contacts", key, "city") == first


def test_a_backlog_beyond_the_budget_waits_for_the_next_run(site: Site) -> None:
    frugal = site.with_settings(etl_child_budget=15)
    summary = frugal.sync_once()
    assert summary.exit_status == 0
    assert 10 < len(per_parent(calls(site))) <= 15, "the calls of a policy are not parted"
    marked = values(site.engine, "SELECT resource FROM etl.watermarks")
    assert "quotes" not in marked
    assert site.sync_once().exit_status == 0
    assert "quotes" in values(site.engine, "SELECT resource FROM etl.watermarks")


@pytest.mark.timeout(60)
def test_a_deleted_parent_is_removed_from_the_queue(synced: Site, simulator: Simulator) -> None:
    key = living_policy(simulator.world)
    make_children_due(synced)
    edit(simulator, simulator.world.policies, key, Status="D")
    assert synced.sync_once().exit_status == 0
    assert [path for path in per_parent(calls(synced)) if f"/{key}/" in path] == []
    due = "SELECT count(*) FROM etl.child_queue WHERE due_at <= now()"
    assert value(synced.engine, due) == 0
    edit(simulator, simulator.world.policies, key, Status="A")
    assert synced.sync_once().exit_status == 0
    assert len([path for path in per_parent(calls(synced)) if f"/{key}/" in path]) == 5


def test_a_record_without_an_id_does_not_affect_the_others(synced: Site, simulator: Simulator) -> None:
    key = living_contact(simulator.world)
    contacts = simulator.world.contacts
    whole = contacts[key]
    edit(simulator, contacts, key, EntityID=None)
    try:
        summary = synced.sync_once()
    finally:
        edit(simulator, contacts, key, EntityID=whole["EntityID"])
    part = next(part for part in summary.parts if part.resource == "contacts")
    assert (part.status, part.counts["refused"], part.error) == ("done", 1, None)
    assert summary.exit_status == 0
    query = "SELECT severity FROM etl.findings WHERE rule = 'record-unusable' AND resource = 'contacts'"
    assert value(synced.engine, query) == "refused"


def test_a_record_that_becomes_invalid_keeps_its_row_and_has_a_reason(synced: Site, simulator: Simulator) -> None:
    key = living_contact(simulator.world)
    contacts = simulator.world.contacts
    edit(simulator, contacts, key, Email="no address", Status=None)
    part = next(part for part in synced.sync_once().parts if part.resource == "contacts")
    assert part.counts["refused"] == 1
    assert row(synced, "contacts", key, "status") == "A"
    state = """
        SELECT concat_ws(' ', status, loaded_at) FROM raw.raw_contacts
        WHERE superseded_at IS NULL AND source_id = :key
    """
    assert value(synced.engine, state, key=str(key)) == "validation_error"
    edit(simulator, contacts, key, Email="good@example.com", Status="A")
    assert synced.sync_once().exit_status == 0
    assert row(synced, "contacts", key, "email") == "good@example.com"
    states = (
        "SELECT DISTINCT state FROM etl.findings WHERE resource = 'contacts' AND source_id = :key AND field = 'status'"
    )
    assert values(synced.engine, states, key=str(key)) == ["fixed"]


def test_counts_balance_and_foreign_keys_hold_after_every_change(synced: Site, simulator: Simulator) -> None:
    for _ in range(3):
        simulator.change(15)
        summary = synced.sync_once()
        assert summary.exit_status == 0, summary.batch.error
    stale = """
        SELECT count(*) FROM billing_record_policies AS link
        JOIN billing_records AS billing ON billing.id = link.billing_record_id
        JOIN policies AS policy ON policy.id = link.policy_id
        WHERE NOT policy.source_id = ANY(billing.policy_ids)
    """
    assert value(synced.engine, stale) == 0
    missing = """
        SELECT count(*) FROM billing_records AS billing CROSS JOIN unnest(billing.policy_ids) AS named
        JOIN policies AS policy ON policy.source_id = named
        WHERE NOT EXISTS (
            SELECT FROM billing_record_policies WHERE billing_record_id = billing.id AND policy_id = policy.id
        )
    """
    assert value(synced.engine, missing) == 0
    wrong = """
        SELECT count(*) FROM renewals JOIN policies AS prior ON prior.id = renewals.prior_policy_id
        WHERE prior_premium IS DISTINCT FROM prior.total_premium
    """
    assert value(synced.engine, wrong) == 0
