"""The plan of a sync: a window for each resource, from its watermark to now, and resources that are not offered."""

from datetime import datetime, timedelta
from functools import partial

from etl.config.settings import Settings
from etl.dependencies import is_read_daily
from etl.extract.selection import NEEDS_ENTERPRISE_ACCESS, find_out_of_reach, resource_names
from etl.ledger import batches, watermarks
from etl.ledger.batches import Batch
from etl.ledger.transaction import Ledger
from etl.pipeline.options import Options, Plan
from etl.reshape.rules import rules_version
from etl.resources import BY_NAME
from etl.window import FIRST_INSTANT, Window


def plan(ledger: Ledger, settings: Settings, now: datetime, window: Window | None, options: Options) -> Plan:
    """Return the plan of a sync that starts at `now`, by the API's clock.

    Raises WindowError for a window that lies entirely in the future.
    """
    tries_all = options.full or bool(options.resources)
    remembered = {} if tries_all else ledger.read(partial(watermarks.read_not_offered, tenant=ledger.tenant))
    out_of_reach = find_out_of_reach(settings, options.resources)
    not_offered = {
        **{name: reason for name, reason in remembered.items() if reason != NEEDS_ENTERPRISE_ACCESS},
        **dict.fromkeys(out_of_reach, NEEDS_ENTERPRISE_ACCESS),
    }
    names = resource_names(options.resources, settings)
    if window is not None:
        return Plan(dict.fromkeys(names, window.clipped_to(now)), not_offered)
    if options.full:
        return Plan(dict.fromkeys(names, Window(FIRST_INSTANT, now)), not_offered)
    complete = ledger.read(partial(watermarks.read_all_windows, tenant=ledger.tenant))
    if not options.resources:
        names = [name for name in names if not was_read_today(complete[name], name, now)]
    return Plan({name: Window(window_start(complete[name], settings, name, now), now) for name in names}, not_offered)


def was_read_today(complete: list[Window], resource: str, now: datetime) -> bool:
    """Return whether a list that is read once a day is already complete up to a time of this day in UTC."""
    return is_read_daily(BY_NAME[resource]) and is_same_day(watermarks.find_next_start(complete), now)


def window_start(complete: list[Window], settings: Settings, resource: str, now: datetime) -> datetime:
    """Return the start of a resource's next window: its watermark, or earlier if the API does not report changes."""
    start = min(watermarks.find_next_start(complete), now - timedelta(seconds=1))
    if (
        needs_lookback(resource)
        and complete
        and settings.etl_billing_lookback
        and not is_same_day(complete[-1].end, now)
    ):
        return max(FIRST_INSTANT, min(start, now - settings.etl_billing_lookback))
    return start


def needs_lookback(resource: str) -> bool:
    """Return whether a list filters by the date of creation only, so that the API never returns changed records."""
    return any(
        endpoint.dates is not None and endpoint.dates.field == "created" for endpoint in BY_NAME[resource].endpoints
    )


def is_same_day(first: datetime, second: datetime) -> bool:
    """Return whether two instants fall on the same day in UTC: the lookback period is read again once a day."""
    return first.date() == second.date()


def build_batch(ledger: Ledger, settings: Settings, planned: Plan, options: Options) -> Batch:
    """Return a new batch for a plan."""
    stored_options = {
        "full": options.full,
        "limit": options.limit,
        "resources": list(options.resources),
        "run": options.run,
    }
    return batches.build_batch(
        ledger.tenant, planned.window, rules_version(settings.cleaning), options.command, stored_options
    )
