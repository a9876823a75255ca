"""Erasing a person: personal values are removed, business facts are kept, and no later read restores them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from databases import MIGRATED, clone_database
from sites import Site, make_children_due, open_site, serve_agency
from snapshots import all_text, digest, pairs, value, values

from etl.database.embedded.server import EmbeddedPostgres
from etl.errors import UsageError
from etl.extract import ExtractService
from etl.ledger.batches import read_batch_resources, read_newest_batch
from etl.ledger.staging import suppressions
from etl.load import LoadService
from etl.models.states import BatchState, Outcome
from etl.pipeline import replay
from etl.pipeline.erase.forget import ForgetResult, forget
from etl.simulator import Simulator
from etl.transform import TransformService
from etl.window import FIRST_INSTANT

FIRST, LAST = "Zebulon", "Quackenbushel"
NAME, STREET, MAIL, PHONE, BORN = (
    f"{LAST}, {FIRST}",
    "4711 Oblivion Lane",
    "zeb@forgetme.example",
    "3055550187",
    "1951-03-17",
)
#: Lowercase texts that must not be found afterwards.
TRACES = (FIRST, LAST, STREET, "Oblivion", MAIL, "forgetme", PHONE, BORN, "portal-user")
EVER = {"start_date": FIRST_INSTANT, "end_date": "2999-01-01"}


def plant(simulator: Simulator) -> int:
    """Give one customer with policies of every kind values that can be searched for, and return the customer's id."""
    world, now = simulator.world, simulator.server.now()
    owners = {world.policies[key]["CustomerId"] for key in world.garage}
    key = next(int(item) for item in world.contacts if item in owners and world.contacts[item]["Status"] == "A")
    world.contacts.change(
        key, now, FirstName=FIRST, LastName=LAST, DisplayName=NAME, Line1=STREET, Line2="c/o Oblivion", Email=MAIL,
        Phone=PHONE, DOB=f"{BORN}T00:00:00", PrimaryContact=NAME, BusinessName=None,
    )  # fmt: skip
    for policy in [item for item in world.policies.values() if item["CustomerId"] == key]:
        plant_policy(world, policy["PolicyId"], now)
    for bill in [item for item in world.billing.values() if item["ContactId"] == key]:
        world.billing.change(bill["RecordId"], None, Description=f"Paid by {FIRST}")
    title = {"BlobInfoId": key * 10, "Title": f"Letter to {NAME}", "PolicyNumbers": ""}
    world.keep("documents", key, [*world.detail("documents", key), title])
    return key


def plant_policy(world: Any, policy: int, now: Any) -> None:
    """Put the person into a policy and its child records, including undeclared fields."""
    world.policies.change(policy, now, CustomerName=NAME, CustomerPhone=PHONE, Mailing={"Street": STREET, "To": [NAME]})
    for claim in [item for item in world.claims.values() if item["PolicyID"] == policy]:
        world.claims.change(claim["ClaimID"], now, Description=f"{FIRST} slipped", LossLine1=STREET)
    world.keep("quotes", policy, [item | {"Conditions": f"for {NAME}"} for item in world.detail("quotes", policy)])
    if policy in world.garage:
        personal = {"FirstName": FIRST, "LastName": LAST, "DOB": f"{BORN}T00:00:00", "Note": MAIL}
        bad = {"FirstName": FIRST, "DOB": f"{FIRST}'s day"}
        drivers = [item | (bad if number else personal) for number, item in enumerate(world.detail("drivers", policy))]
        world.keep("drivers", policy, [*drivers, drivers[0] | bad | {"DriverID": policy * 10 + 9}])


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with serve_agency() as served:
        yield served


@pytest.fixture(scope="module")
def person(simulator: Simulator) -> str:
    return str(plant(simulator))


@pytest.fixture(scope="module")
def synced_database(server: EmbeddedPostgres, simulator: Simulator, person: str) -> Iterator[str]:
    with clone_database(server.url, MIGRATED) as url:
        with open_site(simulator, url) as site:
            assert site.sync_once().exit_status == 0
            assert [trace for trace in TRACES[:-1] if trace.lower() not in all_text(site.engine).lower()] == []
        yield urlsplit(url).path.lstrip("/")


def erase(site: Site, person: str, **options: Any) -> ForgetResult:
    return forget(site.engine, site.settings, person, actor="tester", **options)


def traces(site: Site) -> list[str]:
    stored = all_text(site.engine).lower()
    return [trace for trace in TRACES if trace.lower() in stored]


def test_no_table_names_the_person_afterwards(synced: Site, person: str) -> None:
    done = erase(synced, person)
    assert traces(synced) == []
    assert done.applied
    assert {"public.contacts", "public.policies", "public.drivers", "raw.raw_contacts", "etl.findings"} <= set(
        done.counts
    )


def test_business_facts_and_other_people_are_kept(synced: Site, person: str) -> None:
    before = digest(synced.engine)
    erase(synced, person)
    after = digest(synced.engine)
    theirs = {key for key, row in before["policies"].items() if row["contact_id"] == before["contacts"][person]["id"]}
    assert theirs
    impersonal = (
        "contact_id",
        "total_premium",
        "policy_number",
        "status",
        "effective_date",
        "carrier_id",
        "lines_of_business",
    )
    for key in theirs:
        assert [after["policies"][key][name] for name in impersonal] == [
            before["policies"][key][name] for name in impersonal
        ]
        assert after["policies"][key]["customer_name"] is None
    del before["contacts"][person], after["contacts"][person]
    assert after["contacts"] == before["contacts"]
    assert len(after["vehicles"]) == len(before["vehicles"])
    assert {table for table in before if len(after[table]) < len(before[table])} <= {
        "documents",
        "acord_forms",
        "document_policies",
    }


def test_the_contact_becomes_a_nameless_placeholder(synced: Site, person: str) -> None:
    erase(synced, person)
    query = "SELECT is_placeholder AND deleted_at IS NOT NULL AND num_nonnulls(display_name, status, raw_id) = 0"
    assert value(synced.engine, f"{query} FROM contacts WHERE source_id = :person", person=person)


@pytest.mark.parametrize("full", [True, False], ids=["full", "incremental"])
def test_the_next_reads_do_not_bring_the_person_back(synced: Site, person: str, full: bool) -> None:
    erase(synced, person)
    make_children_due(synced)
    synced.take_calls()
    summary = synced.sync_once(full=full)
    assert summary.exit_status == 0, summary.batch.error
    assert traces(synced) == []
    assert [call for call in synced.take_calls() if f"/{person}" in call or f"={person}" in call] == []


def test_later_changes_stay_without_names_and_the_counts_balance(
    synced: Site, simulator: Simulator, person: str
) -> None:
    erase(synced, person)
    world, now = simulator.world, simulator.server.now()
    world.contacts.change(int(person), now, Line2=f"{FIRST} again")
    policy = next(item["PolicyId"] for item in world.policies.values() if item["CustomerId"] == int(person))
    plant_policy(world, policy, now)
    make_children_due(synced)
    assert synced.sync_once(full=True).exit_status == 0
    assert traces(synced) == []
    with synced.engine.connect() as connection:
        batch = read_newest_batch(connection, "default")
        assert batch is not None
        counts = {item.resource: item.counts for item in read_batch_resources(connection, batch.id)}
    assert counts["contacts"][Outcome.NO_ROW] >= 1  # once for each date range in which it was created or changed
    assert all(item["fetched"] == sum(item[outcome] for outcome in Outcome) for item in counts.values())


def test_a_second_full_read_writes_no_row(synced: Site, person: str) -> None:
    erase(synced, person)
    synced.sync_once(full=True)
    before = digest(synced.engine)
    summary = synced.sync_once(full=True)
    assert sum(part.counts["inserted"] + part.counts["updated"] for part in summary.parts) == 0
    assert digest(synced.engine) == before


def test_the_services_and_a_replay_do_not_restore_the_person(synced: Site, person: str) -> None:
    erase(synced, person)
    batch_id = ExtractService(synced.engine, settings=synced.settings).extract_data(EVER)
    TransformService(synced.engine, settings=synced.settings).transform_batch(batch_id)
    assert (
        LoadService(synced.engine, settings=synced.settings).load_batch(batch_id, EVER).status is BatchState.COMPLETED
    )
    replay(synced.engine, synced.settings, apply=True)
    assert traces(synced) == []


def test_a_person_can_be_erased_between_the_steps(site: Site, person: str) -> None:
    batch_id = ExtractService(site.engine, settings=site.settings).extract_data(EVER)
    erase(site, person)
    TransformService(site.engine, settings=site.settings).transform_batch(batch_id)
    results = LoadService(site.engine, settings=site.settings).load_batch(batch_id, EVER)
    assert results.status is BatchState.COMPLETED, value(site.engine, "SELECT error FROM etl.batches")
    assert traces(site) == []


def test_a_dry_run_changes_nothing_and_reports_the_same(synced: Site, person: str) -> None:
    before = set(all_text(synced.engine).splitlines())
    report = erase(synced, person, dry=True)
    changed = before - set(all_text(synced.engine).splitlines())
    assert len(changed) <= value(synced.engine, "SELECT count(*) FROM etl.leases")  # which were held back and released
    assert value(synced.engine, "SELECT count(*) FROM etl.suppressions") == 0
    assert not report.applied
    assert report.counts == erase(synced, person).counts


def test_the_audit_row_has_user_and_counts_but_not_the_person(synced: Site, person: str) -> None:
    done = erase(synced, person)
    query = "SELECT concat_ws(' ', tenant, action, actor), counts FROM etl.audit"
    assert pairs(synced.engine, query) == [("default forget tester", dict(done.counts))]
    assert person not in value(synced.engine, "SELECT CAST(audit AS text) FROM etl.audit")
    assert values(synced.engine, "SELECT DISTINCT length(digest) FROM etl.suppressions") == [32]


def test_the_key_differs_in_every_database(synced: Site, site: Site, person: str) -> None:
    site.sync_once(resources=("contacts",))
    digests = set()
    for current_site in (synced, site):
        erase(current_site, person)
        digests.add(value(current_site.engine, "SELECT subject FROM etl.audit"))
    assert len(digests) == 2


def test_stored_requests_no_longer_name_the_person(synced: Site, person: str) -> None:
    erase(synced, person)
    facts = values(synced.engine, "SELECT concat(path, parameters, ids) FROM etl.requests")
    assert [
        fact for fact in facts if person in fact.replace('"', "").replace("{", ",").replace("}", ",").split(",")
    ] == []
    assert [fact for fact in facts if f"/{person}" in fact or f"entityId: {person}" in fact] == []


def test_erasing_twice_does_not_change_staging_again(synced: Site, person: str) -> None:
    erase(synced, person)
    again = erase(synced, person)
    assert not {name for name in again.counts if name in ("raw.raw_contacts", "raw.raw_documents", "etl.requests")}


def test_a_policy_transferred_to_another_customer_is_restored(synced: Site, simulator: Simulator, person: str) -> None:
    erase(synced, person)
    world = simulator.world
    policy = next(
        item
        for item in world.policies.values()
        if item["CustomerId"] == int(person) and item["PolicyId"] in world.garage
    )
    other = next(item for item in world.contacts if str(item) != person)
    names = {"CustomerId": other, "CustomerName": "Somebody Else"}
    world.policies.change(policy["PolicyId"], simulator.server.now(), **names)
    try:
        assert synced.sync_once(full=True).exit_status == 0
        query = "SELECT customer_name FROM policies WHERE source_id = :key"
        assert value(synced.engine, query, key=str(policy["PolicyId"])) == "Somebody Else"
        with synced.engine.connect() as connection:
            memory = suppressions.read_suppressions(connection, "default")
        assert memory is not None
        assert not memory.has_record("policies", str(policy["PolicyId"]))
    finally:
        world.policies.change(policy["PolicyId"], simulator.server.now(), CustomerId=int(person), CustomerName=NAME)


@pytest.mark.parametrize("contact", ["999999999", "", "nobody at all"])
def test_an_unknown_id_is_a_usage_error(synced: Site, contact: str) -> None:
    with pytest.raises(UsageError, match="contact"):
        erase(synced, contact)
