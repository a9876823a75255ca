"""Resources are read in parallel: faster, within the call limit, and without affecting each other's errors."""

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import pytest
from aiohttp import web
from sites import Site, open_site, serve_agency, set_faults
from snapshots import differences, digest, values

from etl.dependencies import find_prerequisites
from etl.errors import Interrupted, LeaseLost, QuotaSpent
from etl.events import Event, Finished, Started
from etl.extract import run as run_module
from etl.extract import scheduler
from etl.ledger.batches import BatchResource
from etl.models.states import ResourceState
from etl.pipeline import Watcher, retry
from etl.resources import find_resource
from etl.simulator import Simulator
from etl.simulator.server import Server

LATENCY = 0.15
#: Lists and feeds with one or a few pages, of those that are not read one after the other.
SMALL = ("departments", "commission_rules", "commissions", "claims", "applications", "endorsements")


class Counted:
    """How many calls a simulator answers at once: the maximum, and the average while it answers any."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.now = self.most = 0
        self._busy = self._answering = 0.0
        self._since = time.monotonic()

    @property
    def average(self) -> float:
        return self._answering / self._busy

    def _change(self, by: int) -> None:
        now = time.monotonic()
        if self.now:
            self._busy += now - self._since
            self._answering += self.now * (now - self._since)
        self._since = now
        self.now += by
        self.most = max(self.most, self.now)

    async def serve(self, server: Server, request: web.Request) -> web.StreamResponse:
        self._change(1)
        try:
            return await ORDINARY(server, request)
        finally:
            self._change(-1)


ORDINARY = Server.serve


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Count in simulators that are started from now on."""
    counted = Counted()

    async def serve(server: Server, request: web.Request) -> web.StreamResponse:
        return await counted.serve(server, request)

    monkeypatch.setattr(Server, "serve", serve)
    return counted


@pytest.fixture
def far_away(counted: Counted, database_url: str) -> Iterator[Site]:
    """Give an agency with high latency, so that waiting for it takes most of the time."""
    with serve_agency(latency=LATENCY) as served, open_site(served, database_url) as opened_site:
        yield opened_site


def one_at_a_time(parts: Iterable[BatchResource], unfinished: Collection[str]) -> list[BatchResource]:
    """Return the first resource when none is being read."""
    parts = list(parts)
    return parts[:1] if len(unfinished) == len(parts) else []


def read(site: Site, **options: Any) -> None:
    """Run a sync that succeeds."""
    summary = site.sync_once(**options)
    assert summary.exit_status == 0, summary.batch.error


def test_many_small_resources_are_awaited_at_the_same_time(
    far_away: Site, another_database: str, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(far_away, resources=SMALL)
    at_once = counted.average
    counted.reset()
    with open_site(far_away.simulator, another_database) as other, monkeypatch.context() as patch:
        patch.setattr(scheduler, "ready_resources", one_at_a_time)
        read(other, resources=SMALL)
        assert differences(digest(far_away.engine), digest(other.engine)) == []
    assert at_once > 1.4 * counted.average


@pytest.mark.parametrize("concurrency", [1, 3])
def test_concurrent_calls_stay_within_the_limit(far_away: Site, counted: Counted, concurrency: int) -> None:
    read(far_away.with_settings(etl_concurrency=concurrency), resources=SMALL)
    assert counted.most == concurrency


class Noting:
    """Records events, with a lock as they come from several threads."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self.events.append(event)


def test_a_resource_starts_only_after_its_dependencies(site: Site) -> None:
    noting = Noting()
    summary = site.sync_once(watcher=Watcher(watch=noting))
    ended: set[str] = set()
    at_once: Counter[int] = Counter()
    at_work: set[str] = set()
    for event in noting.events:
        if isinstance(event, Started):
            assert find_prerequisites(find_resource(event.resource)) <= ended, event.resource
            at_work.add(event.resource)
        elif isinstance(event, Finished):
            ended.add(event.resource)
            at_work.discard(event.resource)
        at_once[len(at_work)] += 1
    assert max(at_once) > 3
    assert ended == {part.resource for part in summary.parts}


def test_a_refused_resource_does_not_stop_the_others(site: Site, simulator: Simulator) -> None:
    set_faults(simulator, "forbidden:Billing/")
    summary = site.sync_once()
    states = {part.resource: part.status for part in summary.parts}
    assert states.pop("billing_records") is ResourceState.FAILED
    assert set(states.values()) == {ResourceState.DONE}
    set_faults(simulator)
    assert retry(site.engine, site.settings).exit_status == 0


def test_a_general_error_stops_all_and_is_reported_instead_of_the_interruptions(
    site: Site, simulator: Simulator
) -> None:
    set_faults(simulator, "call-quota:9")
    with pytest.raises(QuotaSpent):
        site.sync_once()
    assert values(site.engine, "SELECT status FROM etl.batches") == ["failed"]
    assert {
        thread.name for thread in threading.enumerate() if thread.name.startswith(("reader", "writer", "event loop"))
    } == set()
    set_faults(simulator)
    assert retry(site.engine, site.settings).exit_status == 0


def test_a_lost_lease_takes_precedence_over_interruptions(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher()
    look_at = run_module.ExtractRun.profile_answers

    def fenced_off(self: Any, name: str, answers: Any) -> None:
        look_at(self, name, answers)
        if name == "contacts":
            watcher.stop.set()
            raise LeaseLost

    monkeypatch.setattr(run_module.ExtractRun, "profile_answers", fenced_off)
    with pytest.raises(LeaseLost):
        site.sync_once(watcher=watcher)


def test_a_stop_ends_all_readers_and_leaves_a_resumable_batch(site: Site, as_synced: Site) -> None:
    watcher = Watcher(watch=lambda event: watcher.stop.set() if isinstance(event, Finished) else None)
    with pytest.raises(Interrupted):
        site.sync_once(watcher=watcher)
    assert {
        thread.name for thread in threading.enumerate() if thread.name.startswith(("reader", "writer", "event loop"))
    } == set()
    assert site.sync_once().exit_status == 0
    assert differences(digest(site.engine), digest(as_synced.engine)) == []
