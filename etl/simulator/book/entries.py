"""Entering a contact or a policy into the book, with all related records."""

# ruff: noqa: PLR2004 - shares, rates and amounts of generated data are written where they are used

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from etl.simulator import dirt
from etl.simulator.book import claims, lines, money, policies, stamps

if TYPE_CHECKING:
    import random

    from etl.simulator.book.people import Client
    from etl.simulator.book.terms import Adjustment, Term
    from etl.simulator.world import World

APPLICATIONS_FROM = timedelta(days=2 * 365)  #: older applications are not kept


def enter_contact(world: World, dice: random.Random, client: Client, item: dict[str, Any]) -> None:
    """Put a contact into the book, with the quality problems of real data."""
    world.contacts.put(client.id, dirt.contact(dice, item), client.created, client.modified)


def enter_policy(
    world: World, dice: random.Random, policy_id: int, term: Term, prior_id: int | None, now: datetime
) -> None:
    """Put a term into the book, with its adjustment, bills, commissions, claims and application."""
    policy = dirt.policy(dice, policies.item(dice, policy_id, term, prior_id))
    world.policies.put(policy_id, policy, term.created, term.modified)
    world.policies_of.setdefault(term.client.id, []).append(policy_id)
    if term.line.id in lines.GARAGE_LINES:
        world.garage.add(policy_id)
    if prior_id:
        world.renewed.add(prior_id)
    if term.adjustment:
        world.adjustments[policy_id] = [term.adjustment]
    for key, at, row in money.billing(dice, policy, term.client.office.id, term.client.agent.id, now):
        world.billing.put(key, row, world.entered(at, now))
    _enter_commissions(world, policy, term, now)
    _enter_claim(world, dice, policy, term, now)
    _enter_application(world, dice, policy, term, now)


def _enter_commissions(world: World, policy: dict[str, Any], term: Term, now: datetime) -> None:
    if term.status in {"P", "D"}:
        return
    kind = policies.business_type(policy)
    begun = max(stamps.at_midnight(term.effective), term.created)
    enter_commission(world, policy, kind, term.base, _booked(policy, begun), now)
    if term.adjustment:
        changed = stamps.at_midnight(term.adjustment.on)
        enter_adjustment_commission(world, policy, term.adjustment, _booked(policy, changed), now)


def _booked(policy: dict[str, Any], on: datetime) -> datetime:
    """Return when the office enters the events of a day: in the afternoon."""
    return on + timedelta(hours=15, minutes=policy["PolicyId"] % 300)


def enter_adjustment_commission(
    world: World, policy: dict[str, Any], change: Adjustment, at: datetime, now: datetime
) -> None:
    """Put the commission of an endorsement, or what of it goes back after a cancellation, into the book."""
    premium = -change.amount if change.kind == "C" else change.amount
    enter_commission(world, policy, change.kind, premium, at, now)


def enter_commission(
    world: World, policy: dict[str, Any], kind: str, premium: float, at: datetime, now: datetime
) -> None:
    """Put a commission into the book, unless its transaction is in the future."""
    if at > now:
        return
    key = money.FIRST_COMMISSION + len(world.commissions)
    rate = world.rates[(policy["CarrierId"], policy["LOBId"], policies.business_type(policy))]
    world.commissions.put(key, money.commission(key, policy, rate, kind, premium, at, now), at)


def _enter_claim(world: World, dice: random.Random, policy: dict[str, Any], term: Term, now: datetime) -> None:
    end = min(stamps.at_midnight(term.expiration) if term.expiration else now, now)
    begin = stamps.at_midnight(term.effective)
    if term.status in {"P", "D"} or dice.random() > 0.08 or end - begin < timedelta(days=30):
        return
    happened = stamps.between(dice, begin, end - timedelta(days=25))
    enter_claim(world, dice, policy, happened, now)


def enter_claim(world: World, dice: random.Random, policy: dict[str, Any], happened: datetime, now: datetime) -> int:
    """Put a claim into the book and return its id."""
    key = claims.FIRST_CLAIM + len(world.claims)
    client = world.client(policy["CustomerId"])
    item = claims.claim(dice, key, policy, client, happened, now)
    modified = item["DateLastModified"]
    world.claims.put(key, item, stamps.read(item["CreatedOn"]), stamps.read(modified) if modified else None)
    return key


def _enter_application(world: World, dice: random.Random, policy: dict[str, Any], term: Term, now: datetime) -> None:
    if term.prior or term.created < now - APPLICATIONS_FROM or dice.random() > 0.6:
        return
    key = claims.FIRST_APPLICATION + len(world.applications)
    created = world.entered(term.created - timedelta(minutes=dice.randrange(10, 4000)), now)
    item = claims.application(dice, key, policy, created, now)
    modified = item["DateLastModified"]
    world.applications.put(key, item, created, stamps.read(modified) if modified else None)
