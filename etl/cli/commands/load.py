"""`qqetl load`: the third step alone, clean rows of a batch into production."""

from functools import partial

import typer

from etl.cli.batch_lookup import batch_named
from etl.cli.session import working
from etl.cli.ui.options import AsJson, BatchName, Embedded, command_app, examples
from etl.cli.ui.progress import watching
from etl.cli.ui.signals import Stopping
from etl.cli.ui.terminal import out, say, show_json
from etl.cli.views.step_results import results_for_programs, results_table
from etl.ledger import batches
from etl.load import LoadService
from etl.models.states import BatchState
from etl.resources import CATALOGUE

app = command_app()


@app.command(epilog=examples("qqetl load 34944a62"))
def command(batch: BatchName, *, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Write the clean records of a batch into production, for the window it was extracted for, and close its books."""
    with working(embedded=embedded) as work:
        batch_id = work.read(partial(batch_named, tenant=work.tenant, name=batch))
        window = work.read(partial(batches.load, batch_id=batch_id)).window
        with Stopping() as stopping, watching(len(CATALOGUE)) as watch:
            service = LoadService(work.engine, settings=work.settings, watch=watch, stop=stopping.event)
            results = service.load_batch(batch_id, window)
    if as_json:
        show_json(results_for_programs(batch_id, results.status, results.counts))
    else:
        out().print(results_table(results.counts))
    is_done = results.status is BatchState.COMPLETED
    say(f"Batch {batch_id} is {results.status}." + ("" if is_done else f" Why: qqetl runs {batch_id}"))
    raise typer.Exit(0 if is_done else 6)
