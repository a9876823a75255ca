"""API calls and waiting times are stored with the batch and in the metrics, for every kind of run and outcome."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from aiohttp import web
from notification_helpers import FailsAt
from prometheus_client.parser import text_string_to_metric_families
from sites import Site, set_faults
from snapshots import value

from etl.errors import QuotaSpent
from etl.extract.service import ExtractService
from etl.ledger.batches import read_batch
from etl.ledger.transaction import Ledger
from etl.load import LoadService
from etl.simulator.faults.faults import Faults
from etl.status.metrics import render_metrics
from etl.transform import TransformService
from etl.window import FIRST_INSTANT

EVER = {"start_date": FIRST_INSTANT, "end_date": "2999-01-01"}
SOME = ("carrier_list", "departments")
#: Seconds that the API asks to wait before a retry.
ASKED = 3


def calls_of(site: Site) -> list[str]:
    """Return the API calls since the last check, without those for a token."""
    return [call for call in site.take_calls() if not call.startswith("/oauth/")]


def in_metrics(site: Site, name: str) -> float:
    """Return the value of a metric of the only tenant."""
    shown = render_metrics(Ledger(site.engine, "default").read)
    (samples,) = [
        sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
        if sample.name == name
    ]
    return samples


def noted(site: Site) -> tuple[int, float]:
    """Return the calls and waiting seconds of all batches, after a check that the metrics agree."""
    calls = value(site.engine, "SELECT sum(calls) FROM etl.batches")
    waited = value(site.engine, "SELECT sum(waited_seconds) FROM etl.batches")
    assert in_metrics(site, "qqetl_calls_total") == calls
    assert in_metrics(site, "qqetl_waited_seconds_total") == pytest.approx(waited)
    return int(calls), float(waited)


def extract(site: Site, names: Sequence[str] = SOME) -> UUID:
    """Extract some resources with the service."""
    return ExtractService(site.engine, settings=site.settings).extract_data(EVER, names)


def test_an_extract_stores_its_calls_retries_and_waiting_times(site: Site) -> None:
    set_faults(site.simulator, f"rate-limit:{ASKED}")
    site = site.with_settings(etl_rate=None, etl_rate_limit=f"500/{ASKED}s")  # a wait is at most 1.25 windows
    batch_id = extract(site)
    requests = calls_of(site)
    repeated = len(requests) - len(set(requests))
    calls, waited = noted(site)
    assert calls == len(requests)
    assert repeated > 1
    assert waited >= ASKED, "all workers wait together"
    TransformService(site.engine, settings=site.settings).transform_batch(batch_id)
    LoadService(site.engine, settings=site.settings).load_batch(batch_id, EVER)
    assert calls_of(site) == []
    assert noted(site) == (calls, waited), "the other steps make no calls"


def test_an_extract_without_waiting_stores_none(site: Site) -> None:
    extract(site)
    calls, waited = noted(site)
    assert calls == len(calls_of(site))
    assert waited < 1


def test_a_resumed_extract_adds_to_the_traffic_of_its_batch(site: Site) -> None:
    site.simulator.server.faults = FailsAt(("Carriers",))
    batch_id = extract(site)
    first = calls_of(site)
    assert noted(site)[0] == len(first)
    set_faults(site.simulator)
    batch = Ledger(site.engine, "default").read(lambda connection: read_batch(connection, batch_id))
    traffic = ExtractService(site.engine, settings=site.settings).resume(batch)
    again = calls_of(site)
    assert traffic.calls == len(again) > 0
    assert noted(site)[0] == len(first) + len(again)


class NoLongerSignedIn(Faults):
    """Refuses every token from the first data call on."""

    def __init__(self) -> None:
        super().__init__(())
        self.begun = False

    def of_request(self, request: web.Request) -> web.Response | None:
        self.begun = self.begun or "page" in request.query_string.lower()
        return web.Response(status=401) if self.begun else None


def test_a_failed_extract_has_stored_its_calls(site: Site) -> None:
    site.simulator.server.faults = NoLongerSignedIn()
    with pytest.raises(QuotaSpent):  # the token has opened something: it is not declared refused
        extract(site, ["contacts"])
    assert noted(site)[0] == len(calls_of(site)) > 1
