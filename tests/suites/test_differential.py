"""A normal sync and one with every page twice, in reverse, and again a week later end with the same tables."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from databases import MIGRATED, clone_database
from no_pauses import without_pauses
from sites import Site, make_children_due, open_site, serve_agency, set_faults
from snapshots import differences, digest

from etl.database.embedded.server import EmbeddedPostgres
from etl.simulator import Simulator
from etl.simulator.answers.envelopes import Answer, PagedAnswer
from etl.simulator.faults.faults import Faults
from etl.window import FIRST_INSTANT, Window

THEN = datetime(2025, 6, 2, 15, 30, tzinfo=UTC)
LATER = THEN + timedelta(days=7)
#: Feeds whose records have a modification time, so that late records are recognized as old.
DATED = ("contacts", "policies", "claims", "applications", "commissions")


class Disturbed(Faults):
    """Sends the records of every page twice and in reverse, and remembers the responses."""

    def __init__(self) -> None:
        super().__init__(())
        self.delivered: dict[tuple[str, str], bytes] = {}

    def rewrite(self, request: web.Request, answer: Answer, again: Any) -> Answer:
        if isinstance(answer, PagedAnswer) and answer.number:
            answer = replace(answer, items=answer.items[::-1] * 2)
        return answer

    def spoil(self, request: web.Request, body: bytes) -> bytes:
        key = page_key(request)
        self.delivered[key] = max(self.delivered.get(key, b""), body, key=len)  # the days with the most records
        return body


class Late(Faults):
    """Sends earlier responses again, without later changes."""

    def __init__(self, delivered: dict[tuple[str, str], bytes]) -> None:
        super().__init__(())
        self.delivered = delivered

    def spoil(self, request: web.Request, body: bytes) -> bytes:
        return self.delivered.get(page_key(request), body)


def page_key(request: web.Request) -> tuple[str, str]:
    """Return the key of a page, regardless of the requested days."""
    return request.path, request.query.get("pageNumber", "")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with serve_agency(seed=11, contacts=8, founded=THEN, now=THEN) as served:
        del served.world.agency_rules[20:]
        yield served


@pytest.fixture
def sites(server: EmbeddedPostgres, simulator: Simulator) -> Iterator[tuple[Site, Site]]:
    with (
        clone_database(server.url, MIGRATED) as quiet_url, clone_database(server.url, MIGRATED) as disturbed_url,
        open_site(simulator, quiet_url, etl_page_size=3) as quiet,
        open_site(simulator, disturbed_url, etl_page_size=3) as disturbed,
        without_pauses(),
    ):  # fmt: skip
        yield quiet, disturbed
        set_faults(simulator)


def whole(site: Site, simulator: Simulator, faults: Faults, **options: Any) -> None:
    simulator.server.faults = faults
    summary = site.sync_once(**options)
    assert summary.exit_status == 0, summary.batch.error


def test_repeated_reversed_and_late_pages_end_with_the_same_tables(
    sites: tuple[Site, Site], simulator: Simulator
) -> None:
    quiet, disturbed = sites
    then, odd = Disturbed(), Disturbed()
    whole(quiet, simulator, Faults(()))
    whole(disturbed, simulator, then)
    assert differences(digest(quiet.engine), digest(disturbed.engine)) == []
    simulator.server.settings = replace(simulator.server.settings, now=LATER)
    with simulator.lock:
        simulator.world.tick(LATER - timedelta(hours=2), 25)
    for site in sites:
        make_children_due(site)
    whole(quiet, simulator, Faults(()))
    whole(disturbed, simulator, odd)
    whole(disturbed, simulator, Late(then.delivered), resources=DATED, window=Window(FIRST_INSTANT, LATER))
    assert differences(digest(quiet.engine), digest(disturbed.engine)) == []
