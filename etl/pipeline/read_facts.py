"""Reads the facts that a forecast needs: samples of the lists from the API, and calls that are due from the ledger."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from etl.api.connection import ApiConnection
from etl.api.daily_calls import count_left
from etl.api.protocol import EndpointRefused, Page, page_call
from etl.catalogue import Endpoint, Resource
from etl.config.settings import Settings
from etl.errors import ApiUnavailable, InvalidRecord, UnexpectedResponse
from etl.extract.date_ranges import date_range_of
from etl.extract.offers import is_absence
from etl.ledger import watermarks
from etl.ledger.child_counts import DetailsLeft, read_details_left
from etl.ledger.transaction import Ledger
from etl.pipeline.estimate_details import Facts
from etl.pipeline.feed_sample import MAX_SAMPLE_PAGES, FeedSample, make_sample, read_first_page, widen_sample
from etl.pipeline.forecast import NOT_OFFERED, SyncForecast, make_forecast
from etl.pipeline.plan import Plan
from etl.resources import CATALOGUE, children_of
from etl.window import FIRST_INSTANT, Window


def forecast(
    ledger: Ledger, settings: Settings, api: ApiConnection, plan: Plan, limit: int | None = None
) -> SyncForecast:
    """Return the forecast of a plan; reads the first page of each list, and writes nothing.

    Of a list that was never read, and whose records get calls of their own, up to ten pages are read.
    """
    facts = read_stored_facts(ledger, settings, api.now)
    samples: dict[str, list[FeedSample]] = {}
    errors: dict[str, str] = {}
    for resource in CATALOGUE:
        if resource.name not in plan.windows or resource.name in plan.left_out or resource.parent is not None:
            continue
        most = 1 if limit or resource.name in facts.read_to or not children_of(resource.name) else MAX_SAMPLE_PAGES
        try:
            samples[resource.name] = [
                sample_list(settings, api, resource, endpoint, plan.windows[resource.name], most)
                for endpoint in resource.endpoints
            ]
        except (ApiUnavailable, UnexpectedResponse, EndpointRefused, InvalidRecord) as error:
            errors[resource.name] = NOT_OFFERED if is_absence(error, resource) else str(error)
    return make_forecast(plan, replace(facts, samples=samples, errors=errors), settings, limit)


def read_stored_facts(ledger: Ledger, settings: Settings, now: datetime) -> Facts:
    """Return what the ledger knows: the calls that are due, and to which time each list is complete."""
    facts = ledger.read(partial(query_facts, settings=settings, now=now))
    return replace(facts, refreshes=count_left(ledger, settings))


def query_facts(connection: Connection, settings: Settings, now: datetime) -> Facts:
    """Return the calls that are due, and to which time each list is complete."""
    tenant = settings.etl_tenant
    details: dict[str, DetailsLeft] = {}
    read_to = {}
    for resource in CATALOGUE:
        if resource.parent is not None:
            details[resource.name] = read_details_left(connection, resource, tenant, now.date())
        start = watermarks.find_next_start(watermarks.read_complete_windows(connection, tenant, resource.name))
        if start > FIRST_INSTANT:
            read_to[resource.name] = start
    return Facts(details=details, read_to=read_to, zone=settings.etl_api_timezone)


def sample_list(
    settings: Settings, api: ApiConnection, resource: Resource, endpoint: Endpoint, window: Window, most: int
) -> FeedSample:
    """Return a sample of up to `most` pages of a list."""
    if endpoint.paging is None:
        return FeedSample(None, 1)  # one call for the whole list
    days = date_range_of(window, settings.etl_overlap, settings.etl_api_timezone) if endpoint.dates else None
    first, last = (days.first, days.last) if days else (None, None)

    def fetch(number: int, size: int) -> Page:
        return api.wire.run(api.api.fetch(page_call(resource, endpoint, first, last, number, size))).page

    size, page = read_first_page(min(settings.etl_page_size, endpoint.paging.largest), partial(fetch, 1))
    return widen_sample(make_sample(page, size), partial(fetch, size=size), most)
