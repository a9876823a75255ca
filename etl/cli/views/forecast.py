"""Plan of a sync, as `--dry-run` shows it."""

from collections.abc import Sequence
from typing import Any

from etl.api.connection import connected
from etl.cli.session import CommandSession
from etl.cli.ui.format import format_count, format_duration, format_number, format_time, join_words
from etl.cli.ui.terminal import build_table, print_line, stdout
from etl.database.revisions import check_migrated
from etl.ledger.child_counts import DueCalls
from etl.pipeline.forecast import Forecast
from etl.pipeline.forecast import forecast as forecast_calls
from etl.pipeline.plan import Options, plan
from etl.window import Window


def forecast_sync(session: CommandSession, window: Window | None, options: Options) -> list[Forecast]:
    """Return the calls that a sync would make, per resource; write nothing."""
    check_migrated(session.engine)
    with connected(session.settings, engine=session.engine) as api:
        sync_plan = plan(session.ledger, session.settings, api.now, window, options)
        return forecast_calls(session.ledger, session.settings, api, sync_plan, options.limit)


def show_forecast(forecasts: Sequence[Forecast], rate: float) -> None:
    """Print the plan as a table, with totals."""
    rows = [
        (
            forecast.resource,
            format_time(forecast.window.start),
            "" if forecast.records is None else format_number(forecast.records),
            format_calls(forecast),
            ""
            if forecast.seconds(rate) is None or not forecast.calls
            else format_duration(forecast.seconds(rate) or 0),
            describe_note(forecast),
        )
        for forecast in forecasts
    ]
    numeric = ("Records", "Calls", "Time")
    stdout().print(build_table(("Resource", "From (UTC)", *numeric, ""), rows, numeric=numeric))
    print_line()
    calls = sum(forecast.calls for forecast in forecasts)
    bound = "at most " if any(forecast.at_most for forecast in forecasts) else ""
    duration = f"{format_duration(calls / rate)} at {rate * 60:g} calls/min" if rate else "as fast as the API responds"
    end = format_time(forecasts[0].window.end)
    print_line(f"Total: {bound}{format_count(calls, 'call')}, {duration}. Windows end at {end} UTC.")
    for forecast in forecasts:
        if forecast.waiting:
            print_line(
                f"{forecast.resource}: {join_words([describe_due_calls(due_calls) for due_calls in forecast.waiting])}."
            )
    if deferred := sum(forecast.deferred for forecast in forecasts):
        print_line(f"Over ETL_CHILD_BUDGET and left for later runs: {format_count(deferred, 'call')}.")
    print_line("Dry run: nothing was written.")


def format_calls(forecast: Forecast) -> str:
    """Return the number of calls, with `≤` if it is an upper bound."""
    return "" if not forecast.calls else ("≤ " if forecast.at_most else "") + format_number(forecast.calls)


def describe_due_calls(due_calls: DueCalls) -> str:
    """Return the number of due detail calls and why they are due."""
    parents = "active" if due_calls.active else "other"
    reason = "that changed" if due_calls.changed else "due for a refresh"
    return f"{format_count(due_calls.calls, 'call')} for {parents} parents {reason}"


def describe_note(forecast: Forecast) -> str:
    """Return the note on a resource: why it is left out, or how many calls are left for later runs."""
    return forecast.note or (f"{format_number(forecast.deferred)} for later runs" if forecast.deferred else "")


def forecasts_to_json(forecasts: Sequence[Forecast], rate: float) -> dict[str, Any]:
    """Return the plan as JSON."""
    calls = sum(forecast.calls for forecast in forecasts)
    return {
        "calls": calls,
        "seconds": calls / rate if rate else None,
        "resources": [
            {
                "resource": forecast.resource,
                "window": {"start": forecast.window.start.isoformat(), "end": forecast.window.end.isoformat()},
                "records": forecast.records,
                "calls": forecast.calls,
                "at_most": forecast.at_most,
                "put_off": forecast.deferred,
                "seconds": forecast.seconds(rate),
                "note": forecast.note,
                "due": [
                    {"changed": due_calls.changed, "active": due_calls.active, "calls": due_calls.calls}
                    for due_calls in forecast.waiting
                ],
            }
            for forecast in forecasts
        ],
    }
