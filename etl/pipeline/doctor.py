"""The doctor: tries each API call once as a sync makes it, and samples the feeds for the plan of the first sync."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from etl.api.connection import ApiConnection
from etl.api.protocol import (
    Answer,
    Call,
    CallFailed,
    EndpointRefused,
    NotFound,
    Records,
    make_records,
    page_call,
    parent_call,
    whole_call,
)
from etl.api.retry_policy import RetryPolicy
from etl.catalogue import Endpoint, Resource
from etl.config.settings import Settings
from etl.errors import ApiUnavailable, EtlError, InvalidRecord, UnexpectedResponse
from etl.extract.date_ranges import date_range_of
from etl.extract.offers import is_absence
from etl.extract.selection import NEEDS_ENTERPRISE_ACCESS, find_out_of_reach, resource_names
from etl.ledger import watermarks
from etl.ledger.children import ChildRequest
from etl.ledger.transaction import Ledger
from etl.pipeline.call_report import OFFERED_BY_STATUS, CallReport, CallStatus, blank_report, compare_answer
from etl.pipeline.feed_sample import FeedSample, make_sample, read_first_page, widen_sample
from etl.record import decode
from etl.resources import BY_NAME, CATALOGUE, children_of
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
    page_size: int = 0  #: that the API accepts; 0: none was accepted yet
    reports: list[CallReport] = field(default_factory=list)
    parents: dict[str, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)
    samples: dict[str, list[FeedSample]] = field(default_factory=dict)  #: of each list, by resource

    @property
    def calls(self) -> int:
        """The calls made, without those that the call limit refused."""
        traffic = self.api.api.traffic
        return traffic.calls - traffic.refused

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
    """Store which undocumented resources the account offers, as a sync does."""
    for report in reports:
        offered = OFFERED_BY_STATUS.get(report.status)
        if not report.documented and offered is not None and not report.is_passing:
            offer: dict[str, Any] = {"resource": report.resource, "offered": offered, "reason": report.reason}
            ledger.commit(partial(watermarks.write_offer, tenant=ledger.tenant, **offer))


def try_call(examination: Examination, resource: Resource, endpoint: Endpoint) -> CallReport:
    """Make one call and return the report on it."""
    blank = blank_report(resource, endpoint, CallStatus.UNDECIDED)
    parent = pick_parent(examination, resource)
    if resource.parent is not None and parent is None:
        return replace(blank, reason=f"no sample record of {resource.parent.resource} was available")
    if examination.calls_left < CALLS_OF_A_CHECK:
        return replace(blank, reason=f"the {MAX_CALLS} calls of doctor are used up")
    try:
        answer = fetch_first(examination, resource, endpoint, parent)
        read = make_records(
            resource, endpoint, answer.page,
            requested_at=answer.requested_at, zone=examination.settings.etl_api_timezone, parent=parent,
        )  # fmt: skip
    except (NotFound, EndpointRefused, UnexpectedResponse, InvalidRecord, ApiUnavailable) as error:
        return report_error(blank, resource, error)
    remember_parents(examination, resource, read)
    return compare_answer(blank, resource, answer, read)


def report_error(blank: CallReport, resource: Resource, error: EtlError) -> CallReport:
    """Return the report on a call that brought no records."""
    if isinstance(error, NotFound):
        status = CallStatus.UNDECIDED if resource.documented else CallStatus.NOT_OFFERED
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
) -> Answer:
    """Return the answer to a call for one parent, for a whole list, or for the first page of a list."""
    if parent is not None:
        return fetch(examination, parent_call(resource, endpoint, parent.parent_id))
    if endpoint.paging is None and endpoint.dates is None:
        answer = fetch(examination, whole_call(resource, endpoint))
    else:
        answer = fetch_first_page(examination, resource, endpoint)
    size = min(examination.page_size, endpoint.paging.largest) if endpoint.paging else max(1, len(answer.page.items))
    examination.samples.setdefault(resource.name, []).append(make_sample(answer.page, max(1, size)))
    return answer


def fetch_first_page(examination: Examination, resource: Resource, endpoint: Endpoint) -> Answer:
    """Return the first page of a list, of the configured size or the next smaller one that the API accepts."""

    def fetch_page(size: int) -> Answer:
        return fetch(examination, build_page_call(examination, resource, endpoint, 1, size))

    if examination.page_size:
        return fetch_page(examination.page_size)
    examination.page_size, answer = read_first_page(examination.settings.etl_page_size, fetch_page)
    return answer


def build_page_call(examination: Examination, resource: Resource, endpoint: Endpoint, page: int, size: int) -> Call:
    """Return the call for a page of the full history, as the first sync makes it."""
    settings = examination.settings
    window = Window(FIRST_INSTANT, examination.api.now)
    days = date_range_of(window, settings.etl_overlap, settings.etl_api_timezone)
    return page_call(resource, endpoint, days.first, days.last, page, size)


def fetch(examination: Examination, call: Call) -> Answer:
    """Return the answer to a call."""
    return examination.api.wire.run(examination.api.api.fetch(call))


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
    if not children_of(resource.name):
        return
    parents = [(parent.source_id, decode(parent.raw)) for parent in read.records]
    present = [
        parent
        for parent in parents
        if not any(parent[1].get(name) in deleted_values for name, deleted_values in resource.model.deletion_mark)
    ]
    name, values = resource.active or ("", ())
    examination.parents[resource.name] = sorted(present, key=lambda parent: parent[1].get(name) not in values)
