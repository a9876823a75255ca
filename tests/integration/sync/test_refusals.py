"""Resources that an account does not offer, and refusals of resources that every account has."""

from collections.abc import Iterator

import pytest
from aiohttp import web
from sites import Site, open_site, serve_agency, set_faults
from snapshots import differences, digest, value, values
from sqlalchemy import text
from test_second_sync import calls

from etl.errors import UsageError
from etl.models.states import BatchState, ResourceState
from etl.pipeline import retry
from etl.simulator import Simulator

#: Undocumented resources, which a small account answers with its help page.
UNDOCUMENTED = {"departments", "applications", "coverages", "equipment", "claims", "commissions"}


@pytest.fixture(scope="module")
def plain() -> Iterator[Simulator]:
    """Give an agency whose account offers only documented resources."""
    with serve_agency(documented_only=True) as served:
        yield served


def test_a_resource_that_is_not_offered_is_remembered_and_fails_nothing(plain: Simulator, database_url: str) -> None:
    with open_site(plain, database_url) as site:
        first = site.sync_once()
        states = {part.resource: part.status for part in first.parts}
        assert {name for name, state in states.items() if state is ResourceState.NOT_OFFERED} == UNDOCUMENTED
        assert {state for name, state in states.items() if name not in UNDOCUMENTED} == {ResourceState.DONE}
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
    key = next(iter(simulator.world.policies))

    def broken(request: web.Request) -> web.Response | None:
        return web.Response(status=500) if request.path.endswith(f"/{key}/Quotes") else simulator_answers(request)

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
