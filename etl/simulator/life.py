"""Ongoing changes in the agency's data, one at a time, chosen at random by the seed."""

# ruff: noqa: PLR2004 - shares, rates and amounts of generated data are written where they are used

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from etl.simulator.book import entries, lines, money, names, people, policies, stamps, sums, terms

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from datetime import datetime

    from etl.simulator.collection import Collection
    from etl.simulator.world import World

ATTEMPTS = 25  #: number of attempts to find a suitable record before another change is tried


def happen(world: World, now: datetime) -> str:
    """Make one change and return its description, without personal data."""
    dice = world.dice("life", world.changes)
    world.changes += 1
    while True:
        change = dice.choices(tuple(CHANGES), tuple(CHANGES.values()))[0]
        words = change(world, dice, now)
        if words:
            return words


def _pick(dice: random.Random, collection: Collection, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    keys = list(collection)
    for _ in range(ATTEMPTS if keys else 0):
        item = collection[dice.choice(keys)]
        if fits(item):
            return item
    return None


def _edit_contact(world: World, dice: random.Random, now: datetime) -> str | None:
    contact = _pick(dice, world.contacts, lambda item: item["Status"] == "A")
    if contact is None:
        return None
    area = next(office.place.area_code for office in world.agency.offices)
    edit = dice.choice((
        {"Phone": names.phone(dice, area), "PhoneType": "Cell"},
        {"Email": f"{names.slug(contact['DisplayName'] or 'client')}{dice.randrange(100)}@example.com"},
        {"Line1": names.street(dice), "Line2": names.second_line(dice)},
    ))  # fmt: skip
    world.contacts.change(contact["EntityID"], now, **edit)
    return f"contact {contact['EntityID']}: {', '.join(edit)} edited"


def _new_client(world: World, dice: random.Random, now: datetime) -> str | None:
    key = max(int(number) for number in world.contacts) + 1 if len(world.contacts) else people.FIRST_CONTACT
    client, item = people.new_contact(dice, world.agency, key, now)
    entries.enter_contact(world, dice, client, item)
    for term in terms.chains(dice, world.agency, client, now) if client.is_customer else ():
        _enter(world, dice, replace(term, created=now, modified=None), None, now)
    return f"contact {key} entered"


def _enter(world: World, dice: random.Random, term: terms.Term, prior: int | None, now: datetime) -> int:
    key = max(int(number) for number in world.policies) + 1 if len(world.policies) else policies.FIRST_POLICY
    entries.enter_policy(world, dice, key, term, prior, now)
    return key


def _client(world: World, policy: dict[str, Any]) -> people.Client:
    contact = world.client(policy["CustomerId"])
    offices = {office.id: office for office in world.agency.offices}
    key = contact["EntityID"]
    entered = world.contacts.created(key) if key in world.contacts else world.founded
    return people.Client(
        key, policy["CustomerName"], offices.get(contact["LocationID"], world.agency.offices[0]),
        world.agency.named(policy["AgentName"]), entered, None,
        is_business=policy["PolicyType"] == "Commercial", is_customer=True,
    )  # fmt: skip


def _in_force(policy: dict[str, Any]) -> bool:
    return policy["Status"] == "A" and policy["ExpirationDate"] is not None


def _another_policy(world: World, dice: random.Random, now: datetime) -> str | None:
    policy = _pick(dice, world.policies, lambda item: item["Status"] in "AE")
    if policy is None:
        return None
    client = _client(world, policy)
    line = dice.choice([line for line in lines.LINES if line.commercial == client.is_business])
    begin = now.date() + timedelta(days=dice.randrange(20))
    term = terms.first_term(dice, world.agency, client, line, begin, now)
    key = _enter(world, dice, replace(term, created=now), None, now)
    return f"policy {key} written"


def _renew(world: World, dice: random.Random, now: datetime) -> str | None:
    soon = stamps.plain(now + timedelta(days=120))

    def is_due(policy: dict[str, Any]) -> bool:
        return _in_force(policy) and policy["ExpirationDate"] < soon and policy["PolicyId"] not in world.renewed

    policy = _pick(dice, world.policies, is_due)
    if policy is None:
        return None
    term = terms.renewal(dice, _term(world, policy), now)
    key = _enter(world, dice, term, policy["PolicyId"], now)
    return f"policy {key} set up as the renewal of {policy['PolicyId']}"


def _term(world: World, policy: dict[str, Any]) -> terms.Term:
    """Return the term of a policy in the feed."""
    carriers = {carrier.id: carrier for carrier in world.agency.carriers}
    shown = [lines.BY_ID[item["ID"]] for item in policy["LOBList"]]
    key = policy["PolicyId"]
    return terms.Term(
        _client(world, policy), shown[0], shown[1] if len(shown) > 1 else None, carriers[policy["CarrierId"]],
        carriers.get(policy["MGAId"]), policy["PolicyNumber"].strip(), stamps.read(policy["EffectiveDate"]).date(),
        stamps.read(policy["ExpirationDate"]).date() if policy["ExpirationDate"] else None,
        6 if policy["Term"] == "S" else 12, policy["TotalPremium"], policy["Status"], world.policies.created(key),
    )  # fmt: skip


def _bind(world: World, dice: random.Random, now: datetime) -> str | None:
    policy = _pick(dice, world.policies, lambda item: item["Status"] == "P")
    if policy is None:
        return None
    begin, key = stamps.read(policy["EffectiveDate"]), policy["PolicyId"]
    term = _term(world, policy)
    number = policy["PolicyNumber"]
    if number.strip().lower() in {"pending", "tba", "tbd"}:
        number = f"{term.line.code} {term.carrier.id:03d}{dice.randrange(100_000):05d}-{begin:%y}"
    policy = world.policies.change(key, now, Status="A", PolicyNumber=number, Description=None)
    kind, premium = policies.business_type(policy), policy["TotalPremium"]
    entries.enter_commission(world, policy, kind, premium, now, now)
    for row, at, item in money.billing(dice, policy, term.client.office.id, term.client.agent.id, now):
        world.billing.put(row, item, world.entered(at, now))
    return f"policy {key} bound"


def _cancel(world: World, dice: random.Random, now: datetime) -> str | None:
    policy = _pick(dice, world.policies, lambda item: _in_force(item) and stamps.read(item["EffectiveDate"]) < now)
    if policy is None:
        return None
    begin, end = stamps.read(policy["EffectiveDate"]), stamps.read(policy["ExpirationDate"])
    back = sums.cents(policy["TotalPremium"] * max(0.0, (end - now) / (end - begin)))
    change = terms.Adjustment("C", now.date(), back, dice.choice(tuple(terms.REASONS)))
    return _adjust(world, world.policies.change(policy["PolicyId"], now, Status="C"), change, now, "cancelled")


def _endorse(world: World, dice: random.Random, now: datetime) -> str | None:
    policy = _pick(dice, world.policies, _in_force)
    if policy is None:
        return None
    amount = sums.cents(policy["TotalPremium"] * dice.uniform(-0.05, 0.15))
    premium = sums.cents(policy["TotalPremium"] + amount)
    policy = world.policies.change(policy["PolicyId"], now, TotalPremium=premium)
    return _adjust(world, policy, terms.Adjustment("E", now.date(), amount), now, "endorsed")


def _adjust(world: World, policy: dict[str, Any], change: terms.Adjustment, now: datetime, words: str) -> str:
    world.adjustments.setdefault(policy["PolicyId"], []).append(change)
    entries.enter_adjustment_commission(world, policy, change, now, now)
    return f"policy {policy['PolicyId']} {words}"


def _delete_policy(world: World, dice: random.Random, now: datetime) -> str | None:
    policy = _pick(dice, world.policies, lambda item: item["Status"] == "P")
    if policy is None:
        return None
    world.policies.change(policy["PolicyId"], now, Status="D", IsDeleted=True)
    return f"policy {policy['PolicyId']} deleted"


def _delete_contact(world: World, dice: random.Random, now: datetime) -> str | None:
    contact = _pick(dice, world.contacts, lambda item: item["ContactSubType"] == "P" and item["Status"] == "A")
    if contact is None:
        return None
    world.contacts.change(contact["EntityID"], now, Status="D", StatusDisplay="Deleted")
    return f"contact {contact['EntityID']} deleted"


def _report_claim(world: World, dice: random.Random, now: datetime) -> str | None:
    policy = _pick(dice, world.policies, lambda item: item["Status"] == "A")
    if policy is None:
        return None
    key = entries.enter_claim(world, dice, policy, now - timedelta(days=2), now)
    day = stamps.midnight(now.date())
    item = world.claims[key] | {"DateReported": day, "CreatedOn": stamps.plain(now)}
    world.claims.put(key, item, now)
    return f"claim {key} reported"


def _settle_claim(world: World, dice: random.Random, now: datetime) -> str | None:
    claim = _pick(dice, world.claims, lambda item: item["Status"] in "OR")
    if claim is None:
        return None
    closed = {"Status": "C", "DateClosed": stamps.midnight(now.date()), "AmountPaid": claim["AmountReserved"]}
    world.claims.change(claim["ClaimID"], now, **closed)
    return f"claim {claim['ClaimID']} closed"


def _void_payment(world: World, dice: random.Random, _now: datetime) -> str | None:
    """Void a payment; the feed goes only by the created date, so it does not return the row again."""
    row = _pick(dice, world.billing, lambda item: item["IsPayment"] and not item["IsVoided"])
    if row is None:
        return None
    world.billing.change(row["RecordId"], None, IsVoided=True, SyncStatus=1)
    return f"billing row {row['RecordId']} voided"


def _receive_commission(world: World, dice: random.Random, now: datetime) -> str | None:
    item = _pick(dice, world.commissions, lambda commission: commission["Status"] == "P")
    if item is None:
        return None
    world.commissions.change(item["CommissionID"], now, Status="R", StatementDate=stamps.midnight(now.date()))
    return f"commission {item['CommissionID']} received"


def _drop_coverage(world: World, dice: random.Random, now: datetime) -> str | None:
    policy = _pick(dice, world.policies, _in_force)
    items = world.detail("coverages", policy["PolicyId"]) if policy else []
    if policy is None or len(items) < 2:  # a policy keeps at least one
        return None
    world.keep("coverages", policy["PolicyId"], items[:-1])
    world.policies.change(policy["PolicyId"], now)
    return f"policy {policy['PolicyId']}: a coverage removed"


CHANGES: dict[Callable[[World, random.Random, datetime], str | None], int] = {
    _edit_contact: 30, _new_client: 12, _another_policy: 8, _renew: 10, _bind: 8, _cancel: 5, _endorse: 6,
    _delete_policy: 2, _delete_contact: 2, _report_claim: 4, _settle_claim: 3, _void_payment: 3,
    _receive_commission: 4, _drop_coverage: 3,
}  # fmt: skip
