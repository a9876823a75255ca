"""The forecast of a sync: its calls, records and time, from one small call per list; writes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

from etl.api.connection import ApiConnection
from etl.api.protocol import EndpointRefused, page_call
from etl.catalogue import Endpoint, Resource
from etl.config.settings import Settings
from etl.errors import ApiUnavailable, InvalidRecord, UnexpectedResponse
from etl.extract.date_ranges import date_range_of, is_short, split_by_quarter, split_by_total, split_ended_days
from etl.ledger.child_counts import DueCalls, count_due_calls
from etl.ledger.transaction import Ledger
from etl.pipeline.plan import Plan
from etl.resources import CATALOGUE
from etl.resources import resource as resource_named
from etl.window import Window


@dataclass(frozen=True, slots=True)
class Forecast:
    """The calls and records that a sync needs for one resource."""

    resource: str
    window: Window
    calls: int = 0
    records: int | None = None  #: as the API reports them; None where it reports no total
    at_most: bool = False  #: the calls are an upper bound
    deferred: int = 0  #: calls beyond the budget of a run, left for the next run
    note: str | None = None
    waiting: tuple[
        DueCalls, ...
    ] = ()  #: calls per parent that are due now, by reason; the remaining calls are for new parents

    def seconds(self, rate: float) -> float | None:
        """Return the seconds that the calls take at a rate in calls per second; None without a rate limit."""
        return self.calls / rate if rate else None


def forecast(
    ledger: Ledger, settings: Settings, api: ApiConnection, plan: Plan, limit: int | None = None
) -> list[Forecast]:
    """Return a forecast for each resource of a plan, in order of extraction.

    `limit` is the `--limit` option: the number of records of each list, and of parents.
    """
    forecasts: dict[str, Forecast] = {}
    for resource in CATALOGUE:
        if resource.name in plan.windows:
            forecasts[resource.name] = forecast_resource(ledger, settings, api, plan, resource, forecasts)
    limited = list(forecasts.values())
    if limit:
        limited = [apply_limit(unlimited, limit, settings.etl_page_size) for unlimited in limited]
    return list(apply_budget(limited, settings.etl_child_budget))


def apply_limit(forecast: Forecast, limit: int, page_size: int) -> Forecast:
    """Return a forecast under `--limit`: the first pages of each list, or the most urgent parents."""
    if forecast.records is None:
        return replace(forecast, calls=min(forecast.calls, limit))
    pages = ceil(limit / min(limit, page_size)) * len(resource_named(forecast.resource).endpoints)
    return replace(forecast, calls=min(forecast.calls, pages), records=min(forecast.records, limit))


def forecast_resource(
    ledger: Ledger,
    settings: Settings,
    api: ApiConnection,
    plan: Plan,
    resource: Resource,
    forecasts: dict[str, Forecast],
) -> Forecast:
    """Return the forecast for one resource; `forecasts` holds those of the resources before it."""
    window = plan.windows[resource.name]
    if resource.name in plan.left_out:
        return Forecast(resource.name, window, note="not offered by this account; skipped")
    if not resource.endpoints:
        sources = " and ".join(dict.fromkeys(derivation.resource for derivation in resource.derived))
        return Forecast(resource.name, window, note=f"derived from {sources}")
    if resource.parent is not None:
        return forecast_children(ledger, resource, window, forecasts.get(resource.parent.resource))
    try:
        return forecast_lists(settings, api, resource, window)
    except (ApiUnavailable, UnexpectedResponse, EndpointRefused, InvalidRecord) as error:
        return Forecast(resource.name, window, calls=1, note=str(error))


def forecast_lists(settings: Settings, api: ApiConnection, resource: Resource, window: Window) -> Forecast:
    """Return the forecast for a resource read from lists, with one call of one record per list."""
    sums = [forecast_list(settings, api, resource, endpoint, window) for endpoint in resource.endpoints]
    totals = [records for _, records in sums if records is not None]
    return Forecast(resource.name, window, sum(calls for calls, _ in sums), sum(totals) if totals else None)


def forecast_list(
    settings: Settings, api: ApiConnection, resource: Resource, endpoint: Endpoint, window: Window
) -> tuple[int, int | None]:
    """Return the number of calls for one list, and the total that the API reports."""
    if endpoint.paging is None:
        return 1, None
    days = date_range_of(window, settings.etl_overlap, settings.etl_api_timezone) if endpoint.dates else None
    first, last = (days.first, days.last) if days else (None, None)
    call = page_call(resource, endpoint, first, last, 1, 1)
    total = api.wire.run(api.api.fetch(call)).page.total
    size = min(settings.etl_page_size, endpoint.paging.largest)
    pages = max(1, ceil((total or 0) / size))
    if days is None or is_short(days):
        return pages, total
    ended, *others = split_ended_days(days, window.end)
    slices = len(split_by_quarter(ended) if total is None else split_by_total(ended, total, size))
    probes = 1 + (
        slices if slices > 1 and total is not None else 0
    )  # calls for the totals of the window and its slices
    return probes + max(pages, slices) + len(others), total


def forecast_children(ledger: Ledger, resource: Resource, window: Window, parent: Forecast | None) -> Forecast:
    """Return the forecast for a resource read per parent: the calls due now, plus one for each parent in the window."""
    parent_resource = resource_named(resource.parent.resource if resource.parent else "")
    waiting = ledger.read(
        partial(count_due_calls, child=resource, parent=parent_resource, tenant=ledger.tenant, today=window.end.date())
    )
    new_parents = (parent.records or 0) if parent is not None else 0
    calls = sum(due.calls for due in waiting) + new_parents
    return Forecast(resource.name, window, calls, at_most=new_parents > 0, waiting=tuple(waiting))


def apply_budget(forecasts: Sequence[Forecast], budget: int | None) -> Iterator[Forecast]:
    """Yield the forecasts, with calls per parent beyond the budget of a run deferred."""
    sharing = [
        forecast.resource
        for forecast in forecasts
        if resource_named(forecast.resource).parent is not None and forecast.note is None
    ]
    remaining = budget
    for forecast in forecasts:
        if remaining is None or forecast.resource not in sharing:
            yield forecast
            continue
        calls = min(forecast.calls, ceil(remaining / (len(sharing) - sharing.index(forecast.resource))))
        remaining -= calls
        yield replace(forecast, calls=calls, deferred=forecast.calls - calls)
