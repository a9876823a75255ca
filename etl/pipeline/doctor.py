"""The doctor: every call of the catalogue once and gently, and how what comes differs from what is declared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from etl.api.connection import Connection
from etl.api.protocol import Answer, Call, Records, Refused, Vanished, page_call, parent_call, records, whole_call
from etl.catalogue import Endpoint, Resource
from etl.config.settings import Settings
from etl.drift.declared_fields import find_declared_fields
from etl.drift.profiler import ResourceProfiler
from etl.errors import ApiUnavailable, InvalidRecord, UnexpectedResponse
from etl.extract.date_ranges import date_range_of
from etl.ledger import watermarks
from etl.ledger.children import ChildRequest
from etl.ledger.transaction import Ledger
from etl.record import decode
from etl.resources import CATALOGUE, children_of
from etl.window import FIRST_INSTANT, Window

#: Records that a paged call is asked for: enough to see which fields there are, and no load.
SAMPLE_SIZE = 10
NO_ROW = UUID(int=0)


class CallStatus(StrEnum):
    """What the doctor says of a call."""

    AS_DECLARED = "as declared"
    EMPTY = "offered, empty"
    FIELDS = "other fields"  #: expected ones are missing, or some came that nobody declared
    SHAPE = "other shape"
    NOT_OFFERED = "not offered"
    REFUSED = "refused"
    FAILED = "failed"
    UNDECIDED = "undecided"  #: nobody to ask about, or the one record asked about is gone


#: What keeps a resource from being read.
FAILURES = frozenset({CallStatus.SHAPE, CallStatus.REFUSED, CallStatus.FAILED})
#: What says whether the account has a resource.
OFFERED_BY_STATUS = {CallStatus.AS_DECLARED: True, CallStatus.EMPTY: True, CallStatus.FIELDS: True, CallStatus.NOT_OFFERED: False}


@dataclass(frozen=True, slots=True)
class CallReport:
    """What one call of the catalogue came to."""

    resource: str
    call: str
    proven: bool
    status: CallStatus
    records: int = 0
    total: int | None = None  #: in the whole history, as the API says
    milliseconds: float | None = None
    missing: tuple[str, ...] = ()  #: fields that a record must or should have, and none of these has
    absent: tuple[str, ...] = ()  #: other fields with a column, of which none came
    unknown: tuple[str, ...] = ()  #: fields that nobody declared
    reason: str | None = None


@dataclass
class Examination:
    """One examination: what was found so far, and records to ask about."""

    settings: Settings
    api: Connection
    watch: Callable[[CallReport], None]
    reports: list[CallReport] = field(default_factory=list)
    parents: dict[str, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)


def examine(settings: Settings, api: Connection, watch: Callable[[CallReport], None]) -> list[CallReport]:
    """Ask every call of the catalogue once, one after the other, and return what came of each."""
    visit = Examination(settings, api, watch)
    for resource in CATALOGUE:
        for endpoint in resource.endpoints:
            one = try_call(visit, resource, endpoint)
            visit.reports.append(one)
            watch(one)
    return visit.reports


def save_offers(ledger: Ledger, found: list[CallReport]) -> None:
    """Keep in mind which unproven resources the account offers, as a run would."""
    for one in found:
        offered = OFFERED_BY_STATUS.get(one.status)
        if not one.proven and offered is not None:
            what: dict[str, Any] = {"resource": one.resource, "offered": offered, "reason": one.reason}
            ledger.commit(partial(watermarks.write_offer, tenant=ledger.tenant, **what))


def try_call(visit: Examination, resource: Resource, endpoint: Endpoint) -> CallReport:
    """Make one call and return what came of it."""
    blank = CallReport(resource.name, f"{endpoint.method} {endpoint.path}", resource.documented, CallStatus.UNDECIDED)
    parent = pick_parent(visit, resource)
    if resource.parent is not None and parent is None:
        return replace(blank, reason=f"no record of {resource.parent.resource} came that it could be asked about")
    call = build_call(visit, resource, endpoint, parent)
    try:
        answer = visit.api.wire.ask(visit.api.api.fetch(call))
        read = records(
            resource, endpoint, answer.page,
            requested_at=answer.requested_at, zone=visit.settings.etl_api_timezone, parent=parent,
        )  # fmt: skip
    except Vanished:
        return replace(blank, reason="404 for the one record asked about; a run decides after ten")
    except Refused as refusal:
        absent = refusal.not_offered and not resource.documented
        return replace(blank, status=CallStatus.NOT_OFFERED if absent else CallStatus.REFUSED, reason=str(refusal))
    except (UnexpectedResponse, InvalidRecord) as error:
        return replace(blank, status=CallStatus.SHAPE, reason=str(error))
    except ApiUnavailable as error:
        return replace(blank, status=CallStatus.FAILED, reason=str(error))
    remember_parents(visit, resource, read)
    return compare_answer(blank, resource, answer, read)


def build_call(visit: Examination, resource: Resource, endpoint: Endpoint, parent: ChildRequest | None) -> Call:
    """Return a call that brings a few records out of the whole history, or what belongs to one parent."""
    if parent is not None:
        return parent_call(resource, endpoint, parent.parent_id)
    if endpoint.paging is None and endpoint.dates is None:
        return whole_call(resource, endpoint)
    days = date_range_of(Window(FIRST_INSTANT, visit.api.now), visit.settings.etl_overlap, visit.settings.etl_api_timezone)
    return page_call(resource, endpoint, days.first, days.last, 1, SAMPLE_SIZE)


def pick_parent(visit: Examination, resource: Resource) -> ChildRequest | None:
    """Return the parent to ask about: one of the kind that runs ask about, else any; None when there is none."""
    if resource.parent is None:
        return None
    name, values = resource.parent.parent_filter or ("", ())
    known = visit.parents.get(resource.parent.resource, [])
    fitting = [one for one in known if not name or one[1].get(name) in values]
    for source_id, record in fitting or known:
        carried = {key: record[key] for key in resource.parent.parent_fields if key in record}
        return ChildRequest(source_id, NO_ROW, msgspec.json.encode(carried))
    return None


def remember_parents(visit: Examination, resource: Resource, read: Records) -> None:
    """Keep the records that others may be asked about: those that are not deleted at the source, active ones first."""
    if not children_of(resource.name):
        return
    known = [(one.source_id, decode(one.raw)) for one in read.records]
    living = [
        one
        for one in known
        if not any(one[1].get(name) in watermarks for name, watermarks in resource.model.deletion_mark)
    ]
    name, values = resource.active or ("", ())
    visit.parents[resource.name] = sorted(living, key=lambda one: one[1].get(name) not in values)


def compare_answer(blank: CallReport, resource: Resource, answer: Answer, read: Records) -> CallReport:
    """Return what an answer says of a call: its records beside the declaration."""
    one = replace(
        blank, records=len(answer.page.items), total=answer.page.total, milliseconds=round(answer.milliseconds, 1)
    )
    if not answer.page.items:
        return replace(one, status=CallStatus.EMPTY)
    if read.bad and not read.item_ids:
        return replace(one, status=CallStatus.SHAPE, reason=f"each item {read.bad[0].reason}")
    eye = ResourceProfiler(resource)
    eye.observe(answer.page.items)
    known = find_declared_fields(resource)
    seen = {path.casefold() for path in eye.profile.shapes}
    places = {place.casefold() for place in eye.profile.objects}
    lacking = [path for path in known.columns if path.casefold() not in seen and has_prefix_in(path, places)]
    one = replace(
        one,
        missing=tuple(path for path in lacking if path in known.expected),
        absent=tuple(path for path in lacking if path not in known.expected),
        unknown=tuple(path for path in eye.profile.shapes if not known.is_known(path)),
    )
    return replace(one, status=CallStatus.FIELDS if one.missing or one.unknown else CallStatus.AS_DECLARED)


def has_prefix_in(path: str, places: set[str]) -> bool:
    """Tell whether the place of a path was seen at all."""
    return path[: path.rfind(".") + 1].casefold() in places
