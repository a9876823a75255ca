"""Resources that an account does not offer, and refusals of resources that every account has."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from aiohttp import web
from sites import Site, open_site, serve_agency, set_faults
from snapshots import differences, digest, value, values
from sqlalchemy import text
from test_second_sync import calls

from etl.errors import UsageError
from etl.extract.offers import counts_as_documented
from etl.models.states import BatchState, ResourceState
from etl.pipeline import retry
from etl.resources import find_resource
from etl.simulator import ENTERPRISE_CALLS, REFUSALS, Simulator

#: Undocumented resources, which a small account answers with its help page.
UNDOCUMENTED = {"departments", "applications", "coverages", "equipment", "claims", "commissions"}
#: Undocumented resources of offices. Two offices that answer 404 may be two that are gone.
OF_OFFICES = {"cancellation_reasons", "carrier_fees"}


@pytest.fixture(scope="module")
def plain() -> Iterator[Simulator]:
    """Give an agency whose account offers only documented resources."""
    with serve_agency(documented_only=True, offered=ENTERPRISE_CALLS) as served:
        yield served


@pytest.mark.fact("office-lookups", "absent-call")
def test_a_resource_that_is_not_offered_is_remembered_and_fails_nothing(plain: Simulator, database_url: str) -> None:
    key = next(policy["PolicyId"] for policy in plain.world.policies.values() if policy["Status"] == "A")
    plain.world.policies.change(key, None, Status="P")
    with open_site(plain, database_url) as site:
        first = site.sync_once()
        states = {part.resource: part.status for part in first.parts}
        assert {
            name for name, state in states.items() if state is ResourceState.NOT_OFFERED
        } == UNDOCUMENTED | OF_OFFICES
        assert {state for name, state in states.items() if name not in UNDOCUMENTED | OF_OFFICES} == {
            ResourceState.DONE
        }
        assert (first.exit_status, first.batch.status) == (0, BatchState.COMPLETED)
        site.take_calls()
        assert site.sync_once().exit_status == 0
        assert [
            path for path, _ in calls(site) if path.split("/")[0] in {"Departments", "Claims", "Applications"}
        ] == []
        pending = {
            f"policy:{policy['PolicyId']}"
            for policy in plain.world.policies.values()
            if policy["Status"] == "P" and not policy["IsDeleted"]
        }
        standing_in = values(site.engine, "SELECT source_id FROM applications WHERE NOT is_placeholder")
        assert set(standing_in) == pending != set()
        site.sync_once(resources=("claims",))
        assert [path for path, _ in calls(site) if path.startswith("Claims")] != []
        with site.engine.begin() as connection:
            connection.execute(text("UPDATE etl.offers SET asked_at = now() - interval '8 days'"))
        site.sync_once()
        assert [path for path, _ in calls(site) if path.startswith("Departments")] != []


@pytest.mark.parametrize("answer", [name for name in REFUSALS if name != "help-page"])
@pytest.mark.fact("absent-call", "absent-404")
def test_an_undocumented_call_is_not_offered_if_it_answers_anything_but_records(answer: str, database_url: str) -> None:
    """An ordinary account: no call that only this project assumes, and no enterprise access."""
    with (
        serve_agency(documented_only=True, offered=(), undocumented_answer=answer) as served,
        open_site(served, database_url, etl_resources="") as site,
    ):
        summary = site.sync_once()
        states = {part.resource: part.status for part in summary.parts}
        assert {name for name, state in states.items() if state is ResourceState.FAILED} == set()
        assert {name for name, state in states.items() if state is ResourceState.NOT_OFFERED} == {
            *UNDOCUMENTED, "drivers", "vehicles", "endorsements", *(OF_OFFICES if answer != "not-found" else ())
        }  # fmt: skip
        assert (summary.exit_status, summary.batch.status) == (0, BatchState.COMPLETED)
        made = [path for path, _ in calls(site)]
        assert 1 <= made.count("Claims/LastModifiedCreated") <= 3, "a shorter date range is not tried"
        asked = Counter(path.rpartition("/")[2] for path in set(made))
        for kind in ("Coverages", "Equipment"):  # a 404 may be a policy that is gone; a failure may pass
            assert 1 <= asked[kind] <= (10 if answer == "not-found" else 3) < asked["PolicyInfo"], kind
        assert site.sync_once().exit_status == 0
        feeds = {"Departments", *(f"{name}/LastModifiedCreated" for name in ("Claims", "Applications", "Commissions"))}
        paths = {path for path, _ in calls(site)}
        assert paths.isdisjoint(feeds)
        assert not any(path.startswith("enterprise/") for path in paths)


@pytest.mark.fact("absent-bad-day")
def test_a_resource_that_returned_records_before_counts_as_documented_for_a_week(
    database_url: str,
) -> None:
    with serve_agency() as served, open_site(served, database_url) as site:
        assert site.sync_once().exit_status == 0
        set_faults(served, "not-offered:Claims")
        summary = site.sync_once()
        assert {part.resource for part in summary.parts if part.status is ResourceState.FAILED} == {"claims"}
        assert summary.exit_status == 6
        with site.engine.begin() as connection:
            connection.execute(text("UPDATE etl.offers SET refused_since = now() - interval '8 days'"))
        assert retry(site.engine, site.settings).exit_status == 0
        assert value(site.engine, "SELECT count(*) FROM claims WHERE deleted_at IS NULL") > 0
        assert site.sync_once().exit_status == 0


@pytest.mark.fact("commission-rule-id")
def test_items_of_commission_rules_without_a_known_id_fail_nothing(database_url: str) -> None:
    with serve_agency() as served, open_site(served, database_url) as site:
        set_faults(served, "rename-field:CommissionRuleID=Key")
        summary = site.sync_once(resources=("commission_rules",))
        assert {part.resource: part.status for part in summary.parts} == {"commission_rules": ResourceState.NOT_OFFERED}
        assert summary.exit_status == 0


def test_what_one_call_of_a_list_returned_in_this_run_does_not_prove_the_other_call(database_url: str) -> None:
    with serve_agency() as served, open_site(served, database_url) as site:
        batch = site.sync_once(resources=("commission_rules",)).batch
        with site.engine.connect() as connection:
            is_proven = partial(
                counts_as_documented, connection, site.settings.etl_tenant, find_resource("commission_rules")
            )
            assert (is_proven(), is_proven(except_batch=batch.id)) == (True, False)
    with serve_agency() as served, open_site(served, database_url, etl_tenant="another") as site:
        set_faults(served, "not-offered:Commissions/AgencyRules")
        summary = site.sync_once(resources=("commission_rules",))
        assert ({part.status for part in summary.parts}, summary.exit_status) == ({ResourceState.NOT_OFFERED}, 0)


@pytest.mark.fact("several-agencies")
def test_a_second_agency_under_one_tenant_ends_the_enterprise_feeds(database_url: str) -> None:
    with serve_agency() as served, open_site(served, database_url) as site:
        feeds = ("drivers", "vehicles")
        assert site.sync_once(resources=("policies", *feeds)).exit_status == 0
        stored = value(site.engine, "SELECT count(*) FROM drivers WHERE NOT is_placeholder")
        for fault in ("second-tenant", "set-field:QQTenantID=999"):
            set_faults(served, fault)
            summary = site.sync_once(resources=feeds, full=True)
            errors = {part.resource: part.error for part in summary.parts if part.status is ResourceState.FAILED}
            assert set(errors) == set(feeds)
            assert all("several agencies" in str(error) for error in errors.values())
            assert value(site.engine, "SELECT count(*) FROM drivers WHERE NOT is_placeholder") == stored > 0
        set_faults(served)
        assert site.sync_once(resources=feeds, full=True).exit_status == 0


def test_a_second_agency_is_refused_in_a_first_sync(database_url: str) -> None:
    with serve_agency() as served, open_site(served, database_url) as site:
        set_faults(served, "second-tenant")
        assert site.sync_once(resources=("drivers",)).exit_status == 6


@pytest.mark.fact("documented-refused")
def test_a_refused_resource_stops_no_other_and_is_resumed_by_retry(
    site: Site, synced: Site, simulator: Simulator
) -> None:
    set_faults(simulator, "forbidden:Billing")
    summary = site.sync_once()
    states = {part.resource: part.status for part in summary.parts}
    assert states.pop("billing_records") is ResourceState.FAILED
    assert set(states.values()) == {ResourceState.DONE}
    assert (summary.exit_status, summary.batch.status) == (6, BatchState.FAILED)
    assert "billing_records" in str(summary.batch.error)
    assert value(site.engine, "SELECT count(*) FROM etl.watermarks WHERE resource = 'billing_records'") == 0
    set_faults(simulator)
    site.take_calls()
    assert retry(site.engine, site.settings).exit_status == 0
    assert {path for path, _ in calls(site)} == {"Billing/LastModifiedCreated"}
    assert differences(digest(site.engine), digest(synced.engine)) == []
    with pytest.raises(UsageError, match="is completed"):
        retry(site.engine, site.settings)


def test_failed_calls_for_some_parents_are_repeated_by_retry(
    site: Site, synced: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator_answers = simulator.server.faults.of_request
    path = value(synced.engine, "SELECT path FROM etl.requests WHERE resource = 'quotes' ORDER BY id LIMIT 1")

    def broken(request: web.Request) -> web.Response | None:
        return web.Response(status=500) if request.path.endswith(path) else simulator_answers(request)

    monkeypatch.setattr(simulator.server.faults, "of_request", broken)
    summary = site.sync_once()
    failed = [part.resource for part in summary.parts if part.status is ResourceState.FAILED]
    assert sorted(failed) == ["fees", "quotes"]
    assert retry(site.engine, site.settings).exit_status == 6
    monkeypatch.undo()
    assert retry(site.engine, site.settings).exit_status == 0
    assert differences(digest(site.engine), digest(synced.engine)) == []


def test_a_resource_with_only_error_answers_stops_no_other(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One failing endpoint does not mean that the server is down."""
    simulator_answers = simulator.server.faults.of_request

    def broken(request: web.Request) -> web.Response | None:
        return web.Response(status=500) if request.path.endswith("/PolicyInfo") else simulator_answers(request)

    monkeypatch.setattr(simulator.server.faults, "of_request", broken)
    summary = site.sync_once()
    failed = [part.resource for part in summary.parts if part.status is ResourceState.FAILED]
    assert sorted(failed) == ["policy_details", "renewals"]
