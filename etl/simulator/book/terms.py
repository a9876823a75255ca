"""The course of a policy: chains of yearly terms, renewed, endorsed, cancelled, lapsed, or left behind as a shell."""

# ruff: noqa: PLR2004 - shares, rates and amounts of generated data are written where they are used

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from etl.simulator.book import lines, stamps, sums
from etl.simulator.book.agency import SimulatedAgency, SimulatedCarrier
from etl.simulator.book.lines import Line
from etl.simulator.book.people import Client

FLOOD = next(line for line in lines.LINES if line.code == "FLD")  #: the line that a homeowner may add to a package
RENEWAL_LEAD = 45  #: days before the expiration at which the next term is set up automatically
REASONS = {
    1: "Non-payment of premium", 2: "Insured's request", 3: "Rewritten with another carrier", 4: "Property sold",
    5: "Underwriting reasons", 6: "Out of business",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change of a term by which premium was charged (an endorsement) or given back (a cancellation)."""

    kind: str
    on: date
    amount: float
    reason: int | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a policy."""

    client: Client
    line: Line
    extra_line: Line | None
    carrier: SimulatedCarrier
    mga: SimulatedCarrier | None
    number: str
    effective: date
    expiration: date | None
    months: int
    base: float
    status: str
    created: datetime
    modified: datetime | None = None
    prior: "Term | None" = None
    adjustment: Adjustment | None = None

    @property
    def premium(self) -> float:
        """The premium of the term with what endorsements added; a cancellation leaves it as it was."""
        added = self.adjustment.amount if self.adjustment and self.adjustment.kind == "E" else 0.0
        return sums.cents(self.base + added)


def chains(dice: random.Random, agency: SimulatedAgency, client: Client, now: datetime) -> Iterator[Term]:
    """Yield all terms of a customer, the earlier term of a chain before the later."""
    count = dice.choices((0, 1, 2, 3), (8, 62, 23, 7))[0]
    for line in _choose_lines(dice, client, count):
        delay = dice.randrange(0, 40) if dice.random() < 0.8 else dice.randrange(0, 700)
        effective = client.created.date() + timedelta(days=delay)
        if effective <= now.date() + timedelta(days=20):
            yield from _chain(dice, first_term(dice, agency, client, line, effective, now), now)


def _choose_lines(dice: random.Random, client: Client, count: int) -> list[Line]:
    market = [line for line in lines.LINES if line.commercial == client.is_business]
    return list(dict.fromkeys(dice.choices(market, [line.weight for line in market], k=count)))


def first_term(
    dice: random.Random, agency: SimulatedAgency, client: Client, line: Line, effective: date, now: datetime
) -> Term:
    """Return new business: the first term of a chain; when entered in the last weeks it may still be pending."""
    carrier = dice.choice([market for market in agency.carriers if line.id in market.lines])
    mga = dice.choice([market for market in agency.carriers if market.is_mga]) if dice.random() < 0.12 else None
    months = 6 if line.code == "PA" and dice.random() < 0.15 else 12
    endless = line.code in {"UMB", "WC"} and dice.random() < 0.08  # a continuous policy
    extra = FLOOD if line.code == "HO" and dice.random() < 0.08 else None
    created = max(stamps.office_hours(dice, effective - timedelta(days=dice.randrange(0, 15))), client.created)
    if dice.random() < 0.02:  # entered before its client
        created = client.created - timedelta(hours=dice.randrange(1, 72))
    created = min(created, now - timedelta(seconds=30))
    pending = created > now - timedelta(days=40) and dice.random() < 0.4
    number = "Pending" if pending else f"{line.code} {carrier.id:03d}{dice.randrange(100_000):05d}-{effective:%y}"
    base = float(round(line.low + (line.high - line.low) * dice.random() ** 2)) + dice.choice((0.0, 0.0, 0.5, 0.25))
    return Term(
        client, line, extra, carrier, mga, number, effective, None if endless else later(effective, months), months,
        base, "P" if pending else "A", created,
    )  # fmt: skip


def _chain(dice: random.Random, term: Term, now: datetime) -> Iterator[Term]:
    while True:
        term = _lived(dice, term, now)
        yield term
        if term.status in {"C", "D", "P"} or term.expiration is None:
            return
        due = term.expiration - timedelta(days=RENEWAL_LEAD)
        if stamps.at_midnight(due) + timedelta(days=1) > now:
            return
        gone = dice.random() < 0.13  # the yearly share of clients who leave
        if gone and dice.random() < 0.5:  # nobody set up the next term
            return
        term = renewal(dice, term, min(stamps.office_hours(dice, due), now))
        if gone or stamps.at_midnight(term.effective) > now:
            yield term
            return
        term = replace(term, status="A")


def renewal(dice: random.Random, prior: Term, created: datetime) -> Term:
    """Return the next term as QQCatalyst sets it up: a shell, pending, at the old premium or a new one."""
    effective = prior.expiration or created.date()
    number = prior.number if dice.random() < 0.7 else f"{prior.number.rpartition('-')[0]}-{effective:%y}"
    return replace(
        prior, number=number, effective=effective, expiration=later(effective, prior.months), status="P",
        base=sums.cents(prior.premium * (1 + dice.gauss(0.06, 0.07))), created=created, modified=None, prior=prior,
        adjustment=None,
    )  # fmt: skip


def _lived(dice: random.Random, term: Term, now: datetime) -> Term:
    """Return a term as of now or its end: bound, endorsed, cancelled, deleted, expired."""
    if term.status == "P":
        return term
    end = term.expiration or now.date()
    last = min(end, now.date())
    roll = dice.random()
    if roll < 0.015 and term.prior is None:  # entered by mistake
        return replace(term, status="D", modified=stamps.between(dice, term.created, now))
    if roll < 0.21 and last > term.effective:
        return _adjusted(dice, term, last, end, now, cancelled=roll < 0.085)
    if term.expiration and term.expiration <= now.date():
        return replace(term, status="E", modified=_night_after(dice, term.expiration, now))
    touched = dice.random() < 0.55
    return replace(term, modified=stamps.between(dice, term.created, now) if touched else None)


def _adjusted(dice: random.Random, term: Term, last: date, end: date, now: datetime, *, cancelled: bool) -> Term:
    on = term.effective + timedelta(days=dice.randrange((last - term.effective).days))
    left = max(0.0, (end - on).days / max(1, (end - term.effective).days))
    written = min(max(stamps.office_hours(dice, on), term.created), now)
    if cancelled:
        back = sums.cents(term.base * left)
        change = Adjustment("C", on, back, dice.choice(tuple(REASONS)))
        return replace(term, status="C", adjustment=change, modified=written)
    change = Adjustment("E", on, sums.cents(term.base * left * dice.uniform(-0.12, 0.22)))
    over = term.expiration is not None and term.expiration <= now.date()
    modified = _night_after(dice, end, now) if over else written
    return replace(term, status="E" if over else "A", adjustment=change, modified=modified)


def _night_after(dice: random.Random, day: date, now: datetime) -> datetime:
    """Return when the nightly job marks a term expired: in the hour after its last day ended in America."""
    return min(stamps.at_midnight(day) + timedelta(hours=5, milliseconds=dice.randrange(3_600_000)), now)


def later(day: date, months: int) -> date:
    """Return the same day some months later; the 28th when the month is too short."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    try:
        return date(year, month, day.day)
    except ValueError:
        return date(year, month, 28)
