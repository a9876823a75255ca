"""What a 401 means, in whole runs: the call limit without a word, a dead token, a closed endpoint, a refusal."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from mail_sink import Sink
from notification_helpers import run
from pydantic import SecretStr
from sites import Site, copied_token, open_site, serve_agency, set_faults
from snapshots import pairs, value, values

from etl.api import connection
from etl.api.client import ApiClient
from etl.api.retry_policy import RetryPolicy
from etl.errors import CredentialsRefused, QuotaSpent
from etl.events import Advanced, Event
from etl.models.states import BatchState, ResourceState
from etl.pipeline import Watcher, retry
from etl.simulator import Simulator
from etl.simulator.faults.faults import Faults

pytestmark = pytest.mark.timeout(180)

#: A window of a second in place of a minute, and more calls than a small agency needs in one.
ROOMY: dict[str, Any] = {"etl_rate": None, "etl_rate_limit": "500/1s"}
#: The windows without an accepted call after which a run ends.
WINDOWS = 15
DENIED = "Authorization has been denied for this request."


@pytest.fixture(scope="module", autouse=True)
def _without_pauses() -> Iterator[None]:
    """Retry a failed call at once, and let the windows of the call limit take their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "ApiClient", partial(ApiClient, policy=RetryPolicy(first_pause=0.0)))
        yield


@dataclass
class EmptyRefusals(Faults):
    """Answers 401 with an empty body, from the first call of a path on, for some seconds."""

    path: str
    seconds: float
    refused: list[float] = field(default_factory=list)
    begun_at: float = float("inf")

    def __post_init__(self) -> None:
        super().__init__(())

    def of_request(self, request: web.Request) -> web.Response | None:
        now = time.monotonic()
        if self.path in request.path:
            self.begun_at = min(self.begun_at, now)
        if not self.begun_at <= now < self.begun_at + self.seconds:
            return None
        self.refused.append(now)
        return web.Response(status=401)


def refuse(simulator: Simulator, path: str, seconds: float = float("inf")) -> EmptyRefusals:
    """Let all calls be refused without a word."""
    simulator.server.faults = refusals = EmptyRefusals(path, seconds)
    return refusals


def logins(simulator: Simulator) -> int:
    return sum(request.path.startswith("/oauth") for request in simulator.requests)


def pings(simulator: Simulator) -> int:
    return sum("Ping" in request.path for request in simulator.requests)


def states(site: Site) -> dict[str, str]:
    """Return the states of the newest batch's resources."""
    newest = "SELECT id FROM etl.batches ORDER BY started_at DESC LIMIT 1"
    return dict(pairs(site.engine, f"SELECT resource, status FROM etl.batch_resources WHERE batch_id = ({newest})"))


# --- a token that has opened something ---


@pytest.mark.fact("401-limit", "401-unclear")
def test_a_limit_that_refuses_without_a_word_for_less_than_15_windows_does_not_end_a_run(database_url: str) -> None:
    with serve_agency() as served, open_site(served, database_url, **ROOMY) as site:
        refusals = refuse(served, "AccountInfo", WINDOWS - 2.5)
        summary = site.sync_once()
        assert (summary.exit_status, set(states(site).values())) == (0, {ResourceState.DONE})
        assert logins(served) <= 2, "at most one renewal in all"
        after_the_first = sum(at > refusals.begun_at + 1.5 for at in refusals.refused)
        assert WINDOWS / 2 < after_the_first <= 2 * WINDOWS, "a window has one try, and one ping"


@pytest.mark.fact("401-unclear")
def test_after_15_windows_the_run_ends_resumable_and_the_next_one_completes_it(database_url: str) -> None:
    with serve_agency() as served, open_site(served, database_url, **ROOMY) as site:
        refuse(served, "AccountInfo")
        begun = time.monotonic()
        with pytest.raises(QuotaSpent) as ended:
            site.sync_once()
        assert WINDOWS <= time.monotonic() - begun < 2 * WINDOWS
        assert (ended.value.exit_status, logins(served)) == (1, 2)
        assert "call limit is used up until" in str(ended.value)
        assert values(site.engine, "SELECT status FROM etl.batches") == [BatchState.FAILED]
        set_faults(served)
        assert retry(site.engine, site.settings).exit_status == 0
        assert logins(served) == 2, "the token is still good"
        assert set(states(site).values()) == {ResourceState.DONE}


@pytest.mark.parametrize(
    ("denial", "others"), [("empty", ""), ("empty", ",others=10"), ("json", ",others=10"), ("invalid_token", "")]
)
@pytest.mark.fact("401-unclear", "401-expired")
def test_a_token_that_dies_at_a_limit_without_words_is_renewed_once(
    denial: str, others: str, database_url: str
) -> None:
    limit = f"account-limit:40/1,empty{others}"
    with (
        serve_agency(contacts=5, denial=denial, faults=(limit,)) as served,
        open_site(served, database_url, etl_rate=None, etl_rate_limit="58/1s") as site,
    ):
        summary = site.sync_once(watcher=Watcher(at_first("policies", served.expire_tokens)))
        refused = [request for request in served.requests if request.status == 401]
        assert (summary.exit_status, set(states(site).values())) == (0, {ResourceState.DONE})
        assert logins(served) == 2
        assert refused, "the limit and the dead token were met"


def at_first(resource: str, act: Callable[[], object]) -> Callable[[Event], None]:
    """Return a listener that acts once, when a page of a resource has arrived."""
    acted: list[object] = []

    def hear(event: Event) -> None:
        if isinstance(event, Advanced) and event.resource == resource and not acted:
            acted.append(act())

    return hear


# --- one closed endpoint ---


@pytest.mark.parametrize(
    ("path", "resource", "state", "exit_status"),
    [
        ("Claims", "claims", ResourceState.NOT_OFFERED, 0),
        ("Billing", "billing_records", ResourceState.FAILED, 6),
    ],
)
@pytest.mark.fact("401-closed")
def test_a_closed_endpoint_is_reported_and_holds_nobody_else_up(
    path: str, resource: str, state: str, exit_status: int, notified_site: Site, mails: Sink
) -> None:
    site = notified_site.with_settings(etl_rate=None, etl_rate_limit="1000/2s")
    set_faults(site.simulator, f"unauthorized:{path}")
    assert run(site, resources=()) == exit_status
    reached = states(site)
    assert (reached.pop(resource), set(reached.values())) == (state, {ResourceState.DONE})
    assert value(site.engine, "SELECT state ->> 'refused_at' FROM etl.call_limits") == "0.0", "nobody was held"
    assert logins(site.simulator) == 1
    if exit_status:
        assert mails.subjects == [f"qqetl default: {resource} failed"]
    else:
        assert mails.subjects == []
    reason = value(site.engine, f"SELECT error FROM etl.batch_resources WHERE resource = '{resource}'")
    assert "401" in reason


# --- a token that has opened nothing ---


@pytest.mark.fact("401-refused")
def test_a_fresh_token_that_opens_nothing_is_refused_after_two_holds(notified_site: Site, mails: Sink) -> None:
    site = notified_site.with_settings(**ROOMY)
    set_faults(site.simulator, "unauthorized-always")
    begun = time.monotonic()
    assert run(site) == 5
    assert 2 <= time.monotonic() - begun < 8, "two windows"
    assert (logins(site.simulator), pings(site.simulator)) == (1, 3)
    assert len(site.simulator.requests) == 4, "nothing else was asked"
    assert run(site) == 5
    assert mails.subjects == ["qqetl default: QQCatalyst rejected the credentials"], "one mail"
    assert f'QQCatalyst says: "{DENIED}"' in " ".join(mails.text().split())
    assert values(site.engine, "SELECT status FROM etl.batches") == [], "no run began"


def with_fixed_credential(site: Site, auth: str) -> Site:
    """Return the site with a credential that cannot be renewed, in a database of which nobody has read anything."""
    changes: dict[str, Any] = {**ROOMY, "qqcatalyst_username": None, "qqcatalyst_password": None}
    if auth == "copied":
        return site.with_settings(**changes, qqcatalyst_access_token=SecretStr(copied_token(site.simulator)))
    return site.with_settings(**changes, qqcatalyst_auth="enterprise")


FIXED = [("copied", "The copied token has expired"), ("enterprise", "The enterprise key is refused")]


@pytest.mark.parametrize(("auth", "says"), FIXED)
@pytest.mark.fact("401-not-renewable")
def test_a_credential_that_cannot_be_renewed_is_refused_after_one_hold(
    auth: str, says: str, notified_site: Site, mails: Sink
) -> None:
    site = with_fixed_credential(notified_site, auth)
    set_faults(site.simulator, "unauthorized-always")
    site.simulator.requests.clear()
    assert run(site) == 5
    assert (logins(site.simulator), pings(site.simulator), len(site.simulator.requests)) == (0, 2, 2)
    words = " ".join(mails.text().split())
    assert says in words
    assert DENIED in words


@pytest.mark.parametrize(("auth", "says"), FIXED)
@pytest.mark.fact("401-not-renewable")
def test_a_credential_that_cannot_be_renewed_and_dies_in_a_run_leaves_it_resumable(
    auth: str, says: str, site: Site
) -> None:
    fixed = with_fixed_credential(site, auth)
    site.simulator.requests.clear()
    refuse(site.simulator, "AccountInfo")
    with pytest.raises(CredentialsRefused, match=says):
        fixed.sync_once()
    assert logins(site.simulator) == 0
    assert values(site.engine, "SELECT status FROM etl.batches") == [BatchState.FAILED]
    set_faults(site.simulator)
    assert retry(site.engine, with_fixed_credential(site, auth).settings).exit_status == 0
    assert set(states(site).values()) == {ResourceState.DONE}
