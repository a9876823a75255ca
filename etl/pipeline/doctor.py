"""The doctor: every call of the catalogue once and gently, and how what comes differs from what is declared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from etl.api.connection import Connection
from etl.api.protocol import (
    Answer,
    Call,
    EndpointRefused,
    NotFound,
    Records,
    page_call,
    parent_call,
    records,
    whole_call,
)
from etl.catalogue import Endpoint, Resource
from etl.config.settings import Settings
from etl.drift.declared_fields import declared
from etl.drift.profiler import Eye
from etl.errors import ApiUnavailable, RecordBad, ShapeChanged
from etl.extract.date_ranges import days_of
from etl.ledger import watermarks
from etl.ledger.children import Child
from etl.ledger.transaction import Ledger
from etl.record import decode
from etl.resources import CATALOGUE, children_of
from etl.window import FIRST_INSTANT, Window

#: Records that a paged call is asked for: enough to see which fields there are, and no load.
FEW = 10
NO_ROW = UUID(int=0)


class Verdict(StrEnum):
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
TROUBLE = frozenset({Verdict.SHAPE, Verdict.REFUSED, Verdict.FAILED})
#: What says whether the account has a resource.
OFFERED = {Verdict.AS_DECLARED: True, Verdict.EMPTY: True, Verdict.FIELDS: True, Verdict.NOT_OFFERED: False}


@dataclass(frozen=True, slots=True)
class Found:
    """What one call of the catalogue came to."""

    resource: str
    call: str
    proven: bool
    verdict: Verdict
    records: int = 0
    total: int | None = None  #: in the whole history, as the API says
    milliseconds: float | None = None
    missing: tuple[str, ...] = ()  #: fields that a record must or should have, and none of these has
    absent: tuple[str, ...] = ()  #: other fields with a column, of which none came
    unknown: tuple[str, ...] = ()  #: fields that nobody declared
    reason: str | None = None


@dataclass
class Visit:
    """One examination: what was found so far, and records to ask about."""

    settings: Settings
    api: Connection
    watch: Callable[[Found], None]
    found: list[Found] = field(default_factory=list)
    parents: dict[str, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)


def examine(settings: Settings, api: Connection, watch: Callable[[Found], None]) -> list[Found]:
    """Ask every call of the catalogue once, one after the other, and return what came of each."""
    visit = Visit(settings, api, watch)
    for resource in CATALOGUE:
        for endpoint in resource.endpoints:
            one = asked(visit, resource, endpoint)
            visit.found.append(one)
            watch(one)
    return visit.found


def remember_offers(ledger: Ledger, found: list[Found]) -> None:
    """Keep in mind which unproven resources the account offers, as a run would."""
    for one in found:
        offered = OFFERED.get(one.verdict)
        if not one.proven and offered is not None:
            what: dict[str, Any] = {"resource": one.resource, "offered": offered, "reason": one.reason}
            ledger.commit(partial(watermarks.note_offer, tenant=ledger.tenant, **what))


def asked(visit: Visit, resource: Resource, endpoint: Endpoint) -> Found:
    """Make one call and return what came of it."""
    blank = Found(resource.name, f"{endpoint.method} {endpoint.path}", resource.proven, Verdict.UNDECIDED)
    parent = parent_for(visit, resource)
    if resource.parent is not None and parent is None:
        return replace(blank, reason=f"no record of {resource.parent.resource} came that it could be asked about")
    call = call_for(visit, resource, endpoint, parent)
    try:
        answer = visit.api.wire.run(visit.api.api.fetch(call))
        read = records(
            resource, endpoint, answer.page,
            requested_at=answer.requested_at, zone=visit.settings.etl_api_timezone, parent=parent,
        )  # fmt: skip
    except NotFound:
        return replace(blank, reason="404 for the one record asked about; a run decides after ten")
    except EndpointRefused as refusal:
        absent = refusal.not_offered and not resource.proven
        return replace(blank, verdict=Verdict.NOT_OFFERED if absent else Verdict.REFUSED, reason=str(refusal))
    except (ShapeChanged, RecordBad) as error:
        return replace(blank, verdict=Verdict.SHAPE, reason=str(error))
    except ApiUnavailable as error:
        return replace(blank, verdict=Verdict.FAILED, reason=str(error))
    keep_parents(visit, resource, read)
    return judged(blank, resource, answer, read)


def call_for(visit: Visit, resource: Resource, endpoint: Endpoint, parent: Child | None) -> Call:
    """Return a call that brings a few records out of the whole history, or what belongs to one parent."""
    if parent is not None:
        return parent_call(resource, endpoint, parent.parent_id)
    if endpoint.paging is None and endpoint.dates is None:
        return whole_call(resource, endpoint)
    days = days_of(Window(FIRST_INSTANT, visit.api.now), visit.settings.etl_overlap, visit.settings.etl_api_timezone)
    return page_call(resource, endpoint, days.first, days.last, 1, FEW)


def parent_for(visit: Visit, resource: Resource) -> Child | None:
    """Return the parent to ask about: one of the kind that runs ask about, else any; None when there is none."""
    if resource.parent is None:
        return None
    name, values = resource.parent.only or ("", ())
    known = visit.parents.get(resource.parent.resource, [])
    fitting = [one for one in known if not name or one[1].get(name) in values]
    for source_id, record in fitting or known:
        carried = {key: record[key] for key in resource.parent.carries if key in record}
        return Child(source_id, NO_ROW, msgspec.json.encode(carried))
    return None


def keep_parents(visit: Visit, resource: Resource, read: Records) -> None:
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


def judged(blank: Found, resource: Resource, answer: Answer, read: Records) -> Found:
    """Return what an answer says of a call: its records beside the declaration."""
    one = replace(
        blank, records=len(answer.page.items), total=answer.page.total, milliseconds=round(answer.milliseconds, 1)
    )
    if not answer.page.items:
        return replace(one, verdict=Verdict.EMPTY)
    if read.bad and not read.item_ids:
        return replace(one, verdict=Verdict.SHAPE, reason=f"each item {read.bad[0].reason}")
    eye = Eye(resource)
    eye.look(answer.page.items)
    known = declared(resource)
    seen = {path.casefold() for path in eye.profile.shapes}
    places = {place.casefold() for place in eye.profile.objects}
    lacking = [path for path in known.columns if path.casefold() not in seen and is_in(path, places)]
    one = replace(
        one,
        missing=tuple(path for path in lacking if path in known.expected),
        absent=tuple(path for path in lacking if path not in known.expected),
        unknown=tuple(path for path in eye.profile.shapes if not known.knows(path)),
    )
    return replace(one, verdict=Verdict.FIELDS if one.missing or one.unknown else Verdict.AS_DECLARED)


def is_in(path: str, places: set[str]) -> bool:
    """Tell whether the place of a path was seen at all."""
    return path[: path.rfind(".") + 1].casefold() in places
