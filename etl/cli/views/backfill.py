"""Progress of a backfill that takes many runs: date ranges, parents, calls and time left."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from etl.call_estimate import Estimate
from etl.cli.ui.terminal import print_line
from etl.cli.views.call_time import describe_details, describe_total
from etl.config.rate_limit import RateLimit
from etl.ledger.children.child_counts import DetailsLeft
from etl.ledger.children.queue import QueueCoverage
from etl.status.format import format_count, format_duration, format_number
from etl.status.status import Status


def show_backfill(status: Status, limit: RateLimit) -> None:
    """Print what is left to read of lists and details, and how long it takes at the call limit."""
    for resource, slices in status.backfill.items():
        print_line(f"{resource}: {format_number(slices.done)} of {format_count(slices.planned, 'slice')} read")
    backlogs = list(find_backlogs(status))
    for backlog in backlogs:
        described = describe_details(backlog.details, limit, if_offered=backlog.if_offered)
        print_line(f"{described}{describe_age(status, backlog.details)}")
    if backlogs:
        print_line(describe_total(sum_calls(backlogs), limit))


@dataclass(frozen=True, slots=True)
class Backlog:
    """The details of one resource that are left to read."""

    details: DetailsLeft
    if_offered: bool  #: whether the account may lack the resource

    @property
    def calls(self) -> Estimate:
        """The calls that are due; at least none, if the account may lack the resource."""
        return Estimate(0 if self.if_offered else self.details.calls, self.details.calls)


def find_backlogs(status: Status) -> Iterator[Backlog]:
    """Yield the resources read per parent that have calls due."""
    for freshness in status.resources:
        if freshness.details is not None and freshness.details.calls:
            yield Backlog(freshness.details, freshness.may_not_be_offered)


def sum_calls(backlogs: Iterable[Backlog]) -> Estimate:
    """Return the calls that are due for all resources."""
    return sum((backlog.calls for backlog in backlogs), Estimate(0, 0))


def describe_age(status: Status, details: DetailsLeft) -> str:
    """Return how long the oldest call has been due."""
    age = status.now - details.coverage.oldest_due if details.coverage.oldest_due else None
    return f"; the oldest call is {format_duration(age)} overdue" if age is not None and age.total_seconds() > 0 else ""


def describe_no_answer(coverage: QueueCoverage) -> str:
    """Return for how many parents the API said nothing, as text."""
    parents = f"{format_number(coverage.no_answer)} of {format_count(coverage.parents, 'parent')}"
    return f"no answer for {parents}: QQCatalyst sent neither a list nor an object; nothing was changed"


def backfill_to_json(status: Status, limit: RateLimit) -> dict[str, Any]:
    """Return what is left to read as JSON."""
    backlogs = list(find_backlogs(status))
    calls = sum_calls(backlogs)
    return {
        "calls_due_low": calls.low,
        "calls_due": calls.high,
        "seconds": limit.seconds_for(calls.high) if limit.calls is not None else None,
        "details": [
            {
                "resource": details.resource,
                "parents": details.parents,
                "covered": details.coverage.covered,
                "calls_due": details.calls,
                "oldest_due": details.coverage.oldest_due,
            }
            for details in (backlog.details for backlog in backlogs)
        ],
        "lists": [
            {"resource": resource, "stretches_read": slices.done, "stretches": slices.planned}
            for resource, slices in status.backfill.items()
        ],
    }
