"""The closing summary of a run: how it ended, what was written, whether the books balance, what to do next."""

from typing import Any

from rich.table import Table

from etl.cli.ui.format import counted, length, listed, moment, number, pace
from etl.cli.ui.terminal import good, out, show, table
from etl.cli.views.balance_sheet import failures, formula, part_for_programs, totals
from etl.config.redaction import on_one_line
from etl.ledger.staging.full_scan import Sweep
from etl.ledger.sync_history import COUNTS
from etl.models.states import Outcome, ResourceState, TroubleKind
from etl.pipeline import Summary

#: Characters of a batch's id that tell it from the others.
SHORT = 8
#: Changes of the API's answers that the summary names.
MOST_CHANGES = 5


def show_summary(summary: Summary) -> None:
    """Write the closing summary to standard output."""
    show()
    show(headline(summary), style="bold green" if summary.exit_status == 0 else "bold yellow")
    show(traffic(summary))
    show()
    if wrote(summary):
        out().print(written(summary))
    else:
        show("Nothing was written: the tables already hold what the API has.")
    for one in left(summary):
        show(
            f"{one.resource}: {number(one.vanished)} of {number(one.known)} records vanished, and are left as they are"
        )
    show()
    show_books(summary)
    show_drift(summary)
    show_trouble(summary)


def headline(summary: Summary) -> str:
    """Return how the run ended, in one line."""
    took = length(summary.seconds)
    if trouble := failures(summary.parts):
        return f"The run ended after {took}, but {counted(len(trouble), 'resource')} did not end well"
    window = summary.batch.window
    return f"In step with QQCatalyst after {took}: {moment(window.start)} to {moment(window.end)} UTC"


def traffic(summary: Summary) -> str:
    """Return what was asked and what came, in one line."""
    fetched = totals(summary.parts)["fetched"]
    words = f"{counted(fetched, 'record')} came in {counted(summary.calls, 'call')}"
    if summary.seconds:
        words += f", {pace(summary.calls / summary.seconds)}"
    return words + (f"; {length(summary.waited)} waited for their turn" if summary.waited >= 1 else "")


def wrote(summary: Summary) -> bool:
    """Tell whether the run changed any row of production."""
    return any(many for counts in summary.tables.values() for name, many in counts.items() if name != Outcome.UNCHANGED)


def left(summary: Summary) -> list[Sweep]:
    """Return what a dry sweep met no more, and left alone."""
    return [one for one in summary.swept if one.vanished and summary.batch.options.get("dry_sweep")]


def written(summary: Summary) -> Table:
    """Return the table of what was written."""
    columns = [name for name in COUNTS if any(counts[name] for counts in summary.tables.values())]
    rows = [(name, *(number(counts[one]) for one in columns)) for name, counts in summary.tables.items()]
    everything = ("all", *(number(sum(counts[one] for counts in summary.tables.values())) for one in columns))
    heads = [name.capitalize() for name in columns]
    made = table(["Table", *heads], rows, right=heads)
    made.add_section()
    made.add_row(*everything, style="bold")
    return made


def show_books(summary: Summary) -> None:
    """Write whether the books balance, over all resources, and how many findings there are."""
    sums = totals(summary.parts)
    out().print(good(not failures(summary.parts)), f"{number(sums['fetched'])} fetched = {formula(sums)}")
    if sums["findings"]:
        show(f"  {counted(sums['findings'], 'finding')}: see `qqetl findings`")
    if absent := [part.resource for part in summary.parts if part.status is ResourceState.NOT_OFFERED]:
        show(f"  not offered by this account: {listed(absent)}")


def show_drift(summary: Summary) -> None:
    """Write what changed about the API's answers, which is told once."""
    if summary.drift:
        said = [f"{one.resource}: {on_one_line(one.words)}" for one in summary.drift]
        rest = len(said) - MOST_CHANGES
        more = f"; and {number(rest)} more" if rest > 0 else ""
        show(f"  QQCatalyst's answers changed, see `qqetl doctor`: {'; '.join(said[:MOST_CHANGES])}{more}")


def show_trouble(summary: Summary) -> None:
    """Write which resources did not end well, why, and the cure."""
    trouble = failures(summary.parts)
    for resource, why in trouble:
        show(f"✗ {resource}: {on_one_line(why)}", style="red")
    name = str(summary.batch.id)[:SHORT]
    if trouble and not is_braked_alone(summary):
        show(f"Everything else is loaded. `qqetl retry {name}` takes these up again; so does the next `qqetl sync`.")
    else:
        show(f"  batch {name}: see `qqetl runs {name}`")


def is_braked_alone(summary: Summary) -> bool:
    """Tell whether nothing but the brake failed a resource: everything is loaded, and to try again changes nothing."""
    failed = [part for part in summary.parts if part.status is ResourceState.FAILED]
    return bool(failed) and all(part.trouble is TroubleKind.BRAKE_PULLED for part in failed)


def summary_for_programs(summary: Summary) -> dict[str, Any]:
    """Return the summary for JSON."""
    batch = summary.batch
    return {
        "batch": str(batch.id),
        "status": batch.status.value,
        "exit_status": summary.exit_status,
        "window": {"start": batch.window.start.isoformat(), "end": batch.window.end.isoformat()},
        "seconds": round(summary.seconds, 3),
        "calls": summary.calls,
        "waited_seconds": round(summary.waited, 3),
        "error": batch.error,
        "drift": [{"resource": one.resource, "path": one.path, "change": one.words} for one in summary.drift],
        "resources": [part_for_programs(part) for part in summary.parts],
        "tables": {name: dict(counts) for name, counts in summary.tables.items()},
        "vanished": {one.resource: one.vanished for one in summary.swept if one.vanished},
    }
