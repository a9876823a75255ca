"""Entering a contact or a policy into the data, with every record that belongs to it."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from datetime import datetime, timedelta
from typing import Any

from etl.simulator import data_quirks
from etl.simulator.agency_data import AgencyData
from etl.simulator.book import claims, dates, lines, money, people, policies
from etl.simulator.book.people import Client
from etl.simulator.book.policies import PolicyFacts
from etl.simulator.book.terms import CANCELLATION, ENDORSEMENT, NONRENEWAL, Term, TermChange

APPLICATIONS_FROM = timedelta(days=2 * 365)  #: older applications are not kept


def enter_staff_and_carriers(data: AgencyData, dice: random.Random) -> None:
    """Put the carriers, managing general agencies and employees into the data, as contacts of types R, M and E."""
    for carrier in data.agency.carriers:
        item = people.carrier_item(dice, data.agency, carrier)
        _put_contact(data, item, people.MGA if carrier.is_mga else people.CARRIER, data.agency.founded)
    for employee in data.agency.employees:
        _put_contact(data, people.employee_item(dice, employee), people.EMPLOYEE, employee.hired)


def _put_contact(data: AgencyData, item: dict[str, Any], letter: str, created: datetime) -> None:
    data.contact_types[item["EntityID"]] = letter
    data.contacts.put(item["EntityID"], item, created)


def enter_client(data: AgencyData, dice: random.Random, client: Client, item: dict[str, Any]) -> None:
    """Put a client into the data, with the quirks of a real book."""
    data.contact_types[client.id] = client.type
    data.contacts.put(client.id, data_quirks.contact(dice, item), client.created, client.modified)


def enter_policy(
    data: AgencyData, dice: random.Random, policy_id: int, term: Term, prior_id: int | None, now: datetime
) -> None:
    """Put a term into the data, with its adjustments, bills, commissions, claims and application."""
    policy = data_quirks.policy(dice, policies.item(dice, policy_id, term, prior_id))
    data.policies.put(policy_id, policy, term.created, term.modified)
    data.facts[policy_id] = PolicyFacts(term.business, term.bound)
    data.policies_of.setdefault(term.client.id, []).append(policy_id)
    if term.line.id in lines.GARAGE_LINES:
        data.garage.add(policy_id)
    if prior_id:
        data.renewed.add(prior_id)
    if term.adjustments:
        data.adjustments[policy_id] = list(term.adjustments)
    _enter_application(data, dice, policy, term, now)
    if term.is_issued:
        enter_billing(data, dice, policy, term, now)
        _enter_commissions(data, policy, term, now)
        _enter_claim(data, dice, policy, term, now)


def enter_billing(data: AgencyData, dice: random.Random, policy: dict[str, Any], term: Term, now: datetime) -> None:
    """Put the invoice and the payments of an issued policy into the data."""
    for key, at, row in money.billing(dice, policy, term.client.office.id, term.client.agent.id, now):
        data.billing.put(key, row, data.entered(at, now))


def _enter_commissions(data: AgencyData, policy: dict[str, Any], term: Term, now: datetime) -> None:
    begun = max(dates.at_midnight(term.effective), term.created)
    enter_commission(data, policy, data.rule_business(policy), term.base, _booked(policy, begun), now)
    for change in term.adjustments:
        enter_adjustment_commission(data, policy, change, _booked(policy, dates.at_midnight(change.on)), now)


def _booked(policy: dict[str, Any], on: datetime) -> datetime:
    """Return when the office books what happened on a day: in its afternoon."""
    return on + timedelta(hours=15, minutes=policy["PolicyId"] % 300)


def enter_adjustment_commission(
    data: AgencyData, policy: dict[str, Any], change: TermChange, at: datetime, now: datetime
) -> None:
    """Put the commission on an adjustment into the data; a cancellation and its reinstatement outweigh each other."""
    if change.type != NONRENEWAL:
        kind = CANCELLATION if change.type == CANCELLATION else ENDORSEMENT
        enter_commission(data, policy, kind, change.premium_change, at, now)


def enter_commission(
    data: AgencyData, policy: dict[str, Any], kind: str, premium: float, at: datetime, now: datetime
) -> None:
    """Put a commission into the data, unless the time of its transaction is yet to come."""
    if at > now:
        return
    key = money.FIRST_COMMISSION + len(data.commissions)
    data.commissions.put(key, money.commission(key, policy, data.rate(policy), kind, premium, at, now), at)


def _enter_claim(data: AgencyData, dice: random.Random, policy: dict[str, Any], term: Term, now: datetime) -> None:
    end = min(dates.at_midnight(term.expiration) if term.expiration else now, now)
    begin = dates.at_midnight(term.effective)
    if dice.random() > 0.08 or end - begin < timedelta(days=30):
        return
    happened = dates.between(dice, begin, end - timedelta(days=25))
    enter_claim(data, dice, policy, happened, now)


def enter_claim(
    data: AgencyData, dice: random.Random, policy: dict[str, Any], happened: datetime, now: datetime
) -> int:
    """Put a claim into the data and return its id."""
    key = claims.FIRST_CLAIM + len(data.claims)
    item = claims.claim(dice, key, policy, data.client(policy["CustomerId"]), happened, now)
    modified = item["DateLastModified"]
    data.claims.put(key, item, dates.read(item["CreatedOn"]), dates.read(modified) if modified else None)
    return key


def _enter_application(
    data: AgencyData, dice: random.Random, policy: dict[str, Any], term: Term, now: datetime
) -> None:
    if term.prior or term.created < now - APPLICATIONS_FROM or dice.random() > 0.6:
        return
    key = claims.FIRST_APPLICATION + len(data.applications)
    created = data.entered(term.created - timedelta(minutes=dice.randrange(10, 4000)), now)
    item = claims.application(dice, key, policy, created, now)
    modified = item["DateLastModified"]
    data.applications.put(key, item, created, dates.read(modified) if modified else None)
