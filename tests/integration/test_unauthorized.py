"""What a 401 means: every row of the table, and every answer of the token address, against a scripted server."""

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from client_bench import UNAUTHORIZED, Seen, against, feed
from scripted_api import ScriptedApi, answer, page, token

from etl.api.client import ApiClient
from etl.api.protocol import Answer
from etl.errors import ApiUnavailable, CredentialsRefused, EndpointRefused, EtlError, QuotaSpent, Refusal

pytestmark = pytest.mark.timeout(30)

LIMIT = answer(401, b"Maximum admitted 60 requests per Minute", Content_Type="text/plain")
INVALID_TOKEN = answer(401, {"Message": "no"}, WWW_Authenticate='Bearer error="invalid_token"')
EMPTY = answer(401, b"", Content_Type="")
PONG = answer(200, "pong")
#: No limit of ours, and a window of a minute, in a time that passes by itself: the holds are what is looked at.
LIMITED: dict[str, Any] = {"etl_rate": None, "etl_rate_limit": "off"}
ENTERPRISE: dict[str, Any] = {"qqcatalyst_auth": "enterprise", "qqcatalyst_username": None, "qqcatalyst_password": None}
COPIED: dict[str, Any] = {"qqcatalyst_access_token": "copied", "qqcatalyst_password": None}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own proxies out of the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def keys(outcome: Seen) -> list[str]:
    """Return the tokens with which calls were made."""
    return [request.headers["authorization"].removeprefix("Bearer ") for request in outcome.api.calls()]


def pings(outcome: Seen) -> int:
    return sum("Ping" in request.path for request in outcome.api.asked)


@pytest.mark.parametrize(
    "refusal",
    [
        LIMIT,
        answer(401, {"Message": "Maximum admitted 60 requests per Minute."}),
        answer(401, b"<html><body>Maximum admitted 60 requests per Minute</body></html>", Content_Type="text/html"),
        answer(401, b"", QQ_Error_Message="Maximum admitted 60 requests per Minute"),
        answer(429, Retry_After="1"),
        answer(429),
    ],
)
@pytest.mark.fact("401-limit", "limit-new-token")
def test_the_call_limit_costs_a_wait_and_no_token(refusal: bytes) -> None:
    outcome = against(ScriptedApi([page(1), refusal, page(2)]), feed(), feed(), **LIMITED)
    assert all(isinstance(result, Answer) for result in outcome.results)
    assert (keys(outcome), len(outcome.api.logins()), pings(outcome)) == (["t"] * 3, 1, 0)
    assert 1 <= sum(outcome.slept) <= 75
    assert outcome.client.traffic.refused == 1


@pytest.mark.fact("401-expired")
def test_an_answer_that_says_invalid_token_renews_at_once() -> None:
    outcome = against(ScriptedApi([INVALID_TOKEN, page(1)], [token("a"), token("b")]), feed(), **LIMITED)
    assert (keys(outcome), pings(outcome)) == (["a", "b"], 0)
    assert outcome.ids == [b'{"EntityID": 1}']
    assert sum(outcome.slept) == 0


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.fact("401-refused")
def test_a_token_that_opens_nothing_is_refused_after_two_holds_and_a_ping(workers: int) -> None:
    async def use(client: ApiClient) -> list[BaseException | Answer]:
        return await asyncio.gather(*(client.fetch(feed(number=n)) for n in range(workers)), return_exceptions=True)

    outcome = against(ScriptedApi([answer(401, {"Message": "Not today"})]), use=use, **LIMITED)
    assert {type(error) for error in outcome.result} == {CredentialsRefused}
    assert all('QQCatalyst says: "Not today"' in str(error) for error in outcome.result)
    assert (len(outcome.api.logins()), pings(outcome) > 0) == (1, True)
    assert 120 <= sum(outcome.slept) < 300


def test_after_that_nothing_more_is_asked() -> None:
    outcome = against(ScriptedApi([UNAUTHORIZED]), feed(), feed(), feed("policies"), **LIMITED)
    assert [type(result) for result in outcome.results] == [CredentialsRefused] * 3
    assert (len(outcome.api.calls()), len(outcome.api.logins())) == (3, 1)


def test_sign_in_tries_the_credentials_before_a_run() -> None:
    good = against(ScriptedApi([page(1)], ping=PONG), use=lambda client: client.sign_in(), **LIMITED)
    assert isinstance(good.result, datetime)
    bad = against(ScriptedApi([page(1)], ping=UNAUTHORIZED), use=lambda client: client.sign_in(), **LIMITED)
    assert isinstance(bad.result, CredentialsRefused)
    assert (len(bad.api.logins()), pings(bad)) == (1, 3)


@pytest.mark.fact("401-closed")
def test_an_endpoint_that_refuses_a_token_which_opens_others_is_closed_and_nobody_is_held() -> None:
    script = [page(1), UNAUTHORIZED, UNAUTHORIZED, page(2)]
    outcome = against(
        ScriptedApi(script, ping=PONG), feed(), feed("claims"), feed("claims"), feed("policies"), **LIMITED
    )
    first, closed, again, last = outcome.results
    assert isinstance(first, Answer)
    assert isinstance(last, Answer)
    assert [error.reason for error in (closed, again)] == [Refusal.UNAUTHORIZED] * 2
    assert closed.not_offered
    assert (len(outcome.api.logins()), len(outcome.api.calls()), outcome.slept) == (1, 4, [60.0])


def test_a_token_that_dies_without_a_word_is_renewed_once_after_one_hold() -> None:
    api = ScriptedApi([page(1)], [token("a"), token("b")])

    async def use(client: ApiClient) -> Any:
        await client.fetch(feed())
        api.by_key["Bearer a"] = EMPTY
        return await client.fetch(feed())

    outcome = against(api, use=use, **LIMITED)
    assert isinstance(outcome.result, Answer)
    assert keys(outcome) == ["a", "a", "a", "b"]
    assert 60 <= sum(outcome.slept) <= 75


@pytest.mark.fact("401-unclear")
def test_a_token_that_has_opened_anything_is_never_declared_refused() -> None:
    script = [page(1), EMPTY]
    outcome = against(ScriptedApi(script, [token("a"), token("b"), token("c")]), feed(), feed(), **LIMITED)
    assert isinstance(outcome.results[1], QuotaSpent)
    assert outcome.results[1].exit_status == 1
    assert "The QQCatalyst call limit is used up until" in str(outcome.results[1])
    assert len(outcome.api.logins()) == 2
    assert 14 * 60 <= sum(outcome.slept) <= 20 * 60
    assert len(outcome.api.asked) < 2 * 20


@pytest.mark.parametrize(
    ("credentials", "says"), [(COPIED, "The copied token has expired"), (ENTERPRISE, "The enterprise key is refused")]
)
@pytest.mark.fact("401-not-renewable")
def test_a_credential_that_cannot_be_renewed_is_refused_after_one_hold(credentials: dict[str, Any], says: str) -> None:
    outcome = against(ScriptedApi([page(1), UNAUTHORIZED]), feed(), feed(), **LIMITED, **credentials)
    assert isinstance(outcome.results[0], Answer)
    assert isinstance(outcome.results[1], CredentialsRefused)
    assert says in str(outcome.results[1])
    assert (len(outcome.api.logins()), len(outcome.api.calls())) == (0, 3)
    assert 60 <= sum(outcome.slept) <= 75


@pytest.mark.fact("token-copied")
def test_a_copied_token_needs_no_other_credential() -> None:
    nothing: dict[str, Any] = dict.fromkeys(("qqcatalyst_client_id", "qqcatalyst_client_secret", "qqcatalyst_username"))
    outcome = against(ScriptedApi([page(1)]), feed(), **COPIED, **nothing)
    assert (keys(outcome), len(outcome.api.logins())) == (["copied"], 0)


@pytest.mark.parametrize("retry_after", [str(16 * 60), "Sat, 31 Jan 2026 13:00:00 GMT"])
def test_a_wait_of_more_than_15_windows_ends_the_run(retry_after: str) -> None:
    refusal = answer(429, Retry_After=retry_after, Date="Sat, 31 Jan 2026 12:00:00 GMT")
    outcome = against(ScriptedApi([page(1), refusal]), feed(), feed(), feed(), **LIMITED)
    assert [type(result) for result in outcome.results[1:]] == [QuotaSpent] * 2
    assert len(outcome.api.calls()) == 2


def test_twenty_scattered_refusals_do_not_starve_a_run() -> None:
    api = ScriptedApi(script_of(500, 20))

    async def use(client: ApiClient) -> list[Answer]:
        return await asyncio.gather(*(client.fetch(feed(number=n)) for n in range(500)))

    outcome = against(api, use=use, etl_rate=None, etl_rate_limit="off")
    assert len(outcome.result) == 500
    assert outcome.client.traffic.refused == 20


def script_of(pages: int, refusals: int) -> list[bytes]:
    """Return pages with refusals between them."""
    every = pages // refusals
    steps = [answer(429, Retry_After="1") if n % (every + 1) == 1 else page(1) for n in range(pages + refusals)]
    return [*steps, page(1)]


# --- the token address ---


def logins(outcome: Seen) -> list[str]:
    """Return how each token was asked for: by `form` or `header`, or the refresh token."""
    forms = [(parse_qs(login.body.decode()), "authorization" in login.headers) for login in outcome.api.logins()]
    return [form.get("refresh_token", ["header" if header else "form"])[0] for form, header in forms]


@pytest.mark.parametrize(
    ("answers", "ends", "sent"),
    [
        ([answer(401, {"error": "invalid_client"}), token()], None, ["form", "header"]),
        ([answer(400, {"error": "invalid_client"})], CredentialsRefused, ["form", "header"]),
        ([answer(400, {"error": "invalid_grant"})], CredentialsRefused, ["form"]),
        ([answer(400, {"error": "unauthorized_client"})], CredentialsRefused, ["form"]),
        ([answer(400, {"error": "other"})], ApiUnavailable, ["form"]),
        ([answer(401, b"<html>")], ApiUnavailable, ["form"]),
        ([answer(403, b"<html>blocked")], ApiUnavailable, ["form"] * 5),
        ([answer(502, b"<html>")], ApiUnavailable, ["form"] * 5),
        ([answer(400, {"error": "temporarily_unavailable"}), token()], None, ["form"] * 2),
    ],
)
@pytest.mark.fact("token-basic-header", "token-answers")
def test_the_answers_of_the_token_address(answers: list[bytes], ends: type[EtlError] | None, sent: list[str]) -> None:
    outcome = against(ScriptedApi([page(1)], answers), feed(), **LIMITED)
    assert isinstance(outcome.result, ends or Answer)
    assert logins(outcome) == sent
    if ends is CredentialsRefused or sent == ["form"]:
        again = against(ScriptedApi([page(1)], answers), feed(), feed(), **LIMITED)
        assert logins(again) == sent, "not sent again in the same run"


@pytest.mark.fact("token-second-address")
def test_the_second_address_is_named_and_never_tried() -> None:
    outcome = against(ScriptedApi([page(1)], [answer(401, {"error": "invalid_client"})]), feed(), **LIMITED)
    assert "https://app.qqcatalyst.com/oauth/token" in str(outcome.result)
    assert {request.path for request in outcome.api.asked} == {"/oauth/token"}


def test_what_the_vendor_says_is_shown_without_secrets() -> None:
    refusal = answer(400, {"error": "invalid_grant", "error_description": "demo-password is not valid. Locked."})
    outcome = against(ScriptedApi([page(1)], [refusal]), feed(), **LIMITED)
    assert "is not valid. Locked" in str(outcome.result)
    assert "demo-password" not in str(outcome.result)


@pytest.mark.fact("client-credentials")
def test_an_answer_to_a_token_without_a_user_is_explained() -> None:
    refusal = answer(400, {"Message": "User cannot be identified"})
    outcome = against(ScriptedApi([refusal]), feed(), **LIMITED)
    assert isinstance(outcome.result, EndpointRefused)
    assert "request one with user name and password" in str(outcome.result)
    assert [parse_qs(login.body.decode())["grant_type"] for login in outcome.api.logins()] == [["password"]]


@pytest.mark.fact("limit-token-calls")
def test_a_request_for_a_token_takes_no_permit_of_the_call_limit() -> None:
    outcome = against(ScriptedApi([page(1)]), feed(), etl_rate=None, etl_rate_limit="1/60s")
    assert (len(outcome.api.logins()), len(outcome.api.calls()), sum(outcome.slept)) == (1, 1, 0)
