"""Syncs of an unchanged and of a changed source: what is requested, and what is written."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from sites import Site, make_children_due, open_site, serve_agency
from snapshots import changed_tables, differences, digest, pairs, row_versions, values

from etl.simulator import Simulator

#: The calls of a sync when nothing is due: the token and its check.
GREETINGS = ("/oauth/token", "BusinessLogic/Ping")


def calls(site: Site) -> list[tuple[str, str]]:
    """Return path and query of the data calls."""
    split = (call.partition("?")[::2] for call in site.take_calls())
    return [(path, query) for path, query in split if path not in GREETINGS]


def per_parent(requests: list[tuple[str, str]]) -> list[str]:
    """Return the paths of the calls for one customer, policy or office."""
    in_query = ("entityId", "locationID")
    return [
        path
        for path, query in requests
        if any(part.isdigit() for part in path.split("/")) or any(name in query for name in in_query)
    ]


def test_an_unchanged_source_writes_no_row_of_production(synced: Site) -> None:
    before = row_versions(synced.engine)
    summary = synced.sync_once()
    assert summary.exit_status == 0
    assert changed_tables(before, row_versions(synced.engine)) == set()
    assert summary.tables == {}
    assert sum(part.counts["inserted"] + part.counts["updated"] for part in summary.parts) == 0


def test_of_an_unchanged_source_only_the_window_and_its_overlap_are_requested(synced: Site) -> None:
    (window_end,) = values(synced.engine, "SELECT window_end FROM etl.batches")
    summary = synced.sync_once()
    requests = calls(synced)
    assert per_parent(requests) == []
    assert len(requests) == len(set(requests))
    starts = {day for _, query in requests for day in parse_qs(query).get("startDate", ())}
    assert starts == {(window_end - timedelta(days=1)).date().isoformat()}
    ends = {day for _, query in requests for day in parse_qs(query).get("endDate", ())}
    assert ends == {(summary.batch.window.end + timedelta(days=1)).date().isoformat()}


def test_every_sync_advances_the_watermark(synced: Site) -> None:
    summary = synced.sync_once()
    marks = pairs(synced.engine, "SELECT resource, complete_to FROM etl.watermarks")
    assert {resource for resource, end in marks if end == summary.batch.window.end} == {
        part.resource for part in summary.parts
    }


#: The lists that have no dates, and what is derived from them only.
DAILY = {"locations", "agencies", "departments", "carrier_list", "commission_rules"}


def test_lists_without_dates_are_read_once_a_day(synced: Site) -> None:
    before = dict(pairs(synced.engine, "SELECT resource, complete_to FROM etl.watermarks"))
    summary = synced.sync_once()
    assert {part.resource for part in summary.parts} == before.keys() - DAILY
    paths = {path for path, _ in calls(synced)}
    assert all("LastModifiedCreated" in path or path.startswith("enterprise/") for path in paths), paths
    after = dict(pairs(synced.engine, "SELECT resource, complete_to FROM etl.watermarks"))
    assert {name for name in after if after[name] == before[name]} == DAILY, "what was not read is not newer"


def test_a_list_that_is_named_is_read_at_once(synced: Site) -> None:
    summary = synced.sync_once(resources=("locations",))
    assert {part.resource for part in summary.parts} == {"locations", "agencies"}
    assert [path for path, _ in calls(synced)] == ["Locations/UserLocationsV2"]


def test_a_full_sync_reads_all_lists(synced: Site) -> None:
    assert {part.resource for part in synced.sync_once(full=True).parts} >= DAILY


def test_lists_are_read_again_on_the_next_day(database_url: str) -> None:
    day = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
    with serve_agency(now=day) as served, open_site(served, database_url) as site:
        assert site.sync_once().exit_status == 0
        served.server.settings = replace(served.server.settings, now=day + timedelta(minutes=2))
        assert {part.resource for part in site.sync_once().parts} >= DAILY


def test_a_full_sync_of_an_unchanged_source_writes_no_row_of_production(synced: Site) -> None:
    before = row_versions(synced.engine)
    assert synced.sync_once(full=True).exit_status == 0
    assert changed_tables(before, row_versions(synced.engine)) == set()


@pytest.fixture(scope="module")
def lively() -> Iterator[Simulator]:
    """Give an agency with much activity."""
    with serve_agency(seed=11) as served:
        yield served


def test_many_small_syncs_lead_to_the_result_of_a_full_read(
    lively: Simulator, database_url: str, another_database: str
) -> None:
    with open_site(lively, database_url) as small, open_site(lively, another_database) as whole:
        for _ in range(4):
            assert small.sync_once().exit_status == 0
            lively.change(12)
        # A contact's documents change without the contact, so they are requested again after some time.
        make_children_due(small)
        assert small.sync_once(full=True).exit_status == 0
        assert whole.sync_once().exit_status == 0
        assert differences(digest(small.engine, living=True), digest(whole.engine, living=True)) == []
