"""`qqetl sync`: extract, transform and load for one window, once or again and again."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated

import typer

from etl.cli.repeat import repeat
from etl.cli.run_command import run, teller
from etl.cli.run_notifier import Attendant
from etl.cli.session import Work, prepared, working
from etl.cli.ui.options import AsJson, Embedded, From, Resources, To, command_app, examples, length_of, only_with
from etl.cli.ui.signals import Stopping
from etl.cli.ui.terminal import show_json
from etl.cli.views.forecast import forecast_for_programs, look_ahead, show_forecast
from etl.cli.window_options import window_asked
from etl.database.revisions import check_migrated
from etl.errors import UsageError
from etl.pipeline import Options, sync
from etl.resources import selected
from etl.window import Window

app = command_app()

Full = Annotated[bool, typer.Option("--full", help="Read everything, whatever was read before.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be asked for; write nothing.")]
Every = Annotated[str | None, typer.Option("--every", metavar="TIME", help="Run again and again, such as every 1h.")]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, metavar="N", help="About so many records of each resource, for a first look."),
]
MaxMinutes = Annotated[
    float | None,
    typer.Option("--max-minutes", min=0, metavar="M", help="End after so many minutes, resumable (exit status 1)."),
]


@app.command(
    epilog=examples(
        "qqetl sync             from where the last run ended to now",
        "qqetl sync --dry-run   the calls and the time that would take",
        "qqetl sync --from 2026-01-01 --to 2026-02-01 --resource claims",
        "qqetl sync --every 1h  until it is asked to stop",
    )
)
def command(  # noqa: PLR0913 (one parameter an option)
    *,
    start: From = None,
    end: To = None,
    resource: Resources = None,
    full: Full = False,
    dry_run: DryRun = False,
    every: Every = None,
    limit: Limit = None,
    max_minutes: MaxMinutes = None,
    embedded: Embedded = False,
    as_json: AsJson = False,
) -> None:
    """Bring production up to date: extract, transform and load a window.

    Without --from each resource goes on from where it is complete; the first run reads everything. A run that was
    interrupted is taken up first.
    """
    mind_options({"--from": start is not None, "--to": end is not None}, every, max_minutes, full=full, dry_run=dry_run)
    pause, options = length_of("--every", every), Options(tuple(resource or ()), full, limit)
    total, settings = len(selected(options.resources)), prepared()
    with (
        Attendant(settings) as attendant,
        working(embedded=embedded, settings=settings, makes_tables=not dry_run) as work,
    ):
        check_migrated(work.engine)
        window = window_asked(work.ledger, start, end, options.resources)
        if dry_run:
            plan(work, window, options, as_json=as_json)
            return
        with Stopping() as stopping:
            carry, tell = partial(sync, work.engine, work.settings, window, options), teller(as_json=as_json)
            once = partial(run, carry, stopping, total, tell, minutes=max_minutes, attendant=attendant.over(work))
            status = repeat(once, pause, stopping) if pause else once()
    raise typer.Exit(status)


def mind_options(
    a_window: Mapping[str, bool], every: str | None, max_minutes: float | None, *, full: bool, dry_run: bool
) -> None:
    """Raise UsageError for options that mean nothing, or nothing beside one another."""
    if max_minutes == 0:
        raise UsageError("--max-minutes must be more than 0.")
    if every:
        only_with("--every", {**a_window, "--dry-run": dry_run})
    if full:
        only_with("--full", a_window)


def plan(work: Work, window: Window | None, options: Options, *, as_json: bool) -> None:
    """Write what a sync would ask for."""
    found, rate = look_ahead(work, window, options), work.settings.rate_limit.per_second
    if as_json:
        show_json(forecast_for_programs(found, rate))
    else:
        show_forecast(found, rate)
