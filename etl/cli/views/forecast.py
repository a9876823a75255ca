"""Plan of a sync, as `--dry-run` shows it."""

from collections.abc import Iterator, Sequence
from typing import Any

from etl.api.connection import connected
from etl.call_estimate import Estimate
from etl.cli.session import CommandSession
from etl.cli.ui.terminal import build_table, print_line, print_wrapped, stdout
from etl.cli.views.call_time import (
    calls_to_json,
    describe_details,
    describe_total,
    format_call_time,
    format_calls,
    format_calls_and_time,
    format_rate,
)
from etl.config.rate_limit import RateLimit
from etl.database.revisions import check_migrated
from etl.local_time import format_bound
from etl.pipeline.forecast.forecast import Forecast, SyncForecast
from etl.pipeline.forecast.read_facts import forecast
from etl.pipeline.options import Options
from etl.pipeline.plan import plan
from etl.resources import USEFUL
from etl.status.format import format_count, format_number, join_words
from etl.window import Window


def forecast_sync(session: CommandSession, window: Window | None, options: Options) -> SyncForecast:
    """Return the calls that a sync would make, per resource; write nothing."""
    check_migrated(session.engine)
    with connected(session.settings, engine=session.engine) as api:
        sync_plan = plan(session.ledger, session.settings, api.now, window, options)
        return forecast(session.ledger, session.settings, api, sync_plan, options.limit)


def show_forecast(sync_forecast: SyncForecast, limit: RateLimit) -> None:
    """Print the plan as a table, with totals, and what optional resources would add."""
    planned = [resource for resource in sync_forecast.resources if not resource.is_added]
    show_calls(planned, limit)
    print_line()
    for line in list_plan(sync_forecast, limit):
        print_wrapped(line)
    print_line(f"Windows end at {format_bound(planned[0].window.end)}.")
    backlogs = [resource.details for resource in planned if resource.details is not None and resource.waiting]
    for details in backlogs:
        print_line(describe_details(details, limit))
    if backlogs:
        calls = sum(details.calls for details in backlogs)
        print_line(describe_total(Estimate(calls, calls), limit))
    if deferred := sum(resource.deferred for resource in planned):
        print_line(f"Over ETL_CHILD_BUDGET and left for later runs: {format_count(deferred, 'call')}.")
    show_additions([resource for resource in sync_forecast.resources if resource.is_added], limit)
    print_line("Dry run: nothing was written.")


def list_plan(forecast: SyncForecast, limit: RateLimit) -> Iterator[str]:
    """Yield when the database is useful and when it is complete, and what that is based on."""
    names = {resource.resource for resource in forecast.resources}
    yield "Without a call limit:" if limit.calls is None else f"At {format_rate(limit)}:"
    if forecast.useful.high and forecast.complete != forecast.useful:
        yield f"  useful database after  {format_calls_and_time(forecast.useful, limit)}"
        yield f"                         ({join_words([name for name in USEFUL if name in names])})"
    if forecast.current != forecast.complete:
        yield f"  current after          {format_calls_and_time(forecast.current, limit)}"
        yield "                         (customers, and policies that are in force, are"
        yield "                         pending, or ended within 13 months)"
    yield f"  complete after         {format_calls_and_time(forecast.complete, limit)}"
    if forecast.sampled and not forecast.complete.is_exact:
        yield describe_basis(forecast)


def describe_basis(forecast: SyncForecast) -> str:
    """Return what an estimate is based on."""
    if all(sample.records >= sample.total for sample in forecast.sampled):
        return "The higher figures include all prospects; those that no policy names get no calls."
    bases = [
        f"{format_number(sample.records)} of {format_count(sample.total, 'record')} of {sample.resource}"
        for sample in forecast.sampled
    ]
    return f"An estimate from {join_words(bases)}. It is exact once they are read."


def forecast_to_json(forecast: SyncForecast, limit: RateLimit) -> dict[str, Any]:
    """Return when the database is useful and when it is complete, as JSON."""
    return {
        "calls_per_minute": limit.per_second * 60 if limit.calls is not None else None,
        "useful": calls_to_json(forecast.useful, limit),
        "current": calls_to_json(forecast.current, limit),
        "complete": calls_to_json(forecast.complete, limit),
        "estimated_from": forecast.sampled,
    }


def show_calls(forecasts: Sequence[Forecast], limit: RateLimit) -> None:
    """Print the calls of each resource that can be read, then the names of the others by the reason."""
    rows = [
        (
            resource.resource,
            format_bound(resource.window.start),
            "" if resource.records is None else format_number(resource.records),
            format_calls(resource.range).removesuffix("s").removesuffix(" call"),
            format_call_time(resource.range, limit),
            f"{format_number(resource.deferred)} for later runs" if resource.deferred else "",
        )
        for resource in forecasts
        if resource.calls and not resource.note
    ]
    numeric = ("Records", "Calls")
    stdout().print(build_table(("Resource", "From", *numeric, "Time", ""), rows, numeric=numeric))
    others = [resource for resource in forecasts if resource.note or not resource.calls]
    for note in dict.fromkeys(describe_reason(resource) for resource in others):
        noted = [resource for resource in others if describe_reason(resource) == note]
        calls = sum(resource.calls for resource in noted)
        find_out = f" ({format_count(calls, 'call')} to find out)" if calls else ""
        print_wrapped(f"{join_words([resource.resource for resource in noted])}: {note}{find_out}")


def describe_reason(resource: Forecast) -> str:
    """Return why a resource is not read."""
    return resource.note or "no calls due"


def show_additions(additions: Sequence[Forecast], limit: RateLimit) -> None:
    """Print what each resource that is not requested would add."""
    for resource in additions:
        calls = format_calls_and_time(resource.range, limit)
        print_line(f"ETL_RESOURCES=+{resource.resource} would add {calls}.")


def forecasts_to_json(sync_forecast: SyncForecast, limit: RateLimit) -> dict[str, Any]:
    """Return the plan as JSON."""
    return {
        **calls_to_json(sync_forecast.complete, limit),
        "plan": forecast_to_json(sync_forecast, limit),
        "resources": [
            resource_to_json(resource, limit) for resource in sync_forecast.resources if not resource.is_added
        ],
        "optional": [
            {"resource": resource.resource, **calls_to_json(resource.range, limit)}
            for resource in sync_forecast.resources
            if resource.is_added
        ],
    }


def resource_to_json(resource: Forecast, limit: RateLimit) -> dict[str, Any]:
    """Return the plan of one resource as JSON."""
    return {
        "resource": resource.resource,
        "window": resource.window,
        "records": resource.records,
        **calls_to_json(resource.range, limit),
        "at_most": resource.at_most,
        "put_off": resource.deferred,
        "note": resource.note,
        "due": [
            {"changed": due_calls.changed, "active": due_calls.active, "calls": due_calls.calls}
            for due_calls in resource.waiting
        ],
    }
