"""`qqetl extract`: step 1 only, from the API into staging."""

from functools import partial

import typer

from etl.cli.session import open_session
from etl.cli.ui.options import AsJson, Embedded, From, Resources, To, create_app, format_examples
from etl.cli.ui.progress import show_progress
from etl.cli.ui.signals import StopRequest
from etl.cli.ui.terminal import print_json, print_line, print_notice
from etl.cli.views.balance import batch_resource_to_json, sum_counts
from etl.cli.window_options import find_window_or_default, parse_bounds
from etl.database.revisions import check_migrated
from etl.errors import ExitStatus
from etl.extract.selection import resource_names
from etl.extract.service import ExtractService
from etl.ledger import batches
from etl.models.states import ResourceState
from etl.status.format import format_count

app = create_app()


@app.command(
    epilog=format_examples(
        "qqetl extract --from 2026-01-01 --to 2026-02-01",
        "batch=$(qqetl extract) && qqetl transform $batch && qqetl load $batch",
    )
)
def command(
    *,
    start: From = None,
    end: To = None,
    resource: Resources = None,
    embedded: Embedded = False,
    as_json: AsJson = False,
) -> None:
    """Read a window into staging, and print the id of the new batch.

    The next steps are `qqetl transform` and `qqetl load`. `qqetl sync` does all three.
    """
    names, bounds = tuple(resource or ()), parse_bounds(start, end)
    with open_session(embedded=embedded) as session:
        check_migrated(session.engine)
        chosen = resource_names(names, session.settings)
        window = find_window_or_default(session.ledger, bounds, chosen)
        with StopRequest() as stop_request, show_progress(len(chosen)) as watch:
            service = ExtractService(session.engine, settings=session.settings, watch=watch, stop=stop_request.event)
            batch_id = service.extract_data(window, names)
        parts = session.ledger.read(partial(batches.read_batch_resources, batch_id=batch_id))
    failed = [part for part in parts if part.status is ResourceState.FAILED]
    if as_json:
        print_json({"batch": batch_id, "resources": [batch_resource_to_json(part) for part in parts]})
    else:
        print_line(str(batch_id))
    print_notice(f"{format_count(sum_counts(parts)['pages'], 'page')} staged. Next: qqetl transform {batch_id}")
    for part in failed:
        print_notice(f"✗ {part.resource}: {part.error}", style="red")
    raise typer.Exit(ExitStatus.INCOMPLETE if failed else ExitStatus.DONE)
