"""What a sync would ask for: calls, records and time, found out with one small call a feed and nothing written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

from etl.api.connection import Connection
from etl.api.protocol import Refused, page_call
from etl.catalogue import Endpoint, Resource
from etl.config.settings import Settings
from etl.errors import ApiUnavailable, InvalidRecord, UnexpectedResponse
from etl.extract.date_ranges import date_range_of, is_short, split_by_quarter, split_by_total, split_ended_days
from etl.ledger import children
from etl.ledger.children import DueCalls
from etl.ledger.transaction import Ledger
from etl.pipeline.plan import Plan
from etl.resources import CATALOGUE
from etl.resources import resource as named
from etl.window import Window


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one resource would ask for."""

    resource: str
    window: Window
    calls: int = 0
    records: int | None = None  #: as the API announces them; None where it does not say
    at_most: bool = False  #: the calls are an upper bound
    deferred: int = 0  #: calls beyond the budget of a run, left for the next
    note: str | None = None
    waiting: tuple[DueCalls, ...] = ()  #: what is due of details, by urgency; the rest of the calls is what may come

    def seconds(self, rate: float) -> float | None:
        """Return how long the calls take at a rate of calls a second; None without a cap."""
        return self.calls / rate if rate else None


def forecast(
    ledger: Ledger, settings: Settings, api: Connection, plan: Plan, limit: int | None = None
) -> list[Forecast]:
    """Return what each resource of a plan would ask for, in order of extraction; the database is only read.

    `limit` is that of a first look: so many records of a list, and so many parents.
    """
    found: dict[str, Forecast] = {}
    for resource in CATALOGUE:
        if resource.name in plan.windows:
            found[resource.name] = forecast_resource(ledger, settings, api, plan, resource, found)
    seen = [apply_limit(one, limit, settings.etl_page_size) for one in found.values()] if limit else list(found.values())
    return list(apply_budget(seen, settings.etl_child_budget))


def apply_limit(one: Forecast, limit: int, page_size: int) -> Forecast:
    """Return what a first look asks for: the first pages of each list, or the most urgent parents."""
    if one.records is None:
        return replace(one, calls=min(one.calls, limit))
    pages = ceil(limit / min(limit, page_size)) * len(named(one.resource).endpoints)
    return replace(one, calls=min(one.calls, pages), records=min(one.records, limit))


def forecast_resource(
    ledger: Ledger, settings: Settings, api: Connection, plan: Plan, resource: Resource, found: dict[str, Forecast]
) -> Forecast:
    """Return what one resource would ask for; `found` holds those before it."""
    window = plan.windows[resource.name]
    if resource.name in plan.not_offered:
        return Forecast(resource.name, window, note="not offered by this account; left out")
    if not resource.endpoints:
        sources = " and ".join(dict.fromkeys(way.resource for way in resource.derived))
        return Forecast(resource.name, window, note=f"made from {sources}")
    if resource.parent is not None:
        return forecast_children(ledger, resource, window, found.get(resource.parent.resource))
    try:
        return forecast_lists(settings, api, resource, window)
    except (ApiUnavailable, UnexpectedResponse, Refused, InvalidRecord) as error:
        return Forecast(resource.name, window, calls=1, note=str(error))


def forecast_lists(settings: Settings, api: Connection, resource: Resource, window: Window) -> Forecast:
    """Return what the feeds or lists of a resource announce, each asked for one record."""
    sums = [forecast_list(settings, api, resource, endpoint, window) for endpoint in resource.endpoints]
    totals = [records for _, records in sums if records is not None]
    return Forecast(resource.name, window, sum(calls for calls, _ in sums), sum(totals) if totals else None)


def forecast_list(
    settings: Settings, api: Connection, resource: Resource, endpoint: Endpoint, window: Window
) -> tuple[int, int | None]:
    """Return how many calls one endpoint takes, and the records it announces."""
    if endpoint.paging is None:
        return 1, None
    days = date_range_of(window, settings.etl_overlap, settings.etl_api_timezone) if endpoint.dates else None
    first, last = (days.first, days.last) if days else (None, None)
    call = page_call(resource, endpoint, first, last, 1, 1)
    total = api.wire.ask(api.api.fetch(call)).page.total
    size = min(settings.etl_page_size, endpoint.paging.largest)
    pages = max(1, ceil((total or 0) / size))
    if days is None or is_short(days):
        return pages, total
    ended, *others = split_ended_days(days, window.end)
    pieces = len(split_by_quarter(ended) if total is None else split_by_total(ended, total, size))
    asked_first = 1 + (pieces if pieces > 1 and total is not None else 0)  # how much the window and its pieces hold
    return asked_first + max(pages, pieces) + len(others), total


def forecast_children(ledger: Ledger, resource: Resource, window: Window, parent: Forecast | None) -> Forecast:
    """Return the calls that are due and those that the parents announced may bring; at most so many."""
    of = named(resource.parent.resource if resource.parent else "")
    waiting = ledger.read(partial(children.count_due_calls, child=resource, parent=of, tenant=ledger.tenant))
    announced = (parent.records or 0) if parent is not None else 0
    calls = sum(one.calls for one in waiting) + announced
    return Forecast(resource.name, window, calls, at_most=announced > 0, waiting=tuple(waiting))


def apply_budget(found: Sequence[Forecast], budget: int | None) -> Iterator[Forecast]:
    """Yield the forecasts with the calls for details that are beyond the budget of a run put off."""
    sharing = [one.resource for one in found if named(one.resource).parent is not None and one.note is None]
    left = budget
    for one in found:
        if left is None or one.resource not in sharing:
            yield one
            continue
        calls = min(one.calls, ceil(left / (len(sharing) - sharing.index(one.resource))))
        left -= calls
        yield replace(one, calls=calls, deferred=one.calls - calls)
