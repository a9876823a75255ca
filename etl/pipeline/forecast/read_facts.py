"""Reads the facts that a forecast needs: samples of the lists from the API, and calls that are due from the ledger."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from etl.api.connection import ApiConnection
from etl.api.daily_calls import count_left
from etl.api.protocol import Call, Page, page_call, whole_call
from etl.catalogue.resource import Endpoint, Resource
from etl.config.settings import Settings
from etl.errors import ApiUnavailable, EndpointRefused, InvalidRecord, UnexpectedResponse
from etl.extract.date_ranges import date_range_of
from etl.extract.offers import is_absence
from etl.extract.page_size import fetch_sized
from etl.ledger import watermarks
from etl.ledger.account.list_limits import read_list_limits
from etl.ledger.children.child_counts import DetailsLeft, read_details_left
from etl.ledger.transaction import Ledger
from etl.pipeline.forecast.estimate_details import AccountFacts, Unreadable
from etl.pipeline.forecast.feed_sample import MAX_SAMPLE_PAGES, FeedSample, make_sample, widen_sample
from etl.pipeline.forecast.find_absent import find_absent_details
from etl.pipeline.forecast.forecast import NOT_OFFERED, SyncForecast, make_forecast
from etl.pipeline.options import Plan
from etl.resources import CATALOGUE, as_chosen, children_of, with_prospects
from etl.window import FIRST_INSTANT, Window


def forecast(
    ledger: Ledger, settings: Settings, api: ApiConnection, plan: Plan, limit: int | None = None
) -> SyncForecast:
    """Return the forecast of a plan; reads the first page of each list, and writes nothing.

    Of a list that was never read, and whose records get calls of their own, up to ten pages are read. Pages have the
    size that the list is known to accept. An undocumented kind of detail is asked for one parent, as long as it is not
    known whether the account offers it: in full it would be a third of the calls of a first sync.
    """
    facts = read_stored_facts(ledger, settings, api.now)
    samples: dict[str, list[FeedSample]] = {}
    unreadable: dict[str, Unreadable] = {}
    for resource in CATALOGUE:
        if resource.name not in plan.windows or resource.name in plan.left_out or resource.parent is not None:
            continue
        most = 1 if limit or resource.name in facts.read_to or not children_of(resource.name) else MAX_SAMPLE_PAGES
        size = settings.etl_page_size
        limits = ledger.read(
            partial(read_list_limits, tenant=ledger.tenant, resource=resource.name, requested_size=size)
        )
        size = limits.page_size or size
        before = api.api.traffic.accepted_calls
        try:
            samples[resource.name] = [
                sample_list(settings, api, resource, endpoint, plan.windows[resource.name], most, size)
                for endpoint in resource.endpoints
            ]
        except (ApiUnavailable, UnexpectedResponse, EndpointRefused, InvalidRecord) as error:
            reason = NOT_OFFERED if is_absence(error, resource) else str(error)
            unreadable[resource.name] = Unreadable(reason, api.api.traffic.accepted_calls - before)
    facts = replace(facts, samples=samples)
    unreadable |= find_absent_details(ledger, settings, api, plan, facts)
    return make_forecast(plan, replace(facts, unreadable=unreadable), settings, limit)


def read_stored_facts(ledger: Ledger, settings: Settings, now: datetime) -> AccountFacts:
    """Return what the ledger knows: the calls that are due, and to which time each list is complete."""
    facts = ledger.read(partial(query_facts, settings=settings, now=now))
    return replace(facts, refreshes=count_left(ledger, settings.account_key, settings.etl_daily_calls))


def query_facts(connection: Connection, settings: Settings, now: datetime) -> AccountFacts:
    """Return the calls that are due, and to which time each list is complete."""
    tenant = settings.etl_tenant
    details: dict[str, DetailsLeft] = {}
    with_all: dict[str, DetailsLeft] = {}
    read_to = {}
    for resource in CATALOGUE:
        if resource.parent is not None:
            chosen = as_chosen(resource, settings.etl_resources)
            details[resource.name] = read_details_left(connection, chosen, tenant, now.date())
            if resource.parent.parent_filter is not None:
                widened = with_prospects(resource)
                with_all[resource.name] = read_details_left(connection, widened, tenant, now.date())
        start = watermarks.find_next_start(watermarks.read_complete_windows(connection, tenant, resource.name))
        if start > FIRST_INSTANT:
            read_to[resource.name] = start
    return AccountFacts(details=details, with_prospects=with_all, read_to=read_to, zone=settings.etl_api_timezone)


def sample_list(  # noqa: PLR0913, PLR0917 (which list, which days, how much of it)
    settings: Settings,
    api: ApiConnection,
    resource: Resource,
    endpoint: Endpoint,
    window: Window,
    most: int,
    requested_size: int,
) -> FeedSample:
    """Return a sample of up to `most` pages of a list. A whole list is read only if it has records with details."""
    if endpoint.paging is None and endpoint.dates is None:
        if not children_of(resource.name):
            return FeedSample(None, 1)
        return make_sample(api.event_loop.run(api.api.fetch(whole_call(resource, endpoint))).page, 1)
    days = date_range_of(window, settings.etl_overlap, settings.etl_api_timezone) if endpoint.dates else None
    first, last = (days.first, days.last) if days else (None, None)

    def build(number: int, size: int) -> Call:
        return page_call(resource, endpoint, first, last, number, size)

    def fetch(number: int) -> Page:
        return api.event_loop.run(api.api.fetch(build(number, size))).page

    answer, size = api.event_loop.run(fetch_sized(api.api, partial(build, 1), requested_size))
    largest = min(size, endpoint.paging.largest) if endpoint.paging else size
    return widen_sample(make_sample(answer.page, largest), fetch, most)
