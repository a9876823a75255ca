"""The first sync of an agency: all records arrive once, complete, with their references, and without secrets."""

from collections.abc import Iterable, Iterator
from typing import Any

from sites import Site
from snapshots import LINKS, TABLES, all_text, pairs, value, values
from source_changes import is_being_placed

from etl.ledger.batches import read_batch_resources, read_newest_batch
from etl.ledger.watermarks import read_complete_windows
from etl.models import PRODUCTION
from etl.models.base import PRIMARY, references_of
from etl.models.core import ACCOUNT_INFO
from etl.models.states import BatchState, Outcome, ResourceState
from etl.resources import BY_NAME
from etl.simulator import Simulator
from etl.simulator.world import World
from etl.window import FIRST_INSTANT, Window

#: The tables of optional resources.
OFF_BY_DEFAULT = ("notes", "tasks", "contact_phones", "contact_emails", "contact_addresses", "customer_details")


def living(world: World) -> Iterator[dict[str, Any]]:
    """Yield the policies with child records: all except the deleted ones."""
    return (policy for policy in world.policies.values() if policy["Status"] != "D" and not policy["IsDeleted"])


def under_policies(world: World, kind: str) -> list[dict[str, Any]]:
    return [item for policy in living(world) for item in world.detail(kind, policy["PolicyId"])]


def quotes(world: World) -> list[dict[str, Any]]:
    placed = filter(is_being_placed, living(world))
    return [item for policy in placed for item in world.detail("quotes", policy["PolicyId"])]


def customers(world: World) -> list[int]:
    """Return the contacts whose details are read: no carriers, agencies, staff, nor prospects without a live policy."""
    holders = {policy["CustomerId"] for policy in living(world)}
    clients = [world.contacts[key] for key in world.clients if world.contacts[key]["Status"] != "D"]
    return [
        client["EntityID"]
        for client in clients
        if "P" not in (client["ContactType"], client["ContactSubType"]) or client["EntityID"] in holders
    ]


def under_contacts(world: World, kind: str) -> list[dict[str, Any]]:
    return [item for key in customers(world) for item in world.detail(kind, key)]


def renewals(world: World) -> list[int]:
    return [
        policy["PolicyId"]
        for policy in living(world)
        if policy["PriorPolicyID"] and world.detail("info", policy["PolicyId"])[0]["BusinessType"] != "N"
    ]


def fees(world: World) -> int:
    of_agency = sum(len(policy["PolicyAgencyFees"] or ()) for policy in world.policies.values())
    return of_agency + sum(len(quote["QuoteCarrierFees"] or ()) for quote in quotes(world))


def cancellations(world: World) -> int:
    return sum(change["AdjustmentType"] == "C" for change in under_policies(world, "adjustments"))


def counted(world: World) -> dict[str, int]:
    """Return how many rows each table should have, counted in the simulator."""
    in_garages = {kind: sum(len(world.detail(kind, key)) for key in world.garage) for kind in ("drivers", "vehicles")}
    return {
        "agencies": 1,
        "locations": len(world.locations),
        "departments": len(world.departments),
        "employees": len(world.contacts_of_type("E")),
        "carriers": len(world.contacts_of_type("R", "M")),
        "contacts": len(world.contacts),
        "policies": len(world.policies),
        "policy_details": len(under_policies(world, "info")),
        "quotes": len(quotes(world)),
        "applications": len(world.applications),
        "renewals": len(renewals(world)),
        "adjustments": len(under_policies(world, "adjustments")),
        "terminations": cancellations(world),
        **in_garages,
        "coverages": len(under_policies(world, "coverages")),
        "equipment": len(under_policies(world, "equipment")),
        "claims": len(world.claims),
        "billing_records": len(world.billing),
        "commission_rules": len(world.agency_rules) + len(world.producer_rules),
        "commissions": len(world.commissions),
        "fees": fees(world),
        "documents": len(under_contacts(world, "documents")),
        "acord_forms": len(under_contacts(world, "forms")),
        "endorsements": sum(change.type == "E" for changes in world.adjustments.values() for change in changes),
        **dict.fromkeys(OFF_BY_DEFAULT, 0),
    }


def test_every_table_has_the_rows_of_the_agency(as_synced: Site, simulator: Simulator) -> None:
    query = "SELECT count(*) FROM {} WHERE NOT is_placeholder"
    stored = {table: value(as_synced.engine, query.format(table)) for table in TABLES}
    assert stored == counted(simulator.world)
    assert {table for table, number in stored.items() if not number} == set(OFF_BY_DEFAULT)


def test_all_staging_and_link_tables_are_filled(as_synced: Site) -> None:
    tables = [*(f"raw.raw_{name}" for name in BY_NAME if not BY_NAME[name].is_optional), *LINKS]
    assert [name for name in tables if value(as_synced.engine, f"SELECT count(*) FROM {name}") == 0] == []


def test_the_counts_balance_and_every_watermark_is_the_end_of_the_window(as_synced: Site) -> None:
    with as_synced.engine.connect() as connection:
        batch = read_newest_batch(connection, "default")
        assert batch is not None
        assert batch.status == BatchState.COMPLETED
        for part in read_batch_resources(connection, batch.id):
            assert (part.resource, part.status) == (part.resource, ResourceState.DONE)
            assert part.counts["fetched"] == sum(part.counts[outcome] for outcome in Outcome), part
            assert read_complete_windows(connection, "default", part.resource) == [
                Window(FIRST_INSTANT, batch.window.end)
            ]


def test_the_sync_history_has_the_number_of_inserted_rows(as_synced: Site, simulator: Simulator) -> None:
    recorded = dict(pairs(as_synced.engine, "SELECT table_name, inserted FROM etl.sync_history"))
    assert recorded == {table: number for table, number in counted(simulator.world).items() if number}


def test_every_reference_has_a_valid_foreign_key(as_synced: Site) -> None:
    guarded = set(
        pairs(
            as_synced.engine,
            "SELECT CAST(conrelid::regclass AS text), attname FROM pg_constraint JOIN pg_attribute"
            " ON attrelid = conrelid AND attnum = conkey[1] WHERE contype = 'f' AND convalidated",
        )
    )
    for model in PRODUCTION:
        for road in (PRIMARY, ACCOUNT_INFO):
            for name in references_of(model, road):
                assert (model.__tablename__, name) in guarded


def test_a_delivered_record_is_not_a_placeholder(as_synced: Site, simulator: Simulator) -> None:
    world = simulator.world
    delivered: dict[str, Iterable[Any]] = {
        "contacts": world.contacts,
        "policies": world.policies,
        "employees": [item["EntityID"] for item in world.contacts_of_type("E")],
        "carriers": [item["EntityID"] for item in world.contacts_of_type("R", "M")],
        "locations": [item["LocationID"] for item in world.locations],
        "departments": [item["DepartmentID"] for item in world.departments],
    }
    for table, keys in delivered.items():
        standing_in = values(as_synced.engine, f"SELECT source_id FROM {table} WHERE is_placeholder")
        assert set(standing_in) & set(map(str, keys)) == set()


def test_no_secret_reaches_the_database(as_synced: Site, simulator: Simulator) -> None:
    world = simulator.world
    accounts = [world.detail("account", int(key))[0] for key in world.clients]
    secrets = {str(item[name]) for item in accounts for name in ("UserID", "UserPassword") if item[name]}
    people = [*world.contacts.values(), *(item for key in world.garage for item in world.detail("drivers", key))]
    secrets |= {item["SSN"] for item in people if item.get("SSN")}
    secrets |= {"demo-password", "demo-secret"}
    stored = all_text(as_synced.engine)
    assert len(secrets) > len(accounts)
    assert [item for item in secrets if item in stored] == []
    assert "UserPassword" not in stored
    assert "SSN" not in stored


def test_a_first_run_over_known_answers_reports_no_drift(as_synced: Site) -> None:
    news = pairs(
        as_synced.engine, "SELECT resource || ' ' || path, example_codes::text FROM etl.drift WHERE state <> 'known'"
    )
    assert news == [], news
    looked_at = set(values(as_synced.engine, "SELECT DISTINCT resource FROM etl.drift"))
    assert {"contacts", "policies", "drivers", "quotes", "documents", "commission_rules"} <= looked_at
    nested = value(as_synced.engine, "SELECT types FROM etl.drift WHERE path = 'Drivers[].FirstName'")
    assert nested == ["text"]
