"""`qqetl load`: step 3 only, from clean rows to production."""

from functools import partial

import typer

from etl.cli.batch_lookup import resolve_batch_id
from etl.cli.session import open_session
from etl.cli.ui.options import AsJson, BatchId, Embedded, create_app, format_examples
from etl.cli.ui.progress import show_progress
from etl.cli.ui.signals import StopRequest
from etl.cli.ui.terminal import print_json, print_notice, stdout
from etl.cli.views.step_results import build_results_table, results_to_json
from etl.errors import ExitStatus
from etl.ledger import batches
from etl.load import LoadService
from etl.models.states import BatchState
from etl.resources import CATALOGUE

app = create_app()


@app.command(epilog=format_examples("qqetl load 34944a62"))
def command(batch: BatchId, *, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Write the clean rows of a batch to production, and complete the batch."""
    with open_session(embedded=embedded) as session:
        batch_id = session.read(partial(resolve_batch_id, tenant=session.tenant, name=batch))
        window = session.read(partial(batches.read_batch, batch_id=batch_id)).window
        with StopRequest() as stop_request, show_progress(len(CATALOGUE)) as watch:
            service = LoadService(session.engine, settings=session.settings, watch=watch, stop=stop_request.event)
            results = service.load_batch(batch_id, window)
    if as_json:
        print_json(results_to_json(batch_id, results.status, results.counts))
    else:
        stdout().print(build_results_table(results.counts))
    is_done = results.status is BatchState.COMPLETED
    print_notice(f"Batch {batch_id} is {results.status}." + ("" if is_done else f" Details: qqetl runs {batch_id}"))
    raise typer.Exit(ExitStatus.DONE if is_done else ExitStatus.INCOMPLETE)
