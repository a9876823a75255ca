"""The forecast of a sync: from the shape of a book to calls, and from calls to time. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil
from typing import Any

from etl.catalogue import Endpoint, Resource
from etl.config.settings import Settings
from etl.extract.date_ranges import date_range_of, is_short, split_by_quarter, split_by_total, split_ended_days
from etl.extract.selection import NEEDS_ENTERPRISE_ACCESS, resource_names
from etl.ledger.children import DueCalls
from etl.pipeline.estimate import Estimate, PageCounts, estimate_matching
from etl.pipeline.feed_sample import FeedSample
from etl.pipeline.plan import Plan
from etl.resources import BY_NAME, CATALOGUE, children_of
from etl.values import Timestamp
from etl.window import FIRST_INSTANT, Window

#: The resources that make the database useful: offices, customers, policies and billing.
USEFUL = ("locations", "contacts", "policies", "billing_records")
NOT_OFFERED = "not offered by this account"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an account before a sync, by resource."""

    samples: Mapping[str, Sequence[FeedSample]] = field(default_factory=dict)  #: of each list
    errors: Mapping[str, str] = field(default_factory=dict)  #: of lists that could not be read
    due: Mapping[str, Sequence[DueCalls]] = field(default_factory=dict)  #: of parents that were read before
    read_to: Mapping[str, datetime] = field(default_factory=dict)  #: the ends of the complete windows
    zone: str = "UTC"  #: of times without one


@dataclass(frozen=True, slots=True)
class Forecast:
    """The calls and records that a sync needs for one resource."""

    resource: str
    window: Window
    calls: int = 0  #: at most
    records: int | None = None  #: as the API reports them; None where it reports no total
    fewest: int | None = None  #: calls at least; None: the calls are known
    deferred: int = 0  #: calls beyond the budget of a run, left for the next run
    note: str | None = None
    waiting: tuple[DueCalls, ...] = ()  #: calls due for parents read before; the remaining calls are for new parents
    is_added: bool = False  #: the resource is optional or turned off: this is what it would add

    @property
    def range(self) -> Estimate:
        """The calls as a range."""
        return Estimate(self.calls if self.fewest is None else self.fewest, self.calls)

    @property
    def at_most(self) -> bool:
        """Whether the calls are an upper bound."""
        return not self.range.is_exact


@dataclass(frozen=True, slots=True)
class Sampled:
    """How much of a list an estimate rests on."""

    resource: str
    records: int
    total: int


@dataclass(frozen=True, slots=True)
class SyncForecast:
    """The forecast of a sync: each resource in order of extraction, then the resources that could be added."""

    resources: Sequence[Forecast]
    sampled: Sequence[Sampled] = ()  #: the lists from which calls for details are estimated

    @property
    def useful(self) -> Estimate:
        """The calls until offices, customers, policies and billing are read."""
        return self.sum_calls(forecast for forecast in self.resources if forecast.resource in USEFUL)

    @property
    def complete(self) -> Estimate:
        """The calls of the whole sync."""
        return self.sum_calls(forecast for forecast in self.resources if not forecast.is_added)

    @staticmethod
    def sum_calls(forecasts: Iterable[Forecast]) -> Estimate:
        """Return the calls of several resources."""
        return sum((forecast.range for forecast in forecasts), Estimate(0, 0))


def list_sampled(facts: Facts) -> list[Sampled]:
    """Return the lists from which the details are estimated, with the size of each sample."""
    return [
        Sampled(name, sum(sample.records for sample in samples), sum(sample.total or 0 for sample in samples))
        for name, samples in facts.samples.items()
        if children_of(name) and name not in facts.read_to
    ]


def make_forecast(plan: Plan, facts: Facts, settings: Settings, limit: int | None = None) -> SyncForecast:
    """Return the forecast of a plan.

    `limit` is the `--limit` option: the number of records of each list, and of parents.
    """
    forecasts = [
        forecast_resource(plan, facts, settings, resource) for resource in CATALOGUE if resource.name in plan.windows
    ]
    if limit:
        limited = [apply_limit(unlimited, limit, settings.etl_page_size) for unlimited in forecasts]
        return SyncForecast(list(apply_budget(limited, settings.etl_child_budget)), list_sampled(facts))
    bounded = apply_budget(forecasts, settings.etl_child_budget)
    return SyncForecast([*bounded, *forecast_additions(plan, facts, settings)], list_sampled(facts))


def forecast_resource(plan: Plan, facts: Facts, settings: Settings, resource: Resource) -> Forecast:
    """Return the forecast for one resource."""
    window = plan.windows[resource.name]
    if resource.name in plan.left_out:
        reason = plan.left_out[resource.name]
        return Forecast(resource.name, window, note=reason if reason == NEEDS_ENTERPRISE_ACCESS else NOT_OFFERED)
    if not resource.endpoints:
        sources = " and ".join(dict.fromkeys(derivation.resource for derivation in resource.derived))
        return Forecast(resource.name, window, note=f"derived from {sources}")
    if resource.parent is not None:
        return forecast_children(facts, resource, window)
    if resource.name in facts.errors:
        return Forecast(resource.name, window, calls=len(resource.endpoints), note=facts.errors[resource.name])
    return forecast_lists(facts, settings, resource, window)


def forecast_additions(plan: Plan, facts: Facts, settings: Settings) -> Iterator[Forecast]:
    """Yield what the resources with a call for each parent would add that are optional or turned off."""
    requested = {*plan.windows, *resource_names((), settings)}
    for resource in CATALOGUE:
        if resource.parent is not None and resource.name not in requested:
            yield replace(forecast_children(facts, resource, plan.window), is_added=True)


def forecast_lists(facts: Facts, settings: Settings, resource: Resource, window: Window) -> Forecast:
    """Return the forecast for a resource that is read from lists."""
    samples = facts.samples.get(resource.name, ())
    calls = sum(
        count_list_calls(settings, endpoint, sample, window)
        for endpoint, sample in zip(resource.endpoints, samples, strict=False)
    )
    totals = [sample.total for sample in samples if sample.total is not None]
    return Forecast(resource.name, window, calls or len(resource.endpoints), sum(totals) if totals else None)


def count_list_calls(settings: Settings, endpoint: Endpoint, sample: FeedSample, window: Window) -> int:
    """Return the number of calls that one list takes."""
    if endpoint.paging is None:
        return 1
    total, size = sample.total, sample.page_size
    days = date_range_of(window, settings.etl_overlap, settings.etl_api_timezone) if endpoint.dates else None
    pages = max(1, ceil((total or 0) / size))
    if days is None or is_short(days):
        return pages
    ended, *others = split_ended_days(days, window.end)
    slices = len(split_by_quarter(ended) if total is None else split_by_total(ended, total, size))
    probes = 1 + (slices if slices > 1 and total is not None else 0)  # for the totals of the window and its slices
    return probes + max(pages, slices) + len(others)


def forecast_children(facts: Facts, resource: Resource, window: Window) -> Forecast:
    """Return the forecast for a resource read per parent: the calls due now, and those for parents that will arrive."""
    parent = BY_NAME[resource.parent.resource] if resource.parent else resource
    waiting = facts.due.get(resource.name, ())
    due = sum(calls.calls for calls in waiting)
    arriving = estimate_arriving(facts, resource, parent)
    if parent.name in facts.read_to:
        calls = Estimate(due, due) + arriving
    else:  # parents that an interrupted first sync has read are due, and part of the sample as well
        calls = Estimate(max(due, arriving.low), max(due, arriving.high))
    return Forecast(resource.name, window, calls.high, fewest=calls.low, waiting=tuple(waiting))


def estimate_arriving(facts: Facts, child: Resource, parent: Resource) -> Estimate:
    """Return how many parents will arrive new or changed and get a call, from a sample of their list."""
    read_to = facts.read_to.get(parent.name, FIRST_INSTANT)
    estimates = [
        estimate_matching(
            [count_page(child, parent, records, read_to, facts.zone) for _, records in sorted(sample.pages.items())],
            sample.total if sample.total is not None else sample.records,
        )
        for sample in facts.samples.get(parent.name, ())
    ]
    return sum(estimates, Estimate(0, 0))


def count_page(
    child: Resource, parent: Resource, records: Sequence[Mapping[str, Any]], read_to: datetime, zone: str
) -> PageCounts:
    """Count the records of a page that will get a call for `child`: not deleted, changed since, and wanted."""
    clock = Timestamp(zone)
    live = [
        record
        for record in records
        if not any(record.get(name) in values for name, values in parent.model.deletion_mark)
        and not is_read(parent, record, read_to, clock)
    ]
    parent_filter = child.parent.parent_filter if child.parent else None
    if parent_filter is None:
        return PageCounts(len(records), len(live), len(live))
    certain, possible = sum(map(parent_filter.is_met, live)), sum(map(parent_filter.may_be_met, live))
    return PageCounts(len(records), certain, possible)


def is_read(parent: Resource, record: Mapping[str, Any], read_to: datetime, clock: Timestamp) -> bool:
    """Return whether a record shows that it was last changed before the time to which its list was read."""
    times = (clock.clean(record.get(name)) for name in (parent.modified, parent.created) if name)
    changed_at = next((moment for moment in times if isinstance(moment, datetime)), None)
    return changed_at is not None and changed_at < read_to


def apply_limit(forecast: Forecast, limit: int, page_size: int) -> Forecast:
    """Return a forecast under `--limit`: the first pages of each list, or the most urgent parents."""
    if forecast.records is None:
        return cap(forecast, limit)
    pages = ceil(limit / min(limit, page_size)) * len(BY_NAME[forecast.resource].endpoints)
    return replace(cap(forecast, pages), records=min(forecast.records, limit))


def cap(forecast: Forecast, calls: int) -> Forecast:
    """Return a forecast of at most this many calls."""
    return replace(forecast, calls=min(forecast.calls, calls), fewest=min(forecast.range.low, calls))


def apply_budget(forecasts: Sequence[Forecast], budget: int | None) -> Iterator[Forecast]:
    """Yield the forecasts, with calls per parent beyond the budget of a run deferred."""
    sharing = [
        forecast.resource
        for forecast in forecasts
        if BY_NAME[forecast.resource].parent is not None and forecast.note is None
    ]
    remaining = budget
    for forecast in forecasts:
        if remaining is None or forecast.resource not in sharing:
            yield forecast
            continue
        calls = min(forecast.calls, ceil(remaining / (len(sharing) - sharing.index(forecast.resource))))
        remaining -= calls
        yield replace(cap(forecast, calls), deferred=forecast.calls - calls)
