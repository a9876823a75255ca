"""How far a read has come that takes many runs, as a person and as a program read it: parents, calls, hours left."""

from collections.abc import Iterator
from typing import Any

from etl.cli.ui.format import counted, length, number
from etl.cli.ui.terminal import show
from etl.ledger.children import Coverage
from etl.status.status import Status


def show_backfill(found: Status, rate: float) -> None:
    """Write what is left to read of lists and of details, and how long that takes at the allowed rate."""
    for resource, one in found.stretches.items():
        show(f"{resource}: {number(one.done)} of {counted(one.planned, 'stretch', 'stretches')} of its window read")
    backlogs = list(backlogs_of(found))
    for resource, coverage in backlogs:
        show(f"{resource}: {covered(coverage)}; {left(found, coverage)}")
    if len(backlogs) > 1:
        calls = sum(one.outstanding for _, one in backlogs)
        show(f"In all {counted(calls, 'call')} for details are due{duration(calls, rate)}.")


def backlogs_of(found: Status) -> Iterator[tuple[str, Coverage]]:
    """Yield the resources that are asked for per parent and have calls due."""
    for one in found.resources:
        if one.coverage is not None and one.coverage.outstanding:
            yield one.resource, one.coverage


def covered(one: Coverage) -> str:
    """Return how many parents are read, of all."""
    return f"{number(one.covered)} of {number(one.parents)} parents read"


def left(found: Status, one: Coverage) -> str:
    """Return how many calls are due, and for how long the oldest has been."""
    waits = found.now - one.oldest_due if one.oldest_due else None
    since = f", the oldest for {length(waits)}" if waits is not None and waits.total_seconds() > 0 else ""
    return f"{counted(one.outstanding, 'call')} due{since}"


def duration(calls: int, rate: float) -> str:
    """Return how long calls take at a rate, nothing without a cap."""
    return f", {length(calls / rate)} at {rate * 60:g} a minute" if rate else ""


def backfill_for_programs(found: Status, rate: float) -> dict[str, Any]:
    """Return what is left to read for JSON."""
    backlogs = list(backlogs_of(found))
    calls = sum(one.outstanding for _, one in backlogs)
    return {
        "calls_due": calls,
        "seconds": calls / rate if rate else None,
        "details": [
            {
                "resource": resource,
                "parents": one.parents,
                "covered": one.covered,
                "calls_due": one.outstanding,
                "oldest_due": one.oldest_due.isoformat() if one.oldest_due else None,
            }
            for resource, one in backlogs
        ],
        "lists": [
            {"resource": resource, "stretches_read": one.done, "stretches": one.planned}
            for resource, one in found.stretches.items()
        ],
    }
