"""Progress of a backfill that takes many runs: date ranges, parents, calls and time left."""

from collections.abc import Iterator
from typing import Any

from etl.cli.ui.format import format_count, format_duration, format_number
from etl.cli.ui.terminal import print_line
from etl.ledger.children import QueueCoverage
from etl.status.status import Status


def show_backfill(status: Status, rate: float) -> None:
    """Print what is left to read of lists and details, and how long it takes at the configured rate."""
    for resource, slices in status.backfill.items():
        print_line(f"{resource}: {format_number(slices.done)} of {format_count(slices.planned, 'slice')} read")
    backlogs = list(find_backlogs(status))
    for resource, coverage in backlogs:
        print_line(f"{resource}: {format_coverage(coverage)}; {format_due_calls(status, coverage)}")
    if len(backlogs) > 1:
        calls = sum(coverage.outstanding for _, coverage in backlogs)
        print_line(f"Total: {format_count(calls, 'call')} for details due{format_time_left(calls, rate)}.")


def find_backlogs(status: Status) -> Iterator[tuple[str, QueueCoverage]]:
    """Yield the resources read per parent that have calls due."""
    for freshness in status.resources:
        if freshness.coverage is not None and freshness.coverage.outstanding:
            yield freshness.resource, freshness.coverage


def format_coverage(coverage: QueueCoverage) -> str:
    """Return how many parents are read."""
    return f"{format_number(coverage.covered)} of {format_number(coverage.parents)} parents read"


def describe_no_answer(coverage: QueueCoverage) -> str:
    """Return for how many parents the API said nothing, as text."""
    parents = f"{format_number(coverage.no_answer)} of {format_count(coverage.parents, 'parent')}"
    return f"no answer for {parents}: QQCatalyst sent neither a list nor an object; nothing was changed"


def format_due_calls(status: Status, coverage: QueueCoverage) -> str:
    """Return how many calls are due, and how long the oldest has been due."""
    age = status.now - coverage.oldest_due if coverage.oldest_due else None
    since = f", the oldest for {format_duration(age)}" if age is not None and age.total_seconds() > 0 else ""
    return f"{format_count(coverage.outstanding, 'call')} due{since}"


def format_time_left(calls: int, rate: float) -> str:
    """Return how long the calls take at a rate; an empty text without a limit."""
    return f", {format_duration(calls / rate)} at {rate * 60:g} calls/min" if rate else ""


def backfill_to_json(status: Status, rate: float) -> dict[str, Any]:
    """Return what is left to read as JSON."""
    backlogs = list(find_backlogs(status))
    calls = sum(coverage.outstanding for _, coverage in backlogs)
    return {
        "calls_due": calls,
        "seconds": calls / rate if rate else None,
        "details": [
            {
                "resource": resource,
                "parents": coverage.parents,
                "covered": coverage.covered,
                "calls_due": coverage.outstanding,
                "oldest_due": coverage.oldest_due.isoformat() if coverage.oldest_due else None,
            }
            for resource, coverage in backlogs
        ],
        "lists": [
            {"resource": resource, "stretches_read": slices.done, "stretches": slices.planned}
            for resource, slices in status.backfill.items()
        ],
    }
