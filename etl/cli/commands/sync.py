"""`qqetl sync`: extract, transform and load one window, once or at regular intervals."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from etl.cli.repeat import repeat_run
from etl.cli.run_command import choose_summary_writer, run_with_progress
from etl.cli.run_notifier import RunNotifier
from etl.cli.session import CommandSession, load_settings, open_session
from etl.cli.ui.options import (
    AsJson,
    Embedded,
    From,
    Resources,
    To,
    create_app,
    format_examples,
    parse_duration_option,
    reject_combination,
)
from etl.cli.ui.signals import StopRequest
from etl.cli.ui.terminal import print_json, print_notice, stdout
from etl.cli.views.forecast import forecast_sync, forecasts_to_json, show_forecast
from etl.cli.window_options import find_window, parse_bounds
from etl.database.revisions import check_migrated
from etl.errors import UsageError
from etl.extract.selection import resource_names
from etl.pipeline import Options, sync
from etl.window import Window

app = create_app()

Full = Annotated[bool, typer.Option("--full", help="Read everything again.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the calls a sync would make; write nothing.")]
Every = Annotated[str | None, typer.Option("--every", metavar="TIME", help="Repeat at this interval, such as 1h.")]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, metavar="N", help="Read about N records of each resource, as a sample."),
]
MaxMinutes = Annotated[
    float | None,
    typer.Option("--max-minutes", min=0, metavar="M", help="Stop after M minutes; can be resumed (exit status 1)."),
]


@app.command(
    epilog=format_examples(
        "qqetl sync             from each resource's watermark until now",
        "qqetl sync --dry-run   show the calls and the time needed",
        "qqetl sync --from 2026-01-01 --to 2026-02-01 --resource claims",
        "qqetl sync --every 1h  repeat until Ctrl-C",
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

    Without --from, each resource continues where it is complete; the first run reads everything. An interrupted run
    is resumed first.
    """
    check_options(
        {"--from": start is not None, "--to": end is not None}, every, max_minutes, full=full, dry_run=dry_run
    )
    bounds = parse_bounds(start, end)
    pause, options = parse_duration_option("--every", every), Options(tuple(resource or ()), full, limit)
    settings = load_settings()
    names = resource_names(options.resources, settings)
    with (
        RunNotifier(settings) as notifier,
        open_session(embedded=embedded, settings=settings, create=not dry_run, create_tables=not dry_run) as session,
    ):
        check_migrated(session.engine)
        window = find_window(session.ledger, bounds, names)
        if dry_run:
            show_plan(session, window, options, as_json=as_json)
            return
        with StopRequest() as stop_request:
            run_once = partial(
                run_with_progress,
                stop_request=stop_request,
                total=len(names),
                write_summary=choose_summary_writer(as_json=as_json),
                max_minutes=max_minutes,
                notifier=notifier.with_session(session),
            )
            sync_window = partial(sync, session.engine, session.settings, window)
            if pause is not None:
                status = repeat_run(partial(run_once, partial(sync_window, options)), pause, stop_request)
            else:
                summary = run_once(partial(sync_window, options))
                # A person at a terminal waits for the details too; the feeds are read again before more of them.
                while summary.has_backlog and stdout().is_terminal and window is None and max_minutes is None:
                    print_notice("Details are left: reading changes, then more. Ctrl-C stops; progress is saved.")
                    summary = run_once(partial(sync_window, replace(options, full=False)))
                status = summary.exit_status
    raise typer.Exit(status)


def check_options(
    window_options: Mapping[str, bool], every: str | None, max_minutes: float | None, *, full: bool, dry_run: bool
) -> None:
    """Raise UsageError for invalid values and for options that cannot be combined."""
    if max_minutes == 0:
        raise UsageError("--max-minutes must be more than 0.")
    if every:
        reject_combination("--every", {**window_options, "--dry-run": dry_run})
    if full:
        reject_combination("--full", window_options)


def show_plan(session: CommandSession, window: Window | None, options: Options, *, as_json: bool) -> None:
    """Print the calls that a sync would make."""
    forecast, limit = forecast_sync(session, window, options), session.settings.rate_limit
    if as_json:
        print_json(forecasts_to_json(forecast, limit))
    else:
        show_forecast(forecast, limit)
