"""Acceptance of the connector: every table has data, two full reads are equal, and a second sync writes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from no_pauses import without_pauses
from sites import Site, open_site, serve_agency
from snapshots import TABLES, changed_tables, row_versions, value

from etl.resources import CATALOGUE
from etl.simulator import Simulator

NOW = datetime(2025, 6, 2, 15, 30, tzinfo=UTC)
#: Resources without sample data, with the reason.
EMPTY: dict[str, str] = {}
#: Also the optional resources.
ALL = tuple(resource.name for resource in CATALOGUE if resource.endpoints)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give a small agency with a row for every table and a fixed clock."""
    with serve_agency(founded=NOW, now=NOW) as served:
        del served.world.agency_rules[9:]
        yield served


@pytest.fixture
def site(simulator: Simulator, database_url: str) -> Iterator[Site]:
    with open_site(simulator, database_url) as opened_site, without_pauses():
        yield opened_site


def test_two_full_reads_are_equal_and_the_next_sync_writes_nothing(site: Site) -> None:
    assert site.sync_once(resources=ALL).exit_status == 0
    assert {table for table in TABLES if not value(site.engine, f"SELECT count(*) FROM {table}")} == set()
    empty = {
        resource.name
        for resource in CATALOGUE
        if not value(site.engine, f"SELECT count(*) FROM raw.{resource.raw_table}")
    }
    assert empty == set(EMPTY)
    before = row_versions(site.engine)
    assert site.sync_once(resources=ALL, full=True).exit_status == 0
    assert changed_tables(before, row_versions(site.engine)) == set(), "the second full read"
    assert site.sync_once(resources=ALL).exit_status == 0
    assert changed_tables(before, row_versions(site.engine)) == set(), "the next incremental read"
