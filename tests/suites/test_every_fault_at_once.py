"""All faults of the simulator at once: after they are over, production equals the source."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from no_pauses import without_pauses
from oracle_compare import compare
from sites import Site, make_children_due, open_site, serve_agency, set_faults
from snapshots import values
from sqlalchemy import text

from etl.api import client
from etl.api.transport import Limits
from etl.errors import EtlError, UsageError
from etl.pipeline import retry
from etl.simulator import FAULTS, Simulator
from etl.simulator.faults.faults import Faults

#: A feed, a list, nested records, resources read per parent, and resources that an account may not offer.
READ = ("contacts", "policies", "carrier_list", "vehicles", "coverages", "claims", "documents", "commission_rules")

#: Temporary faults, each on some calls, so that a call meets several in a row. A fault that answers hides those after
#: it: `drip`, which sends every answer itself, is the last.
PASSING = (
    "token-expiry:40", "token-errors:2", "token-blocked:1",
    "token-answer:text-expiry", "rate-limit:1@13", "account-limit:200/1,json", "call-limit:150",
    "server-errors:2@7", "html-login:1@11", "redirect-login@17", "odd-success:202@19", "gzip-bomb:1@23",
    "empty-middle-page:1@5", "duplicate-records:2@2", "large-record:11@29", "foreign-links",
    "is-success-false:1@9", "bad-json:1@10", "slow:0.001", "stall:8@41", "cut-body:1@8", "reset:0@12",
    "long-window:3660@9", "wrong-encoding:1@14", "wrong-charset:utf-16@16", "clock-skew:3600", "drip:2000000",
)  # fmt: skip
#: Faults of record contents, as if the vendor had changed the API.
OF_RECORDS = (
    "null-modified@4", "strange-modified:9999-12-31T00:00:00@6", "id-form:padded@3", "time-form:seven@5",
    "set-field:Novelty={}@2", "lost-field:Description@3", "rename-field:Email=Mail", "id-casing:every@3",
)  # fmt: skip
#: Faults that retries do not resolve. A copy that lost its id is one record more than the API reports.
LASTING = (
    "forbidden:Claims", "not-found:Policies/", "wrong-total:7@5", "repeated-page@8", "page-drift:1@3", "no-id:1@7",
    "not-offered:Commissions/Agency", "unauthorized:Documents", "wrong-verb:Carriers", "second-tenant@2",
    "no-answer:Coverages,null@6",
)  # fmt: skip
#: Faults that let no call through.
ENDING = ("token-refused", "unauthorized-always", "call-quota:30")
RUNS = 12
#: Faults that strike only when the machine is fast enough; they have tests of their own.
OF_SPEED = frozenset({"account-limit", "call-limit"})
#: Faults of every answer that show in nothing that a test can compare.
OF_EVERY_ANSWER = frozenset({"slow", "wrong-charset"})


def name_of(fault: str) -> str:
    return re.split(r"[:@]", fault)[0]


def test_every_fault_is_covered() -> None:
    every = names_of(*PASSING, *OF_RECORDS, *LASTING, *ENDING)
    assert every | {"silent-window"} == set(FAULTS), "a window is silent until a time-out"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with serve_agency(seed=3, contacts=3) as served:
        del served.world.agency_rules[9:]
        yield served


@pytest.fixture
def site(simulator: Simulator, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(client, "Limits", lambda: Limits(total=6.0, connect=4.0, read=4.0))
    with open_site(simulator, database_url, etl_page_size=4) as opened_site, without_pauses():
        yield opened_site
        set_faults(simulator)


@pytest.fixture
def struck(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Collect the names of the faults that changed an answer."""
    names: set[str] = set()
    planned = Faults._at

    def watched(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def note(result: Any, arguments: tuple[Any, ...], headers: object) -> Any:
            is_same = result is None or any(result is argument for argument in arguments)
            if not is_same or name in OF_EVERY_ANSWER or headers != headers_of(arguments):
                names.add(name)
            return result

        def act_watched(*arguments: Any) -> Any:
            headers = headers_of(arguments)
            result = act(*arguments)
            if not inspect.iscoroutine(result):
                return note(result, arguments, headers)

            async def finish() -> Any:
                return note(await result, arguments, headers)

            return finish()

        return act_watched

    def at(faults: Faults, point: str) -> list[tuple[Any, Callable[..., Any]]]:
        return [(fault, watched(fault.name, act)) for fault, act in planned(faults, point)]

    monkeypatch.setattr(Faults, "_at", at)
    return names


def headers_of(arguments: tuple[Any, ...]) -> dict[str, str]:
    """Return the headers of the response among arguments."""
    return next((dict(argument.headers) for argument in arguments if isinstance(argument, web.Response)), {})


def allow_rejected_credentials(site: Site) -> None:
    with site.engine.begin() as connection:
        connection.execute(text("UPDATE etl.tokens SET refused_until = NULL"))


def run(site: Site) -> int:
    """Retry the newest batch, or start a sync if there is nothing to resume; return the exit status."""
    try:
        try:
            return retry(site.engine, site.settings).exit_status
        except UsageError:  # nothing to resume
            return site.sync_once(resources=READ).exit_status
    except EtlError as error:
        return error.exit_status


def list_failures(site: Site) -> list[str]:
    """Return the failed resources of the newest batch, with their errors."""
    query = """
        SELECT concat(resource, ': ', error) FROM etl.batch_resources WHERE status = 'failed' AND batch_id =
        (SELECT id FROM etl.batches ORDER BY started_at DESC LIMIT 1)
    """
    return values(site.engine, query)


def names_of(*faults: str) -> set[str]:
    return {name_of(fault) for fault in faults}


@pytest.mark.timeout(600)
def test_after_all_faults_at_once_production_equals_the_source(
    site: Site, simulator: Simulator, struck: set[str]
) -> None:
    for ending in ENDING:  # runs without any successful call do not affect later runs
        set_faults(simulator, *PASSING, *LASTING, ending)
        assert run(site) != 0
        allow_rejected_credentials(site)
    assert names_of(*ENDING) <= struck
    set_faults(simulator, *PASSING, *OF_RECORDS, *LASTING)
    ends = [run(site)]
    while missing := names_of(*PASSING, *OF_RECORDS, *LASTING) - struck - OF_SPEED:
        ends.append(run(site))
        assert len(ends) < RUNS, missing
    assert all(ends)
    set_faults(simulator, *PASSING, *OF_RECORDS)
    for _ in range(RUNS):
        ends.append(run(site))
        if not ends[-1]:
            break
    assert ends[-1] == 0, (ends, list_failures(site))
    set_faults(simulator)
    make_children_due(site)
    summary = site.sync_once(resources=READ, full=True)
    assert summary.exit_status == 0, summary.batch.error
    assert compare(site.engine, site.settings.etl_tenant, simulator.world, READ, swept=True) == []
