"""An answer that holds nothing says nothing: it changes nothing, deletes nothing, and only `[]` is an empty set."""

import pytest
from sites import Site, make_children_due, set_faults
from snapshots import digest, value
from sqlalchemy import text

from etl.models.states import ResourceState
from etl.pipeline import retry
from etl.status.status import load_status

#: What is read per parent: the resource, and a part of the call's path.
PER_PARENT = {
    "account_info": "AccountInfo", "policy_details": "PolicyInfo", "adjustments": "Adjustments", "quotes": "Quotes",
    "coverages": "Coverages", "equipment": "Equipment", "documents": "Images", "acord_forms": "ACORDForms",
}  # fmt: skip
LIVE = "SELECT count(*) FROM public.{} WHERE deleted_at IS NULL"


def states(site: Site) -> dict[str, str]:
    """Return how each resource of the newest batch ended."""
    query = """
        SELECT part.resource, part.status FROM etl.batch_resources AS part
        WHERE part.batch_id = (SELECT id FROM etl.batches ORDER BY started_at DESC LIMIT 1)
    """
    with site.engine.connect() as connection:
        return {row.resource: row.status for row in connection.execute(text(query))}


def outcomes(site: Site, resource: str) -> dict[str, int]:
    """Return how many parents of a resource have each outcome."""
    query = "SELECT outcome, count(*) AS number FROM etl.child_queue WHERE resource = :resource GROUP BY outcome"
    with site.engine.connect() as connection:
        return {row.outcome: row.number for row in connection.execute(text(query), {"resource": resource})}


def test_an_answer_without_a_list_deletes_nothing_and_fails_where_there_was_one(synced: Site) -> None:
    before = digest(synced.engine)
    make_children_due(synced)
    set_faults(synced.simulator, *(f"no-answer:{path},null" for path in PER_PARENT.values()))
    assert synced.sync_once().exit_status == 6
    ended = states(synced)
    assert {ended[resource] for resource in PER_PARENT} == {ResourceState.FAILED}
    assert all("no_answer" in outcomes(synced, resource) for resource in PER_PARENT)
    assert digest(synced.engine) == before
    set_faults(synced.simulator)
    assert retry(synced.engine, synced.settings).exit_status == 0
    assert all("no_answer" not in outcomes(synced, resource) for resource in PER_PARENT)
    assert digest(synced.engine) == before


def test_a_parent_of_which_nothing_was_ever_said_counts_as_asked(site: Site) -> None:
    set_faults(site.simulator, "no-answer:AccountInfo,204", "no-answer:Quotes,empty", "no-answer:Adjustments,object")
    assert site.sync_once().exit_status == 0
    assert set(outcomes(site, "account_info")) == set(outcomes(site, "quotes")) == {"no_answer"}
    assert value(site.engine, LIVE.format("contacts")) > 0
    with site.engine.connect() as connection:
        details = {fresh.resource: fresh.details for fresh in load_status(connection, "default").resources}["quotes"]
    assert details is not None
    coverage = details.coverage
    assert coverage.no_answer == coverage.covered == coverage.parents > 0
    set_faults(site.simulator)
    make_children_due(site)
    assert site.sync_once().exit_status == 0
    assert set(outcomes(site, "quotes")) == {"answered"}
    assert value(site.engine, LIVE.format("quotes")) > 0


@pytest.mark.parametrize(("path", "resource", "form", "status"), [
    ("Claims", "claims", "zero", 0), ("Contacts/LastMod", "contacts", "zero", 0), ("Claims", "claims", "no-items", 6),
    ("Carriers", "carrier_list", "null", 6), ("Contacts/LastMod", "contacts", "object", 6),
])  # fmt: skip
def test_a_full_read_without_lists_deletes_nothing(
    synced: Site, path: str, resource: str, form: str, status: int
) -> None:
    before = digest(synced.engine)
    set_faults(synced.simulator, f"no-answer:{path},{form}")
    assert synced.sync_once(full=True, resources=(resource,)).exit_status == status
    assert digest(synced.engine) == before


def test_an_item_without_its_list_says_nothing_about_it(synced: Site) -> None:
    drivers = value(synced.engine, LIVE.format("drivers"))
    assert drivers > 0
    set_faults(synced.simulator, "set-field:Drivers=null")
    synced.sync_once(full=True, resources=("drivers",))
    assert value(synced.engine, LIVE.format("drivers")) == drivers
    set_faults(synced.simulator, "set-field:Drivers=[]")
    synced.sync_once(full=True, resources=("drivers",))
    assert value(synced.engine, LIVE.format("drivers")) == 0


def test_a_record_without_its_list_says_nothing_about_it(synced: Site) -> None:
    fees = value(synced.engine, LIVE.format("fees"))
    set_faults(synced.simulator, "set-field:PolicyAgencyFees=null")
    synced.sync_once(full=True, resources=("policies",))
    assert value(synced.engine, LIVE.format("fees")) == fees > 0


@pytest.mark.parametrize("items", ["[{}]", "[null]", '[""]', "[[]]"])
def test_an_unreadable_part_of_a_record_deletes_no_part(synced: Site, items: str) -> None:
    fees = value(synced.engine, LIVE.format("fees"))
    set_faults(synced.simulator, f"set-field:PolicyAgencyFees={items}")
    synced.sync_once(full=True, resources=("policies",))
    assert value(synced.engine, LIVE.format("fees")) == fees > 0


@pytest.mark.parametrize("table", ["carriers", "employees"])
def test_a_contact_without_a_type_is_still_what_it_was(synced: Site, table: str) -> None:
    rows = value(synced.engine, LIVE.format(table))
    set_faults(synced.simulator, "set-field:ContactType=null", "set-field:ContactSubType=null")
    synced.sync_once(full=True, resources=("contacts",))
    assert value(synced.engine, LIVE.format(table)) == rows > 0
