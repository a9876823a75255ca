"""The calls that a book of business takes: of the first sync, and of a day afterwards. Pure.

The documentation takes its figures from here, with the arithmetic that forecast, status and doctor use.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from etl.catalogue.detail_rules import IfChanged, NearStart, Priority
from etl.catalogue.resource import Resource
from etl.extract.date_ranges import DateRange
from etl.extract.details.plan_calls import plan_calls
from etl.ledger.children.child_counts import DueCalls
from etl.pipeline.forecast.feed_sample import FeedSample
from etl.pipeline.forecast.forecast import CURRENT, count_list_calls
from etl.resources import CATALOGUE, USEFUL
from etl.window import FIRST_INSTANT

#: The end of the window of a first sync; only its length matters.
END = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAYS = DateRange(FIRST_INSTANT.date(), END.date())
RUNS_A_DAY = 24
#: The call that tries the credentials at the start of a run.
SIGN_IN = 1
#: The last list that makes a database useful.
BILLING = USEFUL[-1]


@dataclass(frozen=True, slots=True)
class Book:
    """The size of an agency's book, in records."""

    customers: int
    policies: int
    in_force: int  #: policies in force or pending
    recent: int  #: policies that ended within 13 months
    placed: int  #: policies that are pending or within 120 days of their effective date
    billing: int
    other_contacts: int  #: carriers, managing agencies and staff: contacts without details
    offices: int = 1
    changed: float = 0.5  #: the share of policies that were ever changed
    changed_a_day: float = 0.01  #: of customers and of policies


@dataclass(frozen=True, slots=True)
class FirstSync:
    """The calls of a first sync up to several points."""

    without_billing: int  #: offices, contacts and policies
    useful: int  #: and billing
    current: int  #: and the details of customers and of policies in force, pending or ended within 13 months
    complete: int


@dataclass(frozen=True, slots=True)
class Ways:
    """How details are read."""

    everything: bool  #: every kind of detail for every parent, carriers and staff included
    lists_a_run: int  #: calls of a run without changes: to sign in, and for lists
    lists_a_day: int  #: calls for lists that are read once a day
    refresh_days: tuple[int, ...]  #: the age at which details are read again: of active parents, of others


def count_first_sync(book: Book, page_size: int, *, everything: bool = False) -> FirstSync:
    """Return the calls of a first sync; `everything`: every kind of detail for every parent."""
    lists = count_lists(book, page_size)
    useful = {name: calls for name, calls in lists.items() if name in USEFUL}
    planned = plan_calls(list_details(book, everything=everything))
    all_lists, current = SIGN_IN + sum(lists.values()), sum(kind.calls for kind in planned if kind.priority in CURRENT)
    return FirstSync(
        without_billing=SIGN_IN + sum(useful.values()) - useful[BILLING],
        useful=SIGN_IN + sum(useful.values()),
        current=all_lists + current,
        complete=all_lists + sum(kind.calls for kind in planned),
    )


def count_lists(book: Book, page_size: int) -> Mapping[str, int]:
    """Return the calls for each list in a first sync."""
    totals = {
        "contacts": book.customers + book.other_contacts,
        "policies": book.policies,
        BILLING: book.billing,
    }
    return {
        resource.name: sum(
            count_list_calls(endpoint, FeedSample(totals.get(resource.name, 0), page_size), DAYS, END)
            for endpoint in resource.endpoints
        )
        for resource in list_resources()
    }


def count_details(book: Book, *, everything: bool = False) -> Mapping[str, int]:
    """Return the calls for each kind of detail in a first sync."""
    calls: Counter[str] = Counter()
    for kind in list_details(book, everything=everything):
        calls[kind.resource] += kind.calls
    return calls


@dataclass(frozen=True, slots=True)
class Day:
    """The calls of a day, by what they are for."""

    runs: int  #: hourly runs without changes
    lists: int  #: lists that are read once a day
    changed: int  #: details of changed records
    active: int  #: details of active parents, read again by age
    others: int  #: details of other parents, read again by age

    @property
    def calls(self) -> int:
        """All calls."""
        return self.runs + self.lists + self.changed + self.active + self.others


def count_day(book: Book, ways: Ways) -> Day:
    """Return the calls of a day: hourly runs, changed records, and refreshes by age."""
    active_days, other_days = ways.refresh_days
    details = list_details(book, everything=ways.everything)
    active = sum(kind.calls for kind in details if kind.active)
    others = sum(kind.calls for kind in details) - active
    return Day(
        RUNS_A_DAY * ways.lists_a_run,
        ways.lists_a_day,
        ceil((active + others) * book.changed_a_day),
        ceil(active / active_days),
        ceil(others / other_days),
    )


def list_resources() -> Iterator[Resource]:
    """Yield the lists that every account offers."""
    for resource in CATALOGUE:
        is_list = bool(resource.endpoints) and resource.parent is None
        if is_list and resource.is_documented and not resource.needs_enterprise_access:
            yield resource


def list_feeds() -> Iterator[Resource]:
    """Yield the lists that every account offers and every run reads; the others are read once a day."""
    for resource in list_resources():
        if any(endpoint.dates for endpoint in resource.endpoints):
            yield resource


def list_details(book: Book, *, everything: bool) -> list[DueCalls]:
    """Return the calls for details of a first sync, of the kinds that every account offers."""
    details: list[DueCalls] = []
    for resource in CATALOGUE:
        if resource.parent is None or resource.is_optional or not resource.is_documented:
            continue
        if resource.parent.resource == "contacts":
            contacts = book.customers + (book.other_contacts if everything else 0)
            details.append(DueCalls(resource.name, Priority.CUSTOMER, changed=True, calls=contacts))
        elif resource.parent.resource == "locations":
            calls = book.offices * len(resource.endpoints)
            details.append(DueCalls(resource.name, Priority.IN_FORCE, changed=True, calls=calls))
        else:
            details += count_policy_details(resource, book, everything=everything)
    return details


def count_policy_details(resource: Resource, book: Book, *, everything: bool) -> Iterator[DueCalls]:
    """Yield the calls of one kind of detail of policies, by value."""
    need = resource.parent.need if resource.parent is not None else None
    long_ended = book.policies - book.in_force - book.recent
    values = {Priority.IN_FORCE: book.in_force, Priority.ENDED: book.recent, Priority.LONG_ENDED: long_ended}
    if isinstance(need, NearStart) and not everything:
        values = {Priority.IN_FORCE: book.placed}
    elif isinstance(need, IfChanged) and not everything:
        values = {value: round(policies * book.changed) for value, policies in values.items()}
        yield DueCalls(resource.name, Priority.SAMPLE, changed=True, calls=need.sample)
    for value, policies in values.items():
        yield DueCalls(resource.name, value, changed=True, calls=policies)
