"""The first sync of an agency: everything arrives once, whole, joined, and without its secrets."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Site
from observing import LINKS, TABLES, everything, value, values

from etl.models import PRODUCTION
from etl.models.staging import STAGED
from etl.resources import CATALOGUE
from etl.simulator import Simulator
from etl.simulator.world import World


def living(world: World) -> Iterator[dict[str, Any]]:
    """Yield the policies whose details are asked for: all but the deleted."""
    return (one for one in world.policies.values() if one["Status"] != "D" and not one["IsDeleted"])


def under_policies(world: World, kind: str) -> list[dict[str, Any]]:
    return [item for policy in living(world) for item in world.detail(kind, policy["PolicyId"])]


def under_contacts(world: World, kind: str) -> list[dict[str, Any]]:
    alive = [one["EntityID"] for one in world.contacts.values() if one["Status"] != "D"]
    return [item for key in alive for item in world.detail(kind, key)]


def renewals(world: World) -> list[int]:
    return [
        policy["PolicyId"]
        for policy in living(world)
        if policy["PriorPolicyID"] and world.detail("info", policy["PolicyId"])[0]["BusinessType"] != "N"
    ]


def fees(world: World) -> int:
    of_agency = sum(len(policy["PolicyAgencyFees"] or ()) for policy in world.policies.values())
    return of_agency + sum(len(quote["QuoteCarrierFees"] or ()) for quote in under_policies(world, "quotes"))


def cancellations(world: World) -> int:
    of_cancelled = (world.detail("adjustments", one["PolicyId"]) for one in living(world) if one["Status"] == "C")
    return sum(change["AdjustmentType"] == "C" for changes in of_cancelled for change in changes)


def counted(world: World) -> dict[str, int]:
    """Return how many rows each table should have, counted in the agency's book itself."""
    in_garages = {kind: sum(len(world.detail(kind, key)) for key in world.garage) for kind in ("drivers", "vehicles")}
    return {
        "agencies": 1,
        "locations": len(world.locations),
        "departments": len(world.departments),
        "employees": len(world.employees),
        "carriers": len(world.carriers),
        "contacts": len(world.contacts),
        "policies": len(world.policies),
        "policy_details": len(under_policies(world, "info")),
        "quotes": len(under_policies(world, "quotes")),
        "applications": len(world.applications),
        "renewals": len(renewals(world)),
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
    }


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_the_rows_that_the_book_has(synced: Site, simulator: Simulator, table: str) -> None:
    found = value(synced.engine, f"SELECT count(*) FROM {table} WHERE NOT is_placeholder")  # noqa: S608
    assert found == counted(simulator.world)[table] > 0


@pytest.fixture(scope="module")
def books(synced_database: str) -> str:
    return synced_database


def test_all_staging_and_link_tables_are_filled(synced: Site) -> None:
    empty = [name for name in STAGED if value(synced.engine, f"SELECT count(*) FROM raw.raw_{name}") == 0]  # noqa: S608
    empty += [name for name in LINKS if value(synced.engine, f"SELECT count(*) FROM {name}") == 0]  # noqa: S608
    assert empty == []
