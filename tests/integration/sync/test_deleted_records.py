"""What leaves with a deleted record and returns with it, and what its row keeps."""

from collections.abc import Iterator
from typing import Any

import pytest
from sites import Site, serve_agency, set_faults
from snapshots import OF_THE_RUN, value
from source_changes import edit, living_contact, living_policy

from etl.simulator import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Give each test an agency of its own, since it changes it."""
    with serve_agency() as served:
        yield served


@pytest.fixture
def synced(site: Site) -> Site:
    """Give the agency, synced once."""
    assert site.sync_once().exit_status == 0
    return site


def row(site: Site, table: str, key: object, columns: str) -> Any:
    """Return a value of a row."""
    return value(site.engine, f"SELECT {columns} FROM {table} WHERE source_id = :key", key=str(key))


LIVE_FEES = """
    SELECT count(*) FROM {} AS fee JOIN public.policies AS policy ON policy.id = fee.policy_id
    WHERE policy.source_id = :key AND fee.deleted_at IS NULL
"""


#: Quotes are read only of policies that are pending or near their effective date.
POLICY_WITH_QUOTED_FEE = """
    SELECT policy.source_id FROM public.fees AS fee JOIN public.policies AS policy ON policy.id = fee.policy_id
    WHERE fee.source_id LIKE 'quote:%' AND fee.deleted_at IS NULL ORDER BY policy.source_id LIMIT 1
"""


def live_fees(site: Site, key: object) -> list[int]:
    """Return how many fees of a policy the table and the view of live rows have."""
    return [value(site.engine, LIVE_FEES.format(name), key=str(key)) for name in ("public.fees", "public.v_fees")]


def test_the_fees_of_a_deleted_quote_are_deleted_and_revived_with_it(synced: Site, simulator: Simulator) -> None:
    world = simulator.world
    key = int(value(synced.engine, POLICY_WITH_QUOTED_FEE))
    items = world.detail("quotes", key)
    before = live_fees(synced, key)
    of_quotes = sum(len(item["QuoteCarrierFees"]) for item in items)
    for gone in ([], [item | {"IsDeleted": True} for item in items]):
        world.keep("quotes", key, gone)
        edit(simulator, world.policies, key)
        synced.sync_once()
        assert live_fees(synced, key) == [number - of_quotes for number in before]
        world.keep("quotes", key, items)
        edit(simulator, world.policies, key)
        synced.sync_once()
        assert live_fees(synced, key) == before


def test_the_fees_of_a_deleted_policy_are_deleted_and_revived_with_it(synced: Site, simulator: Simulator) -> None:
    world = simulator.world
    key = next(policy["PolicyId"] for policy in world.policies.values() if policy["PolicyAgencyFees"])
    before, status = live_fees(synced, key), world.policies[key]["Status"]
    edit(simulator, world.policies, key, Status="D")
    summary = synced.sync_once()
    assert summary.tables["fees"]["deleted"] == len(world.policies[key]["PolicyAgencyFees"])
    assert live_fees(synced, key)[1] == 0
    edit(simulator, world.policies, key, Status=status)
    assert synced.sync_once().exit_status == 0
    assert live_fees(synced, key) == before


def test_what_hangs_on_a_deleted_customer_is_not_live_and_keeps_its_own_mark(
    synced: Site, simulator: Simulator
) -> None:
    key = next(policy["CustomerId"] for policy in simulator.world.policies.values() if policy["Status"] == "A")
    live = """
        SELECT count(*) FROM {} AS hanging JOIN public.contacts AS customer ON customer.id = hanging.contact_id
        WHERE customer.source_id = :key AND hanging.deleted_at IS NULL
    """
    edit(simulator, simulator.world.contacts, key, Status="D")
    synced.sync_once()
    assert value(synced.engine, live.format("public.policies"), key=str(key)) > 0
    for view in ("public.v_policies", "public.v_documents", "public.v_billing_records", "masked.v_policies"):
        assert value(synced.engine, live.format(view), key=str(key)) == 0
    edit(simulator, simulator.world.contacts, key, Status="A")
    synced.sync_once()
    assert value(synced.engine, live.format("public.v_policies"), key=str(key)) > 0


@pytest.mark.parametrize(("collection", "table"), [("contacts", "contacts"), ("policies", "policies")])
def test_a_deletion_stub_keeps_the_last_values_of_the_row(
    synced: Site, simulator: Simulator, collection: str, table: str
) -> None:
    entries = getattr(simulator.world, collection)
    key = living_contact(simulator.world) if table == "contacts" else living_policy(simulator.world)
    content = f"to_jsonb(line) - ARRAY{[*OF_THE_RUN, 'source_modified_at', 'status']}"
    before = row(synced, f"{table} AS line", key, content)
    findings = value(synced.engine, "SELECT count(*) FROM etl.findings WHERE source_id = :key", key=str(key))
    kept = {"EntityID", "PolicyId", "DateLastModified", "LastModifiedOn", "Status"}
    status = entries[key]["Status"]
    set_faults(simulator, *(f"set-field:{name}=null" for name in entries[key] if name not in kept))
    edit(simulator, entries, key, Status="D")
    synced.sync_once(resources=(table,))
    assert row(synced, table, key, "deleted_at") is not None
    assert row(synced, f"{table} AS line", key, content) == before
    assert value(synced.engine, "SELECT count(*) FROM etl.findings WHERE source_id = :key", key=str(key)) == findings
    set_faults(simulator)
    edit(simulator, entries, key, Status=status)
    assert synced.sync_once(resources=(table,)).exit_status == 0
    assert row(synced, table, key, "deleted_at") is None
    assert row(synced, f"{table} AS line", key, content) == before


@pytest.mark.parametrize(("table", "kind"), [("carriers", "R"), ("employees", "E")])
def test_what_a_contact_is_leaves_with_its_deletion_stub_and_keeps_its_last_values(
    synced: Site, simulator: Simulator, table: str, kind: str
) -> None:
    contacts = simulator.world.contacts
    key = next(one["EntityID"] for one in contacts.values() if one["ContactType"] == kind and one["Status"] == "A")
    name = "name" if table == "carriers" else "display_name"
    before = row(synced, table, key, name)
    kept = {"EntityID", "DateLastModified", "Status"}
    set_faults(simulator, *(f"set-field:{name}=null" for name in contacts[key] if name not in kept))
    edit(simulator, contacts, key, Status="D")
    synced.sync_once(resources=("contacts",))
    assert row(synced, table, key, "deleted_at") is not None
    assert row(synced, table, key, name) == before is not None
    set_faults(simulator)
    edit(simulator, contacts, key, Status="A")
    synced.sync_once(resources=("contacts",))
    assert row(synced, table, key, "deleted_at") is None
    assert row(synced, table, key, name) == before


def test_only_a_deletion_stub_of_an_unknown_record_is_refused(site: Site, simulator: Simulator) -> None:
    key = living_policy(simulator.world)
    edit(simulator, simulator.world.policies, key, Status="D", CustomerId=None)
    assert site.sync_once(resources=("policies",)).exit_status == 0
    assert value(site.engine, "SELECT count(*) FROM policies WHERE NOT is_placeholder") > 10
    reason = row(site, "raw.raw_policies", key, "status || ': ' || error_message")
    assert reason == "validation_error: contact_id or status is missing"
