"""The balance of a batch: fetched = inserted + updated + ..., per resource."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from etl.cli.ui.terminal import build_table, check_mark
from etl.ledger.balance import describe_difference
from etl.ledger.batches import BatchResource
from etl.models.states import Outcome, ResourceState
from etl.status.format import format_number


def format_balance(counts: Mapping[str, int]) -> str:
    """Return where the fetched records went: `280 inserted + 20 unchanged`."""
    terms = [f"{format_number(counts[outcome])} {outcome.replace('_', ' ')}" for outcome in Outcome if counts[outcome]]
    return " + ".join(terms) or "0"


def mark_status(batch_resource: BatchResource) -> Text:
    """Return a tick, a cross, or the state of a resource that is not done."""
    if batch_resource.status is ResourceState.DONE:
        return check_mark(describe_difference(batch_resource) is None)
    if batch_resource.status is ResourceState.FAILED:
        return check_mark(False)  # noqa: FBT003 (a cross)
    return Text(batch_resource.status.replace("_", " "), style="dim")


def build_balance_table(batch_resources: Sequence[BatchResource]) -> Table:
    """Return the balance of a batch, resource by resource."""
    rows = [
        (
            batch_resource.resource,
            format_number(batch_resource.counts["fetched"]),
            format_balance(batch_resource.counts),
            mark_status(batch_resource),
        )
        for batch_resource in batch_resources
    ]
    return build_table(("Resource", "Fetched", "Went to", ""), rows, numeric=("Fetched",))


def sum_counts(batch_resources: Sequence[BatchResource]) -> dict[str, int]:
    """Return the counts of all resources together."""
    names = ("pages", "fetched", "findings", *(outcome.value for outcome in Outcome))
    return {name: sum(batch_resource.counts[name] for batch_resource in batch_resources) for name in names}


def find_failures(batch_resources: Sequence[BatchResource]) -> list[tuple[str, str]]:
    """Return the failed resources, each with the reason."""
    successful = (ResourceState.DONE, ResourceState.NOT_OFFERED)
    return [
        (batch_resource.resource, batch_resource.error or describe_difference(batch_resource) or batch_resource.status)
        for batch_resource in batch_resources
        if batch_resource.status not in successful
    ]


def batch_resource_to_json(batch_resource: BatchResource) -> dict[str, Any]:
    """Return one line of the balance as JSON."""
    return {
        "resource": batch_resource.resource,
        "status": batch_resource.status,
        "window": batch_resource.window,
        "counts": batch_resource.counts,
        "balanced": describe_difference(batch_resource) is None,
        "error": batch_resource.error,
    }
