"""Pending policies are the fallback for applications that an account does not offer, whenever that is detected."""

from collections.abc import Iterator

import pytest
from sites import Site, open_site, serve_agency, set_faults
from snapshots import value, values
from source_changes import edit, living_policy

from etl.simulator import Simulator

LIVING = "SELECT source_id FROM applications WHERE deleted_at IS NULL AND starts_with(source_id, 'policy:') ORDER BY 1"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Give an agency of its own, with a policy that is not issued yet."""
    with serve_agency() as served:
        edit(served, served.world.policies, living_policy(served.world), Status="P")
        yield served


@pytest.fixture
def site(simulator: Simulator, database_url: str) -> Iterator[Site]:
    """Give an empty database."""
    with open_site(simulator, database_url) as opened_site:
        yield opened_site


def test_loaded_policies_are_a_fallback_too_and_only_while_needed(site: Site, simulator: Simulator) -> None:
    pending = [policy["PolicyId"] for policy in simulator.world.policies.values() if policy["Status"] == "P"]
    assert site.sync_once(resources=("policies",)).exit_status == 0
    assert values(site.engine, LIVING) == []
    set_faults(simulator, "forbidden:Applications")
    summary = site.sync_once(resources=("applications",))
    assert summary.exit_status == 0
    assert values(site.engine, LIVING) == sorted(f"policy:{key}" for key in pending)
    lie = "SELECT string_agg(concat(xmin, ctid), ',' ORDER BY id) FROM applications"
    before = value(site.engine, lie)
    assert site.sync_once(resources=("applications",)).exit_status == 0
    assert value(site.engine, lie) == before
    set_faults(simulator)
    assert site.sync_once(resources=("applications",)).exit_status == 0
    assert values(site.engine, LIVING) == []
    assert value(site.engine, "SELECT count(*) FROM applications WHERE deleted_at IS NULL") > 0
