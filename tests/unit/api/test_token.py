"""Tokens: what is sent for them, what their answers grant, and when they are renewed."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from etl.api.auth.credentials import TokenProvider, fixed_credential
from etl.api.auth.token_protocol import (
    SECOND_ADDRESS,
    TokenRequest,
    TokenResponse,
    basic_header,
    by_password,
    by_refresh,
    parse_token_response,
    token_life,
)
from etl.api.auth.token_store import MemoryTokenStore
from etl.config.settings import Settings
from etl.errors import (
    ApiUnavailable,
    ClientRefused,
    CredentialsRefused,
    EtlError,
    PasswordRefused,
    RefreshRefused,
    UnclearAnswer,
    UnexpectedResponse,
)

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SETTINGS = Settings(
    _env_file=None,
    qqcatalyst_client_id="id-1",
    qqcatalyst_client_secret="sécret",
    qqcatalyst_username="dana@example.com",
    qqcatalyst_password="pass word&=",
)


@pytest.mark.fact("token-form")
def test_the_password_grant_carries_everything_in_the_form() -> None:
    question = by_password(SETTINGS)
    assert question.form == {
        "grant_type": "password",
        "client_id": "id-1",
        "client_secret": "sécret",
        "username": "dana@example.com",
        "password": "pass word&=",
    }
    assert not question.headers


def test_the_password_grant_carries_the_application_in_the_header_where_the_form_was_refused() -> None:
    request = by_password(SETTINGS, basic=True)
    assert request.form == {"grant_type": "password", "username": "dana@example.com", "password": "pass word&="}
    assert request.headers == {"Authorization": basic_header(SETTINGS, "utf-8")}


@pytest.mark.fact("token-refresh")
def test_the_refresh_grant_carries_the_application_in_the_header() -> None:
    question = by_refresh(SETTINGS, "r1")
    assert question.form == {"grant_type": "refresh_token", "refresh_token": "r1"}
    assert base64.b64decode(question.headers["Authorization"].removeprefix("Basic ")).decode() == "id-1:sécret"


@pytest.mark.fact("enterprise-key")
def test_the_enterprise_key_is_written_in_latin_letters() -> None:
    fixed = fixed_credential(SETTINGS.model_copy(update={"qqcatalyst_auth": "enterprise"}))
    assert fixed is not None
    credential = asyncio.run(fixed.credential())
    assert credential.header == basic_header(SETTINGS)
    assert base64.b64decode(credential.header.removeprefix("Basic ")) == "id-1:sécret".encode("iso-8859-1")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (3600, 3600),
        ("1200", 1200),
        (" 60 ", 60),
        (2, 2),
        (0.5, 0.5),
        (10**9, 86_400),
        (None, 3600),
        (0, 3600),
        (-5, 3600),
        ("0", 3600),
        ("soon", 3600),
        ("-5", 3600),
        (True, 3600),
        ([1], 3600),
        ("9" * 400, 86_400),
        (float("inf"), 3600),
        (10**400, 86_400),
    ],
)
@pytest.mark.fact("token-life")
def test_the_life_of_a_token(value: object, seconds: float) -> None:
    assert token_life(value) == seconds


def answered(status: int, answer: Any, *, refreshing: bool = False) -> TokenResponse:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    headers = {"Content-Type": "application/json", "Retry-After": "9"}
    return parse_token_response(status, headers, body, NOW, is_refresh=refreshing)


@pytest.mark.parametrize("kind", ["bearer", "Bearer", "BEARER", "", None])
def test_a_grant_is_read(kind: str | None) -> None:
    grant = answered(200, {"access_token": "opaque", "token_type": kind, "expires_in": "120", "refresh_token": "r2"})
    assert grant == TokenResponse("opaque", 120, "r2")
    assert "opaque" not in repr(grant)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, {}),
        (502, b"<html>"),
        (503, {}),
        (504, b""),
        (403, b"<html>Request blocked"),
        (403, {"error": "invalid_client"}),
        (400, {"error": "temporarily_unavailable"}),
        (400, {"error": "server_error"}),
        (400, {"error": "slow_down"}),
        (401, {"error": "temporarily_unavailable"}),
        (409, {"error": "server_error"}),
        (429, {}),
        (401, b"Maximum admitted 60 requests per Minute."),
        (401, {"Message": "Maximum admitted 60 requests per Minute."}),
        (400, {"error": "other", "error_description": "Maximum admitted 60 requests per Minute."}),
        (408, {}),
        (302, b""),
        (200, b"<html>log in"),
        (200, b""),
        (200, {}),
        (200, []),
        (200, {"access_token": None}),
        (200, {"access_token": ""}),
        (200, {"access_token": 7}),
        (200, {"access_token": "a b"}),
        (200, {"access_token": "a\r\nX-Evil: 1"}),
        (200, {"access_token": "é"}),
        (200, {"access_token": "x" * 20_000}),
        (200, b"[" * 100_000),
        (200, b"\xff\xfe"),
        (204, b""),
    ],
)
def test_an_answer_that_may_pass_is_unavailable(status: int, answer: Any) -> None:
    with pytest.raises(ApiUnavailable):
        answered(status, answer)


def test_a_busy_token_address_is_given_the_time_it_asks_for() -> None:
    with pytest.raises(ApiUnavailable) as error:
        answered(429, {})
    assert error.value.retry_after == 9


@pytest.mark.parametrize(
    ("status", "answer", "setting", "kind"),
    [
        (400, {"error": "invalid_grant", "error_description": "The user is locked"}, "USERNAME", PasswordRefused),
        (401, {"error": "invalid_client"}, "CLIENT_ID", ClientRefused),
        (400, {"error": "unauthorized_client"}, "CLIENT_SECRET", CredentialsRefused),
        (400, {"error": "unsupported_grant_type"}, "AUTH", CredentialsRefused),
        (400, {"error": "invalid_scope"}, "TOKEN_URL", CredentialsRefused),
        (400, {"error": "invalid_request"}, "TOKEN_URL", CredentialsRefused),
        (400, {"error": {"code": 5}}, "PASSWORD", UnclearAnswer),
        (400, {"error": "other"}, "PASSWORD", UnclearAnswer),
        (401, b"<html>", "PASSWORD", UnclearAnswer),
        (400, b"", "CLIENT_ID", UnclearAnswer),
        (404, b"<html>", "TOKEN_URL", UnclearAnswer),
        (405, b"", "TOKEN_URL", UnclearAnswer),
    ],
)
def test_a_final_answer_names_the_settings(status: int, answer: Any, setting: str, kind: type[EtlError]) -> None:
    with pytest.raises(EtlError, match=f"QQCATALYST_{setting}") as error:
        answered(status, answer)
    assert type(error.value) is kind
    assert error.value.exit_status == (1 if kind is UnclearAnswer else 5)


@pytest.mark.parametrize("body", [{"error": "invalid_grant", "error_description": "The user is locked"}, {}])
def test_the_vendors_own_sentence_and_the_second_address_are_shown(body: Any) -> None:
    headers = {"QQ-Error-Message": "The user is\r\nlocked"} if not body else {}
    with pytest.raises(EtlError, match='QQCatalyst says: "The user is locked"') as error:
        parse_token_response(401, headers, json.dumps(body).encode(), NOW)
    assert (SECOND_ADDRESS in str(error.value)) is (not body)


def test_a_refused_refresh_token_is_distinguished() -> None:
    with pytest.raises(RefreshRefused):
        answered(400, {"error": "invalid_grant"}, refreshing=True)


def test_a_token_of_another_type_is_no_use() -> None:
    with pytest.raises(UnexpectedResponse):
        answered(200, {"access_token": "abc", "token_type": "mac"})


# --- renewal ---


class Office:
    """Gives out tokens, and remembers how it was asked."""

    def __init__(self, *answers: TokenResponse | EtlError) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.basic: list[bool] = []
        self.now = 0.0

    async def ask(self, question: TokenRequest) -> TokenResponse:
        self.asked.append(question.form.get("refresh_token", "password"))
        self.basic.append(bool(question.headers))
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if self.answers else TokenResponse(f"t{len(self.asked)}", 3600, None)
        if isinstance(answer, EtlError):
            raise answer
        return answer

    def source(self) -> TokenProvider:
        return TokenProvider(SETTINGS, self.ask, lambda: self.now, MemoryTokenStore())


def test_a_token_serves_until_a_minute_before_its_end_and_is_refreshed_with_the_newest_refresh_token() -> None:
    office = Office(
        TokenResponse("a", 600, "r1"),
        TokenResponse("b", 600, "r2"),
        TokenResponse("c", 600, None),
        TokenResponse("d", 600, None),
    )
    tokens = office.source()
    headers = []
    for office.now in (0, 539.9, 540, 1079, 1080, 1620):
        headers.append(asyncio.run(tokens.credential()).header)
    assert headers == ["Bearer a", "Bearer a", "Bearer b", "Bearer b", "Bearer c", "Bearer d"]
    assert office.asked == ["password", "r1", "r2", "r2"]


def test_a_short_lived_token_is_renewed_when_half_of_its_life_is_over() -> None:
    office = Office(TokenResponse("a", 2, None), TokenResponse("b", 2, None))
    tokens = office.source()
    headers = []
    for office.now in (0, 0.9, 1.0):
        headers.append(asyncio.run(tokens.credential()).header)
    assert headers == ["Bearer a", "Bearer a", "Bearer b"]


def test_a_refused_refresh_token_is_followed_by_the_password_once() -> None:
    office = Office(TokenResponse("a", 600, "r1"), RefreshRefused(), TokenResponse("b", 600, None))
    tokens = office.source()
    asyncio.run(tokens.credential())
    office.now = 600
    assert asyncio.run(tokens.credential()).header == "Bearer b"
    assert office.asked == ["password", "r1", "password"]


def test_refused_credentials_are_never_sent_again() -> None:
    office = Office(CredentialsRefused("no"))
    tokens = office.source()
    for _ in range(3):
        with pytest.raises(CredentialsRefused, match="no"):
            asyncio.run(tokens.credential())
    assert office.asked == ["password"]


def test_many_workers_share_one_token_and_one_renewal() -> None:
    office = Office()
    tokens = office.source()

    async def work() -> tuple[int, int]:
        first = await asyncio.gather(*(tokens.credential() for _ in range(20)))
        second = await asyncio.gather(*(tokens.renewed(key) for key in first))
        return len({key.header for key in first}), len({key.header for key in second})

    assert asyncio.run(work()) == (1, 1)
    assert office.asked == ["password", "password"]


def test_a_token_in_a_refused_ones_place_is_not_replaced_before_it_has_opened_anything() -> None:
    office = Office()
    tokens = office.source()
    first = asyncio.run(tokens.credential())
    second = asyncio.run(tokens.renewed(first))
    assert asyncio.run(tokens.renewed(second)) == second
    asyncio.run(tokens.opened(second))
    assert asyncio.run(tokens.renewed(second)).number == 3
    assert len(office.asked) == 3


def test_a_failed_renewal_leaves_the_way_open() -> None:
    office = Office(TokenResponse("a", 600, None), ApiUnavailable(), TokenResponse("b", 600, None))
    tokens = office.source()
    asyncio.run(tokens.credential())
    office.now = 600
    with pytest.raises(ApiUnavailable):
        asyncio.run(tokens.credential())
    assert asyncio.run(tokens.credential()).header == "Bearer b"


def test_a_client_that_is_refused_in_the_form_is_sent_in_the_header_and_so_from_then_on() -> None:
    office = Office(ClientRefused("form"), TokenResponse("a", 600, None), TokenResponse("b", 600, None))
    tokens = office.source()
    asyncio.run(tokens.credential())
    office.now = 600
    assert asyncio.run(tokens.credential()).header == "Bearer b"
    assert office.basic == [False, True, True]


def test_a_client_that_is_refused_in_both_ways_is_refused() -> None:
    office = Office(ClientRefused("form"), ClientRefused("header"))
    with pytest.raises(CredentialsRefused, match="header"):
        asyncio.run(office.source().credential())
    assert office.basic == [False, True]


def test_an_unclear_answer_is_not_asked_for_again_in_the_same_run() -> None:
    office = Office(UnclearAnswer("unclear"))
    tokens = office.source()
    for _ in range(3):
        with pytest.raises(ApiUnavailable, match="unclear"):
            asyncio.run(tokens.credential())
    assert office.asked == ["password"]
