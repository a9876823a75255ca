"""The life of a policy: terms that are renewed, rewritten, endorsed, canceled, reinstated, or left as a shell."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from etl.simulator.book import amounts, dates, lines
from etl.simulator.book.agency import REASONS, REWRITTEN, SimulatedAgency, SimulatedCarrier
from etl.simulator.book.lines import Line
from etl.simulator.book.people import Client

FLOOD = next(line for line in lines.LINES if line.code == "FLD")  #: what a homeowner may add in one package
RENEWAL_LEAD = 45  #: days before the expiration at which QQCatalyst creates the next term by itself
NEW, RENEWED, REWRITE = "N", "R", "W"  #: business types
#: Types of adjustments. C is documented by an integrator; the other letters are assumed.
CANCELLATION, ENDORSEMENT, REINSTATEMENT, NONRENEWAL = "C", "E", "R", "N"
NOT_ISSUED = frozenset({"P", "D", "V"})


@dataclass(frozen=True, slots=True)
class TermChange:
    """A change of a term. The premium change is negative where the carrier returns premium."""

    type: str
    on: date
    premium_change: float = 0.0
    reasons: tuple[int, ...] = ()
    days_lapsed: int = 0


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
    bound: date | None = None  #: the binder date; a term without one is a shell or still pending
    business: str = NEW
    modified: datetime | None = None
    prior: "Term | None" = None
    adjustments: tuple[TermChange, ...] = ()

    @property
    def premium(self) -> float:
        """The premium of the term with its endorsements; a cancellation does not change it."""
        return amounts.cents(self.base + endorsed(self.adjustments))

    @property
    def is_issued(self) -> bool:
        """Whether the carrier issued the term, so that it is billed and earns commission."""
        return self.bound is not None and self.status not in NOT_ISSUED


def endorsed(adjustments: tuple[TermChange, ...] | list[TermChange]) -> float:
    """Return by how much endorsements changed the premium of a term."""
    return sum(change.premium_change for change in adjustments if change.type == ENDORSEMENT)


def chains(dice: random.Random, agency: SimulatedAgency, client: Client, now: datetime) -> Iterator[Term]:
    """Yield all terms of a customer, the earlier term of a chain before the later one."""
    count = dice.choices((0, 1, 2, 3), (8, 62, 23, 7))[0]
    for line in _choose_lines(dice, client, count):
        delay = dice.randrange(0, 40) if dice.random() < 0.8 else dice.randrange(0, 700)
        effective = client.created.date() + timedelta(days=delay)
        if effective <= now.date() + timedelta(days=20):
            yield from _chain(dice, agency, first_term(dice, agency, client, line, effective, now), now)


def _choose_lines(dice: random.Random, client: Client, count: int) -> list[Line]:
    market = [line for line in lines.LINES if line.commercial == client.is_business]
    return list(dict.fromkeys(dice.choices(market, [line.weight for line in market], k=count)))


def first_term(
    dice: random.Random, agency: SimulatedAgency, client: Client, line: Line, effective: date, now: datetime
) -> Term:
    """Return new business, the first term of a chain; one entered in the last weeks may still be pending."""
    carrier = dice.choice([carrier for carrier in agency.carriers if line.id in carrier.lines])
    mga = dice.choice([carrier for carrier in agency.carriers if carrier.is_mga]) if dice.random() < 0.12 else None
    months = 6 if line.code == "PA" and dice.random() < 0.15 else 12
    is_continuous = line.code in {"UMB", "WC"} and dice.random() < 0.08
    extra = FLOOD if line.code == "HO" and dice.random() < 0.08 else None
    created = max(dates.office_hours(dice, effective - timedelta(days=dice.randrange(0, 15))), client.created)
    if dice.random() < 0.02:  # entered before its client was
        created = client.created - timedelta(hours=dice.randrange(1, 72))
    created = min(created, now - timedelta(seconds=30))
    is_pending = created > now - timedelta(days=40) and dice.random() < 0.4
    base = float(round(line.low + (line.high - line.low) * dice.random() ** 2)) + dice.choice((0.0, 0.0, 0.5, 0.25))
    return Term(
        client, line, extra, carrier, mga,
        "Pending" if is_pending else policy_number(dice, line, carrier, effective), effective,
        None if is_continuous else later(effective, months), months, base, "P" if is_pending else "A", created,
        bound=None if is_pending else _binder_date(dice, effective),
    )  # fmt: skip


def policy_number(dice: random.Random, line: Line, carrier: SimulatedCarrier, effective: date) -> str:
    """Return a policy number as the carrier issues it."""
    return f"{line.code} {carrier.id:03d}{dice.randrange(100_000):05d}-{effective:%y}"


def _binder_date(dice: random.Random, effective: date) -> date:
    return effective - timedelta(days=dice.randrange(9))


def _chain(dice: random.Random, agency: SimulatedAgency, first: Term, now: datetime) -> Iterator[Term]:
    following: Term | None = first
    while following is not None:
        term = _lived(dice, following, now)
        yield term
        following = _following(dice, agency, term, now)


def _following(dice: random.Random, agency: SimulatedAgency, term: Term, now: datetime) -> Term | None:
    """Return the term after this one: a renewal, a rewrite, a shell that nobody bound; None at the end of a chain."""
    if not term.is_issued or term.expiration is None:
        return None
    if term.status == "C":
        is_rewritten = REWRITTEN in term.adjustments[-1].reasons
        return rewrite(dice, agency, term, term.adjustments[-1].on, now) if is_rewritten else None
    return _after_expiration(dice, agency, term, term.expiration, now)


def _after_expiration(
    dice: random.Random, agency: SimulatedAgency, term: Term, expiration: date, now: datetime
) -> Term | None:
    due = expiration - timedelta(days=RENEWAL_LEAD)
    if dates.at_midnight(due) + timedelta(days=1) > now:
        return None
    is_nonrenewed = any(change.type == NONRENEWAL for change in term.adjustments)
    has_left = is_nonrenewed or dice.random() < 0.13  # the yearly share of clients who leave
    if has_left and dice.random() < 0.5:  # nobody created the next term
        return None
    if not has_left and dice.random() < 0.06 and dates.at_midnight(expiration) < now:
        return rewrite(dice, agency, term, expiration, now)
    shell = renewal(dice, term, min(dates.office_hours(dice, due), now))
    if has_left or (dates.at_midnight(shell.effective) > now and dice.random() > 0.3):
        return shell
    return bind(dice, shell, now)


def renewal(dice: random.Random, prior: Term, created: datetime) -> Term:
    """Return the next term as QQCatalyst creates it by itself: a shell without binder date, pending or active."""
    effective = prior.expiration or created.date()
    number = prior.number if dice.random() < 0.7 else f"{prior.number.rpartition('-')[0]}-{effective:%y}"
    return replace(
        prior, number=number, effective=effective, expiration=later(effective, prior.months),
        status=dice.choice(("P", "A")), base=amounts.cents(prior.premium * (1 + dice.gauss(0.06, 0.07))),
        created=created, bound=None, business=RENEWED, modified=None, prior=prior, adjustments=(),
    )  # fmt: skip


def rewrite(dice: random.Random, agency: SimulatedAgency, prior: Term, on: date, now: datetime) -> Term:
    """Return the term with which another carrier replaces a term from a day on."""
    others = [carrier for carrier in agency.carriers if prior.line.id in carrier.lines and carrier != prior.carrier]
    carrier = dice.choice(others or [prior.carrier])
    created = min(max(dates.office_hours(dice, on), prior.created), now)
    return replace(
        prior, carrier=carrier, mga=None, number=policy_number(dice, prior.line, carrier, on), effective=on,
        expiration=later(on, prior.months), status="A",
        base=amounts.cents(prior.premium * (1 + dice.gauss(-0.08, 0.05))), created=created,
        bound=on, business=REWRITE, modified=None, prior=prior, adjustments=(),
    )  # fmt: skip


def bind(dice: random.Random, shell: Term, now: datetime) -> Term:
    """Return a shell after somebody bound it."""
    bound = min(_binder_date(dice, shell.effective), now.date())
    return replace(shell, status="A", bound=bound, modified=_written(dice, shell, bound, now))


def _written(dice: random.Random, term: Term, on: date, now: datetime) -> datetime:
    """Return when the office wrote down what happened to a term on a day."""
    return min(max(dates.office_hours(dice, on), term.created), now)


def _lived(dice: random.Random, term: Term, now: datetime) -> Term:
    """Return a term as it is now: endorsed, canceled, reinstated, deleted or expired."""
    if not term.is_issued:
        return term
    roll = dice.random()
    if roll < 0.02 and term.prior is None:  # entered by mistake
        return replace(term, status="D" if roll < 0.015 else "V", modified=dates.between(dice, term.created, now))
    end = term.expiration or now.date()
    last = min(end, now.date())
    changes = _endorsements(dice, term, last, end)
    changes += _cancellations(dice, term, changes, last, end)
    if not changes and term.expiration and (term.expiration - last).days < 60 and dice.random() < 0.04:
        changes = [TermChange(NONRENEWAL, last, 0.0, (5,))]
    return _expired(dice, replace(term, adjustments=tuple(changes)), now)


def _endorsements(dice: random.Random, term: Term, last: date, end: date) -> list[TermChange]:
    days = (last - term.effective).days
    count = dice.choices((0, 1, 2, 3), (85, 11, 3, 1))[0] if days > 0 else 0
    return [
        TermChange(ENDORSEMENT, on, amounts.cents(term.base * _share_left(term, on, end) * dice.uniform(-0.12, 0.22)))
        for on in sorted(term.effective + timedelta(days=dice.randrange(days)) for _ in range(count))
    ]


def _cancellations(
    dice: random.Random, term: Term, endorsements: list[TermChange], last: date, end: date
) -> list[TermChange]:
    """Return a cancellation for one term in twelve; one in four is reinstated, and then may be canceled again."""
    first = endorsements[-1].on if endorsements else term.effective
    days = (last - first).days
    if days <= 0 or dice.random() > 0.085:
        return []
    premium = amounts.cents(term.base + endorsed(endorsements))
    changes = [_cancellation(dice, premium, first + timedelta(days=dice.randrange(days)), term, end)]
    lapsed = dice.randrange(1, 15)
    reinstated_on = changes[0].on + timedelta(days=lapsed)
    if reinstated_on >= last or dice.random() > 0.25:
        return changes
    returned = -changes[0].premium_change
    changes.append(TermChange(REINSTATEMENT, reinstated_on, returned, days_lapsed=lapsed))
    left = (last - reinstated_on).days
    if dice.random() < 0.35:
        changes.append(
            _cancellation(dice, premium, reinstated_on + timedelta(days=dice.randrange(1, left + 1)), term, end)
        )
    return changes


def _cancellation(dice: random.Random, premium: float, on: date, term: Term, end: date) -> TermChange:
    reasons = tuple(sorted(dice.sample(tuple(REASONS), 2 if dice.random() < 0.1 else 1)))
    return TermChange(CANCELLATION, on, -amounts.cents(premium * _share_left(term, on, end)), reasons)


def _share_left(term: Term, on: date, end: date) -> float:
    return max(0.0, (end - on).days / max(1, (end - term.effective).days))


def _expired(dice: random.Random, term: Term, now: datetime) -> Term:
    """Set the status that the changes and the calendar give a term; an expiry does not always arrive as a change."""
    change = term.adjustments[-1] if term.adjustments else None
    written = _written(dice, term, change.on, now) if change else term.modified
    if change and change.type == CANCELLATION:
        return replace(term, status="C", modified=written)
    if term.expiration and term.expiration <= now.date():
        roll = dice.random()
        if roll < 0.2:  # nobody marked it: only its dates say that it is over
            return replace(term, modified=written)
        silently = roll < 0.4
        return replace(term, status="E", modified=written if silently else _night_after(dice, term.expiration, now))
    if written is None and dice.random() < 0.55:
        written = dates.between(dice, term.created, now)
    return replace(term, modified=written)


def _night_after(dice: random.Random, day: date, now: datetime) -> datetime:
    """Return when the nightly job marks a term expired: in the hour after its last day ended in America."""
    return min(dates.at_midnight(day) + timedelta(hours=5, milliseconds=dice.randrange(3_600_000)), now)


def later(day: date, months: int) -> date:
    """Return the same day some months later; the 28th when the month is too short."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    try:
        return date(year, month, day.day)
    except ValueError:
        return date(year, month, 28)
