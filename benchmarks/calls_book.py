"""The book of the targets for calls: the simulator's agency, cut to a size, with a set share of changed policies."""

import random
from collections.abc import Collection
from dataclasses import dataclass

from etl.simulator import Simulator, SimulatorSettings
from etl.simulator.book import dates, people
from etl.simulator.world import World

#: The vendor's limit, and our setting: calls a minute.
LIMIT, SET = 60, 58
#: The calls that an ordinary account lacks, in addition to those that are only assumed to exist.
NOT_OFFERED = ("acord_forms",)


@dataclass(frozen=True)
class BookSize:
    """The size of a book of business."""

    customers: int
    policies: int
    changed: float  #: the share of policies that were ever changed


def open_account(book: BookSize, window: float, max_page: int = 500) -> Simulator:
    """Return an ordinary account with a book and the vendor's call limit; a minute of it takes `window` seconds."""
    simulator = Simulator(
        SimulatorSettings(
            contacts=book.customers * 3 // 2 + 20,  # three of four are customers, and some are cut off
            documented_only=True,
            refused=NOT_OFFERED,
            max_page=max_page,
            faults=(f"account-limit:{LIMIT}/{window:g},text",),
        )
    )
    fit_world(simulator.world, book)
    return simulator


def fit_world(world: World, book: BookSize) -> None:
    """Cut a larger agency to the size of a book, without prospects, and set which of its policies were changed."""
    dice = random.Random(f"fit:{world.seed}")
    customers = [key for key in world.clients if world.contact_types[key] == people.CUSTOMER]
    for key in set(world.clients).difference(customers):
        world.contacts.drop(key)
    dice.shuffle(customers)
    too_many, surplus = len(customers) - book.customers, len(world.policies) - book.policies
    dropped: set[int] = set()
    for key in customers:
        if len(world.policies_of.get(key, ())) > surplus - len(dropped):
            continue
        if too_many > 0:
            world.contacts.drop(key)
            too_many -= 1
        dropped.update(world.policies_of.pop(key, ()))
    drop_policies(world, dropped)
    set_changed(world, book.changed, dice)


def drop_policies(world: World, dropped: Collection[int]) -> None:
    """Remove policies and their billing."""
    for key in dropped:
        world.policies.drop(key)
    texts = set(map(str, dropped))
    for row in list(world.billing.values()):
        if row["PolicyIds"] in texts:
            world.billing.drop(row["RecordId"])


def set_changed(world: World, share: float, dice: random.Random) -> None:
    """Mark policies as changed or never changed until a share of them is; those with adjustments stay changed."""
    changed = [key for key in world.policies if world.policies.modified(key) is not None]
    wanted = round(share * len(world.policies))
    never = set(world.policies).difference(changed)
    for key in dice.sample(sorted(never, key=str), max(0, wanted - len(changed))):
        created = world.policies.created(key)
        world.policies.change(key, dates.between(dice, created, world.founded))
    free = [key for key in changed if int(key) not in world.adjustments]
    for key in dice.sample(free, min(len(free), max(0, len(changed) - wanted))):
        item = world.policies[key] | {"HasBeenModified": False, "DateLastModified": None}
        world.policies.put(key, item, world.policies.created(key))


def describe_book(world: World) -> str:
    """Return the size of a book as a sentence."""
    policies = list(world.policies.values())
    changed = sum(bool(policy["HasBeenModified"]) for policy in policies) / max(1, len(policies))
    return (
        f"The book: {len(world.clients):,} customers, {len(policies):,} policies ({changed:.0%} of them ever changed), "
        f"{len(world.billing):,} invoices and payments."
    )
