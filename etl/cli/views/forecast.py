"""The plan of a sync, as `--dry-run` shows it."""

from collections.abc import Sequence
from typing import Any

from etl.api.connection import connected
from etl.cli.session import Work
from etl.cli.ui.format import counted, length, listed, moment, number
from etl.cli.ui.terminal import out, show, table
from etl.database.revisions import check_migrated
from etl.ledger.children import Waiting
from etl.pipeline.forecast import Forecast, forecast
from etl.pipeline.plan import Options, plan
from etl.window import Window


def look_ahead(work: Work, window: Window | None, options: Options) -> list[Forecast]:
    """Return what a sync would ask for; nothing is written."""
    check_migrated(work.engine)
    with connected(work.settings, engine=work.engine) as api:
        planned = plan(work.ledger, work.settings, api.now, window, options)
        return forecast(work.ledger, work.settings, api, planned, options.limit)


def show_forecast(found: Sequence[Forecast], rate: float) -> None:
    """Write a plan as a table, and what it comes to."""
    rows = [
        (
            one.resource,
            moment(one.window.start),
            "" if one.records is None else number(one.records),
            calls_of(one),
            "" if one.seconds(rate) is None or not one.calls else length(one.seconds(rate) or 0),
            remark(one),
        )
        for one in found
    ]
    right = ("Records", "Calls", "Time")
    out().print(table(("Resource", "From (UTC)", *right, ""), rows, right=right))
    show()
    calls = sum(one.calls for one in found)
    upper = "at most " if any(one.at_most for one in found) else ""
    pace = (
        f"{length(calls / rate)} at {rate * 60:g} calls a minute" if rate else "as fast as the API answers (no limit)"
    )
    show(f"In all {upper}{counted(calls, 'call')}, {pace}. Windows end at {moment(found[0].window.end)} UTC.")
    for one in found:
        if one.waiting:
            show(f"{one.resource}: {listed([urgency(some) for some in one.waiting])}.")
    if put_off := sum(one.put_off for one in found):
        show(f"{counted(put_off, 'call')} beyond ETL_CHILD_BUDGET wait for the runs that follow.")
    show("This was a dry run: nothing was written.")


def calls_of(one: Forecast) -> str:
    """Return the calls of a resource, marked where they are an upper bound."""
    return "" if not one.calls else ("≤ " if one.at_most else "") + number(one.calls)


def urgency(some: Waiting) -> str:
    """Return what some calls for details are due for."""
    whose = "active" if some.active else "other"
    reason = "that changed" if some.changed else "whose details have come of age"
    return f"{counted(some.calls, 'call')} for {whose} parents {reason}"


def remark(one: Forecast) -> str:
    """Return what else there is to say of a resource."""
    return one.note or (f"{number(one.put_off)} put off" if one.put_off else "")


def forecast_for_programs(found: Sequence[Forecast], rate: float) -> dict[str, Any]:
    """Return a plan for JSON."""
    calls = sum(one.calls for one in found)
    return {
        "calls": calls,
        "seconds": calls / rate if rate else None,
        "resources": [
            {
                "resource": one.resource,
                "window": {"start": one.window.start.isoformat(), "end": one.window.end.isoformat()},
                "records": one.records,
                "calls": one.calls,
                "at_most": one.at_most,
                "put_off": one.put_off,
                "seconds": one.seconds(rate),
                "note": one.note,
                "due": [{"changed": some.changed, "active": some.active, "calls": some.calls} for some in one.waiting],
            }
            for one in found
        ],
    }
