"""Child records of a contact or a policy. They are computed on request, the same each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl.simulator.book import covers, garage, papers, policies

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl.simulator.world import World

Items = list[dict[str, Any]]


def office_of(world: World, policy: dict[str, Any]) -> int | None:
    """Return the office of a policy's client; None if the contact has none."""
    office: int | None = world.client(policy["CustomerId"])["LocationID"]
    return office


def _policy_info(world: World, key: int) -> Items:
    policy = world.policies[key]
    dice = world.dice("info", policy["CustomerId"])
    return [covers.policy_info(dice, world.agency, policy, office_of(world, policy))]


def _adjustments(world: World, key: int) -> Items:
    return [policies.adjustment_item(key, n, change) for n, change in enumerate(world.adjustments.get(key, []), 1)]


def _quotes(world: World, key: int) -> Items:
    return covers.quotes(world.dice("quotes", key), world.agency, world.policies[key])


def _coverages(world: World, key: int) -> Items:
    vehicle_ids = [vehicle["VehicleID"] for vehicle in world.detail("vehicles", key)] if key in world.garage else []
    return covers.coverages(world.dice("coverages", key), world.policies[key], vehicle_ids)


def _equipment(world: World, key: int) -> Items:
    return covers.equipment(world.dice("equipment", world.policies[key]["CustomerId"]), world.policies[key])


def _drivers(world: World, key: int) -> Items:
    return _household(world, key, "drivers", garage.drivers)


def _vehicles(world: World, key: int) -> Items:
    return _household(world, key, "vehicles", garage.vehicles)


def _household(world: World, key: int, kind: str, make: Callable[..., Items]) -> Items:
    """Return the details that a household keeps from term to term: they depend only on the client."""
    policy = world.policies[key]
    return make(world.dice(kind, policy["CustomerId"]), policy, world.client(policy["CustomerId"]))


def _account(world: World, key: int) -> Items:
    return [papers.account(world.dice("account", key), world.agency, world.person(key))]


def _addresses(world: World, key: int) -> Items:
    return papers.addresses(world.dice("addresses", key), world.person(key))


def _documents(world: World, key: int) -> Items:
    numbers = [world.policies[policy_id]["PolicyNumber"].strip() for policy_id in world.policies_of.get(key, [])]
    return papers.documents(world.dice("documents", key), world.agency, world.person(key), numbers, world.founded)


def _forms(world: World, key: int) -> Items:
    return papers.forms(world.dice("forms", key), world.person(key), world.policies_of.get(key, []), world.founded)


DETAILS: dict[str, Callable[[World, int], Items]] = {
    "info": _policy_info, "adjustments": _adjustments, "quotes": _quotes, "coverages": _coverages,
    "equipment": _equipment, "drivers": _drivers, "vehicles": _vehicles, "account": _account,
    "addresses": _addresses, "documents": _documents, "forms": _forms,
}  # fmt: skip
