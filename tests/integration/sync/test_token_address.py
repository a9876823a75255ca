"""The token address in a whole run: both ways of client credentials, refusals, and answers without a token."""

import pytest
from sites import Site, open_site, serve_agency, set_faults
from snapshots import value

from etl.errors import ApiUnavailable, CredentialsRefused
from etl.simulator import Simulator

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
        for _ in range(2):  # the refresh token, then again the one that it brought
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
