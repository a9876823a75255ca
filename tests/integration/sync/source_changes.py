"""Changes at the source: editing records, removing them without a trace, merging customers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sites import Site

from etl.simulator import Simulator
from etl.simulator.collection import Collection
from etl.simulator.world import World


def edit(simulator: Simulator, collection: Collection, key: int | str, **fields: Any) -> datetime:
    """Change a record at the source, now."""
    with simulator.lock:
        now = simulator.server.now()
        collection.change(key, now, **fields)
    return now


def living_policy(world: World, kind: str = "coverages", least: int = 2) -> Any:
    """Return a policy with some child records of a kind, in force and so new that its quotes are read too."""
    return next(
        policy["PolicyId"]
        for policy in world.policies.values()
        if policy["Status"] == "A" and is_being_placed(policy) and len(world.detail(kind, policy["PolicyId"])) >= least
    )


def is_being_placed(policy: dict[str, Any]) -> bool:
    """Return whether quotes are read for a policy: it is pending, or begins or began within 120 days."""
    begins = date.fromisoformat(policy["EffectiveDate"][:10])
    return policy["Status"] == "P" or abs(begins - datetime.now(UTC).date()) <= timedelta(days=120)


def living_contact(world: World) -> Any:
    return next(key for key in world.clients if world.contacts[key]["Status"] == "A")


def drop_claims(site: Site, number: int) -> list[str]:
    """Remove claims from the simulator without a trace, and return their ids."""
    world = site.simulator.world
    with site.simulator.lock:
        gone = list(world.claims)[:number]
        for key in gone:
            world.claims.drop(key)
    return sorted(map(str, gone))


def drop_claim(site: Site, key: object) -> None:
    """Remove one claim from the simulator."""
    with site.simulator.lock:
        site.simulator.world.claims.drop(key)  # type: ignore[arg-type]


def merge(simulator: Simulator) -> tuple[Any, Any, list[Any]]:
    """Merge a customer with policies into another at the source; return both and the policies that moved."""
    world = simulator.world
    gone = next(
        contact_id
        for contact_id, policy_ids in world.policies_of.items()
        if len(policy_ids) > 0 and contact_id in world.contacts
    )
    heir = next(
        contact_id for contact_id in world.clients if contact_id != gone and world.contacts[contact_id]["Status"] == "A"
    )
    moved = [key for key in world.policies if world.policies[key]["CustomerId"] == gone]
    for key in moved:
        edit(simulator, world.policies, key, CustomerId=heir)
    with simulator.lock:
        world.contacts.drop(gone)
    return gone, heir, moved
