"""`qqetl retry`: resume a failed or interrupted batch."""

from functools import partial
from typing import Annotated

import typer

from etl.cli.batch_lookup import resolve_batch_id
from etl.cli.run_command import choose_summary_writer, run_with_progress
from etl.cli.run_notifier import RunNotifier
from etl.cli.session import load_settings, open_session
from etl.cli.ui.options import AsJson, Embedded, create_app, format_examples
from etl.cli.ui.signals import StopRequest
from etl.ledger import batches
from etl.pipeline import retry
from etl.pipeline.resume import batch_to_resume

app = create_app()

Which = Annotated[
    str | None,
    typer.Argument(metavar="[BATCH]", help="Batch id, or its first characters. Default: the latest batch."),
]


@app.command(
    epilog=format_examples(
        "qqetl retry             the latest batch",
        "qqetl retry 34944a62    this batch",
    )
)
def command(*, batch: Which = None, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Resume a failed or interrupted batch where it stopped, and retry its failed resources."""
    settings = load_settings()
    with (
        RunNotifier(settings) as notifier,
        open_session(embedded=embedded, settings=settings) as session,
        StopRequest() as stop_request,
    ):
        batch_id = session.read(partial(resolve_batch_id, tenant=session.tenant, name=batch)) if batch else None
        batch_to_run = session.read(partial(batch_to_resume, tenant=session.tenant, batch_id=batch_id))
        resources = session.read(partial(batches.read_batch_resources, batch_id=batch_to_run.id))
        summary = run_with_progress(
            lambda watcher: retry(session.engine, session.settings, batch_to_run.id, watcher),
            stop_request,
            len(batches.select_unfinished(resources)),
            choose_summary_writer(as_json=as_json),
            notifier=notifier.with_session(session),
        )
    raise typer.Exit(summary.exit_status)
