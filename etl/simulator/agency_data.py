"""The data of the simulated agency: its collections, and what the API does not show."""

# ruff: noqa: S311 - the dice of a made-up book need not be secret

import random
from datetime import datetime
from typing import Any

from etl.simulator.book import agency, people, rules
from etl.simulator.book.policies import PolicyFacts
from etl.simulator.book.terms import TermChange
from etl.simulator.collection import Collection, Item

#: The collections that a feed sends.
FEEDS = ("contacts", "policies", "claims", "applications", "billing", "commissions")


class AgencyData:
    """An agency and its book of business."""

    def __init__(self, seed: int, now: datetime, firm: agency.SimulatedAgency) -> None:
        self.seed = seed
        self.founded = now
        self.agency = firm
        self.contacts = Collection()  #: clients, carriers, managing general agencies and employees
        self.policies = Collection()
        self.claims = Collection()
        self.applications = Collection()
        self.billing = Collection()
        self.commissions = Collection()
        self.agency_rules = rules.agency_rules(firm, now)
        self.producer_rules = rules.producer_rules(firm, now)
        self.rates = rules.rates(self.agency_rules)
        self.locations = agency.location_items(firm)
        self.departments = agency.department_items(firm)
        self.carriers = agency.carrier_items(firm)
        self.contact_types: dict[int, str] = {}
        self.facts: dict[int, PolicyFacts] = {}
        self.adjustments: dict[int, list[TermChange]] = {}
        self.policies_of: dict[int, list[int]] = {}
        self.garage: set[int] = set()
        self.renewed: set[int] = set()
        self.kept_details: dict[tuple[str, int], list[Item]] = {}
        self.changes = 0
        self.is_founding = True

    def entered(self, at: datetime, now: datetime) -> datetime:
        """Return when a record was entered: in the past while the book is made up; now, once the agency lives."""
        return at if self.is_founding else now

    def dice(self, kind: str, key: int) -> random.Random:
        """Return the dice that decide a detail of one record: the same ones each time."""
        return random.Random(f"{self.seed}:{kind}:{key}")

    def client(self, key: int) -> Item:
        """Return the contact of a policy; one without any facts when it was merged away."""
        return self.contacts[key] if key in self.contacts else people.unknown(key)

    def contacts_of_type(self, *letters: str) -> list[Item]:
        """Return the contacts of some types, such as R (carriers), M (managing general agencies), E (employees)."""
        return [self.contacts[key] for key in self.contacts if self.contact_types[int(key)] in letters]

    @property
    def clients(self) -> list[int]:
        """The ids of the customers, prospects and others: all contacts but carriers, MGAs and employees."""
        others = {people.CARRIER, people.MGA, people.EMPLOYEE}
        return [int(key) for key in self.contacts if self.contact_types[int(key)] not in others]

    def rule_business(self, policy: Item) -> str:
        """Return the business type of the commission rules that apply to a policy."""
        return self.facts[policy["PolicyId"]].rule

    def rate(self, policy: Item) -> rules.Rate:
        """Return the commission rule that applies to a policy."""
        return self.rates[policy["CarrierId"], policy["LOBId"], self.rule_business(policy)]

    def keep(self, kind: str, key: int, items: list[Item]) -> None:
        """Set a detail of a record to these items from now on."""
        self.kept_details[kind, key] = items

    def book(self) -> dict[str, Any]:
        """Return everything that the feeds can send, to compare two agencies."""
        return {name: list(getattr(self, name).values()) for name in FEEDS}
