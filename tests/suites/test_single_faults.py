"""Each fault of the simulator over real sockets: the result of a run under it, and the next run is complete."""

import re
from collections.abc import Iterator

import pytest
from databases import MIGRATED, clone_database
from no_pauses import without_pauses
from oracle_compare import compare
from sites import Site, make_children_due, open_site, serve_agency, set_faults
from snapshots import values
from sqlalchemy import text

from etl.api import client
from etl.api.transport import Limits
from etl.database.embedded.server import EmbeddedPostgres
from etl.errors import CredentialsRefused, EtlError
from etl.simulator import FAULTS, Simulator

#: A feed, a list, nested records, resources read per parent, and resources that an account may not offer.
READ = ("contacts", "policies", "carrier_list", "vehicles", "coverages", "claims", "commission_rules")

WHOLE, SOME_FAILED, REFUSED = "whole", "some failed", "credentials refused"
#: The result of a run under each fault; some faults have several variants.
RESULTS: dict[str, str] = {
    "token-expiry:5": WHOLE, "token-errors:2": WHOLE, "token-blocked:2": WHOLE,
    "token-refused": REFUSED, "token-refused:invalid_client": REFUSED,
    "token-answer:no-expiry": WHOLE, "token-answer:text-expiry": WHOLE, "token-answer:zero-expiry": WHOLE,
    "token-answer:negative-expiry": WHOLE, "unauthorized-always": REFUSED, "unauthorized:Claims": WHOLE,
    "forbidden:Claims": WHOLE, "forbidden:Contacts/LastMod": SOME_FAILED, "not-found:Claims": WHOLE,
    "not-found:Policies/LastMod": SOME_FAILED, "wrong-verb:Claims": WHOLE, "not-offered:Claims": WHOLE,
    "not-offered:Commissions/AgencyRules": WHOLE, "rate-limit:1": WHOLE, "rate-limit:date@2": WHOLE,
    "no-answer:AccountInfo,null": WHOLE,
    "server-errors:3": WHOLE, "server-errors:always@4": SOME_FAILED, "html-login:2": WHOLE, "redirect-login": WHOLE,
    "odd-success:202": WHOLE, "odd-success:204@3": WHOLE, "odd-success:206": WHOLE, "gzip-bomb:1": WHOLE,
    "page-drift:1": WHOLE, "page-drift:-1": WHOLE, "repeated-page": SOME_FAILED, "empty-middle-page:1": WHOLE,
    "wrong-total:7": SOME_FAILED, "wrong-total:null": WHOLE, "wrong-total:text": WHOLE, "wrong-total:negative": WHOLE,
    "duplicate-records:2": WHOLE, "null-modified": WHOLE, "strange-modified:0001-01-01T00:00:00": WHOLE,
    "strange-modified:9999-12-31T00:00:00": WHOLE, "is-success-false:2": WHOLE, "id-form:text": WHOLE,
    "id-form:padded": WHOLE, "id-form:float": WHOLE, "id-form:list": SOME_FAILED, "no-id:1": WHOLE,
    "time-form:z": WHOLE,
    "time-form:seven": WHOLE, "set-field:Novelty={}": WHOLE, "lost-field:Description": WHOLE,
    "foreign-links": WHOLE, "large-record:11@3": WHOLE, "bad-json:2": WHOLE, "slow:0.01": WHOLE,
    "drip:2000000": WHOLE, "stall:8@9": WHOLE, "cut-body:2": WHOLE, "reset:0": WHOLE, "reset:30": WHOLE,
    "wrong-encoding:1": WHOLE, "wrong-charset:utf-16@4": WHOLE, "clock-skew:3600": WHOLE,
    "rename-field:Fax=FaxNo": WHOLE, "second-tenant": SOME_FAILED,
    "id-casing:every": WHOLE, "id-casing:swap": WHOLE, "id-casing:lower": WHOLE, "long-window:366,500": WHOLE,
}  # fmt: skip


ERRORS = """
    SELECT error FROM etl.batch_resources WHERE error IS NOT NULL
    AND batch_id IN (SELECT id FROM etl.batches WHERE tenant = :tenant)
"""
#: Faults tested where waits are measured; here no call waits.
ELSEWHERE = {"call-limit", "call-quota", "account-limit", "silent-window"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with serve_agency(seed=3, contacts=3) as served:
        del served.world.agency_rules[9:]
        yield served


@pytest.fixture(scope="module")
def shared(server: EmbeddedPostgres) -> Iterator[str]:
    """Give the database that all tests of this module share, each with its own tenant."""
    with clone_database(server.url, MIGRATED) as url:
        yield url


@pytest.fixture
def site(simulator: Simulator, shared: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(client, "Limits", lambda: Limits(total=6.0, connect=4.0, read=4.0))
    tenant = re.sub(r"\W", "-", fault)
    with open_site(simulator, shared, etl_page_size=4, etl_tenant=tenant) as opened_site, without_pauses():
        yield opened_site
        set_faults(simulator)


def run_and_classify(site: Site) -> str:
    """Run a sync and return its result."""
    try:
        summary = site.sync_once(resources=READ)
    except CredentialsRefused:
        return REFUSED
    except EtlError as error:
        return str(error)
    return WHOLE if summary.exit_status == 0 else SOME_FAILED


def test_every_fault_is_covered() -> None:
    assert {fault.partition(":")[0].partition("@")[0] for fault in RESULTS} | ELSEWHERE == set(FAULTS)


@pytest.mark.parametrize("fault", RESULTS)
def test_a_run_under_a_fault_has_its_result_and_the_next_run_is_complete(
    site: Site, simulator: Simulator, fault: str
) -> None:
    set_faults(simulator, fault)
    assert run_and_classify(site) == RESULTS[fault], values(site.engine, ERRORS, tenant=site.settings.etl_tenant)
    set_faults(simulator)
    make_children_due(site)
    with site.engine.begin() as connection:  # rejected credentials are not retried for a while
        connection.execute(text("UPDATE etl.tokens SET refused_until = NULL"))
    summary = site.sync_once(resources=READ, full=True)
    assert summary.exit_status == 0, summary.batch.error
    assert compare(site.engine, site.settings.etl_tenant, simulator.world, READ, swept=True) == []
