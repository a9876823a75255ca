"""Faults of token and HTTP met by a whole run: what does not pass by itself costs few calls, and ends resumable."""

from collections.abc import Callable

import pytest
from aiohttp import web
from observing import value, values
from workbench import Site, break_with

from etl.api import connection
from etl.api.client import ApiClient
from etl.api.retry_policy import RetryPolicy
from etl.errors import QuotaSpent
from etl.models.states import ResourceState
from etl.pipeline import retry
from etl.simulator import Simulator


def failing(simulator: Simulator, when: Callable[[str], bool]) -> Callable[[web.Request], web.Response | None]:
    """Return what answers 503 to the paths that are meant."""
    ordinary = simulator.server.faults.of_request
    return lambda request: web.Response(status=503) if when(request.path) else ordinary(request)


def test_a_long_outage_costs_few_calls_for_all_resources_together(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator.server.faults, "of_request", failing(simulator, lambda path: "Ping" not in path))
    summary = site.sync_once()
    assert summary.exit_status == 6
    asked = [path for path in site.asked() if "oauth" not in path and "Ping" not in path]
    resources = len(summary.parts)
    side_by_side = site.settings.etl_concurrency
    assert (
        RetryPolicy().attempts
        <= len(asked)
        <= side_by_side * RetryPolicy().attempts
        < resources * RetryPolicy().attempts
    )


def test_one_failing_page_is_asked_for_as_often_as_one_layer_tries_and_no_more(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator.server.faults, "of_request", failing(simulator, lambda path: "Billing" in path))
    summary = site.sync_once()
    failed = [part.resource for part in summary.parts if part.status is ResourceState.FAILED]
    assert failed == ["billing_records"]
    assert sum("Billing" in path for path in site.asked()) == RetryPolicy().attempts
    assert retry(site.engine, site.settings).exit_status == 6
    assert sum("Billing" in path for path in site.asked()) == RetryPolicy().attempts


@pytest.mark.parametrize("limit", ["58/1s", "100/1s"])
def test_a_first_sync_of_a_real_account_keeps_to_its_call_limit(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(connection, "ApiClient", ApiClient)  # with its pauses
    break_with(simulator, "account-limit:60/1,text")
    site.asked()
    summary = site.under(etl_rate=None, etl_rate_limit=limit).sync_once()
    statuses = [one.status for one in simulator.requests if one.path.startswith("/v1/")]
    logins = sum("oauth" in path for path in site.asked())
    break_with(simulator)
    assert summary.exit_status == 0
    assert len(statuses) > 100
    assert logins <= 1
    assert limit != "58/1s" or 401 not in statuses


def test_a_spent_quota_ends_the_run_resumable_and_no_other_resource_asks(site: Site, simulator: Simulator) -> None:
    break_with(simulator, "call-quota:9")
    with pytest.raises(QuotaSpent, match=r"call limit is used up until .* UTC.*qqetl retry"):
        site.sync_once()
    assert values(site.engine, "SELECT status FROM etl.batches") == ["failed"]
    refused = sum(one.status == 429 for one in simulator.requests)
    assert 0 < refused <= site.settings.etl_concurrency
    read = sum(one.status == 200 for one in simulator.requests)
    break_with(simulator)
    site.asked()
    assert retry(site.engine, site.settings).exit_status == 0
    assert value(site.engine, "SELECT count(DISTINCT batch_id) FROM etl.requests") == 1
    assert read > 3


def test_a_new_run_asks_once_whether_a_spent_quota_is_back(site: Site, simulator: Simulator) -> None:
    break_with(simulator, "call-quota:3")
    for _ in range(2):
        site.asked()
        with pytest.raises(QuotaSpent):
            site.sync_once()
    assert len([path for path in site.asked() if "oauth" not in path]) == 1
