"""The largest page and the longest date range that an account answers: found out, kept, remembered, tried again."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from sites import Site, set_faults
from snapshots import differences, digest, pairs, value, values
from sqlalchemy import text
from test_interruption import StopAfter

from etl.api import connection
from etl.api.client import ApiClient
from etl.api.connection import connected
from etl.api.retry_policy import RetryPolicy
from etl.api.transport import Limits
from etl.errors import Interrupted
from etl.ledger.transaction import Ledger
from etl.pipeline import retry
from etl.pipeline.doctor.doctor import examine, save_page_sizes
from etl.simulator import Simulator
from etl.simulator.faults.faults import Faults
from etl.simulator.faults.query_faults import window_days
from etl.simulator.faults.request_faults import refusal

#: The feeds that every account has, without the calls for each of their records.
FEEDS = ("contacts", "policies", "billing_records")
DAYS = "SELECT answered_days, failed_days FROM etl.list_limits WHERE resource = 'contacts'"


@pytest.fixture
def largest_page(simulator: Simulator) -> Iterator[int]:
    """Let the simulator accept at most 100 records a page."""
    usual = simulator.server.settings
    simulator.server.settings = replace(usual, max_page=100)
    yield 100
    simulator.server.settings = usual


def sizes(site: Site, feed: str) -> list[str]:
    """Return the page sizes of the calls of a feed since the last check, in order, without calls for a total."""
    calls = [call for call in site.take_calls() if call.startswith(f"{feed}/LastModifiedCreated?")]
    return [size for call in calls for size in parse_qs(urlsplit(call).query)["pageSize"] if size != "1"]


def ranges(site: Site, feed: str) -> list[int]:
    """Return the days of the calls of a feed since the last check."""
    calls = [call for call in site.take_calls() if call.startswith(f"{feed}/LastModifiedCreated?")]
    return [window_days(call) for call in calls]


def sync_feeds(site: Site, **options: Any) -> None:
    summary = site.sync_once(resources=FEEDS, **options)
    assert summary.exit_status == 0, summary.batch.error


def is_whole(site: Site, other: Site) -> bool:
    """Check that a site has the rows that the feeds of another one returned, and that all books balance."""
    rows, others = digest(site.engine), digest(other.engine)
    for table in ("policies", "billing_records"):
        assert differences({table: rows[table]}, {table: others[table]}) == []
    assert rows["contacts"].keys() == others["contacts"].keys()
    unbalanced = "SELECT resource FROM etl.batch_resources WHERE status IN ('pending', 'running', 'failed')"
    assert values(site.engine, unbalanced) == []
    return True


def age_limits(site: Site, days: int) -> None:
    with site.engine.begin() as connection:
        for column in ("page_size_at", "days_at"):
            older = f"UPDATE etl.list_limits SET {column} = {column} - make_interval(days => :days)"
            connection.execute(text(older), {"days": days})


@pytest.mark.fact("page-size-100")
def test_a_refused_page_size_falls_to_an_accepted_one_which_is_remembered(
    site: Site, as_synced: Site, largest_page: int
) -> None:
    sync_feeds(site)
    first = sizes(site, "Contacts")
    assert list(dict.fromkeys(first)) == ["500", "250", "100"]
    assert is_whole(site, as_synced)
    remembered = "SELECT resource, page_size FROM etl.list_limits WHERE resource IN ('contacts', 'policies') ORDER BY 1"
    assert pairs(site.engine, remembered) == [("contacts", largest_page), ("policies", largest_page)]
    sync_feeds(site, full=True)
    assert set(sizes(site, "Contacts")) == {"100"}


def test_a_larger_page_is_tried_again_with_another_setting_and_after_7_days(site: Site, largest_page: int) -> None:
    sync_feeds(site)
    site.take_calls()
    other = site.with_settings(etl_page_size=300)
    sync_feeds(other, full=True)
    assert list(dict.fromkeys(sizes(site, "Contacts"))) == ["300", "250", str(largest_page)]
    age_limits(site, 6)
    sync_feeds(other, full=True)
    assert set(sizes(site, "Contacts")) == {"100"}
    age_limits(site, 2)
    sync_feeds(other, full=True)
    assert list(dict.fromkeys(sizes(site, "Contacts"))) == ["300", "250", str(largest_page)]


def test_the_doctor_tries_the_size_of_runs_and_what_it_learns_counts(
    site: Site, simulator: Simulator, largest_page: int
) -> None:
    def diagnose() -> None:
        with connected(site.settings) as api:
            reports = examine(site.settings, api).reports
        save_page_sizes(Ledger(site.engine, site.settings.etl_tenant), site.settings, reports)

    diagnose()
    assert sizes(site, "Contacts") == ["500", "250", "100"]
    sync_feeds(site)
    assert set(sizes(site, "Contacts")) == {"100"}
    simulator.server.settings = replace(simulator.server.settings, max_page=500)
    diagnose()
    site.take_calls()
    sync_feeds(site, full=True)
    assert set(sizes(site, "Contacts")) == {"500"}


def test_a_400_that_has_another_reason_fails_the_resource(site: Site) -> None:
    class Refusing(Faults):
        def of_request(self, request: web.Request) -> web.Response | None:
            is_page = "LastModifiedCreated" in request.path and "Billing" in request.path
            return refusal(400, "The request is invalid.") if is_page and request.query["pageSize"] != "1" else None

    site.simulator.server.faults = Refusing(())
    assert site.sync_once(resources=FEEDS).exit_status == 6
    assert list(dict.fromkeys(sizes(site, "Billing"))) == ["500", "250", "100"]
    assert value(site.engine, "SELECT count(*) FROM etl.list_limits WHERE resource = 'billing_records'") == 0


@pytest.mark.parametrize(("before", "after"), [(3, 2), (2, 3)])
def test_a_reading_never_has_pages_of_two_sizes(site: Site, as_synced: Site, before: int, after: int) -> None:
    with pytest.raises(Interrupted):
        site.with_settings(etl_page_size=before).sync_once(watcher=StopAfter(4).watcher, resources=FEEDS)
    begun = values(site.engine, "SELECT resource FROM etl.requests GROUP BY 1 HAVING max(slice) >= 0")
    assert retry(site.engine, site.with_settings(etl_page_size=after).settings).exit_status == 0
    assert is_whole(site, as_synced)
    mixed: dict[Any, set[str]] = defaultdict(set)
    query = (
        "SELECT concat_ws(' ', resource, slice, reading), parameters ->> 'pageSize' FROM etl.requests WHERE page > 0"
    )
    for reading, size in pairs(site.engine, query):
        mixed[reading].add(size)
    assert begun
    assert {reading: page_sizes for reading, page_sizes in mixed.items() if len(page_sizes) > 1} == {}


@pytest.mark.parametrize("fault", ["long-window:400", "long-window:2000,500", "long-window:1000,503"])
@pytest.mark.fact("long-windows")
def test_a_feed_that_fails_at_long_ranges_is_read_in_shorter_ones(site: Site, as_synced: Site, fault: str) -> None:
    most = int(fault.partition(":")[2].partition(",")[0])
    set_faults(site.simulator, fault)
    sync_feeds(site)
    assert is_whole(site, as_synced)
    ((answered, failed),) = pairs(site.engine, DAYS)
    assert answered <= most < failed
    assert max(ranges(site, "Contacts")) > most
    sync_feeds(site, full=True)
    assert max(ranges(site, "Contacts")) <= most
    age_limits(site, 8)
    sync_feeds(site, full=True)
    assert max(ranges(site, "Contacts")) > most


def test_a_feed_that_does_not_answer_long_ranges_in_time_is_read_in_shorter_ones(
    site: Site, as_synced: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = partial(
        ApiClient, policy=RetryPolicy(attempts=2, first_pause=0.0), sleep=lambda _: asyncio.sleep(0),
        limits=Limits(total=1.0),
    )  # fmt: skip
    monkeypatch.setattr(connection, "ApiClient", impatient)
    set_faults(site.simulator, "silent-window:5000")
    summary = site.sync_once(resources=("contacts",))
    assert summary.exit_status == 0, summary.batch.error
    ((answered, failed),) = pairs(site.engine, DAYS)
    assert answered <= 5000 < failed
    count = "SELECT count(*) FROM contacts WHERE NOT is_placeholder"
    assert value(site.engine, count) == value(as_synced.engine, count)


class HeavyPages(Faults):
    """Fails at pages of windows above some days, except the first, which tells the total."""

    def __init__(self, most: int) -> None:
        super().__init__(())
        self.most = most

    def of_request(self, request: web.Request) -> web.Response | None:
        is_first = request.query.get("pageNumber") == "1"
        is_heavy = window_days(f"GET {request.path_qs}") > self.most and not is_first
        return refusal(504, "The request timed out.") if is_heavy else None


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_slice_at_which_the_server_fails_is_split_and_stays_resumable(
    site: Site, as_synced: Site, is_interrupted: bool
) -> None:
    site = site.with_settings(etl_page_size=5)
    site.simulator.server.faults = HeavyPages(1000)
    if is_interrupted:
        with pytest.raises(Interrupted):
            site.sync_once(watcher=StopAfter(2).watcher, resources=FEEDS)
        assert retry(site.engine, site.settings).exit_status == 0
    else:
        sync_feeds(site)
    assert is_whole(site, as_synced)
    covered = """
        SELECT resource, count(*) FROM (
            SELECT resource, first_day,
                   lag(last_day) OVER (PARTITION BY batch_id, resource, endpoint ORDER BY first_day) AS before
            FROM etl.slices WHERE first_day IS NOT NULL
        ) AS pair WHERE before IS NOT NULL AND before <> first_day GROUP BY 1
    """
    assert pairs(site.engine, covered) == [], "the slices have neither gaps nor overlaps"
    assert value(site.engine, "SELECT count(*) FROM etl.slices WHERE split_from IS NOT NULL") >= len(FEEDS)
    assert value(site.engine, "SELECT count(*) FROM etl.slices WHERE status <> 'done'") == 0
    longest = "SELECT max(last_day - first_day) FROM etl.slices WHERE resource = 'contacts' AND total > page_size"
    assert value(site.engine, longest) <= 1000, "a slice that has one page need not be split"


def test_an_api_that_is_down_is_not_remembered_as_a_limit(site: Site) -> None:
    set_faults(site.simulator, "long-window:0,503")
    assert site.sync_once(resources=FEEDS).exit_status == 6
    days = ranges(site, "Contacts")
    assert min(days) > 7, "not down to a day, for an outage would leave thousands of calls"
    assert len(days) < 60
    assert value(site.engine, "SELECT count(*) FROM etl.slices WHERE resource = 'contacts'") == 0
    assert value(site.engine, "SELECT count(*) FROM etl.list_limits") == 0
