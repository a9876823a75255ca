"""The books of a batch as people read them: fetched = inserted + updated + ..., and whether that is so."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from etl.cli.ui.format import number
from etl.cli.ui.terminal import good, table
from etl.ledger.balance import difference
from etl.ledger.batches import Part
from etl.models.states import Outcome, ResourceState


def formula(counts: Mapping[str, int]) -> str:
    """Return where the fetched records went: `280 inserted + 20 unchanged`."""
    terms = [f"{number(counts[outcome])} {outcome.replace('_', ' ')}" for outcome in Outcome if counts[outcome]]
    return " + ".join(terms) or "0"


def verdict(part: Part) -> Text:
    """Return a tick, a cross, or nothing for a resource that was not read or is not done yet."""
    if part.status is ResourceState.DONE:
        return good(difference(part) is None)
    if part.status is ResourceState.FAILED:
        return good(False)  # noqa: FBT003 (a cross)
    return Text(part.status.replace("_", " "), style="dim")


def balance_sheet(parts: Sequence[Part]) -> Table:
    """Return the balance sheet of a batch, resource by resource."""
    rows = [(part.resource, number(part.counts["fetched"]), formula(part.counts), verdict(part)) for part in parts]
    return table(("Resource", "Fetched", "went to", ""), rows, right=("Fetched",))


def totals(parts: Sequence[Part]) -> dict[str, int]:
    """Return the counts of all resources together."""
    names = ("pages", "fetched", "findings", *(outcome.value for outcome in Outcome))
    return {name: sum(part.counts[name] for part in parts) for name in names}


def failures(parts: Sequence[Part]) -> list[tuple[str, str]]:
    """Return the resources that did not end well, each with what is the matter."""
    fine = (ResourceState.DONE, ResourceState.NOT_OFFERED)
    return [(part.resource, part.error or difference(part) or part.status) for part in parts if part.status not in fine]


def part_for_programs(part: Part) -> dict[str, Any]:
    """Return one line of the balance sheet for JSON."""
    return {
        "resource": part.resource,
        "status": part.status.value,
        "window": {"start": part.window.start.isoformat(), "end": part.window.end.isoformat()},
        "counts": {str(name): value for name, value in part.counts.items()},
        "balanced": difference(part) is None,
        "error": part.error,
    }
