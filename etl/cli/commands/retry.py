"""`qqetl retry`: a failed or interrupted batch, from where it stopped."""

from functools import partial
from typing import Annotated

import typer

from etl.cli.batch_lookup import batch_named
from etl.cli.run_command import run, teller
from etl.cli.run_notifier import Attendant
from etl.cli.session import prepared, working
from etl.cli.ui.options import AsJson, Embedded, command_app, examples
from etl.cli.ui.signals import Stopping
from etl.ledger import batches
from etl.pipeline import retry
from etl.pipeline.resume import to_take_up

app = command_app()

Which = Annotated[
    str | None,
    typer.Argument(metavar="[BATCH]", help="The batch's id, or its first characters. Default: the newest."),
]


@app.command(
    epilog=examples(
        "qqetl retry             the newest batch",
        "qqetl retry 34944a62    this one",
    )
)
def command(*, batch: Which = None, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Take a failed or interrupted batch up where it stopped, and its failed resources once more."""
    settings = prepared()
    with (
        Attendant(settings) as attendant,
        working(embedded=embedded, settings=settings) as work,
        Stopping() as stopping,
    ):
        named = work.read(partial(batch_named, tenant=work.tenant, name=batch)) if batch else None
        taken = work.read(partial(to_take_up, tenant=work.tenant, batch_id=named))
        total = len(batches.unfinished(work.read(partial(batches.parts, batch_id=taken.id))))
        status = run(
            lambda watcher: retry(work.engine, work.settings, taken.id, watcher),
            stopping,
            total,
            teller(as_json=as_json),
            attendant=attendant.over(work),
        )
    raise typer.Exit(status)
