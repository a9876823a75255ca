"""Balance sheet of a batch: fetched = inserted + updated + ..., per resource."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from etl.cli.ui.format import format_number
from etl.cli.ui.terminal import build_table, check_mark
from etl.ledger.balance import describe_difference
from etl.ledger.batches import BatchResource
from etl.models.states import Outcome, ResourceState


def format_balance(counts: Mapping[str, int]) -> str:
    """Return where the fetched records went: `280 inserted + 20 unchanged`."""
    terms = [f"{format_number(counts[outcome])} {outcome.replace('_', ' ')}" for outcome in Outcome if counts[outcome]]
    return " + ".join(terms) or "0"


def mark_status(part: BatchResource) -> Text:
    """Return a tick, a cross, or the state of a resource that is not done."""
    if part.status is ResourceState.DONE:
        return check_mark(describe_difference(part) is None)
    if part.status is ResourceState.FAILED:
        return check_mark(False)  # noqa: FBT003 (a cross)
    return Text(part.status.replace("_", " "), style="dim")


def build_balance_sheet(parts: Sequence[BatchResource]) -> Table:
    """Return the balance sheet of a batch, resource by resource."""
    rows = [
        (part.resource, format_number(part.counts["fetched"]), format_balance(part.counts), mark_status(part))
        for part in parts
    ]
    return build_table(("Resource", "Fetched", "Went to", ""), rows, numeric=("Fetched",))


def sum_counts(parts: Sequence[BatchResource]) -> dict[str, int]:
    """Return the counts of all resources together."""
    names = ("pages", "fetched", "findings", *(outcome.value for outcome in Outcome))
    return {name: sum(part.counts[name] for part in parts) for name in names}


def find_failures(parts: Sequence[BatchResource]) -> list[tuple[str, str]]:
    """Return the failed resources, each with the reason."""
    successful = (ResourceState.DONE, ResourceState.NOT_OFFERED)
    return [
        (part.resource, part.error or describe_difference(part) or part.status)
        for part in parts
        if part.status not in successful
    ]


def batch_resource_to_json(part: BatchResource) -> dict[str, Any]:
    """Return one line of the balance sheet as JSON."""
    return {
        "resource": part.resource,
        "status": part.status.value,
        "window": {"start": part.window.start.isoformat(), "end": part.window.end.isoformat()},
        "counts": {str(name): value for name, value in part.counts.items()},
        "balanced": describe_difference(part) is None,
        "error": part.error,
    }
