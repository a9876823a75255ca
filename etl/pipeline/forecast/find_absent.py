"""Finds the undocumented kinds of detail that an account lacks, with calls for a few parents, as a sync finds out."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from uuid import UUID

from etl.api.connection import ApiConnection
from etl.catalogue.resource import Resource
from etl.config.settings import Settings
from etl.engine.answers import FetchedPage
from etl.extract.details.child_reader import ChildReader
from etl.extract.details.detail_reading import MAX_INITIAL_NOT_FOUND, MAX_UNDOCUMENTED_FAILURES
from etl.extract.details.plan_calls import count_calls_of_records
from etl.extract.offers import is_absence
from etl.extract.run import RESOURCE_ERRORS
from etl.ledger.children.child_counts import read_some_parents
from etl.ledger.children.queue import ChildRequest
from etl.ledger.transaction import Ledger
from etl.models.sources import is_record_id
from etl.pipeline.forecast.estimate_details import AccountFacts, Unreadable
from etl.pipeline.forecast.feed_sample import spread_evenly
from etl.pipeline.forecast.forecast import NOT_OFFERED, makes_calls
from etl.pipeline.options import Plan
from etl.resources import BY_NAME, CATALOGUE
from etl.spelling import spelling_of
from etl.status.status import load_offers

#: Parents that a forecast asks for when each answers 404. They were just listed, so that fewer than a sync needs are
#: enough for a forecast.
MAX_PROBES = 3
NO_ROW = UUID(int=0)


def find_absent_details(
    ledger: Ledger, settings: Settings, api: ApiConnection, plan: Plan, facts: AccountFacts
) -> Mapping[str, Unreadable]:
    """Return the kinds of detail that the account lacks, each with the calls that a sync makes until it knows.

    Asked for are the undocumented ones that would cost calls, and of which it is not known that they are offered.
    """
    offered = ledger.read(partial(load_offers, tenant=ledger.tenant))
    absent: dict[str, Unreadable] = {}
    for resource in CATALOGUE:
        is_unknown = not resource.is_documented and not offered.get(resource.name)
        if is_unknown and resource.name in plan.windows and makes_calls(plan, resource):
            parents = choose_parents(ledger, facts, resource, api.now.date())
            if calls := count_calls_until_absent(settings, api, resource, parents):
                absent[resource.name] = Unreadable(NOT_OFFERED, calls)
    return absent


def choose_parents(ledger: Ledger, facts: AccountFacts, child: Resource, today: date) -> Sequence[str]:
    """Return some parents that get a call: as many as a sync asks for before it gives up, or all if they are fewer."""
    parent = BY_NAME[child.parent.resource] if child.parent else child
    if parent.name in facts.read_to:
        if not facts.details[child.name].calls:
            return ()
        some = partial(read_some_parents, child=child, parent=parent, tenant=ledger.tenant, today=today)
        return ledger.read(partial(some, most=MAX_INITIAL_NOT_FOUND))
    respell = spelling_of(parent).respell
    records = [respell(item) for sample in facts.samples.get(parent.name, ()) for item in sample.all_records]
    fitting = [record for record in records if count_calls_of_records(child, parent, [record], today)]
    ids = [str(source_id) for record in fitting if is_record_id(source_id := record.get(str(parent.id)))]
    return [ids[index] for index in spread_evenly(len(ids), MAX_INITIAL_NOT_FOUND)]


def count_calls_until_absent(
    settings: Settings, api: ApiConnection, resource: Resource, parents: Sequence[str]
) -> int | None:
    """Return how many calls show a sync that the account lacks a resource; None if it answers, or cannot be judged."""
    reader = ChildReader(api.api, resource, settings.etl_page_size)
    calls = 0
    for parent_id in parents[:MAX_PROBES]:
        before = api.api.traffic.accepted_calls
        try:
            result = api.event_loop.run(reader.read_child(ChildRequest(parent_id, NO_ROW, b"{}", resource.name)))
        except RESOURCE_ERRORS as error:
            return api.api.traffic.accepted_calls - before if is_absence(error, resource) else None
        calls = api.api.traffic.accepted_calls - before
        if isinstance(result, FetchedPage):
            return None
        if not result.not_found:
            return calls * min(len(parents), MAX_UNDOCUMENTED_FAILURES) if result.is_call_failure else None
    # A sync does not give up after fewer answers of 404: it asks for all parents.
    return calls * MAX_INITIAL_NOT_FOUND if len(parents) >= MAX_INITIAL_NOT_FOUND else None
