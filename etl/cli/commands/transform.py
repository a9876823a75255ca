"""`qqetl transform`: the second step alone, cleaning what a batch staged."""

from functools import partial

from etl.cli.batch_lookup import batch_named
from etl.cli.session import working
from etl.cli.ui.options import AsJson, BatchName, Embedded, command_app, examples
from etl.cli.ui.progress import watching
from etl.cli.ui.signals import Stopping
from etl.cli.ui.terminal import out, say, show_json
from etl.cli.views.step_results import results_for_programs, results_table
from etl.resources import CATALOGUE
from etl.transform.service import TransformService

app = command_app()


@app.command(epilog=examples("qqetl transform 34944a62"))
def command(batch: BatchName, *, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Clean every waiting record of a batch, and keep what the rules found."""
    with working(embedded=embedded) as work:
        batch_id = work.read(partial(batch_named, tenant=work.tenant, name=batch))
        with Stopping() as stopping, watching(len(CATALOGUE)) as watch:
            service = TransformService(work.engine, settings=work.settings, watch=watch, stop=stopping.event)
            results = service.transform_batch(batch_id)
    if as_json:
        show_json(results_for_programs(batch_id, "transformed", results.counts))
    else:
        out().print(results_table(results.counts))
    say(f"Next: qqetl load {batch_id}")
