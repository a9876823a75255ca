"""The doctor: tries each API call once as a sync makes it, and samples the feeds for the plan of the first sync."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from etl.api.connection import ApiConnection
from etl.api.protocol import Answer, Call, Records, make_records, page_call, parent_call, whole_call
from etl.api.retry_policy import RetryPolicy
from etl.catalogue.resource import Endpoint, Resource
from etl.config.settings import Settings
from etl.errors import (
    ApiUnavailable,
    CallFailed,
    EndpointRefused,
    EtlError,
    InvalidRecord,
    NotFound,
    UnexpectedResponse,
)
from etl.extract.date_ranges import date_range_of
from etl.extract.offers import counts_as_documented, is_absence
from etl.extract.page_size import fetch_sized
from etl.extract.selection import NEEDS_ENTERPRISE_ACCESS, find_out_of_reach, resource_names
from etl.ledger import watermarks
from etl.ledger.account.list_limits import ListKey, write_page_size
from etl.ledger.children.queue import ChildRequest
from etl.ledger.transaction import Ledger
from etl.models.sources import is_flagged
from etl.pipeline.doctor.call_report import OFFERED_BY_STATUS, CallReport, CallStatus, blank_report, compare_answer
from etl.pipeline.forecast.feed_sample import FeedSample, make_sample, widen_sample
from etl.resources import BY_NAME, CATALOGUE, children_of
from etl.spelling import spelling_of
from etl.window import FIRST_INSTANT, Window

#: Calls that the doctor makes at most, without those of `--all` and those that the call limit refused.
MAX_CALLS = 29
#: Calls that one check needs at most: repeated once, and a ping to explain a 401.
CALLS_OF_A_CHECK = 4
#: Fewer attempts than a sync: the calls are few, and a failure is reported and not waited out.
POLICY = RetryPolicy(attempts=2, undocumented_attempts=1)
NO_ROW = UUID(int=0)


@dataclass
class Examination:
    """One pass over the catalogue: the reports so far, and records for calls per parent and for the plan."""

    settings: Settings
    api: ApiConnection
    ask_all: bool = False  #: also optional resources, resources that are turned off, and enterprise feeds
    page_size: int = 0  #: the smallest that a list accepted instead of a larger one; 0: no page was read yet
    reports: list[CallReport] = field(default_factory=list)
    parents: dict[str, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)
    samples: dict[str, list[FeedSample]] = field(default_factory=dict)  #: of each list, by resource

    @property
    def calls(self) -> int:
        """The calls made, without those that the call limit refused."""
        return self.api.api.traffic.accepted_calls

    @property
    def calls_left(self) -> int:
        """The calls that the doctor may still make."""
        return len(CATALOGUE) * CALLS_OF_A_CHECK if self.ask_all else MAX_CALLS - self.calls


def examine(settings: Settings, api: ApiConnection, *, ask_all: bool = False) -> Examination:
    """Try every call that a sync makes once, in order, and report on each; `ask_all`: every call of the catalogue."""
    examination = Examination(settings, api, ask_all)
    for resource in CATALOGUE:
        for endpoint in resource.endpoints:
            report = report_unasked(examination, resource, endpoint) or try_call(examination, resource, endpoint)
            examination.reports.append(report)
    return examination


def report_unasked(examination: Examination, resource: Resource, endpoint: Endpoint) -> CallReport | None:
    """Return the report on a call that a sync with these settings does not make; None for any other."""
    if examination.ask_all:
        return None
    if resource.name in find_out_of_reach(examination.settings, ()):
        return blank_report(resource, endpoint, CallStatus.ENTERPRISE, NEEDS_ENTERPRISE_ACCESS)
    if resource.name not in resource_names((), examination.settings):
        return blank_report(resource, endpoint, CallStatus.OFF, "optional, or turned off by ETL_RESOURCES")
    return None


def save_offers(ledger: Ledger, reports: list[CallReport]) -> None:
    """Store which undocumented resources the account offers, as a sync does.

    One that has returned records is still offered after an odd answer: the next sync asks again.
    """
    for report in reports:
        offered = OFFERED_BY_STATUS.get(report.status)
        if report.facts.is_documented or offered is None or report.is_passing:
            continue
        tenant, name, reason = ledger.tenant, report.resource, report.reason
        documented = partial(counts_as_documented, tenant=tenant, resource=BY_NAME[name])
        if offered or not ledger.read(documented):
            write = partial(watermarks.write_offer, tenant=tenant, resource=name, offered=offered, reason=reason)
        else:
            write = partial(watermarks.note_refusal, tenant=tenant, resource=name, reason=reason)
        ledger.commit(write)


def save_page_sizes(ledger: Ledger, settings: Settings, reports: list[CallReport]) -> None:
    """Store the page size that each list accepts, as a sync does."""
    requested_size = settings.etl_page_size
    sizes: dict[str, int] = {}
    for report in reports:
        if report.page_size is not None:
            sizes[report.resource] = min(report.page_size, sizes.get(report.resource, requested_size))
    for resource, size in sizes.items():
        key = ListKey(tenant=ledger.tenant, resource=resource)
        accepted = size if size < requested_size else None
        ledger.commit(partial(write_page_size, requested_size=requested_size, page_size=accepted, **key))


def try_call(examination: Examination, resource: Resource, endpoint: Endpoint) -> CallReport:
    """Make one call and return the report on it."""
    blank = blank_report(resource, endpoint, CallStatus.UNDECIDED)
    parent = pick_parent(examination, resource)
    if resource.parent is not None and parent is None:
        return replace(blank, reason=f"no sample record of {resource.parent.resource} was available")
    if examination.calls_left < CALLS_OF_A_CHECK:
        return replace(blank, reason=f"the {MAX_CALLS} calls of doctor are used up")
    try:
        answer, page_size = fetch_first(examination, resource, endpoint, parent)
        read = make_records(
            resource, endpoint, answer.page,
            requested_at=answer.requested_at, zone=examination.settings.etl_api_timezone, parent=parent,
        )  # fmt: skip
    except (NotFound, EndpointRefused, UnexpectedResponse, InvalidRecord, ApiUnavailable) as error:
        return report_error(blank, resource, error)
    remember_parents(examination, resource, read)
    return compare_answer(replace(blank, page_size=page_size), resource, answer, read)


def report_error(blank: CallReport, resource: Resource, error: EtlError) -> CallReport:
    """Return the report on a call that returned no records."""
    if isinstance(error, NotFound):
        status = CallStatus.UNDECIDED if resource.is_documented else CallStatus.NOT_OFFERED
        reason = "404 for the sample record; a sync decides after ten of them"
        return replace(blank, status=status, reason=reason, is_passing=True)
    if resource.needs_enterprise_access and isinstance(error, EndpointRefused):
        return replace(blank, status=CallStatus.ENTERPRISE, reason=str(error))
    if is_absence(error, resource):
        is_passing = isinstance(error, CallFailed)
        return replace(blank, status=CallStatus.NOT_OFFERED, reason=str(error), is_passing=is_passing)
    if isinstance(error, EndpointRefused):
        return replace(blank, status=CallStatus.REFUSED, reason=str(error))
    is_unavailable = isinstance(error, ApiUnavailable)
    return replace(blank, status=CallStatus.FAILED if is_unavailable else CallStatus.SHAPE, reason=str(error))


def fetch_first(
    examination: Examination, resource: Resource, endpoint: Endpoint, parent: ChildRequest | None
) -> tuple[Answer, int | None]:
    """Return the answer to a call for one parent, for a whole list, or for the first page of a list.

    The page size is that which the list accepts; None if it has no pages, or was not asked for a larger one.
    """
    if parent is not None and endpoint.paging is None:
        return fetch(examination, parent_call(resource, endpoint, parent.parent_id)), None
    if parent is not None:
        build = partial(parent_call, resource, endpoint, parent.parent_id, 1)
        largest = examination.page_size or examination.settings.etl_page_size
        return examination.api.event_loop.run(fetch_sized(examination.api.api, build, largest))[0], None
    if endpoint.paging is None and endpoint.dates is None:
        answer, size, accepted = fetch(examination, whole_call(resource, endpoint)), None, None
    else:
        answer, size, accepted = fetch_first_page(examination, resource, endpoint)
    largest = min(size, endpoint.paging.largest) if size and endpoint.paging else len(answer.page.items)
    examination.samples.setdefault(resource.name, []).append(make_sample(answer.page, max(1, largest)))
    return answer, accepted


def fetch_first_page(
    examination: Examination, resource: Resource, endpoint: Endpoint
) -> tuple[Answer, int, int | None]:
    """Return the first page of a list, its size, and the size that this list is known to accept.

    Once a list has refused a size, the others are asked for no larger one, because the calls are few. What they accept
    is then left for a sync to find.
    """
    requested = examination.settings.etl_page_size
    largest = examination.page_size or requested
    build = partial(build_page_call, examination, resource, endpoint, 1)
    answer, size = examination.api.event_loop.run(fetch_sized(examination.api.api, build, largest))
    examination.page_size = size
    return answer, size, size if endpoint.paging and (size < largest or largest == requested) else None


def build_page_call(examination: Examination, resource: Resource, endpoint: Endpoint, page: int, size: int) -> Call:
    """Return the call for a page of the full history, as the first sync makes it."""
    settings = examination.settings
    window = Window(FIRST_INSTANT, examination.api.now)
    days = date_range_of(window, settings.etl_overlap, settings.etl_api_timezone)
    return page_call(resource, endpoint, days.first, days.last, page, size)


def fetch(examination: Examination, call: Call) -> Answer:
    """Return the answer to a call."""
    return examination.api.event_loop.run(examination.api.api.fetch(call))


def widen_samples(examination: Examination) -> None:
    """Read further pages of the feeds whose records get calls of their own, with the calls that are left."""
    feeds = [name for name in examination.samples if children_of(name) and examination.samples[name][0].total]
    for position, name in enumerate(feeds):
        resource, (sample,) = BY_NAME[name], examination.samples[name]
        most = 1 + max(0, examination.calls_left) // (len(feeds) - position)

        def fetch_page(number: int, resource: Resource = resource, size: int = sample.page_size) -> Any:
            call = build_page_call(examination, resource, resource.endpoints[0], number, size)
            return fetch(examination, call).page

        try:
            examination.samples[name] = [widen_sample(sample, fetch_page, most)]
        except (EndpointRefused, UnexpectedResponse, ApiUnavailable):
            return  # the plan is made from the first pages


def pick_parent(examination: Examination, resource: Resource) -> ChildRequest | None:
    """Return a sample parent: one that a sync would call for, else any; None when there is none."""
    if resource.parent is None:
        return None
    parent_filter = resource.parent.parent_filter
    candidates = examination.parents.get(resource.parent.resource, [])
    fitting = [candidate for candidate in candidates if parent_filter is None or parent_filter.is_met(candidate[1])]
    for source_id, record in fitting or candidates:
        carried = {key: record[key] for key in resource.parent.parent_fields if key in record}
        return ChildRequest(source_id, NO_ROW, msgspec.json.encode(carried), resource.name)
    return None


def remember_parents(examination: Examination, resource: Resource, read: Records) -> None:
    """Keep the records that can serve as sample parents: those not deleted in QQCatalyst, active ones first."""
    rules = [child.parent.value for child in children_of(resource.name) if child.parent is not None]
    if not rules:
        return
    parents = [(parent.source_id, spelling_of(resource).decode(parent.raw)) for parent in read.records]
    present = [parent for parent in parents if not is_flagged(parent[1], resource.model.deletion_mark)]
    active = [rule.active for rule in rules if rule.active is not None]
    examination.parents[resource.name] = sorted(present, key=lambda parent: not is_flagged(parent[1], active))
