"""Results of a single step, as a table and as JSON."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rich.table import Table

from etl.cli.ui.terminal import build_table
from etl.status.format import format_number


def build_results_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """Return a table with the outcomes of each resource that had records."""
    rows = [
        (resource, ", ".join(format_outcome(name, count) for name, count in sorted(outcomes.items()) if count))
        for resource, outcomes in counts.items()
        if any(outcomes.values())
    ]
    return build_table(("Resource", "Records"), rows or [("all", "nothing to do")])


def format_outcome(name: str, count: int) -> str:
    """Return a count with its label: `1 duplicate`, `20 unchanged`."""
    label = name.replace("_", " ")
    return f"{format_number(count)} {label.removesuffix('s') if count == 1 else label}"


def results_to_json(batch_id: UUID, status: str, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return the results of a step as JSON."""
    return {"batch": batch_id, "status": status, "resources": counts}
