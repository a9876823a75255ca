"""The arithmetic of calls for details: which are made, in which order, within which budgets. Pure.

Forecast, dry run, status and doctor take their figures from here, so that all say the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.catalogue.detail_rules import IfChanged, Need, Priority
from etl.catalogue.resource import Resource
from etl.ledger.children.child_counts import DueCalls
from etl.models.sources import is_flagged


@dataclass(frozen=True, slots=True)
class CallBudgets:
    """What bounds the calls for details; None: nothing."""

    run: int | None = None  #: calls of one run (ETL_CHILD_BUDGET)
    refreshes: int | None = None  #: refreshes by age within what is left of ETL_DAILY_CALLS


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """The calls of one resource and value, in the order of reading."""

    resource: str
    priority: Priority
    changed: bool  #: false for refreshes by age
    calls: int
    before: int  #: calls that are made before the first of these
    deferred: int = 0  #: calls over a budget, left for later runs

    @property
    def until(self) -> int:
        """Calls after which all of these are made; those of one value are mixed, parent by parent."""
        return self.before + self.calls


def plan_calls(due: Iterable[DueCalls], budgets: CallBudgets | None = None) -> list[PlannedCalls]:
    """Return the calls that are made, in the order of reading: first reads and changes before refreshes, by value.

    The calls of one value are made parent by parent; a budget that ends among them takes an equal share of each.
    """
    budgets = budgets or CallBudgets()
    planned: list[PlannedCalls] = []
    left, refreshes, made = budgets.run, budgets.refreshes, 0
    for changed, priority in ((changed, priority) for changed in (True, False) for priority in Priority):
        counts = count_by_resource(due := list(due), priority, changed=changed)
        wanted = counts.total()
        allowed = min(number for number in (wanted, left, None if changed else refreshes) if number is not None)
        permitted = share_out(counts, allowed)
        planned += [
            PlannedCalls(resource, priority, changed, permitted[resource], made, calls - permitted[resource])
            for resource, calls in counts.items()
        ]
        made += allowed
        left = None if left is None else left - allowed
        refreshes = refreshes if changed or refreshes is None else refreshes - allowed
    return planned


def count_by_resource(due: Iterable[DueCalls], priority: Priority, *, changed: bool) -> Counter[str]:
    """Return the due calls of one value and reason by resource."""
    counts: Counter[str] = Counter()
    for calls in due:
        if calls.priority is priority and calls.changed is changed:
            counts[calls.resource] += calls.calls
    return counts


def share_out(counts: Mapping[str, int], allowed: int) -> dict[str, int]:
    """Return how many of the allowed calls each resource gets, in proportion to what it needs."""
    total, permitted, needed = sum(counts.values()), 0, 0
    shares = {}
    for resource, calls in counts.items():
        needed += calls
        shares[resource] = allowed * needed // total - permitted if total else 0
        permitted += shares[resource]
    return shares


def count_calls_of_records(
    child: Resource, parent: Resource, records: Iterable[Mapping[str, Any]], today: date
) -> list[DueCalls]:
    """Return the first calls for sampled records of a parent, before any are staged: a dry run scales them up.

    The keys of the records have their declared spelling. Records that only the sample of `IfChanged` would ask for
    count as the sample at most.
    """
    declared, counts, unsampled = child.parent, Counter[Priority](), 0
    if declared is None:
        return []
    for record in records:
        if is_deleted(parent, record) or (declared.parent_filter and not declared.parent_filter.is_met(record)):
            continue
        need = declared.need.find_need(record, today) if declared.need is not None else Need.YES
        if need is Need.YES:
            counts[declared.value.find_priority(record, today)] += 1
        unsampled += need is Need.IF_SAMPLE_HAS_ANY
    if isinstance(declared.need, IfChanged) and unsampled:
        counts[Priority.SAMPLE] = min(unsampled, declared.need.sample)
    return [DueCalls(child.name, priority, changed=True, calls=counts[priority]) for priority in sorted(counts)]


def is_deleted(parent: Resource, record: Mapping[str, Any]) -> bool:
    """Return whether the source marks a record as deleted."""
    return is_flagged(record, parent.model.deletion_mark)
