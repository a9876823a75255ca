"""A feed most of whose records are refused fails: the run says so, and the next one reads it again."""

from collections.abc import Iterator

import pytest
from sites import Site, serve_agency, set_faults
from snapshots import value, values

from etl.models.states import ResourceState
from etl.simulator import Simulator


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with serve_agency(contacts=25) as served:
        yield served


def states(site: Site) -> tuple[int, dict[str, ResourceState], str]:
    """Run a sync of the contacts; return its exit status, the states, and the error of the contacts."""
    summary = site.sync_once(resources=("contacts",))
    parts = {part.resource: part.status for part in summary.parts}
    return summary.exit_status, parts, next(part.error or "" for part in summary.parts if part.resource == "contacts")


def test_a_feed_without_ids_fails_and_is_read_again(site: Site) -> None:
    number = len(site.simulator.world.contacts)
    set_faults(site.simulator, "rename-field:EntityID=ContactKey")
    status, parts, error = states(site)
    assert status == 6
    assert parts["contacts"] is ResourceState.FAILED
    assert error.startswith(f"all {number} records were refused, more than 20% (ETL_REFUSED_LIMIT).")
    refused = (
        "SELECT count(*) FROM etl.findings WHERE resource = 'contacts' AND severity = 'refused' AND state = 'open'"
    )
    assert value(site.engine, refused) == number
    assert values(site.engine, "SELECT complete_to FROM etl.watermarks WHERE resource = 'contacts'") == []

    set_faults(site.simulator)
    status, parts, _ = states(site)
    assert (status, parts["contacts"]) == (0, ResourceState.DONE)
    assert value(site.engine, "SELECT count(*) FROM contacts WHERE NOT is_placeholder") == number


def test_without_the_limit_the_run_says_that_records_were_refused(site: Site) -> None:
    set_faults(site.simulator, "rename-field:EntityID=ContactKey")
    status, parts, _ = states(site.with_settings(etl_refused_limit=1.0))
    assert (status, parts["contacts"]) == (0, ResourceState.DONE)
