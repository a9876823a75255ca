"""Random changes at the source between two syncs, including those that only the vendor's database can make."""

from collections.abc import Callable
from datetime import datetime
from random import Random

from etl.simulator import Simulator
from etl.simulator.world import World

Change = Callable[[World, Random, datetime], str | None]


def edit_policy(world: World, dice: Random, now: datetime) -> str | None:
    """Move a policy to another contact and change its number; it stays the same record."""
    if not (len(world.policies) and len(world.contacts)):
        return None
    key, contact = int(dice.choice(list(world.policies))), int(dice.choice(list(world.contacts)))
    change_owner(world, key, contact, now)
    world.policies.change(key, now, PolicyNumber=f"N{dice.randrange(10**6)}")
    return f"policy {key} got another number and belongs to contact {contact}"


def change_owner(world: World, policy: int, contact: int, now: datetime) -> None:
    owner = world.policies[policy]["CustomerId"]
    world.policies_of[owner] = [policy_id for policy_id in world.policies_of.get(owner, []) if policy_id != policy]
    world.policies_of.setdefault(contact, []).append(policy)
    world.policies.change(policy, now, CustomerId=contact)


def drop_policy(world: World, dice: Random, _now: datetime) -> str | None:
    """Remove a policy without a deletion mark; records that refer to it stay."""
    if not len(world.policies):
        return None
    key = int(dice.choice(list(world.policies)))
    owner = world.policies[key]["CustomerId"]
    world.policies_of[owner] = [policy_id for policy_id in world.policies_of.get(owner, []) if policy_id != key]
    world.garage.discard(key)
    world.policies.drop(key)
    return f"policy {key} vanished"


def drop_claim(world: World, dice: Random, _now: datetime) -> str | None:
    """Remove a claim without a deletion mark."""
    if not len(world.claims):
        return None
    key = dice.choice(list(world.claims))
    world.claims.drop(key)
    return f"claim {key} vanished"


def drop_rule(world: World, dice: Random, _now: datetime) -> str | None:
    """Remove a commission rule from its list."""
    gone = world.agency_rules.pop(dice.randrange(len(world.agency_rules)))
    return f"rule {gone['CommissionRuleID']} vanished"


def merge_contacts(world: World, dice: Random, now: datetime) -> str | None:
    """Move the policies of a contact to another one, and remove the contact."""
    if len(world.contacts) < 2:
        return None
    gone, target = (int(contact) for contact in dice.sample(list(world.contacts), 2))
    for policy in list(world.policies_of.get(gone, [])):
        change_owner(world, policy, target, now)
    world.contacts.drop(gone)
    return f"contact {gone} was merged into {target}"


def delete_and_revive(world: World, dice: Random, now: datetime) -> str | None:
    """Mark a contact deleted, or revive a deleted one."""
    contacts = [int(contact) for contact in world.contacts]
    if not contacts:
        return None
    key = dice.choice(contacts)
    dead = world.contacts[key]["Status"] == "D"
    world.contacts.change(key, now, Status="A" if dead else "D")
    return f"contact {key} was {'revived' if dead else 'deleted'}"


def delete_and_revive_policy(world: World, dice: Random, now: datetime) -> str | None:
    """Mark a policy deleted only by its flag, or revive a deleted one."""
    if not len(world.policies):
        return None
    key = dice.choice(list(world.policies))
    dead = world.policies[key]["IsDeleted"]
    status = "A" if dead and world.policies[key]["Status"] == "D" else world.policies[key]["Status"]
    world.policies.change(key, now, Status=status, IsDeleted=not dead)
    return f"policy {key} was {'revived' if dead else 'deleted'}"


def return_of_the_dropped(world: World, dice: Random, now: datetime) -> str | None:
    """Remove a claim and add it back changed, with the same id."""
    if not len(world.claims):
        return None
    key = dice.choice(list(world.claims))
    item = world.claims[key]
    world.claims.drop(key)
    world.claims.put(key, item, now, None)
    world.claims.change(key, now, AmountReserved=float(dice.randrange(1, 10**6)) / 100)
    return f"claim {key} vanished and came back"


def empty_a_set(world: World, dice: Random, now: datetime) -> str | None:
    """Remove all coverages of a policy, or add new ones."""
    if not len(world.policies):
        return None
    key = int(dice.choice(list(world.policies)))
    items = world.detail("coverages", key)
    ever = world.dice("kept coverages", key)
    world.keep("coverages", key, [] if items else [coverage(key, n, ever) for n in range(2)])
    world.policies.change(key, now)
    return f"policy {key} has {'no' if items else 'new'} coverages"


def coverage(policy: int, number: int, dice: Random) -> dict[str, object]:
    return {
        "CoverageID": policy * 100 + number, "PolicyId": policy, "PolicyDetailsID": policy * 10, "VehicleID": None,
        "Code": "BI", "Description": "Bodily injury", "Limit1": 100_000.0, "Limit2": None, "Deductible": None,
        "Premium": float(dice.randrange(1, 10**6)) / 100,
    }  # fmt: skip


def touch(world: World, dice: Random, now: datetime) -> str | None:
    """Change only the modification time of a policy."""
    if not len(world.policies):
        return None
    key = dice.choice(list(world.policies))
    world.policies.change(key, now)
    return f"policy {key} was touched"


OWN: tuple[Change, ...] = (
    edit_policy, drop_policy, drop_claim, drop_rule, merge_contacts, delete_and_revive, delete_and_revive_policy,
    return_of_the_dropped, empty_a_set, touch,
)  # fmt: skip


def happen(simulator: Simulator, dice: Random, now: datetime) -> str:
    """Make one random change at a time and return its description."""
    with simulator.lock:
        description = dice.choice(OWN)(simulator.world, dice, now) if dice.random() < 0.5 else None
        return description or simulator.world.tick(now)[0]
