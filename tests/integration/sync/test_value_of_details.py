"""Whole runs: feeds before details, details by value, the hourly share, the daily budget, and the account's limit."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sites import Site, make_children_due, open_site, serve_agency
from snapshots import differences, digest, value, values
from source_changes import edit, living_policy
from sqlalchemy import text
from test_forecast_of_an_ordinary_account import dry_run
from test_second_sync import calls, per_parent

from etl.call_estimate import Estimate
from etl.pipeline import Watcher
from etl.simulator import Simulator
from etl.simulator.world import World

#: The calls of a first sync that are no details, one of each kind.
FEEDS = ("Locations/UserLocationsV2", "Contacts/LastModifiedCreated", "Policies/LastModifiedCreated")
BILLING = "Billing/LastModifiedCreated"


def is_detail(path: str) -> bool:
    """Return whether a call is about one customer, policy or office."""
    return bool(per_parent([(path.partition("?")[0], path.partition("?")[2])]))


def take_paths(site: Site) -> list[str]:
    """Return the data calls since the last check, in order."""
    return [f"{path}?{query}" for path, query in calls(site)]


def test_all_feeds_and_lists_are_read_before_the_first_detail(site: Site) -> None:
    assert site.sync_once().exit_status == 0
    paths = take_paths(site)
    first_detail = next(at for at, path in enumerate(paths) if is_detail(path))
    assert all(is_detail(path) for path in paths[first_detail:])
    assert {path.partition("?")[0] for path in paths[:first_detail]} >= {*FEEDS, BILLING}


def test_offices_customers_policies_and_billing_come_first_one_list_after_the_other(site: Site) -> None:
    assert site.with_settings(etl_page_size=3).sync_once().exit_status == 0
    lists = [path.partition("?")[0] for path in take_paths(site) if not is_detail(path)]
    useful = [name for name in lists if name in (*FEEDS, BILLING)]
    assert lists[: len(useful)] == useful == sorted(useful, key=(*FEEDS, BILLING).index)
    assert useful.count(FEEDS[2]) > 2, "a list of several pages"


def policy_rank(policy: dict[str, Any]) -> int:
    """Return the place of a policy in the order of the definition: in force and expiring, in force, ended, long ago."""
    today, ends = datetime.now(UTC).date(), date.fromisoformat(policy["ExpirationDate"][:10])
    if policy["Status"] in {"A", "P"} and ends >= today:
        return 0 if (ends - today).days <= 90 else 1
    return 2 if (today - ends).days <= 396 else 3


def test_the_details_of_policies_are_read_by_value(database_url: str) -> None:
    """One call at a time, so that the order of the calls is that of the queue."""
    with serve_agency(contacts=25) as served, open_site(served, database_url, etl_concurrency=1) as site:
        assert site.sync_once().exit_status == 0
        paths = [path for path in take_paths(site) if "/PolicyInfo" in path]
        world = served.world
    policies = {str(policy["PolicyId"]): policy for policy in world.policies.values()}
    read = [policies[path.split("/")[1]] for path in paths]
    ranks = [policy_rank(policy) for policy in read if policy["HasBeenModified"] or policy["Status"] == "C"]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) > 1


def people_without_details(world: World) -> set[str]:
    """Return the ids of carriers, managing agencies, employees, and prospects without a policy."""
    holders = {policy["CustomerId"] for policy in world.policies.values()}
    return {
        str(item["EntityID"])
        for item in world.contacts.values()
        if {item["ContactType"], item["ContactSubType"]} & {"R", "M", "E"}
        or ("P" in (item["ContactType"], item["ContactSubType"]) and item["EntityID"] not in holders)
    }


def test_carriers_staff_and_prospects_cost_no_call(site: Site, simulator: Simulator) -> None:
    assert site.sync_once().exit_status == 0
    others = people_without_details(simulator.world)
    assert len(others) > 20
    paths = [path for path in take_paths(site) if is_detail(path) and not path.startswith("Policies/")]
    ids = {part for path in paths for part in path.replace("?", "/").replace("=", "/").replace("&", "/").split("/")}
    assert paths
    assert ids & others == set()


def find_prospects(world: World) -> set[str]:
    """Return the ids of prospects that no policy names, without partners, staff and deleted ones."""
    holders = {policy["CustomerId"] for policy in world.policies.values()}
    return {
        str(item["EntityID"])
        for item in world.contacts.values()
        if "P" in (types := {item["ContactType"], item["ContactSubType"]})
        and not types & {"R", "M", "E"}
        and item["Status"] != "D"
        and item["EntityID"] not in holders
    }


def take_details(site: Site) -> list[str]:
    """Return the calls for details since the last check."""
    return [path for path in take_paths(site) if is_detail(path)]


def test_prospects_get_details_if_the_setting_asks_for_them(database_url: str) -> None:
    """On the same day, both when it is set and when it is removed; the dry run says what it adds."""
    with serve_agency(contacts=40, seed=3) as served, open_site(served, database_url) as without:
        choices = f"{without.settings.etl_resources},+prospect_details"
        site, prospects = without.with_settings(etl_resources=choices), find_prospects(served.world)
        assert len(prospects) > 2
        assert without.sync_once().exit_status == 0
        (added,) = (entry for entry in dry_run(without).resources if entry.resource == "prospect_details")
        assert site.with_settings(etl_child_budget=2).sync_once().exit_status == 0
        begun = take_details(site)
        planned = dry_run(site).resources
        assert "prospect_details" not in {entry.resource for entry in planned}
        assert site.sync_once().exit_status == 0
        rest = take_details(site)
        assert len(rest) == sum(entry.calls for entry in planned if entry.details and not entry.is_added)
        assert added.is_added
        assert added.range == Estimate(len(begun) + len(rest), len(begun) + len(rest))
        assert {path.split("/")[1] for path in begun + rest if "/AccountInfo" in path} == prospects
        assert without.sync_once().exit_status == 0
        assert take_details(without) == []
        queued = "SELECT count(*) FROM etl.child_queue WHERE parent_id = ANY(:prospects)"
        assert value(without.engine, queued, prospects=list(prospects)) == 0


def count_minutes(site: Site) -> Callable[[], float]:
    """Return a clock on which each call takes two minutes."""
    return lambda: 120.0 * len(site.simulator.requests)


def test_a_run_gives_its_lease_back_and_the_next_one_reads_the_feeds_before_it_continues(
    site: Site, as_synced: Site
) -> None:
    rounds = 0
    while (summary := site.sync_once(watcher=Watcher(clock=count_minutes(site)))).has_backlog:
        rounds += 1
        assert summary.exit_status == 0
        paths = take_paths(site)
        assert paths[0].partition("?")[0] in {*FEEDS, "Billing/LastModifiedCreated"}
        assert len(paths) <= 57 / 2 + 4 * 8 + 8, "57 minutes, the calls in progress, and the feeds"
        assert values(site.engine, "SELECT resource FROM etl.leases WHERE expires_at > now()") == []
    assert rounds >= 2
    assert summary.exit_status == 0
    assert differences(digest(site.engine), digest(as_synced.engine)) == []


def test_refreshes_by_age_stay_within_the_daily_budget(synced: Site, simulator: Simulator) -> None:
    account, used = synced.settings.account_key, "SELECT sum(calls) FROM etl.account_calls WHERE account = :account"
    with synced.engine.begin() as connection:
        connection.execute(text("UPDATE etl.account_calls SET calls = 1000"))
    make_children_due(synced)
    key = living_policy(simulator.world)
    edit(simulator, simulator.world.policies, key, Description="changed")
    before = int(value(synced.engine, used, account=account))
    frugal = synced.with_settings(etl_daily_calls=before + 40)
    summary = frugal.sync_once()
    assert summary.exit_status == 0
    paths = per_parent(calls(synced))
    changed = [path for path in paths if f"Policies/{key}/" in path]
    assert paths[: len(changed)] == changed != [], "changed records come first and are not bound"
    assert 0 < len(paths) - len(changed) <= 40
    assert int(value(synced.engine, used, account=account)) == before + summary.calls
    spent = synced.with_settings(etl_daily_calls=before)
    edit(simulator, simulator.world.policies, key, Description="changed again")
    assert spent.sync_once().exit_status == 0
    paths = per_parent(calls(synced))
    assert paths
    assert all(f"Policies/{key}/" in path for path in paths)


@pytest.mark.timeout(120)
def test_a_first_sync_at_the_limit_reads_the_feeds_first_and_ends_well(database_url: str) -> None:
    """60 calls per 6 s in place of 60 a minute."""
    with (
        serve_agency(contacts=6, faults=("account-limit:60/6",)) as served,
        open_site(served, database_url, etl_rate=None, etl_rate_limit="58/6s") as site,
    ):
        summary = site.sync_once()
        assert (summary.exit_status, summary.has_backlog) == (0, False)
        paths = take_paths(site)
        first_detail = next(at for at, path in enumerate(paths) if is_detail(path))
        assert first_detail < 58, "the feeds of a small book fit in the first window"
        assert {path.partition("?")[0] for path in paths[:first_detail]} >= set(FEEDS)
        assert all(is_detail(path) for path in paths[first_detail:])
        assert len(paths) > 58, "the run needs more than one window"
        outstanding = "SELECT count(*) FROM etl.child_queue WHERE changed OR covered_at IS NULL"
        assert value(site.engine, outstanding) == 0
