"""`qqetl transform`: step 2 only, clean the staged records of a batch."""

from functools import partial

from etl.cli.batch_lookup import resolve_batch_id
from etl.cli.session import open_session
from etl.cli.ui.options import AsJson, BatchId, Embedded, create_app, format_examples
from etl.cli.ui.progress import show_progress
from etl.cli.ui.signals import StopRequest
from etl.cli.ui.terminal import print_json, print_notice, stdout
from etl.cli.views.step_results import build_results_table, results_to_json
from etl.resources import CATALOGUE
from etl.transform.service import TransformService

app = create_app()


@app.command(epilog=format_examples("qqetl transform 34944a62"))
def command(batch: BatchId, *, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Clean the staged records of a batch, and store the findings."""
    with open_session(embedded=embedded) as session:
        batch_id = session.read(partial(resolve_batch_id, tenant=session.tenant, name=batch))
        with StopRequest() as stop_request, show_progress(len(CATALOGUE)) as watch:
            service = TransformService(session.engine, settings=session.settings, watch=watch, stop=stop_request.event)
            results = service.transform_batch(batch_id)
    if as_json:
        print_json(results_to_json(batch_id, "transformed", results.counts))
    else:
        stdout().print(build_results_table(results.counts))
    print_notice(f"Next: qqetl load {batch_id}")
