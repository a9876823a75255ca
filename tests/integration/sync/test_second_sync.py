"""A sync of a source that has not changed, and of one that has: what is asked for, and what is written."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from observing import as_they_lie, differences, digest, pairs, values, written
from workbench import Site, agency, come_of_age, site_of

from etl.simulator import Simulator

#: What a sync asks for although nothing is due: the key and its trial.
GREETINGS = ("/oauth/token", "BusinessLogic/Ping")


def calls(site: Site) -> list[tuple[str, str]]:
    """Return path and query of the calls that asked for data."""
    split = (one.partition("?")[::2] for one in site.asked())
    return [(path, query) for path, query in split if path not in GREETINGS]


def per_parent(asked: list[tuple[str, str]]) -> list[str]:
    return [path for path, query in asked if any(part.isdigit() for part in path.split("/")) or "entityId" in query]


def test_an_unchanged_source_writes_no_row_of_production(synced: Site) -> None:
    before = as_they_lie(synced.engine)
    summary = synced.sync_once()
    assert summary.exit_status == 0
    assert written(before, as_they_lie(synced.engine)) == set()
    assert summary.tables == {}
    assert sum(part.counts["inserted"] + part.counts["updated"] for part in summary.parts) == 0


def test_an_unchanged_source_is_asked_for_the_window_and_its_overlap_alone(synced: Site) -> None:
    (before,) = values(synced.engine, "SELECT window_end FROM etl.batches")
    summary = synced.sync_once()
    asked = calls(synced)
    assert per_parent(asked) == []
    assert len(asked) == len(set(asked))
    starts = {one for _, query in asked for one in parse_qs(query).get("startDate", ())}
    assert starts == {(before - timedelta(days=1)).date().isoformat()}
    ends = {one for _, query in asked for one in parse_qs(query).get("endDate", ())}
    assert ends == {(summary.batch.window.end + timedelta(days=1)).date().isoformat()}


def test_the_mark_moves_on_with_every_sync(synced: Site) -> None:
    summary = synced.sync_once()
    marks = pairs(synced.engine, "SELECT resource, complete_to FROM etl.watermarks")
    assert len(marks) == len(summary.parts)
    assert {end for _, end in marks} == {summary.batch.window.end}


def test_a_full_sync_of_an_unchanged_source_writes_no_row_of_production(synced: Site) -> None:
    before = as_they_lie(synced.engine)
    assert synced.sync_once(full=True).exit_status == 0
    assert written(before, as_they_lie(synced.engine)) == set()


@pytest.fixture(scope="module")
def lively() -> Iterator[Simulator]:
    """Give an agency in which much happens."""
    with agency(seed=11) as served:
        yield served


def test_many_small_syncs_end_where_one_full_read_ends(
    lively: Simulator, database_url: str, another_database: str
) -> None:
    with site_of(lively, database_url) as small, site_of(lively, another_database) as whole:
        for _ in range(4):
            assert small.sync_once().exit_status == 0
            lively.change(12)
        # A contact's documents change without the contact, so they are asked for again when they come of age.
        come_of_age(small)
        assert small.sync_once(full=True).exit_status == 0
        assert whole.sync_once().exit_status == 0
        assert differences(digest(small.engine, living=True), digest(whole.engine, living=True)) == []
