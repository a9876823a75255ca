"""A limited first run: what it does not change, the call budget, and the progress of a long backfill."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sites import Site, set_faults
from snapshots import differences, digest, pairs, value, values
from sqlalchemy import text
from test_second_sync import calls, per_parent

from etl.cli.views.backfill import backfill_to_json
from etl.config.rate_limit import parse_rate_limit
from etl.errors import Interrupted
from etl.events import Advanced, Event
from etl.extract import ExtractService
from etl.ledger.children.child_counts import count_due_calls
from etl.ledger.transaction import Ledger
from etl.load import LoadService
from etl.models.states import BatchState, ResourceState
from etl.pipeline import Watcher
from etl.resources import CATALOGUE, find_resource
from etl.simulator import Simulator
from etl.status.status import load_status
from etl.transform import TransformService

LIMIT = 3
OF_DETAILS = "WHERE resource = 'policy_details'"
LISTS = [declared for declared in CATALOGUE if any(endpoint.paging for endpoint in declared.endpoints)]


def test_a_limited_run_makes_few_calls_and_advances_no_watermark(site: Site, as_synced: Site) -> None:
    summary = site.sync_once(limit=LIMIT)
    assert (summary.exit_status, summary.batch.status) == (0, BatchState.COMPLETED)
    requests = calls(site)
    feeds = [(path, query) for path, query in requests if "LastModifiedCreated" in path]
    assert len(feeds) == sum("LastModifiedCreated" in item.endpoints[0].path for item in LISTS), "one call per feed"
    assert {query.partition("pageSize=")[2] for _, query in feeds} == {str(LIMIT)}
    asked_per_parent = per_parent(requests)
    assert 0 < len(asked_per_parent) <= LIMIT * sum(item.parent is not None for item in CATALOGUE)
    assert value(site.engine, "SELECT count(*) FROM contacts WHERE NOT is_placeholder") == LIMIT
    assert values(site.engine, "SELECT resource FROM etl.watermarks") == []
    assert site.sync_once().exit_status == 0
    assert differences(digest(site.engine), digest(as_synced.engine)) == []


def test_a_limited_full_run_considers_nothing_missing(synced: Site) -> None:
    before = digest(synced.engine)
    assert synced.sync_once(limit=LIMIT, full=True).exit_status == 0
    assert differences(before, digest(synced.engine)) == []


def test_a_limit_beyond_a_page_reads_more_pages(site: Site) -> None:
    site.with_settings(etl_page_size=2).sync_once(limit=LIMIT, resources=("contacts",))
    assert value(site.engine, "SELECT count(*) FROM contacts WHERE NOT is_placeholder") == 4
    assert len(calls(site)) == 2


def test_the_services_advance_no_watermark_while_child_records_are_outstanding(site: Site) -> None:
    frugal = site.with_settings(etl_child_budget=5)
    batch = ExtractService(site.engine, settings=frugal.settings).extract_data(
        {"start_date": "2000-01-01", "end_date": "2099-01-01"}
    )
    TransformService(site.engine, settings=frugal.settings).transform_batch(batch)
    window = {"start_date": "2000-01-01", "end_date": "2099-01-01"}
    LoadService(site.engine, settings=frugal.settings).load_batch(batch, window)
    assert value(site.engine, "SELECT status FROM etl.batches") == BatchState.COMPLETED
    marked = set(values(site.engine, "SELECT resource FROM etl.watermarks"))
    assert {"contacts", "policies"} <= marked
    assert not {"quotes", "documents"} & marked


def test_the_batch_stores_the_totals_of_the_api(as_synced: Site) -> None:
    announced = dict(pairs(as_synced.engine, "SELECT resource, api_total FROM etl.batch_resources"))
    with as_synced.engine.connect() as connection:
        rows = connection.execute(text("SELECT count(*) FROM raw.raw_billing_records")).scalar_one()
    assert announced["billing_records"] == rows > 0
    assert announced["locations"] is None, "a bare list names no total"


def test_all_parents_are_read_when_a_resource_becomes_available(
    site: Site, as_synced: Site, simulator: Simulator
) -> None:
    assert site.sync_once(resources=("policies",)).exit_status == 0
    set_faults(simulator, "not-found:Policies/")
    summary = site.sync_once(resources=("coverages",))
    assert [part.status for part in summary.parts] == [ResourceState.NOT_OFFERED]
    set_faults(simulator)
    assert site.sync_once(resources=("coverages",)).exit_status == 0
    living = "SELECT count(*) FROM coverages WHERE deleted_at IS NULL AND NOT is_placeholder"
    assert value(site.engine, living) == value(as_synced.engine, living) > 0


def test_due_calls_are_listed_by_urgency_before_they_are_queued(synced: Site) -> None:
    details, policies = find_resource("policy_details"), find_resource("policies")
    today = datetime.now(UTC).date()
    ledger = Ledger(synced.engine, synced.settings.etl_tenant)

    def due() -> Counter[tuple[bool, bool]]:
        due_calls = ledger.read(lambda opened: count_due_calls(opened, details, policies, ledger.tenant, today))
        counts: Counter[tuple[bool, bool]] = Counter()
        for some in due_calls:
            counts[some.changed, some.active] += some.calls
        return counts

    assert due() == Counter()
    with synced.engine.begin() as connection:
        connection.execute(
            text("UPDATE etl.child_queue SET due_at = now() - interval '1 hour' WHERE resource = 'policy_details'")
        )
        all_of_them = connection.execute(
            text("SELECT count(*) FROM etl.child_queue WHERE resource = 'policy_details'")
        ).scalar_one()
    by_age = due()
    assert {changed for changed, _ in by_age} == {False}
    assert sum(by_age.values()) == all_of_them
    with synced.engine.begin() as connection:
        connection.execute(
            text("UPDATE etl.child_queue SET parent_raw_id = gen_random_uuid() WHERE resource = 'policy_details'")
        )
    again = due()
    assert {changed for changed, _ in again} == {True}
    assert sum(again.values()) == all_of_them
    with synced.engine.begin() as connection:
        connection.execute(text(f"DELETE FROM etl.child_queue {OF_DETAILS}"))
    assert due() == again


def test_a_budget_goes_to_what_is_worth_most_and_leaves_every_policy_whole(site: Site, simulator: Simulator) -> None:
    """A policy with half of its details would look complete."""
    policies = {str(policy["PolicyId"]): policy for policy in simulator.world.policies.values()}
    paths: list[str] = []
    for _ in range(3):
        assert site.with_settings(etl_child_budget=7).sync_once().exit_status == 0
        new_paths = per_parent(calls(site))
        assert 0 < len(new_paths) <= 7
        paths += new_paths
    with site.engine.connect() as connection:
        half = connection.execute(text(HALF_READ)).scalars().all()
    assert half == []
    covered = {path.split("/")[1] for path in paths if path.startswith("Policies/")}
    in_force = {key for key, policy in policies.items() if is_in_force(policy)}
    assert covered <= in_force or covered >= in_force


#: Parents with details that were read and details that were not, among those that are due.
HALF_READ = """
    SELECT parent_id FROM etl.child_queue
    WHERE resource IN ('policy_details', 'adjustments', 'quotes', 'coverages', 'equipment')
    GROUP BY parent_id HAVING count(covered_at) NOT IN (0, count(*))
"""


def is_in_force(policy: dict[str, Any]) -> bool:
    """Return whether a policy is in force or pending by its status and dates, or in the sample."""
    is_unchanged = not policy["HasBeenModified"] and policy["Status"] != "C"
    ends = date.fromisoformat(policy["ExpirationDate"][:10])
    return is_unchanged or (policy["Status"] in {"A", "P"} and ends >= datetime.now(UTC).date())


def test_a_backfill_shows_its_progress(site: Site) -> None:
    frugal = site.with_settings(etl_child_budget=15)
    assert frugal.sync_once().exit_status == 0
    with site.engine.connect() as connection:
        status = load_status(connection, site.settings.etl_tenant)
    backfill = backfill_to_json(status, parse_rate_limit("10/1s"))
    assert backfill["calls_due"] > 0
    assert backfill["seconds"] == -(-backfill["calls_due"] // 10) - 1, "the calls of the first second need not wait"
    first = backfill["details"][0]
    assert first["covered"] + first["calls_due"] == first["parents"]
    assert all(resource_progress["oldest_due"] for resource_progress in backfill["details"])
    assert backfill["lists"] == []
    assert site.sync_once().exit_status == 0
    with site.engine.connect() as connection:
        status = load_status(connection, site.settings.etl_tenant)
    assert backfill_to_json(status, parse_rate_limit("off")) == {
        "calls_due_low": 0,
        "calls_due": 0,
        "seconds": None,
        "details": [],
        "lists": [],
    }


def test_an_interrupted_list_shows_the_date_ranges_that_were_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.extract.date_ranges.MAX_PAGES", 1)
    watcher = Watcher()

    def stop(event: Event) -> None:
        if isinstance(event, Advanced) and event.resource == "contacts":
            watcher.stop.set()

    with pytest.raises(Interrupted):
        site.with_settings(etl_page_size=2).sync_once(watcher=Watcher(stop, watcher.stop), resources=("contacts",))
    with site.engine.connect() as connection:
        (lists,) = backfill_to_json(load_status(connection, site.settings.etl_tenant), parse_rate_limit("off"))["lists"]
    assert lists["resource"] == "contacts"
    assert 0 <= lists["stretches_read"] < lists["stretches"]


def test_details_of_parents_that_were_never_read_are_not_complete(site: Site) -> None:
    summary = site.sync_once(resources=("coverages",))
    assert (summary.exit_status, summary.incomplete) == (0, ("coverages",))
    assert pairs(site.engine, "SELECT resource, complete_to FROM etl.watermarks") == []
    assert site.sync_once(resources=("policies", "coverages")).incomplete == ()
    assert {resource for resource, _ in pairs(site.engine, "SELECT resource, complete_to FROM etl.watermarks")} == {
        "policies", "fees", "coverages"
    }  # fmt: skip
