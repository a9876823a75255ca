"""What a single step made of a batch, as a table and for programs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rich.table import Table

from etl.cli.ui.format import number
from etl.cli.ui.terminal import table


def results_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """Return what became of the records of each resource that had any."""
    rows = [
        (resource, ", ".join(told(name, many) for name, many in sorted(made.items()) if many))
        for resource, made in counts.items()
        if any(made.values())
    ]
    return table(("Resource", "Records"), rows or [("all", "nothing was left to do")])


def told(name: str, many: int) -> str:
    """Return a count with its name in words."""
    words = name.replace("_", " ")
    return f"{number(many)} {words.removesuffix('s') if many == 1 else words}"


def results_for_programs(batch_id: UUID, status: str, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return the results of a step for JSON."""
    made = {name: {str(what): many for what, many in some.items()} for name, some in counts.items()}
    return {"batch": str(batch_id), "status": str(status), "resources": made}
