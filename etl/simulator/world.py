"""The data of the simulator: a made-up agency and its book of business, the same for the same seed and time."""

# ruff: noqa: S311 - the random numbers of generated data need not be secret

import random
from datetime import datetime
from typing import Any, Self

from etl.simulator import life
from etl.simulator.book import agency, entries, people, policies, rules, terms
from etl.simulator.book.details import DETAILS
from etl.simulator.book.terms import Adjustment, Term
from etl.simulator.collection import Collection, Item


class World:
    """An agency and its book of business. Collections hold the feeds' records; details are computed on request."""

    def __init__(self, seed: int, now: datetime, firm: agency.SimulatedAgency) -> None:
        self.seed = seed
        self.founded = now
        self.agency = firm
        self.contacts = Collection()
        self.employees = Collection()
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
        self.adjustments: dict[int, list[Adjustment]] = {}
        self.policies_of: dict[int, list[int]] = {}
        self.garage: set[int] = set()
        self.renewed: set[int] = set()
        self.changes = 0
        self.is_founding = True
        self._kept: dict[tuple[str, int], list[Item]] = {}

    @classmethod
    def make(cls, seed: int, contacts: int, now: datetime) -> Self:
        """Return the world of a seed with a number of contacts, as of a time (aware)."""
        dice = random.Random(f"book:{seed}")
        world = cls(seed, now, agency.make(dice, now, contacts))
        for employee in world.agency.employees:
            world.employees.put(employee.id, people.employee_item(dice, employee), employee.hired)
        written: list[Term] = []
        for client, item in people.make(dice, world.agency, contacts, now):
            entries.enter_contact(world, dice, client, item)
            if client.is_customer:
                written.extend(terms.chains(dice, world.agency, client, now))
        world._enter(dice, written, now)
        world.is_founding = False
        return world

    def _enter(self, dice: random.Random, written: list[Term], now: datetime) -> None:
        """Enter the policies; they are numbered in the order of entry, across all clients."""
        written.sort(key=lambda term: term.created)
        keys = {id(term): policies.FIRST_POLICY + n for n, term in enumerate(written)}
        for term in written:
            entries.enter_policy(self, dice, keys[id(term)], term, keys[id(term.prior)] if term.prior else None, now)

    def entered(self, at: datetime, now: datetime) -> datetime:
        """Return when a record was entered: its past date in the generated history; now, once changes are simulated."""
        return at if self.is_founding else now

    def dice(self, kind: str, key: int) -> random.Random:
        """Return the random generator for a detail of one record: the same each time."""
        return random.Random(f"{self.seed}:{kind}:{key}")

    def person(self, key: int) -> Item:
        """Return a contact or an employee; raises KeyError for an unknown id."""
        return self.contacts[key] if key in self.contacts else self.employees[key]

    def client(self, key: int) -> Item:
        """Return the contact of a policy; an empty one if it was merged into another."""
        return self.contacts[key] if key in self.contacts else people.unknown(key)

    def detail(self, kind: str, key: int) -> list[Item]:
        """Return child records of a contact or policy, such as `coverages`; raises KeyError for an unknown id."""
        return self._kept[kind, key] if (kind, key) in self._kept else DETAILS[kind](self, key)

    def keep(self, kind: str, key: int, items: list[Item]) -> None:
        """Replace a detail from now on."""
        self._kept[kind, key] = items

    def tick(self, now: datetime, changes: int = 1) -> list[str]:
        """Make a number of changes, and return their descriptions without personal data."""
        return [life.happen(self, now) for _ in range(changes)]

    def book(self) -> dict[str, Any]:
        """Return everything the feeds can send, for comparing two worlds."""
        names = ("contacts", "employees", "policies", "claims", "applications", "billing", "commissions")
        return {name: list(getattr(self, name).values()) for name in names}
