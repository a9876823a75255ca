"""`qqetl reconcile`: read everything, and mark deleted what has vanished at the source; or take that back."""

from functools import partial
from typing import Annotated

import typer

from etl.cli.batch_lookup import batch_named
from etl.cli.run_command import run, teller
from etl.cli.run_notifier import Attendant
from etl.cli.session import Work, prepared, working
from etl.cli.ui.format import counted
from etl.cli.ui.options import AsJson, Embedded, Resources, command_app, examples, only_with
from etl.cli.ui.signals import Stopping
from etl.cli.ui.terminal import show, show_json
from etl.pipeline import Options, sync
from etl.pipeline.reconcile import swept_resources, undo
from etl.resources import selected

app = command_app()

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Read and load as always, and tell what vanished, but mark nothing deleted.")
]
Undo = Annotated[str | None, typer.Option("--undo", metavar="BATCH", help="Take back what this batch marked deleted.")]


@app.command(
    epilog=examples(
        "qqetl reconcile --dry-run         what has vanished at the source",
        "qqetl reconcile                   mark it deleted",
        "qqetl reconcile --undo 1f0c59ab   take back what that batch marked",
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
    """Read every feed and list to its end, and mark deleted what none of them holds any more.

    Deletions that the source marks itself need no reconciling. Where more than 20 rows and more than ETL_DELETE_BRAKE
    of a resource would vanish at once, nothing of it is marked: somebody has to look first.
    """
    if undo_batch is not None:
        only_with("--undo", {"--dry-run": dry_run, "--resource": bool(resource)})
    settings = prepared()
    with Attendant(settings) as attendant, working(embedded=embedded, settings=settings) as work:
        if undo_batch is not None:
            take_back(work, undo_batch, as_json=as_json)
            return
        names = tuple(one.name for one in swept_resources(resource or ()))
        options = Options(names, full=True, dry_sweep=dry_run, command="reconcile")
        with Stopping() as stopping:
            status = run(
                lambda watcher: sync(work.engine, work.settings, None, options, watcher),
                stopping,
                len(selected(names)),
                teller(as_json=as_json),
                attendant=attendant.over(work),
            )
    raise typer.Exit(status)


def take_back(work: Work, batch: str, *, as_json: bool) -> None:
    """Let live again what a batch marked deleted, and say how many rows that are."""
    batch_id = work.read(partial(batch_named, tenant=work.tenant, name=batch))
    back = {name: rows for name, rows in undo(work.engine, work.settings, batch_id).items() if rows}
    if as_json:
        show_json(back)
        return
    for name, rows in back.items():
        show(f"{name}: {counted(rows, 'row')} no longer marked deleted")
    if not back:
        show("Nothing that this batch marked deleted is still so.")
