"""Estimates the calls for details of parents that will arrive, from samples of their lists. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from etl.call_estimate import Estimate, PageCounts, estimate_matching
from etl.catalogue.detail_rules import Priority
from etl.catalogue.resource import Resource
from etl.extract.details.plan_calls import count_calls_of_records, is_deleted, share_out
from etl.ledger.children.child_counts import DetailsLeft, DueCalls
from etl.pipeline.forecast.feed_sample import FeedSample
from etl.resources import BY_NAME
from etl.spelling import spelling_of
from etl.values import Timestamp
from etl.window import FIRST_INSTANT


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A resource that could not be read."""

    reason: str
    calls: int  #: that a sync makes until it knows


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is known of an account before a sync, by resource."""

    samples: Mapping[str, Sequence[FeedSample]] = field(default_factory=dict)  #: of each list
    unreadable: Mapping[str, Unreadable] = field(default_factory=dict)
    details: Mapping[str, DetailsLeft] = field(default_factory=dict)  #: of parents that were read before
    with_prospects: Mapping[str, DetailsLeft] = field(default_factory=dict)  #: the same, if prospects got calls
    read_to: Mapping[str, datetime] = field(default_factory=dict)  #: the ends of the complete windows
    zone: str = "UTC"  #: of times without one
    refreshes: int | None = None  #: calls that are left for refreshes by age today; None: no limit


def estimate_due(facts: AccountFacts, child: Resource, now: datetime) -> tuple[list[DueCalls], list[DueCalls]]:
    """Return the calls of a resource at least and at most: those due now, and those for parents that will arrive."""
    parent = BY_NAME[child.parent.resource] if child.parent else child
    due = list(facts.details[child.name].due) if child.name in facts.details else []
    counts: Counter[str] = Counter()
    arriving = Estimate(0, 0)
    for sample in facts.samples.get(parent.name, ()):
        pages = [count_page(facts, child, parent, records, now) for _, records in sorted(sample.pages.items())]
        total = sample.total if sample.total is not None else sample.records
        arriving += estimate_matching([page.counts for page in pages], total)
        arriving += Estimate(*(max((page.drawn for page in pages), default=0),) * 2)
        counts += sum((page.by_value for page in pages), Counter())
    arriving = Estimate(arriving.low * len(child.endpoints), arriving.high * len(child.endpoints))
    if parent.name not in facts.read_to:  # parents that an interrupted first sync has read are also in the sample
        already = sum(calls.calls for calls in due)
        due, arriving = [], Estimate(max(already, arriving.low), max(already, arriving.high))
    fewest, most = (spread(child.name, counts, calls) for calls in (arriving.low, arriving.high))
    return [*due, *fewest], [*due, *most]


def spread(resource: str, counts: Mapping[str, int], calls: int) -> list[DueCalls]:
    """Return calls for parents that will arrive, by value in the proportions of a sample."""
    counts = counts if sum(counts.values()) else {Priority.IN_FORCE.name: 1}
    return [
        DueCalls(resource, Priority[name], changed=True, calls=number)
        for name, number in share_out(counts, calls).items()
    ]


@dataclass(frozen=True, slots=True)
class PageDetails:
    """The records of one page that will get a call for a resource."""

    counts: PageCounts
    by_value: Counter[str]  #: the certain ones, by the name of their priority
    drawn: int  #: parents of a sample that decides about the others; once for all pages


def count_page(
    facts: AccountFacts, child: Resource, parent: Resource, records: Sequence[Mapping[str, Any]], now: datetime
) -> PageDetails:
    """Count the records of a page that will get a call for `child`: changed since the last sync, and wanted."""
    clock, read_to = Timestamp(facts.zone), facts.read_to.get(parent.name, FIRST_INSTANT)
    spelled = map(spelling_of(parent).respell, records)
    unread = [record for record in spelled if not is_read(parent, record, read_to, clock)]
    due = count_calls_of_records(child, parent, unread, now.date())
    by_value = Counter({calls.priority.name: calls.calls for calls in due if calls.priority is not Priority.SAMPLE})
    drawn = sum(calls.calls for calls in due if calls.priority is Priority.SAMPLE)
    certain = sum(by_value.values())
    parent_filter = child.parent.parent_filter if child.parent else None
    uncertain = sum(
        parent_filter.may_be_met(record) and not parent_filter.is_met(record) and not is_deleted(parent, record)
        for record in unread
        if parent_filter is not None
    )
    return PageDetails(PageCounts(len(records), certain, certain + uncertain), by_value, drawn)


def is_read(parent: Resource, record: Mapping[str, Any], read_to: datetime, clock: Timestamp) -> bool:
    """Return whether a record shows that it was last changed before the time to which its list was read."""
    times = (clock.clean(record.get(name)) for name in parent.changes.times)
    changed_at = next((moment for moment in times if isinstance(moment, datetime)), None)
    return changed_at is not None and changed_at < read_to
