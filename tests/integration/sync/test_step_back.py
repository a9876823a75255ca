"""The source was restored from a backup: a full read sets our newer versions back, if it sees the older ones twice."""

from collections.abc import Iterator
from typing import Any

import pytest
from sites import Site, serve_agency
from snapshots import digest, value
from source_changes import edit

from etl.models.states import ResourceState
from etl.simulator import Simulator
from etl.simulator.collection import Collection


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with serve_agency(contacts=40) as served:
        yield served


@pytest.fixture
def synced(site: Site) -> Site:
    """Give the agency, synced once."""
    assert site.sync_once().exit_status == 0
    return site


def restore(simulator: Simulator, collection: Collection, before: dict[Any, Any]) -> None:
    """Set records back to earlier versions, with their earlier times."""
    with simulator.lock:
        for key, entry in before.items():
            collection._entries[key] = entry
        collection._kept_windows.clear()


def counts(summary: Any, resource: str) -> dict[str, int]:
    """Return the counts of a resource."""
    numbers: dict[str, int] = next(part.counts for part in summary.parts if part.resource == resource)
    return numbers


def test_a_restored_record_replaces_our_newer_one_in_a_full_read_only(synced: Site, simulator: Simulator) -> None:
    world = simulator.world
    key = next(policy["PolicyId"] for policy in world.policies.values() if policy["PolicyAgencyFees"])
    before, rows = {key: world.policies._entries[key]}, digest(synced.engine, living=True)
    edit(simulator, world.policies, key, Description="after the backup", PolicyAgencyFees=[])
    assert synced.sync_once().exit_status == 0
    restore(simulator, world.policies, before)
    assert synced.sync_once(resources=("policies",)).exit_status == 0
    description = "SELECT description FROM policies WHERE source_id = :key"
    assert value(synced.engine, description, key=str(key)) == "after the backup"
    summary = synced.sync_once(full=True, resources=("policies",))
    assert summary.exit_status == 0, summary.batch.error
    assert counts(summary, "policies")["stepped_back"] == 1
    again = digest(synced.engine, living=True)
    assert {table: again[table] for table in ("policies", "fees")} == {
        table: rows[table] for table in ("policies", "fees")
    }
    assert counts(synced.sync_once(full=True, resources=("policies",)), "policies")["stepped_back"] == 0


def test_too_many_restored_records_stop_at_the_limit(synced: Site, simulator: Simulator) -> None:
    world = simulator.world
    keys = list(world.contacts)[:25]
    before = {key: world.contacts._entries[key] for key in keys}
    for key in keys:
        edit(simulator, world.contacts, key, Line2="after the backup")
    assert synced.sync_once().exit_status == 0
    restore(simulator, world.contacts, before)
    summary = synced.sync_once(full=True, resources=("contacts",))
    part = next(part for part in summary.parts if part.resource == "contacts")
    assert (summary.exit_status, part.status, part.counts["stepped_back"]) == (6, ResourceState.FAILED, 0)
    assert "ETL_DELETE_BRAKE" in (part.error or "")
    changed = "SELECT count(*) FROM contacts WHERE line2 = 'after the backup'"
    assert value(synced.engine, changed) == 25
    unlimited = synced.with_settings(etl_delete_brake=1.0)
    summary = unlimited.sync_once(full=True, resources=("contacts",))
    assert (summary.exit_status, counts(summary, "contacts")["stepped_back"]) == (0, 25)
    assert value(synced.engine, changed) == 0


@pytest.mark.parametrize(("dated", "outcome"), [(20, (0, 30)), (21, (6, 0))])
@pytest.mark.parametrize(
    "dates",
    [{"CreatedOn": None, "DateLastModified": None}, {"DateLastModified": "2099-01-01T00:00:00"}],
    ids=["no date", "a future date"],
)
def test_only_versions_that_the_source_dated_count_toward_the_limit(
    site: Site, simulator: Simulator, dates: dict[str, Any], dated: int, outcome: tuple[int, int]
) -> None:
    """A version without a usable date has that of our request: that QQCatalyst has an older one, proves no backup."""
    assert site.sync_once(resources=("contacts",)).exit_status == 0
    world, rows = simulator.world, digest(site.engine, living=True)["contacts"]
    keys = list(world.contacts)[:30]
    before = {key: world.contacts._entries[key] for key in keys}
    for key in keys[:dated]:
        edit(simulator, world.contacts, key, Line2="after the backup")
    for key in keys[dated:]:
        edit(simulator, world.contacts, key, Line2="after the backup", **dates)
    assert site.sync_once(full=True, resources=("contacts",)).exit_status == 0
    changed = "SELECT count(*) FROM contacts WHERE line2 = 'after the backup'"
    assert value(site.engine, changed) == 30
    restore(simulator, world.contacts, before)
    summary = site.sync_once(full=True, resources=("contacts",))
    assert (summary.exit_status, counts(summary, "contacts")["stepped_back"]) == outcome
    assert value(site.engine, changed) == 30 - outcome[1]
    if outcome[1]:
        assert digest(site.engine, living=True)["contacts"] == rows
        again = site.sync_once(full=True, resources=("contacts",))
        assert (again.exit_status, counts(again, "contacts")["stepped_back"]) == (0, 0)
