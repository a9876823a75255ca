"""The doctor: tries every API call of the catalogue once and compares the response with the declaration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from etl.api.connection import ApiConnection
from etl.api.protocol import (
    Answer,
    Call,
    EndpointRefused,
    NotFound,
    Records,
    make_records,
    page_call,
    parent_call,
    whole_call,
)
from etl.catalogue import Endpoint, Resource
from etl.config.settings import Settings
from etl.drift.declared_fields import find_declared_fields
from etl.drift.profiler import ResourceProfiler
from etl.errors import ApiUnavailable, InvalidRecord, UnexpectedResponse
from etl.extract.date_ranges import date_range_of
from etl.extract.offers import counts_as_documented, is_absence
from etl.extract.page_size import fetch_sized
from etl.extract.selection import NEEDS_ENTERPRISE_ACCESS, find_out_of_reach, resource_names
from etl.ledger import watermarks
from etl.ledger.children import ChildRequest
from etl.ledger.list_limits import write_page_size
from etl.ledger.transaction import Ledger
from etl.models.sources import is_marked
from etl.resources import CATALOGUE, children_of
from etl.resources import resource as resource_named
from etl.spelling import spelling_of
from etl.window import FIRST_INSTANT, Window

NO_ROW = UUID(int=0)


class CallStatus(StrEnum):
    """The result of one call."""

    AS_DECLARED = "as declared"
    EMPTY = "offered, empty"
    FIELDS = "other fields"  #: expected fields are missing, or undeclared fields arrived
    SHAPE = "other shape"
    NOT_OFFERED = "not offered"
    REFUSED = "refused"
    FAILED = "failed"
    UNDECIDED = "undecided"  #: no sample record was available, or the one requested is gone


#: Results that prevent a resource from being read.
FAILURES = frozenset({CallStatus.SHAPE, CallStatus.REFUSED, CallStatus.FAILED})
#: Results that tell whether the account offers a resource.
OFFERED_BY_STATUS = {
    CallStatus.AS_DECLARED: True,
    CallStatus.EMPTY: True,
    CallStatus.FIELDS: True,
    CallStatus.NOT_OFFERED: False,
}


@dataclass(frozen=True, slots=True)
class CallReport:
    """The report on one call of the catalogue."""

    resource: str
    call: str
    documented: bool
    status: CallStatus
    page_size: int | None = None  #: the page size that a paged call accepted
    records: int = 0
    total: int | None = None  #: in the full history, as the API reports it
    milliseconds: float | None = None
    missing: tuple[str, ...] = ()  #: required or expected fields that no record has
    absent: tuple[str, ...] = ()  #: optional fields with a column that no record has
    unknown: tuple[str, ...] = ()  #: undeclared fields
    reason: str | None = None


@dataclass
class Examination:
    """One pass over the catalogue: the reports so far, and sample records for calls per parent."""

    settings: Settings
    api: ApiConnection
    watch: Callable[[CallReport], None]
    reports: list[CallReport] = field(default_factory=list)
    parents: dict[str, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)


def examine(settings: Settings, api: ApiConnection, watch: Callable[[CallReport], None]) -> list[CallReport]:
    """Try every call of the catalogue once, in order, and return a report on each.

    Optional resources are tried when the settings add them. Calls that need enterprise access are reported as not
    offered, without a call, if the settings do not have it.
    """
    examination = Examination(settings, api, watch)
    out_of_reach = find_out_of_reach(settings, ())
    chosen = resource_names((), settings)
    for resource in (entry for entry in CATALOGUE if not entry.optional or entry.name in chosen):
        for endpoint in resource.endpoints:
            report = (
                report_out_of_reach(resource, endpoint)
                if resource.name in out_of_reach
                else try_call(examination, resource, endpoint)
            )
            examination.reports.append(report)
            watch(report)
    return examination.reports


def report_out_of_reach(resource: Resource, endpoint: Endpoint) -> CallReport:
    """Return the report on a call that needs enterprise access."""
    call = f"{endpoint.method} {endpoint.path}"
    return CallReport(resource.name, call, resource.documented, CallStatus.NOT_OFFERED, reason=NEEDS_ENTERPRISE_ACCESS)


def save_offers(ledger: Ledger, reports: list[CallReport]) -> None:
    """Store which undocumented resources the account offers, as a sync does.

    One that has brought records is still offered after an odd answer: the next sync asks again.
    """
    for report in reports:
        offered = OFFERED_BY_STATUS.get(report.status)
        if report.documented or offered is None:
            continue
        offer: dict[str, Any] = {"tenant": ledger.tenant, "resource": report.resource, "reason": report.reason}
        documented = partial(counts_as_documented, tenant=ledger.tenant, resource=resource_named(report.resource))
        if offered or not ledger.read(documented):
            ledger.commit(partial(watermarks.write_offer, offered=offered, **offer))
        else:
            ledger.commit(partial(watermarks.note_refusal, **offer))


def save_page_sizes(ledger: Ledger, settings: Settings, reports: list[CallReport]) -> None:
    """Store the page size that each list accepts, as a sync does."""
    requested_size = settings.etl_page_size
    sizes: dict[str, int] = {}
    for report in reports:
        if report.page_size is not None:
            sizes[report.resource] = min(report.page_size, sizes.get(report.resource, requested_size))
    for resource, size in sizes.items():
        accepted: dict[str, Any] = {"resource": resource, "page_size": size if size < requested_size else None}
        ledger.commit(partial(write_page_size, tenant=ledger.tenant, requested_size=requested_size, **accepted))


def try_call(examination: Examination, resource: Resource, endpoint: Endpoint) -> CallReport:
    """Make one call and return the report on it."""
    blank = CallReport(resource.name, f"{endpoint.method} {endpoint.path}", resource.documented, CallStatus.UNDECIDED)
    parent = pick_parent(examination, resource)
    if resource.parent is not None and parent is None:
        return replace(blank, reason=f"no sample record of {resource.parent.resource} was available")
    build = partial(build_call, examination, resource, endpoint, parent)
    try:
        fetch = fetch_sized(examination.api.api, build, examination.settings.etl_page_size)
        answer, page_size = examination.api.wire.run(fetch)
        read = make_records(
            resource, endpoint, answer.page,
            requested_at=answer.requested_at, zone=examination.settings.etl_api_timezone, parent=parent,
        )  # fmt: skip
    except NotFound:
        return replace(blank, reason="404 for the sample record; a sync decides after ten of them")
    except EndpointRefused as refusal:
        absent = is_absence(refusal, resource)
        return replace(blank, status=CallStatus.NOT_OFFERED if absent else CallStatus.REFUSED, reason=str(refusal))
    except (UnexpectedResponse, InvalidRecord) as error:
        absent = is_absence(error, resource)
        return replace(blank, status=CallStatus.NOT_OFFERED if absent else CallStatus.SHAPE, reason=str(error))
    except ApiUnavailable as error:
        absent = is_absence(error, resource)
        return replace(blank, status=CallStatus.NOT_OFFERED if absent else CallStatus.FAILED, reason=str(error))
    remember_parents(examination, resource, read)
    return compare_answer(replace(blank, page_size=page_size if endpoint.paging else None), resource, answer, read)


def build_call(
    examination: Examination, resource: Resource, endpoint: Endpoint, parent: ChildRequest | None, size: int
) -> Call:
    """Return a call for the first page of the full history, or for the records of one parent."""
    if parent is not None:
        return parent_call(resource, endpoint, parent.parent_id)
    if endpoint.paging is None and endpoint.dates is None:
        return whole_call(resource, endpoint)
    days = date_range_of(
        Window(FIRST_INSTANT, examination.api.now),
        examination.settings.etl_overlap,
        examination.settings.etl_api_timezone,
    )
    return page_call(resource, endpoint, days.first, days.last, 1, size)


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
    parents = [(parent.source_id, spelling_of(resource).decode(parent.raw)) for parent in read.records]
    present = [parent for parent in parents if not is_marked(parent[1], resource.model.deletion_mark)]
    active = (resource.active,) if resource.active else ()
    examination.parents[resource.name] = sorted(present, key=lambda parent: not is_marked(parent[1], active))


def compare_answer(blank: CallReport, resource: Resource, answer: Answer, read: Records) -> CallReport:
    """Return the report on a response: its records compared with the declaration."""
    report = replace(
        blank, records=len(answer.page.items), total=answer.page.total, milliseconds=round(answer.milliseconds, 1)
    )
    if not answer.page.items:
        reason = "the answer holds neither a list nor an object" if answer.page.says_nothing else report.reason
        return replace(report, status=CallStatus.EMPTY, reason=reason)
    if read.bad and not read.item_ids:
        return replace(report, status=CallStatus.SHAPE, reason=f"each item {read.bad[0].reason}")
    profiler = ResourceProfiler(resource)
    profiler.observe(answer.page.items)
    declared_fields = find_declared_fields(resource)
    seen, prefixes = set(profiler.profile.shapes), set(profiler.profile.objects)
    missing = [path for path in declared_fields.columns if path not in seen and has_prefix_in(path, prefixes)]
    report = replace(
        report,
        missing=tuple(path for path in missing if path in declared_fields.expected),
        absent=tuple(path for path in missing if path not in declared_fields.expected),
        unknown=tuple(path for path in profiler.profile.shapes if not declared_fields.is_known(path)),
    )
    return replace(report, status=CallStatus.FIELDS if report.missing or report.unknown else CallStatus.AS_DECLARED)


def has_prefix_in(path: str, prefixes: set[str]) -> bool:
    """Tell whether the object that holds a path was seen."""
    return path[: path.rfind(".") + 1] in prefixes
