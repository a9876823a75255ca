"""The token address in a whole run: both ways of client credentials, refusals, and answers without a token."""

import pytest
from aiohttp import web
from mail_sink import Sink
from notification_helpers import allow_refused_credentials, execute, run
from sites import Site, open_site, serve_agency, set_faults
from snapshots import value, values

from etl.errors import ApiUnavailable, CredentialsRefused
from etl.simulator import Simulator
from etl.simulator.faults.faults import Faults

SOME = ("locations",)
SECOND_HOST = "app.qqcatalyst.com"


def take_logins(site: Site) -> int:
    """Return the number of token requests since the last check."""
    return sum("oauth" in path for path in site.take_calls())


@pytest.mark.parametrize(("client_in", "first"), [("form", 1), ("both", 1), ("header", 2)])
def test_the_client_is_named_in_the_form_then_in_the_header_and_what_worked_is_remembered(
    client_in: str, first: int, database_url: str
) -> None:
    with serve_agency(client_in=client_in) as served, open_site(served, database_url) as site:
        assert site.sync_once(resources=SOME).exit_status == 0
        assert take_logins(site) == first
        for _ in range(2):  # the refresh token, then again the one that it returned
            served.expire_tokens()
            assert site.sync_once(resources=SOME).exit_status == 0
            assert take_logins(site) == 1, "the way that worked is the first one from now on"


def test_a_client_that_is_refused_in_both_ways_is_not_tried_a_third_time(site: Site, simulator: Simulator) -> None:
    set_faults(simulator, "token-refused:invalid_client")
    site.take_calls()
    with pytest.raises(CredentialsRefused) as caught:
        site.sync_once(resources=SOME)
    assert take_logins(site) == 2
    assert SECOND_HOST in str(caught.value), "the other host is named"
    set_faults(simulator)
    assert value(site.engine, "SELECT count(*) FROM raw.raw_locations") == 0


def test_a_refused_password_is_sent_once_and_never_again_by_itself(site: Site, simulator: Simulator) -> None:
    set_faults(simulator, "token-refused:invalid_grant")
    site.take_calls()
    for _ in range(2):
        with pytest.raises(CredentialsRefused):
            site.sync_once(resources=SOME)
    assert take_logins(site) == 1
    set_faults(simulator)


@pytest.mark.parametrize("answer", ["html", "no-token"])
def test_a_token_address_without_a_token_is_no_refusal(site: Site, simulator: Simulator, answer: str) -> None:
    set_faults(simulator, f"token-answer:{answer}")
    with pytest.raises(ApiUnavailable) as caught:
        site.sync_once(resources=SOME)
    assert caught.value.exit_status == 1
    set_faults(simulator)
    assert site.sync_once(resources=SOME).exit_status == 0, "the next run begins where this one stopped"


class TokenAnswers(Faults):
    """Answers each request for a token in the same way."""

    def __init__(self, status: int, body: object = None, **headers: str) -> None:
        super().__init__(())
        self._status, self._body, self._headers = status, body, headers

    def of_token(self, request: web.Request) -> web.Response:
        return web.json_response(self._body, status=self._status, headers=self._headers)


def test_a_redirect_of_the_token_address_is_not_followed_and_is_no_refusal(site: Site, simulator: Simulator) -> None:
    """The request holds the password, which goes nowhere else than to the address of the settings."""
    simulator.server.faults = TokenAnswers(307, Location=f"{simulator.base_url}/elsewhere/token")
    site.take_calls()
    with pytest.raises(ApiUnavailable, match=r"redirected \(307\); redirects are not followed") as caught:
        site.sync_once(resources=SOME)
    assert caught.value.exit_status == 1
    assert {path.partition("?")[0] for path in site.take_calls()} == {"/oauth/token"}
    set_faults(simulator)
    assert site.sync_once(resources=SOME).exit_status == 0


def test_a_refusal_is_mailed_in_the_vendors_own_words_without_secrets(notified_site: Site, mails: Sink) -> None:
    words = "The user name or password is incorrect: demo-password."
    notified_site.simulator.server.faults = TokenAnswers(400, {"error": "invalid_grant", "error_description": words})
    assert run(notified_site, resources=SOME) == 5
    assert mails.subjects == ["qqetl default: QQCatalyst rejected the credentials"]
    mailed = " ".join(mails.text().split())
    assert 'QQCatalyst says: "The user name or password is incorrect:' in mailed
    assert "Check QQCATALYST_USERNAME and QQCATALYST_PASSWORD" in mailed
    assert "demo-password" not in mailed + mails.html()
    assert values(notified_site.engine, "SELECT status FROM etl.batches") == [], "no run began"


def test_the_third_unclear_answer_in_a_row_rests_as_a_refusal_does(notified_site: Site, mails: Sink) -> None:
    site, odd = notified_site, TokenAnswers(400, {"error": "odd"})
    site.simulator.server.faults = odd
    site.take_calls()

    def end() -> tuple[int, int]:
        """Return the exit status of a run, and the number of its token requests."""
        return run(site, resources=SOME), take_logins(site)

    assert [end(), end()] == [(1, 1), (1, 1)], "sent once a run"
    set_faults(site.simulator)
    assert end() == (0, 1), "the row is broken"
    site.simulator.server.faults = odd
    execute(site, "UPDATE etl.tokens SET renew_at = now(), sealed = NULL")
    assert [end() for _ in range(4)] == [(1, 1), (1, 1), (5, 1), (5, 0)]
    assert mails.subjects[-1] == "qqetl default: QQCatalyst rejected the credentials"
    assert SECOND_HOST in mails.text()
    set_faults(site.simulator)
    allow_refused_credentials(site)
    assert end() == (0, 1)
