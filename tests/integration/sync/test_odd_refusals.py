"""One odd answer of an undocumented resource that has returned records counts as that of a documented one."""

import pytest
from sites import Site, set_faults
from snapshots import digest, value
from sqlalchemy import text

from etl.ledger.transaction import Ledger
from etl.models.states import ResourceState
from etl.pipeline.doctor.call_report import CallReport, CallStatus
from etl.pipeline.doctor.doctor import save_offers
from etl.resources import find_resource

STATE = "SELECT status FROM etl.batch_resources WHERE resource = 'claims' ORDER BY {} LIMIT 1"
NEWEST = "(SELECT started_at FROM etl.batches WHERE id = batch_id) DESC"


def change(site: Site, statement: str) -> None:
    """Run a statement."""
    with site.engine.begin() as connection:
        connection.execute(text(statement))


def state(site: Site) -> str:
    """Return how the claims of the newest batch ended."""
    return str(value(site.engine, STATE.format(NEWEST)))


@pytest.mark.parametrize("fault", ["forbidden:Claims", "unauthorized:Claims", "not-offered:Claims"])
def test_one_odd_answer_long_after_the_last_good_one_fails_the_resource(synced: Site, fault: str) -> None:
    before = digest(synced.engine)
    change(synced, "UPDATE etl.offers SET asked_at = now() - interval '30 days'")
    set_faults(synced.simulator, fault)
    assert (synced.sync_once().exit_status, state(synced)) == (6, ResourceState.FAILED)
    set_faults(synced.simulator)
    assert (synced.sync_once().exit_status, state(synced)) == (0, ResourceState.DONE)
    assert digest(synced.engine) == before
    assert value(synced.engine, "SELECT count(*) FROM etl.offers WHERE refused_since IS NOT NULL") == 0


def test_a_week_of_odd_answers_means_that_it_is_no_longer_offered(synced: Site) -> None:
    before = digest(synced.engine)
    set_faults(synced.simulator, "forbidden:Claims")
    assert synced.sync_once().exit_status == 6
    change(synced, "UPDATE etl.offers SET refused_since = refused_since - interval '6 days'")
    assert (synced.sync_once().exit_status, state(synced)) == (6, ResourceState.FAILED)
    change(synced, "UPDATE etl.offers SET refused_since = refused_since - interval '2 days'")
    assert (synced.sync_once().exit_status, state(synced)) == (0, ResourceState.NOT_OFFERED)
    assert digest(synced.engine) == before


def test_the_doctor_forgets_no_resource_because_of_one_odd_answer(synced: Site) -> None:
    report = CallReport(
        "claims", "GET Claims", find_resource("claims").facts, status=CallStatus.NOT_OFFERED, reason="403"
    )
    save_offers(Ledger(synced.engine, "default"), [report])
    assert value(synced.engine, "SELECT offered FROM etl.offers WHERE resource = 'claims'") is True
