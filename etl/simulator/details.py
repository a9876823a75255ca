"""The details of one contact or one policy. They are generated on request, the same each time."""

from collections.abc import Callable
from typing import Any

from etl.simulator.agency_data import AgencyData
from etl.simulator.book import contact_records, dates, drivers_vehicles, policies, policy_records
from etl.simulator.book.agency import SimulatedEmployee
from etl.simulator.book.contact_records import NoteSubject
from etl.simulator.book.policy_records import PolicyContext

Item = dict[str, Any]
Items = list[Item]


def detail(data: AgencyData, kind: str, key: int) -> Items:
    """Return a detail of a contact or policy, such as `coverages`; KeyError when the record does not exist."""
    kept = data.kept_details.get((kind, key))
    return kept if kept is not None else DETAILS[kind](data, key)


def office_id(data: AgencyData, policy: Item) -> int | None:
    """Return the LocationID of a policy's client; None when the contact names none."""
    location: int | None = data.client(policy["CustomerId"])["LocationID"]
    return location


def csr_of(data: AgencyData, policy: Item) -> SimulatedEmployee | None:
    """Return the employee who serves a policy; None for six in a hundred clients."""
    dice = data.dice("csr", policy["CustomerId"])
    if dice.random() < 0.06:  # noqa: PLR2004 - the share of clients whom nobody serves
        return None
    return dice.choice(data.agency.staff(office_id(data, policy), "CSR") or data.agency.employees)


def policy_context(data: AgencyData, key: int) -> PolicyContext:
    """Return a policy with everything that its details are made of."""
    policy = data.policies[key]
    prior = policy["PriorPolicyID"]
    prior_number = data.policies[prior]["PolicyNumber"] if prior in data.policies else None
    return PolicyContext(
        data.agency, policy, data.facts[key], data.adjustments.get(key, []), csr_of(data, policy), prior_number
    )


def _adjustments(data: AgencyData, key: int) -> Items:
    policy, changes = data.policies[key], data.adjustments.get(key, [])
    csr = csr_of(data, policy)
    rate, csr_id = data.rate(policy).percent, csr.id if csr else None
    return [
        policies.adjustment_item(policy, number, change, rate=rate, csr_id=csr_id)
        for number, change in enumerate(changes, 1)
    ]


def _coverages(data: AgencyData, key: int) -> Items:
    vehicle_ids = [vehicle["VehicleID"] for vehicle in detail(data, "vehicles", key)] if key in data.garage else []
    return policy_records.coverages(data.dice("coverages", key), data.policies[key], vehicle_ids)


def _household(data: AgencyData, key: int, kind: str, make: Callable[..., Items]) -> Items:
    """Return what a household keeps from term to term: its dice are those of the client."""
    policy = data.policies[key]
    return make(data.dice(kind, policy["CustomerId"]), policy, data.client(policy["CustomerId"]))


def _policy_notes(data: AgencyData, key: int) -> Items:
    about = NoteSubject(data.policies[key]["CustomerId"], key)
    return contact_records.notes(
        data.dice("policy notes", key), data.agency, about, data.policies.created(key), data.founded
    )


def _notes(data: AgencyData, key: int) -> Items:
    created = dates.read(data.contacts[key]["CreatedOn"])
    return contact_records.notes(data.dice("notes", key), data.agency, NoteSubject(key), created, data.founded)


def _tasks(data: AgencyData, key: int) -> Items:
    policy_ids = data.policies_of.get(key, [])
    return contact_records.tasks(data.dice("tasks", key), data.agency, data.contacts[key], policy_ids, data.founded)


def _documents(data: AgencyData, key: int) -> Items:
    numbers = [data.policies[policy]["PolicyNumber"].strip() for policy in data.policies_of.get(key, [])]
    return contact_records.documents(
        data.dice("documents", key), data.agency, data.contacts[key], numbers, data.founded
    )


def _files(data: AgencyData, key: int) -> Items:
    numbers = {policy: data.policies[policy]["PolicyNumber"].strip() for policy in data.policies_of.get(key, [])}

    def related(document: Item) -> list[int]:
        return [policy for policy, number in numbers.items() if number in document["PolicyNumbers"].split(", ")]

    return contact_records.files(data.dice("files", key), data.agency, detail(data, "documents", key), related)


DETAILS: dict[str, Callable[[AgencyData, int], Items]] = {
    "info": lambda data, key: [policy_records.policy_info(data.dice("info", key), policy_context(data, key))],
    "summary": lambda data, key: [policy_records.summary(policy_context(data, key))],
    "adjustments": _adjustments,
    "policy_lines": lambda data, key: policy_records.policy_lines(data.policies[key]),
    "premium": lambda data, key: [policy_records.premium(data.policies[key], data.adjustments.get(key, []))],
    "quotes": lambda data, key: policy_records.quotes(data.dice("quotes", key), data.agency, data.policies[key]),
    "coverages": _coverages,
    "equipment": lambda data, key: policy_records.equipment(
        data.dice("equipment", data.policies[key]["CustomerId"]), data.policies[key]
    ),
    "drivers": lambda data, key: _household(data, key, "drivers", drivers_vehicles.drivers),
    "vehicles": lambda data, key: _household(data, key, "vehicles", drivers_vehicles.vehicles),
    "policy_notes": _policy_notes,
    "notes": _notes,
    "account": lambda data, key: [contact_records.account(data.dice("account", key), data.agency, data.contacts[key])],
    "customer_summary": lambda data, key: [
        contact_records.detail_summary(data.dice("customer summary", key), data.agency, data.contacts[key])
    ],
    "addresses": lambda data, key: contact_records.addresses(data.dice("addresses", key), data.contacts[key]),
    "phones": lambda data, key: contact_records.phones(data.dice("phones", key), data.contacts[key]),
    "emails": lambda data, key: contact_records.emails(data.dice("emails", key), data.contacts[key]),
    "tasks": _tasks,
    "documents": _documents,
    "files": _files,
    "forms": lambda data, key: contact_records.forms(
        data.dice("forms", key), data.contacts[key], data.policies_of.get(key, []), data.founded
    ),
}
