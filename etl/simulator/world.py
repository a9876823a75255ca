"""The world of the simulator: a made-up agency and its book of business, the same for the same seed and moment."""

# ruff: noqa: S311 - the dice of a made-up book need not be secret

import random
from datetime import datetime
from typing import Self

from etl.simulator import add_records, details, live_changes
from etl.simulator.agency_data import AgencyData
from etl.simulator.book import agency, people, policies, terms
from etl.simulator.book.terms import Term
from etl.simulator.collection import Item


class World(AgencyData):
    """An agency that is made up from a seed and changes over time."""

    @classmethod
    def make(cls, seed: int, contacts: int, now: datetime) -> Self:
        """Return the agency of a seed with a number of clients, as it is at a moment (aware)."""
        dice = random.Random(f"book:{seed}")
        world = cls(seed, now, agency.make(dice, now, contacts))
        add_records.enter_staff_and_carriers(world, dice)
        written: list[Term] = []
        for client, item in people.make(dice, world.agency, contacts, now):
            add_records.enter_client(world, dice, client, item)
            if client.is_customer:
                written.extend(terms.chains(dice, world.agency, client, now))
        world._enter(dice, written, now)
        world.is_founding = False
        return world

    def _enter(self, dice: random.Random, written: list[Term], now: datetime) -> None:
        """Enter policies in the order in which they were created, across clients: their ids follow that order."""
        written.sort(key=lambda term: term.created)
        keys = {id(term): policies.FIRST_POLICY + n for n, term in enumerate(written)}
        for term in written:
            add_records.enter_policy(
                self, dice, keys[id(term)], term, keys[id(term.prior)] if term.prior else None, now
            )

    def detail(self, kind: str, key: int) -> list[Item]:
        """Return a detail of a contact or policy, such as `coverages`; KeyError when the record does not exist."""
        return details.detail(self, kind, key)

    def tick(self, now: datetime, changes: int = 1) -> list[str]:
        """Make a number of changes, and return what they were, without personal data."""
        return [live_changes.happen(self, now) for _ in range(changes)]
