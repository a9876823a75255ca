"""`qqetl runs`: the batches, and one batch with its balance sheet."""

from functools import partial
from typing import Annotated, Any

import typer

from etl.cli.batch_lookup import batch_named
from etl.cli.session import Work, working
from etl.cli.ui.format import length, moment, number
from etl.cli.ui.options import AsJson, Embedded, command_app, examples
from etl.cli.ui.terminal import good, out, show, show_json, table
from etl.cli.views.balance_sheet import balance_sheet, failures, formula, part_for_programs, totals
from etl.config.redaction import on_one_line
from etl.ledger import batches
from etl.ledger.batches import Batch
from etl.models.states import BatchState
from etl.status.runs import RunFacts, runs

app = command_app()

Which = Annotated[
    str | None,
    typer.Argument(metavar="[BATCH]", help="The batch's id, or its first characters: shows its balance sheet."),
]
Most = Annotated[int, typer.Option("--most", min=1, metavar="N", help="How many batches to list.")]


@app.command(
    epilog=examples(
        "qqetl runs             the newest batches",
        "qqetl runs 34944a62    one batch: what was fetched and where it went",
    )
)
def command(*, batch: Which = None, most: Most = 20, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """List the batches, newest first, or show one of them with its balance sheet."""
    with working(embedded=embedded) as work:
        if batch is None:
            show_runs(work.read(partial(runs, tenant=work.tenant, most=most)), as_json=as_json)
        else:
            show_run(work, batch, as_json=as_json)


def show_runs(found: list[RunFacts], *, as_json: bool) -> None:
    """Write the list of batches."""
    if as_json:
        show_json([run_for_programs(one) for one in found])
    elif not found:
        show("There is no batch yet. `qqetl sync` makes the first.")
    else:
        right = ("Took", "Fetched", "Written", "Deleted")
        out().print(table(("Batch", "Started (UTC)", "Command", "Status", *right), map(run_line, found), right=right))


def run_line(one: RunFacts) -> tuple[object, ...]:
    """Return the row of one batch."""
    took = length(one.finished_at - one.started_at) if one.finished_at else ""
    state = one.batch.status.value + (f", {one.failed} failed" if one.failed else "")
    started = moment(one.started_at)
    counts = (number(one.fetched), number(one.written), number(one.deleted))
    return str(one.batch.id)[:8], started, one.batch.command, state, took, *counts


def run_for_programs(one: RunFacts) -> dict[str, Any]:
    """Return one batch for JSON."""
    return {
        **batch_for_programs(one.batch),
        "started_at": one.started_at.isoformat(),
        "finished_at": one.finished_at.isoformat() if one.finished_at else None,
        "fetched": one.fetched,
        "written": one.written,
        "deleted": one.deleted,
        "failed_resources": one.failed,
    }


def batch_for_programs(batch: Batch) -> dict[str, Any]:
    """Return what a batch is for JSON."""
    return {
        "batch": str(batch.id),
        "command": batch.command,
        "status": batch.status.value,
        "window": {"start": batch.window.start.isoformat(), "end": batch.window.end.isoformat()},
        "error": batch.error,
    }


def show_run(work: Work, name: str, *, as_json: bool) -> None:
    """Write one batch with its balance sheet."""
    batch_id = work.read(partial(batch_named, tenant=work.tenant, name=name))
    batch = work.read(partial(batches.load, batch_id=batch_id))
    parts = work.read(partial(batches.parts, batch_id=batch_id))
    if as_json:
        show_json(batch_for_programs(batch) | {"resources": [part_for_programs(part) for part in parts]})
        return
    show(f"Batch {batch.id}: {batch.status}", style="bold")
    show(f"{batch.command} of {moment(batch.window.start)} to {moment(batch.window.end)} UTC")
    show()
    out().print(balance_sheet(parts))
    sums = totals(parts)
    out().print(good(batch.status is BatchState.COMPLETED), f"{number(sums['fetched'])} fetched = {formula(sums)}")
    for resource, why in failures(parts):
        show(f"✗ {resource}: {on_one_line(why)}")
    if batch.status is BatchState.FAILED:
        show(f"`qqetl retry {str(batch.id)[:8]}` takes it up.")
