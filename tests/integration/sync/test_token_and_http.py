"""Token and HTTP errors in a whole run: a permanent error costs few calls, and leaves a resumable batch."""

from collections.abc import Callable

import pytest
from aiohttp import web
from sites import Site, set_faults
from snapshots import value, values

from etl.api.retry_policy import Patience
from etl.errors import QuotaSpent
from etl.models.states import ResourceState
from etl.pipeline import retry
from etl.simulator import Simulator


def failing(simulator: Simulator, when: Callable[[str], bool]) -> Callable[[web.Request], web.Response | None]:
    """Return a function that answers 503 on some paths."""
    ordinary = simulator.server.faults.of_request
    return lambda request: web.Response(status=503) if when(request.path) else ordinary(request)


def test_a_long_outage_costs_few_calls_in_total(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator.server.faults, "of_request", failing(simulator, lambda path: "Ping" not in path))
    summary = site.sync_once()
    assert summary.exit_status == 6
    asked = [path for path in site.take_calls() if "oauth" not in path and "Ping" not in path]
    resources = len(summary.parts)
    side_by_side = site.settings.etl_concurrency
    assert Patience().attempts <= len(asked) <= side_by_side * Patience().attempts < resources * Patience().attempts


def test_a_failing_page_is_retried_by_only_one_layer(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator.server.faults, "of_request", failing(simulator, lambda path: "Billing" in path))
    summary = site.sync_once()
    failed = [part.resource for part in summary.parts if part.status is ResourceState.FAILED]
    assert failed == ["billing_records"]
    assert sum("Billing" in path for path in site.take_calls()) == Patience().attempts
    assert retry(site.engine, site.settings).exit_status == 6
    assert sum("Billing" in path for path in site.take_calls()) == Patience().attempts


def test_an_exhausted_quota_leaves_a_resumable_batch_and_stops_all_calls(site: Site, simulator: Simulator) -> None:
    set_faults(simulator, "call-quota:9")
    with pytest.raises(QuotaSpent, match=r"used up until .* UTC.*qqetl retry"):
        site.sync_once()
    assert values(site.engine, "SELECT status FROM etl.batches") == ["failed"]
    refused = sum(request.status == 429 for request in simulator.requests)
    assert 0 < refused <= site.settings.etl_concurrency
    read = sum(request.status == 200 for request in simulator.requests)
    set_faults(simulator)
    site.take_calls()
    assert retry(site.engine, site.settings).exit_status == 0
    assert value(site.engine, "SELECT count(DISTINCT batch_id) FROM etl.requests") == 1
    assert read > 3


def test_a_new_run_checks_an_exhausted_quota_once(site: Site, simulator: Simulator) -> None:
    set_faults(simulator, "call-quota:3")
    for _ in range(2):
        site.take_calls()
        with pytest.raises(QuotaSpent):
            site.sync_once()
    assert len([path for path in site.take_calls() if "oauth" not in path]) == 1
