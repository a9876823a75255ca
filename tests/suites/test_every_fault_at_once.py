"""All faults of the simulator at once: after they are over, production equals the source."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
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

#: A feed, a list, nested records, resources read per parent, and resources that an account may not offer.
READ = ("contacts", "policies", "carrier_list", "vehicles", "coverages", "claims", "documents", "commission_rules")

#: Temporary faults, each on some calls, so that a call meets several in a row.
PASSING = (
    "token-expiry:40", "token-errors:2", "token-blocked:1",
    "token-answer:text-expiry", "rate-limit:1@13", "call-limit:150",
    "account-limit:200/1,json",
    "server-errors:2@7", "html-login:1@11", "redirect-login@17", "odd-success:202@19", "gzip-bomb:1@23",
    "empty-middle-page:1@5", "duplicate-records:2@2", "large-record:11@29", "foreign-links",
    "is-success-false:1@9", "bad-json:1@10", "slow:0.001", "drip:2000000", "stall:8@41", "cut-body:1@8", "reset:0@12",
    "long-window:3660@9", "wrong-encoding:1@14", "wrong-charset:utf-16@16", "clock-skew:3600",
)  # fmt: skip
#: Faults of record contents, as if the vendor had changed the API.
OF_RECORDS = (
    "null-modified@4", "strange-modified:9999-12-31T00:00:00@6", "id-form:padded@3", "time-form:seven@5",
    "set-field:Novelty={}@2", "lost-field:Description@3", "rename-field:Fax=FaxNo", "id-casing:every@3",
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
#: Days since the made-up history ended: the lookback of billing then finds little to read again in each run.
AGE = 200


def name_of(fault: str) -> str:
    return re.split(r"[:@]", fault)[0]


def test_every_fault_is_covered() -> None:
    assert {name_of(fault) for fault in (*PASSING, *OF_RECORDS, *LASTING, *ENDING)} | {"silent-window"} == set(
        FAULTS
    )  # silent until a time-out


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with serve_agency(seed=3, contacts=3, founded=datetime.now(UTC) - timedelta(days=AGE)) as served:
        del served.world.agency_rules[9:]
        yield served


@pytest.fixture
def site(simulator: Simulator, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(client, "Limits", lambda: Limits(total=6.0, connect=4.0, read=4.0))
    with open_site(simulator, database_url, etl_page_size=4) as opened_site, without_pauses():
        yield opened_site
        set_faults(simulator)


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


def statuses(simulator: Simulator) -> Counter[int]:
    return Counter(request.status for request in simulator.requests)


@pytest.mark.timeout(600)
def test_after_all_faults_at_once_production_equals_the_source(site: Site, simulator: Simulator) -> None:
    for ending in ENDING:  # runs without any successful call do not affect later runs
        set_faults(simulator, *PASSING, *LASTING, ending)
        assert run(site) != 0
        allow_rejected_credentials(site)
    set_faults(simulator, *PASSING, *OF_RECORDS, *LASTING)
    ends = [run(site)]
    while not {302, 401, 403, 429, 503} <= statuses(simulator).keys():
        ends.append(run(site))
        assert len(ends) < RUNS, statuses(simulator)
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
