"""The forecast of a sync: from the shape of a book to calls, and from calls to time. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from math import ceil

from etl.call_estimate import Estimate
from etl.catalogue.detail_rules import Priority
from etl.catalogue.resource import Endpoint, Resource
from etl.config.settings import Settings
from etl.extract.date_ranges import (
    MAX_FIRST_PAGES,
    DateRange,
    date_range_of,
    is_short,
    split_by_quarter,
    split_by_total,
    split_ended_days,
)
from etl.extract.details.plan_calls import CallBudgets, PlannedCalls, plan_calls
from etl.extract.selection import NEEDS_ENTERPRISE_ACCESS, resource_names
from etl.ledger.children.child_counts import DetailsLeft, DueCalls
from etl.pipeline.forecast.estimate_details import AccountFacts, estimate_due
from etl.pipeline.forecast.feed_sample import FeedSample
from etl.pipeline.options import Plan
from etl.resources import BY_NAME, CATALOGUE, PROSPECT_DETAILS, USEFUL, as_chosen, children_of, with_prospects
from etl.window import Window

#: The values of what is current: in force, pending or ended within 13 months, and active customers.
CURRENT = tuple(value for value in Priority if value <= Priority.ENDED)
NOT_OFFERED = "not offered by this account"


@dataclass(frozen=True, slots=True)
class Forecast:
    """The calls and records that a sync needs for one resource."""

    resource: str
    window: Window
    calls: int = 0  #: at most
    records: int | None = None  #: as the API reports them; None where it reports no total
    fewest: int | None = None  #: calls at least; None: the calls are known
    current: Estimate | None = None  #: the calls for details of what is current; None: all
    deferred: int = 0  #: calls beyond the budget of a run, left for the next run
    note: str | None = None
    details: DetailsLeft | None = None  #: of parents read before; the remaining calls are for new parents
    is_added: bool = False  #: the resource is optional or turned off: this is what it would add

    @property
    def waiting(self) -> Sequence[DueCalls]:
        """The calls that are due for parents read before."""
        return self.details.due if self.details is not None else ()

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
    """How much of a list an estimate is based on."""

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
    def current(self) -> Estimate:
        """The calls until the details of all that is current are read as well, and of active customers."""
        planned = [forecast for forecast in self.resources if not forecast.is_added]
        return sum((forecast.current or forecast.range for forecast in planned), Estimate(0, 0))

    @property
    def complete(self) -> Estimate:
        """The calls of the whole sync."""
        return self.sum_calls(forecast for forecast in self.resources if not forecast.is_added)

    @staticmethod
    def sum_calls(forecasts: Iterable[Forecast]) -> Estimate:
        """Return the calls of several resources."""
        return sum((forecast.range for forecast in forecasts), Estimate(0, 0))


def list_sampled(facts: AccountFacts) -> list[Sampled]:
    """Return the lists from which the details are estimated, with the size of each sample."""
    return [
        Sampled(name, sum(sample.records for sample in samples), sum(sample.total or 0 for sample in samples))
        for name, samples in facts.samples.items()
        if children_of(name) and name not in facts.read_to and any(sample.total is not None for sample in samples)
    ]


def make_forecast(plan: Plan, facts: AccountFacts, settings: Settings, limit: int | None = None) -> SyncForecast:
    """Return the forecast of a plan.

    `limit` is the `--limit` option: the number of records of each list, and of parents.
    """
    planned = [resource for resource in CATALOGUE if resource.name in plan.windows]
    readable = [resource for resource in planned if resource.name not in facts.unreadable]
    details = forecast_details(
        [resource for resource in readable if makes_calls(plan, resource)], plan, facts, settings
    )
    forecasts = [
        details.get(resource.name) or forecast_resource(plan, facts, settings, resource) for resource in planned
    ]
    if limit:
        limited = [apply_limit(unlimited, limit, settings.etl_page_size) for unlimited in forecasts]
        return SyncForecast(limited, list_sampled(facts))
    added = [*forecast_prospects(plan, facts, settings), *forecast_additions(plan, facts, settings)]
    return SyncForecast([*forecasts, *added], list_sampled(facts))


def makes_calls(plan: Plan, resource: Resource) -> bool:
    """Return whether a resource is read with a call for each parent, and is offered."""
    return resource.parent is not None and resource.name not in plan.left_out


def forecast_resource(plan: Plan, facts: AccountFacts, settings: Settings, resource: Resource) -> Forecast:
    """Return the forecast for one resource without details."""
    window = plan.windows[resource.name]
    if resource.name in plan.left_out:
        reason = plan.left_out[resource.name]
        return Forecast(resource.name, window, note=reason if reason == NEEDS_ENTERPRISE_ACCESS else NOT_OFFERED)
    if not resource.endpoints:
        sources = " and ".join(dict.fromkeys(derivation.resource for derivation in resource.derived))
        return Forecast(resource.name, window, note=f"derived from {sources}")
    if resource.name in facts.unreadable:
        unreadable = facts.unreadable[resource.name]
        return Forecast(resource.name, window, calls=unreadable.calls, note=unreadable.reason)
    return forecast_lists(facts, settings, resource, window)


def forecast_additions(plan: Plan, facts: AccountFacts, settings: Settings) -> Iterator[Forecast]:
    """Yield what the resources with a call for each parent would add that are optional or turned off."""
    requested = {*plan.windows, *resource_names((), settings)}
    added = [resource for resource in CATALOGUE if resource.parent is not None and resource.name not in requested]
    windows = {**plan.windows, **{resource.name: plan.window for resource in added}}
    for forecast in forecast_details(added, Plan(windows, {}), facts, settings).values():
        yield replace(forecast, is_added=True)


def forecast_prospects(plan: Plan, facts: AccountFacts, settings: Settings) -> Iterator[Forecast]:
    """Yield what `+prospect_details` would add to the planned details, unless it is chosen."""
    widened = replace(facts, details={**facts.details, **facts.with_prospects})
    added = Estimate(0, 0)
    for resource in CATALOGUE:
        is_planned = resource.name in plan.windows and resource.name not in facts.unreadable
        if is_planned and makes_calls(plan, resource):
            chosen, end = as_chosen(resource, settings.etl_resources), plan.windows[resource.name].end
            without = estimate_range(estimate_due(facts, chosen, end))
            with_all = estimate_range(estimate_due(widened, with_prospects(resource), end))
            added += Estimate(max(0, with_all.low - without.high), with_all.high - without.low)
    if added.high:
        yield Forecast(PROSPECT_DETAILS, plan.window, added.high, fewest=added.low, is_added=True)


def estimate_range(due: tuple[Sequence[DueCalls], Sequence[DueCalls]]) -> Estimate:
    """Return the number of calls, from those that are due at least and at most."""
    return Estimate(*(sum(calls.calls for calls in end) for end in due))


def forecast_lists(facts: AccountFacts, settings: Settings, resource: Resource, window: Window) -> Forecast:
    """Return the forecast for a resource that is read from lists."""
    samples = facts.samples.get(resource.name, ())
    days = date_range_of(window, settings.etl_overlap, settings.etl_api_timezone)
    calls = sum(
        count_list_calls(endpoint, sample, days, window.end)
        for endpoint, sample in zip(resource.endpoints, samples, strict=False)
    )
    totals = [sample.total for sample in samples if sample.total is not None]
    return Forecast(resource.name, window, calls or len(resource.endpoints), sum(totals) if totals else None)


def count_list_calls(endpoint: Endpoint, sample: FeedSample, days: DateRange, end: datetime) -> int:
    """Return the number of calls that one list takes, for days up to the end of a window."""
    if endpoint.paging is None:
        return 1
    total, size = sample.total, sample.page_size
    pages = max(1, ceil((total or 0) / size))
    if endpoint.dates is None or is_short(days):
        return pages
    ended, *others = split_ended_days(days, end)
    slices = len(split_by_quarter(ended) if total is None else split_by_total(ended, total, size))
    if total is None:  # the page that would have named it, then every slice
        return 1 + slices + len(others)
    # The page that names a total is also the first page of its slice, as far as these pages are kept in memory. Only
    # the page of a window that is split is no page of a slice.
    again = 1 + max(0, slices - MAX_FIRST_PAGES) if slices > 1 else 0
    return again + max(pages, slices) + len(others)


def forecast_details(
    resources: Sequence[Resource], plan: Plan, facts: AccountFacts, settings: Settings
) -> dict[str, Forecast]:
    """Return the forecasts for resources with a call for each parent, within the budget of a run."""
    budgets = CallBudgets(settings.etl_child_budget, facts.refreshes)
    chosen = [as_chosen(resource, settings.etl_resources) for resource in resources]
    arriving = [estimate_due(facts, resource, plan.windows[resource.name].end) for resource in chosen]
    fewest, most = (plan_calls(chain.from_iterable(due[end] for due in arriving), budgets) for end in (0, 1))
    return {
        resource.name: Forecast(
            resource.name,
            plan.windows[resource.name],
            sum_of(most, resource.name),
            fewest=sum_of(fewest, resource.name),
            current=Estimate(sum_of(fewest, resource.name, CURRENT), sum_of(most, resource.name, CURRENT)),
            deferred=sum(calls.deferred for calls in most if calls.resource == resource.name),
            details=facts.details.get(resource.name),
        )
        for resource in resources
    }


def sum_of(planned: Sequence[PlannedCalls], resource: str, values: Collection[Priority] = tuple(Priority)) -> int:
    """Return the planned calls of a resource, of all values or some."""
    return sum(calls.calls for calls in planned if calls.resource == resource and calls.priority in values)


def apply_limit(forecast: Forecast, limit: int, page_size: int) -> Forecast:
    """Return a forecast under `--limit`: the first pages of each list, or the most urgent parents."""
    if forecast.records is None:
        return cap(forecast, limit)
    pages = ceil(limit / min(limit, page_size)) * len(BY_NAME[forecast.resource].endpoints)
    return replace(cap(forecast, pages), records=min(forecast.records, limit))


def cap(forecast: Forecast, calls: int) -> Forecast:
    """Return a forecast of at most this many calls."""
    return replace(forecast, calls=min(forecast.calls, calls), fewest=min(forecast.range.low, calls), current=None)
