"""Commission rules: what a carrier pays the agency, and what the agency pays a producer.

The calls and their filters are documented. No field of an item was ever seen: all of them are assumed.
"""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from etl.simulator.book import dates, lines
from etl.simulator.book.agency import SimulatedAgency

FIRST_AGENCY_RULE, FIRST_PRODUCER_RULE = 9001, 15001
ANNUAL = 0  #: the vendor's enumeration of terms starts with it


@dataclass(frozen=True, slots=True)
class Rate:
    """The rule that holds for a policy, and its rate in percent."""

    rule: int
    percent: float


def agency_rules(agency: SimulatedAgency, now: datetime) -> list[dict[str, Any]]:
    """Return a rule for each carrier, line and business type, and one outdated rule for every tenth."""
    begin = now.date() - timedelta(days=7 * 365)
    items: list[dict[str, Any]] = []
    for carrier in agency.carriers:
        for line in carrier.lines:
            for business in ("N", "R"):
                rule = FIRST_AGENCY_RULE + len(items)
                items.append(_rule(rule, begin, carrier.id, line, business, _percent(carrier.id, line, business)))
    past = [item | {"CommissionRuleID": FIRST_AGENCY_RULE + len(items) + n} for n, item in enumerate(items[::10])]
    return items + [_outdated(item, begin) for item in past]


def producer_rules(agency: SimulatedAgency, now: datetime) -> list[dict[str, Any]]:
    """Return two rules for each producer; now and then an amount per policy in place of a percentage."""
    begin = now.date() - timedelta(days=5 * 365)
    items: list[dict[str, Any]] = []
    for n, producer in enumerate(agency.producers):
        for business, rate in (("N", 40.0), ("R", 25.0)):
            flat = n % 7 == 6
            item = _rule(FIRST_PRODUCER_RULE + len(items), begin, None, None, business, 35.0 if flat else rate)
            item |= {"OfficeId": producer.office.id, "ProducerID": producer.id, "AmountIsPercent": not flat}
            items.append(item)
    return items


def rates(rules: list[dict[str, Any]]) -> dict[tuple[int, int, str], Rate]:
    """Return the rules in force by carrier, line and business type."""
    return {
        (item["CarrierId"], item["LobId"], item["BusinessType"]): Rate(item["CommissionRuleID"], item["Rate"])
        for item in rules
        if item["ExpiresOn"] is None
    }


def _percent(carrier: int, line: int, business: str) -> float:
    base = lines.BY_ID[line].new_rate if business == "N" else lines.BY_ID[line].renewal_rate
    return base + carrier % 5 * 0.5 - 1.0


def _rule(rule: int, begin: Any, carrier: int | None, line: int | None, business: str, rate: float) -> dict[str, Any]:
    return {
        "CommissionRuleID": rule, "OfficeId": None, "CarrierId": carrier, "MgaId": None, "LobId": line, "Term": ANNUAL,
        "BusinessType": business, "ProducerID": None, "Rate": rate, "AmountIsPercent": True,
        "EffectiveOn": dates.midnight(begin), "ExpiresOn": None,
    }  # fmt: skip


def _outdated(item: dict[str, Any], begin: Any) -> dict[str, Any]:
    earlier = begin - timedelta(days=3 * 365)
    return item | {
        "EffectiveOn": dates.midnight(earlier), "ExpiresOn": dates.midnight(begin), "Rate": item["Rate"] + 1.5,
    }  # fmt: skip
