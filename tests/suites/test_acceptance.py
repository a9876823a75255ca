"""What a connector must show before it is trusted: two reads equal, a second one empty, no resource without data."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pauses import without_pauses
from sites import Site, open_site, serve_agency
from snapshots import TABLES, changed_tables, row_versions, value

from etl.resources import CATALOGUE
from etl.simulator import Simulator

NOW = datetime(2025, 6, 2, 15, 30, tzinfo=UTC)
#: What the sample data has nothing of, and why.
EMPTY: dict[str, str] = {}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give an agency of few records that brings a row of every table, and whose clock stands."""
    with serve_agency(founded=NOW, now=NOW) as served:
        del served.world.agency_rules[9:]
        yield served


@pytest.fixture
def site(simulator: Simulator, database_url: str) -> Iterator[Site]:
    with open_site(simulator, database_url) as made, without_pauses():
        yield made


def test_two_full_reads_are_equal_and_what_follows_writes_nothing(site: Site) -> None:
    assert site.sync_once().exit_status == 0
    assert {one for one in TABLES if not value(site.engine, f"SELECT count(*) FROM {one}")} == set()
    raw = {one.name for one in CATALOGUE if not value(site.engine, f"SELECT count(*) FROM raw.{one.raw_table}")}
    assert raw == set(EMPTY)
    before = row_versions(site.engine)
    assert site.sync_once(full=True).exit_status == 0
    assert changed_tables(before, row_versions(site.engine)) == set(), "the second full read"
    assert site.sync_once().exit_status == 0
    assert changed_tables(before, row_versions(site.engine)) == set(), "the incremental read behind it"
