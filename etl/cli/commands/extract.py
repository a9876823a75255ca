"""`qqetl extract`: the first step alone, from the API into staging."""

from functools import partial

import typer

from etl.cli.session import working
from etl.cli.ui.format import counted
from etl.cli.ui.options import AsJson, Embedded, From, Resources, To, command_app, examples
from etl.cli.ui.progress import watching
from etl.cli.ui.signals import Stopping
from etl.cli.ui.terminal import say, show, show_json
from etl.cli.views.balance_sheet import part_for_programs, totals
from etl.cli.window_options import window_or_all
from etl.database.revisions import check_migrated
from etl.extract.service import ExtractService
from etl.ledger import batches
from etl.models.states import ResourceState
from etl.resources import selected

app = command_app()


@app.command(
    epilog=examples(
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
    """Read a window into staging and print the id of the batch that holds it.

    The steps that follow are `qqetl transform` and `qqetl load`; `qqetl sync` does all three at once.
    """
    names = tuple(resource or ())
    total = len(selected(names))
    with working(embedded=embedded) as work:
        check_migrated(work.engine)
        window = window_or_all(work.ledger, start, end, names)
        with Stopping() as stopping, watching(total) as watch:
            service = ExtractService(work.engine, settings=work.settings, watch=watch, stop=stopping.event)
            batch_id = service.extract_data(window, names)
        parts = work.ledger.read(partial(batches.parts, batch_id=batch_id))
    trouble = [part for part in parts if part.status is ResourceState.FAILED]
    if as_json:
        show_json({"batch": str(batch_id), "resources": [part_for_programs(part) for part in parts]})
    else:
        show(str(batch_id))
    say(f"{counted(totals(parts)['pages'], 'page')} staged. Next: qqetl transform {batch_id}")
    for part in trouble:
        say(f"✗ {part.resource}: {part.error}", style="red")
    raise typer.Exit(6 if trouble else 0)
