"""Live changes: what changes in an agency while time passes, one change at a time, drawn by the seed."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from etl.simulator import add_records, details
from etl.simulator.agency_data import AgencyData
from etl.simulator.book import agency, amounts, dates, lines, names, people, policies, terms
from etl.simulator.collection import Collection

Item = dict[str, Any]

ATTEMPTS = 25  #: how many records are tried before another change is chosen


def happen(data: AgencyData, now: datetime) -> str:
    """Make one change and return what it was, without personal data."""
    dice = data.dice("life", data.changes)
    data.changes += 1
    while True:
        change = dice.choices(tuple(CHANGES), tuple(CHANGES.values()))[0]
        with suppress(NothingFits):
            return change(data, dice, now)


class NothingFits(Exception):
    """No record was found for a change, so that another one is chosen."""


def _pick(dice: random.Random, collection: Collection, fits: Callable[[Item], bool]) -> Item:
    keys = list(collection)
    for _ in range(ATTEMPTS if keys else 0):
        item = collection[dice.choice(keys)]
        if fits(item):
            return item
    raise NothingFits


def _is_client(data: AgencyData, contact: Item) -> bool:
    """Return whether a contact is a customer, a prospect or unexplained, not a carrier, MGA or employee."""
    return data.contact_types[contact["EntityID"]] not in {people.CARRIER, people.MGA, people.EMPLOYEE}


def _edit_contact(data: AgencyData, dice: random.Random, now: datetime) -> str:
    contact = _pick(dice, data.contacts, lambda contact: contact["Status"] == "A" and _is_client(data, contact))
    area = data.agency.offices[0].address.area_code
    edit = dice.choice((
        {"Phone": names.phone(dice, area), "PhoneType": "Cell"},
        {"Email": f"{names.slug(contact['DisplayName'] or 'client')}{dice.randrange(100)}@example.com"},
        {"Line1": names.street(dice), "Line2": names.second_line(dice)},
    ))  # fmt: skip
    data.contacts.change(contact["EntityID"], now, **edit)
    return f"contact {contact['EntityID']}: {', '.join(edit)} edited"


def _new_client(data: AgencyData, dice: random.Random, now: datetime) -> str:
    key = max([people.FIRST_CONTACT - 1, *map(int, data.contacts)]) + 1
    client, item = people.new_client(dice, data.agency, key, now)
    add_records.enter_client(data, dice, client, item)
    for term in terms.chains(dice, data.agency, client, now) if client.is_customer else ():
        _enter(data, dice, replace(term, created=now, modified=None), None, now)
    return f"contact {key} entered"


def _enter(data: AgencyData, dice: random.Random, term: terms.Term, prior: int | None, now: datetime) -> int:
    key = max([policies.FIRST_POLICY - 1, *map(int, data.policies)]) + 1
    add_records.enter_policy(data, dice, key, term, prior, now)
    return key


def _client(data: AgencyData, policy: Item) -> people.Client:
    contact = data.client(policy["CustomerId"])
    key = contact["EntityID"]
    return people.Client(
        key, policy["CustomerName"], data.agency.office(contact["LocationID"]) or data.agency.offices[0],
        data.agency.employee_by_name(policy["AgentName"]),
        data.contacts.created(key) if key in data.contacts else data.founded, None,
        is_business=policy["PolicyType"] == "Commercial", type=people.CUSTOMER,
    )  # fmt: skip


def _is_in_force(data: AgencyData, policy: Item, now: datetime) -> bool:
    """Return whether a policy is bound and not over. Its dates decide: nobody may have marked the end."""
    return (
        policy["Status"] == "A"
        and data.facts[policy["PolicyId"]].bound is not None
        and policy["ExpirationDate"] is not None
        and dates.read(policy["ExpirationDate"]) > now
    )


def _is_shell(data: AgencyData, policy: Item) -> bool:
    """Return whether a policy waits to be bound."""
    return policy["Status"] in {"A", "P"} and data.facts[policy["PolicyId"]].bound is None


def _another_policy(data: AgencyData, dice: random.Random, now: datetime) -> str:
    policy = _pick(dice, data.policies, lambda policy: policy["Status"] in "AE")
    client = _client(data, policy)
    line = dice.choice([line for line in lines.LINES if line.commercial == client.is_business])
    begin = now.date() + timedelta(days=dice.randrange(20))
    term = terms.first_term(dice, data.agency, client, line, begin, now)
    key = _enter(data, dice, replace(term, created=now), None, now)
    return f"policy {key} written"


def _renew(data: AgencyData, dice: random.Random, now: datetime) -> str:
    soon = dates.plain(now + timedelta(days=120))

    def is_due(policy: Item) -> bool:
        is_renewed = policy["PolicyId"] in data.renewed
        return _is_in_force(data, policy, now) and policy["ExpirationDate"] < soon and not is_renewed

    policy = _pick(dice, data.policies, is_due)
    key = _enter(data, dice, terms.renewal(dice, _term(data, policy), now), policy["PolicyId"], now)
    return f"policy {key} created as the renewal of {policy['PolicyId']}"


def _rewrite(data: AgencyData, dice: random.Random, now: datetime) -> str:
    """Cancel a policy and replace it with one of another carrier."""
    policy = _pick(dice, data.policies, lambda policy: _is_running(data, policy, now))
    if policy["PolicyId"] in data.renewed:
        raise NothingFits
    term = terms.rewrite(dice, data.agency, _term(data, policy), now.date(), now)
    _adjust(data, _canceled(data, policy, now), _cancellation(policy, (agency.REWRITTEN,), now), now)
    key = _enter(data, dice, replace(term, created=now), policy["PolicyId"], now)
    return f"policy {policy['PolicyId']} rewritten as {key}"


def _term(data: AgencyData, policy: Item) -> terms.Term:
    """Read a policy of the feed back as the term it shows."""
    shown = [lines.BY_ID[line["ID"]] for line in policy["LOBList"]]
    carrier = data.agency.carrier(policy["CarrierId"]) or data.agency.carriers[0]
    facts = data.facts[policy["PolicyId"]]
    return terms.Term(
        _client(data, policy), shown[0], shown[1] if len(shown) > 1 else None, carrier,
        data.agency.carrier(policy["MGAId"]), policy["PolicyNumber"].strip(),
        dates.read(policy["EffectiveDate"]).date(),
        dates.read(policy["ExpirationDate"]).date() if policy["ExpirationDate"] else None,
        6 if policy["Term"] == "S" else 12, policy["TotalPremium"], policy["Status"],
        data.policies.created(policy["PolicyId"]), facts.bound, facts.business,
    )  # fmt: skip


def _bind(data: AgencyData, dice: random.Random, now: datetime) -> str:
    policy = _pick(dice, data.policies, lambda policy: _is_shell(data, policy))
    key, term = policy["PolicyId"], _term(data, policy)
    number = policy["PolicyNumber"]
    if number.strip().lower() in {"pending", "tba", "tbd"}:
        number = terms.policy_number(dice, term.line, term.carrier, term.effective)
    data.facts[key] = replace(data.facts[key], bound=now.date())
    policy = data.policies.change(key, now, Status="A", PolicyNumber=number, Description=None)
    add_records.enter_commission(data, policy, data.rule_business(policy), policy["TotalPremium"], now, now)
    add_records.enter_billing(data, dice, policy, term, now)
    return f"policy {key} bound"


def _is_running(data: AgencyData, policy: Item, now: datetime) -> bool:
    return _is_in_force(data, policy, now) and dates.read(policy["EffectiveDate"]) < now


def _cancel(data: AgencyData, dice: random.Random, now: datetime) -> str:
    policy = _pick(dice, data.policies, lambda policy: _is_running(data, policy, now))
    reason = dice.choice([reason for reason in agency.REASONS if reason != agency.REWRITTEN])
    _adjust(data, _canceled(data, policy, now), _cancellation(policy, (reason,), now), now)
    return f"policy {policy['PolicyId']} canceled"


def _canceled(data: AgencyData, policy: Item, now: datetime) -> Item:
    return data.policies.change(policy["PolicyId"], now, Status="C")


def _cancellation(policy: Item, reasons: tuple[int, ...], now: datetime) -> terms.TermChange:
    """Return the cancellation of a policy now; the premium of the days that are left is returned."""
    begin, end = dates.read(policy["EffectiveDate"]), dates.read(policy["ExpirationDate"])
    returned = amounts.cents(policy["TotalPremium"] * max(0.0, (end - now) / (end - begin)))
    return terms.TermChange(terms.CANCELLATION, now.date(), -returned, reasons)


def _reinstate(data: AgencyData, dice: random.Random, now: datetime) -> str:
    """Reinstate a canceled policy that was not replaced, and charge what the cancellation returned."""

    def can_be_reinstated(policy: Item) -> bool:
        is_replaced = policy["PolicyId"] in data.renewed
        is_over = policy["ExpirationDate"] is None or dates.read(policy["ExpirationDate"]) <= now
        return policy["Status"] == "C" and not is_replaced and not is_over

    policy = _pick(dice, data.policies, can_be_reinstated)
    canceled = data.adjustments[policy["PolicyId"]][-1]
    days = max(0, (now.date() - canceled.on).days)
    change = terms.TermChange(terms.REINSTATEMENT, now.date(), -canceled.premium_change, days_lapsed=days)
    _adjust(data, data.policies.change(policy["PolicyId"], now, Status="A"), change, now)
    return f"policy {policy['PolicyId']} reinstated"


def _endorse(data: AgencyData, dice: random.Random, now: datetime) -> str:
    policy = _pick(dice, data.policies, lambda policy: _is_in_force(data, policy, now))
    amount = amounts.cents(policy["TotalPremium"] * dice.uniform(-0.05, 0.15))
    premium = amounts.cents(policy["TotalPremium"] + amount)
    policy = data.policies.change(policy["PolicyId"], now, TotalPremium=premium)
    _adjust(data, policy, terms.TermChange(terms.ENDORSEMENT, now.date(), amount), now)
    return f"policy {policy['PolicyId']} endorsed"


def _adjust(data: AgencyData, policy: Item, change: terms.TermChange, now: datetime) -> None:
    data.adjustments.setdefault(policy["PolicyId"], []).append(change)
    add_records.enter_adjustment_commission(data, policy, change, now, now)


def _delete_policy(data: AgencyData, dice: random.Random, now: datetime) -> str:
    policy = _pick(dice, data.policies, lambda policy: _is_shell(data, policy))
    data.policies.change(policy["PolicyId"], now, Status="D", IsDeleted=policy["PolicyId"] % 3 != 0)
    return f"policy {policy['PolicyId']} deleted"


def _delete_contact(data: AgencyData, dice: random.Random, now: datetime) -> str:
    def can_be_deleted(contact: Item) -> bool:
        return data.contact_types[contact["EntityID"]] == people.PROSPECT and contact["Status"] == "A"

    contact = _pick(dice, data.contacts, can_be_deleted)
    data.contacts.change(contact["EntityID"], now, Status="D", StatusDisplay="Deleted")
    return f"contact {contact['EntityID']} deleted"


def _report_claim(data: AgencyData, dice: random.Random, now: datetime) -> str:
    policy = _pick(dice, data.policies, lambda policy: _is_in_force(data, policy, now))
    key = add_records.enter_claim(data, dice, policy, now - timedelta(days=2), now)
    day = dates.midnight(now.date())
    item = data.claims[key] | {"DateReported": day, "CreatedOn": dates.plain(now)}
    data.claims.put(key, item, now)
    return f"claim {key} reported"


def _settle_claim(data: AgencyData, dice: random.Random, now: datetime) -> str:
    claim = _pick(dice, data.claims, lambda claim: claim["Status"] in "OR")
    closed = {"Status": "C", "DateClosed": dates.midnight(now.date()), "AmountPaid": claim["AmountReserved"]}
    data.claims.change(claim["ClaimID"], now, **closed)
    return f"claim {claim['ClaimID']} closed"


def _void_payment(data: AgencyData, dice: random.Random, _now: datetime) -> str:
    """Void a payment. The feed goes by the created date only, so it does not send the row again."""
    row = _pick(dice, data.billing, lambda row: row["IsPayment"] and not row["IsVoided"])
    data.billing.change(row["RecordId"], None, IsVoided=True, SyncStatus=1)
    return f"billing row {row['RecordId']} voided"


def _receive_commission(data: AgencyData, dice: random.Random, now: datetime) -> str:
    item = _pick(dice, data.commissions, lambda item: item["Status"] == "P")
    data.commissions.change(item["CommissionID"], now, Status="R", StatementDate=dates.midnight(now.date()))
    return f"commission {item['CommissionID']} received"


def _drop_coverage(data: AgencyData, dice: random.Random, now: datetime) -> str:
    policy = _pick(dice, data.policies, lambda policy: _is_in_force(data, policy, now))
    items = details.detail(data, "coverages", policy["PolicyId"])
    if len(items) < 2:  # a policy keeps at least one
        raise NothingFits
    data.keep("coverages", policy["PolicyId"], items[:-1])
    data.policies.change(policy["PolicyId"], now)
    return f"policy {policy['PolicyId']}: a coverage removed"


CHANGES: dict[Callable[[AgencyData, random.Random, datetime], str], int] = {
    _edit_contact: 30, _new_client: 12, _another_policy: 8, _renew: 10, _bind: 8, _cancel: 5, _endorse: 6,
    _rewrite: 2, _reinstate: 2, _delete_policy: 2, _delete_contact: 2, _report_claim: 4, _settle_claim: 3,
    _void_payment: 3, _receive_commission: 4, _drop_coverage: 3,
}  # fmt: skip
