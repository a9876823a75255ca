"""The client: what it makes of every kind of answer."""

from datetime import UTC, datetime, timedelta

import pytest
from client_bench import HTML, against, details, feed
from scripted_api import ScriptedApi, answer, page

from etl.api.protocol import Answer
from etl.errors import ApiUnavailable, CallFailed, EndpointRefused, NotFound, QuotaSpent, Refusal, TryAgain

pytestmark = pytest.mark.timeout(30)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own proxies and authorities out of the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize("failures", range(6))
def test_bursts_of_errors_are_waited_out_with_jitter_up_to_a_bound(failures: int) -> None:
    script = [answer(status) for status in (500, 502, 503, 504, 500)[:failures]]
    outcome = against(ScriptedApi([*script, page(1)] if failures < 5 else script), feed())
    assert isinstance(outcome.result, Answer if failures < 5 else ApiUnavailable)
    assert len(outcome.slept) == min(failures, 4)
    assert all(0 <= pause <= 2.0**at for at, pause in enumerate(outcome.slept))


def test_pauses_differ_between_runs() -> None:
    pauses = {tuple(against(ScriptedApi([answer(500)]), feed(), seed=seed).slept) for seed in range(3)}
    assert len(pauses) == 3


def test_a_403_is_not_repeated_with_the_same_credentials() -> None:
    """RFC 9110, 15.5.4; also as the web page of a firewall, and whether or not every account has the resource."""
    page_of_firewall = answer(403, b"<html><body>Forbidden</body></html>", Content_Type="text/html")
    for script in ([answer(403, {})], [page_of_firewall]):
        for call in (feed(), feed("claims")):
            outcome = against(ScriptedApi(script), call)
            assert (type(outcome.result), len(outcome.api.calls()), outcome.slept) == (EndpointRefused, 1, [])


@pytest.mark.parametrize("status", [405, 404])
def test_a_refusal_is_asked_again_only_where_every_account_has_the_resource(status: int) -> None:
    documented = against(ScriptedApi([answer(status, {})]), feed())
    undocumented = against(ScriptedApi([answer(status, {})]), feed("claims"))
    assert (type(documented.result), len(documented.api.calls())) == (EndpointRefused, 5)
    assert (type(undocumented.result), len(undocumented.api.calls())) == (EndpointRefused, 1)
    assert undocumented.result.not_offered


@pytest.mark.fact("web-page")
def test_a_web_page_in_a_pages_place_is_asked_for_again() -> None:
    assert against(ScriptedApi([HTML, HTML, page(1)]), feed()).ids
    assert against(ScriptedApi([HTML]), feed("claims")).result.reason is Refusal.HTML


@pytest.mark.parametrize("status", [400, 413, 414, 431, 422])
def test_a_call_that_is_wrong_in_itself_is_sent_once(status: int) -> None:
    outcome = against(ScriptedApi([answer(status, {})]), feed())
    assert (outcome.result.reason, len(outcome.api.calls())) == (Refusal.REQUEST, 1)


def test_details_that_vanished_are_asked_for_once() -> None:
    outcome = against(ScriptedApi([answer(404, {"Message": "gone"})]), details())
    assert isinstance(outcome.result, NotFound)
    assert len(outcome.api.calls()) == 1


@pytest.mark.parametrize("retry_after", ["7", "Sat, 31 Jan 2026 12:00:07 GMT"])
def test_a_wait_that_is_asked_for_is_kept_and_is_no_failure(retry_after: str) -> None:
    busy = answer(503, Retry_After=retry_after, Date="Sat, 31 Jan 2026 12:00:00 GMT")
    outcome = against(ScriptedApi([busy] * 4 + [page(1)]), feed())
    assert outcome.ids
    assert sum(7 <= pause <= 8 for pause in outcome.slept) == 4


@pytest.mark.fact("limit-no-429")
def test_the_call_limit_is_no_failure_of_a_call() -> None:
    outcome = against(ScriptedApi([answer(429)] * 6 + [answer(500)] * 4 + [page(1)]), feed())
    assert outcome.ids


@pytest.mark.parametrize("retry_after", ["Sat, 31 Jan 2026 11:00:00 GMT", "-1", "soon", ""])
def test_a_wait_in_the_past_or_unusable_is_short(retry_after: str) -> None:
    outcome = against(
        ScriptedApi([answer(429, Retry_After=retry_after, Date="Sat, 31 Jan 2026 12:00:00 GMT"), page(1)]), feed()
    )
    assert outcome.ids
    assert all(0 <= pause <= 2 for pause in outcome.slept)


@pytest.mark.parametrize(("status", "error"), [(429, QuotaSpent), (503, ApiUnavailable)])
def test_a_wait_of_hours_ends_the_run_resumable(status: int, error: type[TryAgain]) -> None:
    outcome = against(ScriptedApi([answer(status, Retry_After="7200")]), feed())
    assert isinstance(outcome.result, error)
    assert (outcome.results[0].retry_after, len(outcome.api.calls()), outcome.slept) == (7200, 1, [])


def test_a_spent_quota_ends_every_call_and_says_when_to_continue() -> None:
    outcome = against(ScriptedApi([page(1), answer(429, Retry_After="7200")]), *(feed() for _ in range(4)))
    assert [type(result) for result in outcome.results] == [Answer, *[QuotaSpent] * 3]
    assert len(outcome.api.calls()) == 2
    until = datetime.now(UTC) + timedelta(hours=2)
    moments = [f"{moment:%Y-%m-%d %H:%M} UTC" for moment in (until - timedelta(minutes=1), until)]
    assert all(any(moment in str(result) for moment in moments) for result in outcome.results[1:])


def test_a_limit_without_end_ends_the_run_after_15_windows() -> None:
    outcome = against(ScriptedApi([answer(429)]), feed())
    assert isinstance(outcome.result, QuotaSpent)
    assert 15 <= len(outcome.api.calls()) <= 17


def test_a_long_outage_opens_the_circuit() -> None:
    outcome = against(
        ScriptedApi([answer(503)], ping=answer(503)),
        *(feed(name) for name in ("contacts", "policies", "billing_records") * 4),
    )
    assert all(isinstance(result, ApiUnavailable) for result in outcome.results)
    assert len(outcome.api.calls()) == 15


@pytest.mark.fact("absent-500")
def test_an_undocumented_call_that_fails_counts_as_absent_unless_all_others_fail_too() -> None:
    alone = against(ScriptedApi([answer(502)], ping=answer(200, "pong")), feed("claims"), feed("contacts"))
    assert [type(result) for result in alone.results] == [CallFailed, ApiUnavailable]
    assert len(alone.api.calls()) == 3 + 5
    together = against(ScriptedApi([answer(502)], ping=answer(502)), feed("claims"))
    assert type(together.result) is ApiUnavailable


@pytest.mark.parametrize("status", [202, 203, 206, 302, 307, 408])
def test_odd_answers_are_asked_for_again_and_redirects_not_followed(status: int) -> None:
    odd = answer(status, {"Data": []}, Location="/v1/elsewhere")
    outcome = against(ScriptedApi([odd, page(1)]), feed())
    assert outcome.ids
    assert all("elsewhere" not in request.target for request in outcome.api.asked)


def test_no_content_is_empty_for_details_and_an_error_for_a_feed() -> None:
    assert against(ScriptedApi([answer(204, Content_Type="", Content_Length="")]), details()).ids == []
    assert isinstance(against(ScriptedApi([answer(204, Content_Length="")]), feed()).result, ApiUnavailable)


@pytest.mark.parametrize("body", [b'{"Data":[{"EntityID"', b"", b"null!", b'{"Data":[],"IsSuccess":false}'])
def test_a_body_that_is_cut_or_says_it_failed_is_asked_for_again(body: bytes) -> None:
    assert against(ScriptedApi([answer(200, body), page(1)]), feed()).ids
    outcome = against(ScriptedApi([answer(200, body)]), feed())
    assert isinstance(outcome.result, ApiUnavailable)
    assert len(outcome.api.calls()) == 5
