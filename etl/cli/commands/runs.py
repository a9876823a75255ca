"""`qqetl runs`: list the batches, or show one with its balance."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import typer

from etl.cli.batch_lookup import resolve_batch_id
from etl.cli.session import CommandSession, open_session
from etl.cli.ui.options import AsJson, Embedded, create_app, format_examples
from etl.cli.ui.terminal import build_table, check_mark, print_json, print_line, stdout
from etl.cli.views.balance import (
    batch_resource_to_json,
    build_balance_table,
    find_failures,
    format_balance,
    sum_counts,
)
from etl.config.redaction import escape_control_characters
from etl.ledger import batches
from etl.ledger.batches import Batch
from etl.local_time import format_bound, format_time, zone_label
from etl.models.states import BatchState
from etl.status.format import format_duration, format_number, join_words
from etl.status.runs import RunSummary, list_runs

app = create_app()

Which = Annotated[
    str | None,
    typer.Argument(metavar="[BATCH]", help="Batch id, or its first characters: show this batch."),
]
Limit = Annotated[int, typer.Option("--most", min=1, metavar="N", help="Maximum number of batches to list.")]


@app.command(
    epilog=format_examples(
        "qqetl runs             the latest batches",
        "qqetl runs 34944a62    one batch: records fetched, and their outcomes",
    )
)
def command(*, batch: Which = None, limit: Limit = 20, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """List the batches, newest first, or show one with its balance."""
    with open_session(embedded=embedded) as session:
        if batch is None:
            show_runs(session.read(partial(list_runs, tenant=session.tenant, most=limit)), as_json=as_json)
        else:
            show_run(session, batch, as_json=as_json)


def show_runs(run_list: list[RunSummary], *, as_json: bool) -> None:
    """Print the list of batches."""
    if as_json:
        print_json([run_to_json(run) for run in run_list])
    elif not run_list:
        print_line("No batch yet. Start the first one with `qqetl sync`.")
    else:
        numeric, now = ("Ended\nafter", "Fetched", "Written", "Deleted"), datetime.now(UTC)
        headers = ("Batch", f"Started ({zone_label(now)})", "Command", "Status", *numeric)
        stdout().print(build_table(headers, (run_to_row(run, now) for run in run_list), numeric=numeric))


def run_to_row(run: RunSummary, now: datetime) -> tuple[object, ...]:
    """Return the table row of one batch."""
    elapsed = format_duration(run.finished_at - run.started_at) if run.finished_at else ""
    state = run.batch.shown_status + (f", {run.failed} failed" if run.failed else "")
    started = format_time(run.started_at, now)
    counts = (format_number(run.fetched), format_number(run.rows_written), format_number(run.deleted))
    return str(run.batch.id)[:8], started, run.batch.command, state, elapsed, *counts


def run_to_json(run: RunSummary) -> dict[str, Any]:
    """Return one run as JSON."""
    return {
        **batch_to_json(run.batch),
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "fetched": run.fetched,
        "written": run.rows_written,
        "deleted": run.deleted,
        "failed_resources": run.failed,
    }


def batch_to_json(batch: Batch) -> dict[str, Any]:
    """Return one batch as JSON."""
    return {
        "batch": batch.id,
        "command": batch.command,
        "status": batch.status,
        "window": batch.window,
        "error": batch.error,
    }


def show_run(session: CommandSession, name: str, *, as_json: bool) -> None:
    """Print one batch with its balance."""
    batch_id = session.read(partial(resolve_batch_id, tenant=session.tenant, name=name))
    batch = session.read(partial(batches.read_batch, batch_id=batch_id))
    parts = session.read(partial(batches.read_batch_resources, batch_id=batch_id))
    if as_json:
        print_json(batch_to_json(batch) | {"resources": [batch_resource_to_json(part) for part in parts]})
        return
    print_line(f"Batch {batch.id}: {batch.shown_status}", style="bold")
    print_line(f"{batch.command}, window {format_bound(batch.window.start)} to {format_bound(batch.window.end)}")
    print_line()
    stdout().print(build_balance_table(parts))
    totals = sum_counts(parts)
    stdout().print(
        check_mark(batch.status is BatchState.COMPLETED),
        f"{format_number(totals['fetched'])} fetched = {format_balance(totals)}",
    )
    unfinished = [part.resource for part in parts if part.is_unread]
    if unfinished:
        print_line(f"  Not finished: {join_words(unfinished)}")
    for resource, reason in find_failures([part for part in parts if not part.is_unread]):
        print_line(f"✗ {resource}: {escape_control_characters(reason)}")
    if batch.status is BatchState.FAILED:
        print_line(f"`qqetl retry {str(batch.id)[:8]}` resumes it.")
