"""Token and HTTP errors in a whole run: a permanent error costs few calls, and leaves a resumable batch."""

from collections import Counter
from collections.abc import Callable

import pytest
from aiohttp import web
from sites import Site, open_site, serve_agency, set_faults
from snapshots import value, values

from etl.api import connection
from etl.api.client import ApiClient
from etl.api.retry_policy import RetryPolicy
from etl.errors import QuotaSpent
from etl.events import Advanced, Event
from etl.models.states import ResourceState
from etl.pipeline import Watcher, retry
from etl.simulator import Simulator


def failing(simulator: Simulator, when: Callable[[str], bool]) -> Callable[[web.Request], web.Response | None]:
    """Return a function that answers 503 on some paths."""
    ordinary = simulator.server.faults.of_request
    return lambda request: web.Response(status=503) if when(request.path) else ordinary(request)


def is_office_list(path: str) -> bool:
    """Return whether a path is that of the list of offices, which is documented, and one call without a date range."""
    return path.partition("?")[0].rpartition("/")[2] == "UserLocationsV2"


def test_a_long_outage_costs_few_calls_in_total(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in = iter(["BusinessLogic/Ping"])
    is_down = lambda path: not ("Ping" in path and next(sign_in, None))  # noqa: E731 (a condition)
    monkeypatch.setattr(simulator.server.faults, "of_request", failing(simulator, is_down))
    summary = site.sync_once()
    assert summary.exit_status == 6
    paths = [path for path in site.take_calls() if "oauth" not in path and "Ping" not in path]
    tried = Counter(path.partition("?")[0] for path in paths)
    assert len(tried) == 3 < len(summary.parts), "the API counts as down when the third resource fails"
    # A feed is tried over shorter and shorter ranges before it counts as failed.
    assert max(tried.values()) < 4 * RetryPolicy().attempts


def test_a_failing_page_is_retried_by_only_one_layer(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator.server.faults, "of_request", failing(simulator, is_office_list))
    summary = site.sync_once()
    failed = {part.resource for part in summary.parts if part.status is ResourceState.FAILED}
    assert failed == {"locations", "agencies"}, "agencies are made from offices"
    assert sum(map(is_office_list, site.take_calls())) == RetryPolicy().attempts
    assert retry(site.engine, site.settings).exit_status == 6
    assert sum(map(is_office_list, site.take_calls())) == RetryPolicy().attempts


@pytest.mark.parametrize("limit", ["58/1s", "100/1s"])
def test_a_first_sync_of_a_real_account_keeps_to_its_call_limit(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(connection, "ApiClient", ApiClient)  # with its pauses
    set_faults(simulator, "account-limit:60/1,text")
    site.take_calls()
    summary = site.with_settings(etl_rate=None, etl_rate_limit=limit).sync_once()
    statuses = [request.status for request in simulator.requests if request.path.startswith("/v1/")]
    logins = sum("oauth" in path for path in site.take_calls())
    set_faults(simulator)
    assert summary.exit_status == 0
    assert len(statuses) > 100
    assert logins <= 1
    assert limit != "58/1s" or 401 not in statuses


@pytest.mark.parametrize("denial", ["json", "invalid_token"])
def test_a_token_that_dies_under_many_calls_of_a_run_is_renewed_once(database_url: str, denial: str) -> None:
    """With and without a word of the API about the token; the token calls are those that the simulator counted."""
    with (
        serve_agency(denial=denial, latency=0.05) as served,
        open_site(served, database_url, etl_rate=None, etl_rate_limit="500/1s") as site,
    ):
        expired = iter([True])

        def expire(event: Event) -> None:
            if isinstance(event, Advanced) and event.resource == "policy_details" and next(expired, False):
                served.expire_tokens()

        summary = site.sync_once(watcher=Watcher(expire))
        refused = [request for request in served.requests if request.status == 401]
        logins = [request for request in served.requests if request.path == "/oauth/token"]
    assert summary.exit_status == 0
    assert next(expired, None) is None
    assert len(refused) > 1, "several calls met the dead token"
    assert [request.status for request in logins] == [200, 200], "the first token, and one renewal"


def test_an_exhausted_quota_leaves_a_resumable_batch_and_stops_all_calls(site: Site, simulator: Simulator) -> None:
    set_faults(simulator, "call-quota:9")
    with pytest.raises(QuotaSpent, match=r"used up until \d{4}-\d\d-\d\d \d\d:\d\d \w+\..*qqetl retry"):
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
