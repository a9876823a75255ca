"""`qqetl reconcile`: mark rows deleted that are missing in QQCatalyst, or undo that."""

from functools import partial
from typing import Annotated

import typer

from etl.cli.batch_lookup import resolve_batch_id
from etl.cli.run_command import choose_summary_writer, run_with_progress
from etl.cli.run_notifier import RunNotifier
from etl.cli.session import CommandSession, load_settings, open_session
from etl.cli.ui.options import AsJson, Embedded, Resources, create_app, format_examples, reject_combination
from etl.cli.ui.signals import StopRequest
from etl.cli.ui.terminal import print_json, print_line
from etl.pipeline import Options, sync
from etl.pipeline.reconcile import select_reconcilable, undo_deletions
from etl.resources import selected
from etl.status.format import format_count

app = create_app()

DryRun = Annotated[bool, typer.Option("--dry-run", help="Report the missing records; load, change and delete nothing.")]
Undo = Annotated[str | None, typer.Option("--undo", metavar="BATCH", help="Undo the deletions of this batch.")]


@app.command(
    epilog=format_examples(
        "qqetl reconcile --dry-run        report records missing in QQCatalyst",
        "qqetl reconcile                  mark their rows deleted",
        "qqetl reconcile --undo 1f0c59ab  undo the deletions of that batch",
    )
)
def command(
    *,
    resource: Resources = None,
    dry_run: DryRun = False,
    undo_batch: Undo = None,
    embedded: Embedded = False,
    as_json: AsJson = False,
) -> None:
    """Read all feeds and lists completely, and mark rows deleted whose records are missing in QQCatalyst.

    Records that QQCatalyst itself marks deleted need no reconciling. If more than 20 rows and more than
    ETL_DELETE_BRAKE of a resource are missing, nothing of that resource is marked; the summary says how to proceed.
    """
    if undo_batch is not None:
        reject_combination("--undo", {"--dry-run": dry_run, "--resource": bool(resource)})
    settings = load_settings()
    with RunNotifier(settings) as notifier, open_session(embedded=embedded, settings=settings) as session:
        if undo_batch is not None:
            undo_and_show(session, undo_batch, as_json=as_json)
            return
        names = select_reconcilable(resource or (), settings)
        options = Options(names, full=True, dry_sweep=dry_run, command="reconcile")
        with StopRequest("`qqetl retry`") if dry_run else StopRequest() as stop_request:
            summary = run_with_progress(
                lambda watcher: sync(session.engine, session.settings, None, options, watcher),
                stop_request,
                len(names) if dry_run else len(selected(names)),
                choose_summary_writer(as_json=as_json),
                notifier=notifier.with_session(session),
            )
    raise typer.Exit(summary.exit_status)


def undo_and_show(session: CommandSession, batch: str, *, as_json: bool) -> None:
    """Undo the deletions of a batch, and print the number of rows per table."""
    batch_id = session.read(partial(resolve_batch_id, tenant=session.tenant, name=batch))
    undone = {name: rows for name, rows in undo_deletions(session.engine, session.settings, batch_id).items() if rows}
    if as_json:
        print_json(undone)
        return
    for name, rows in undone.items():
        print_line(f"{name}: {format_count(rows, 'row')} no longer marked deleted")
    if not undone:
        print_line("Nothing to undo: no row is still marked deleted by this batch.")
