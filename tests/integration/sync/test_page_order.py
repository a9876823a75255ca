"""Pages repeated, reversed, late, or shifted during the reading lead to the same state as pages in order."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sites import Site, make_children_due, open_site, serve_agency, set_faults
from snapshots import differences, digest, value

from etl.engine.answers import FetchedPage, FetchFailed
from etl.extract.details.detail_reader import DetailReader
from etl.extract.reader import ResourceReader
from etl.simulator import Simulator

Arrived = list[FetchedPage | FetchFailed]
Way = Callable[[ResourceReader | DetailReader, Arrived], Sequence[FetchedPage | FetchFailed]]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give the agency of this module."""
    with serve_agency() as served:
        yield served


def deliver(patch: pytest.MonkeyPatch, order: Way) -> None:
    """Deliver the API's answers in another order: all of a list, or of a round of details, is held back first."""
    for reader, name in ((ResourceReader, "read_slices"), (DetailReader, "fetch_requests")):
        ordinary = getattr(reader, name)

        async def delivered(
            self: ResourceReader | DetailReader, put: Any, *rest: Any, ordinary: Any = ordinary, **arguments: Any
        ) -> None:
            held: Arrived = []

            async def hold(answer: FetchedPage | FetchFailed) -> None:
                held.append(answer)

            await ordinary(self, hold, *rest, **arguments)
            for answer in order(self, held):
                await put(answer)

        patch.setattr(reader, name, delivered)


WAYS: Mapping[str, Way] = {
    "each twice": lambda _, held: [answer for answer in held for _ in range(2)],
    "in reverse and again": lambda _, held: held[::-1] + held,
}


@pytest.mark.parametrize("order", WAYS)
def test_pages_in_another_order_lead_to_the_same_tables(
    site: Site, synced: Site, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    deliver(monkeypatch, WAYS[order])
    summary = site.with_settings(etl_page_size=3).sync_once()
    assert summary.exit_status == 0, summary.batch.error
    assert differences(digest(site.engine), digest(synced.engine)) == []


#: Faults of pages affect the feeds; one of each kind is enough.
FEEDS = ("contacts", "policies", "drivers", "commission_rules")


@pytest.mark.parametrize("fault", ["page-drift:1", "page-drift:-1", "empty-middle-page:1", "duplicate-records:2"])
def test_pages_that_shift_during_the_reading_lead_to_the_same_tables(
    site: Site, synced: Site, simulator: Simulator, fault: str
) -> None:
    set_faults(simulator, fault)
    summary = site.with_settings(etl_page_size=3).sync_once(resources=FEEDS)
    assert summary.exit_status == 0, summary.batch.error
    tables = {"policies", "drivers", "commission_rules"}
    digests, wanted = (
        {table: digest(current_site.engine)[table] for table in tables} for current_site in (site, synced)
    )
    assert differences(digests, wanted) == []


def test_pages_from_before_a_change_overwrite_nothing(
    database_url: str, another_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Arrived] = defaultdict(list)

    def keep(reader: ResourceReader | DetailReader, held: Arrived) -> Arrived:
        if isinstance(reader, ResourceReader):
            kept[reader.resource.name] += held
        return held

    def after_them_the_old(reader: ResourceReader | DetailReader, held: Arrived) -> Arrived:
        if not isinstance(reader, ResourceReader) or reader.resource.changes.modified is None:
            return held
        stale = (page for page in kept[reader.resource.name] if isinstance(page, FetchedPage))
        return [*held, *(replace(page, slice=held[-1].slice) for page in stale if isinstance(held[-1], FetchedPage))]

    with (
        serve_agency(seed=11) as lively,
        open_site(lively, database_url) as site,
        open_site(lively, another_database) as quiet,
    ):
        deliver(monkeypatch, keep)
        assert site.sync_once().exit_status == 0
        lively.change(40)
        make_children_due(site)
        deliver(monkeypatch, after_them_the_old)
        summary = site.sync_once(full=True)
        monkeypatch.undo()
        assert sum(part.counts["older"] + part.counts["duplicate"] for part in summary.parts) > len(kept)
        assert quiet.sync_once().exit_status == 0
        assert differences(digest(site.engine, living=True), digest(quiet.engine, living=True)) == []


def test_a_late_list_neither_revives_nor_deletes_rows(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: Arrived = []

    def keep(_: ResourceReader | DetailReader, held: Arrived) -> Arrived:
        kept.extend(held)
        return held

    def late(_: ResourceReader | DetailReader, held: Arrived) -> Arrived:
        late = (page for page in kept if isinstance(page, FetchedPage))
        return [*held, *(replace(page, slice=held[-1].slice) for page in late if isinstance(held[-1], FetchedPage))]

    with serve_agency() as lively, open_site(lively, database_url) as site:
        deliver(monkeypatch, keep)
        assert site.sync_once(resources=("vehicles",)).exit_status == 0
        world = lively.world
        policy = next(key for key in world.garage if world.detail("vehicles", key))
        sold, *rest = world.detail("vehicles", policy)
        bought = sold | {"VehicleID": 987654321}
        with lively.lock:
            world.keep("vehicles", policy, [*rest, bought])
            world.policies.change(policy, lively.server.now())
        monkeypatch.undo()
        deliver(monkeypatch, late)
        summary = site.sync_once(resources=("vehicles",))
        assert summary.exit_status == 0, summary.batch.error
        dead = "SELECT deleted_at IS NOT NULL FROM vehicles WHERE source_id = :key"
        assert value(site.engine, dead, key=str(sold["VehicleID"])) is True
        assert value(site.engine, dead, key="987654321") is False


def test_a_total_mismatch_fails_only_its_resource_and_keeps_its_records(site: Site, simulator: Simulator) -> None:
    set_faults(simulator, "wrong-total:2")
    summary = site.sync_once(resources=("contacts", "locations"))
    states = {part.resource: part.status for part in summary.parts}
    assert (states["contacts"], states["locations"], summary.exit_status) == ("failed", "done", 6)
    assert value(site.engine, "SELECT count(*) FROM contacts WHERE NOT is_placeholder") == len(simulator.world.contacts)
    assert value(site.engine, "SELECT count(*) FROM etl.watermarks WHERE resource = 'contacts'") == 0
