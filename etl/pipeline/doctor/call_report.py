"""Reports of the doctor: what each API call answered, compared with its declaration. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum

from etl.api.protocol import Answer, Records
from etl.catalogue.facts import Facts
from etl.catalogue.resource import Endpoint, Resource
from etl.drift.declared_fields import find_declared_fields
from etl.drift.profiler import ResourceProfiler


class CallStatus(StrEnum):
    """The result of one call."""

    AS_DECLARED = "as declared"
    EMPTY = "offered, empty"
    FIELDS = "other fields"  #: expected fields are missing, or undeclared fields arrived
    SHAPE = "other shape"
    NOT_OFFERED = "not offered"
    ENTERPRISE = "enterprise only"  #: the account has no enterprise access
    REFUSED = "refused"
    FAILED = "failed"
    UNDECIDED = "undecided"  #: no sample record was available, or the one requested is gone
    OFF = "not requested"  #: turned off by ETL_RESOURCES, or optional


#: Results that prevent a resource from being read.
FAILURES = frozenset({CallStatus.SHAPE, CallStatus.REFUSED, CallStatus.FAILED})
#: Results without records to count.
WITHOUT_RECORDS = frozenset(
    {*FAILURES, CallStatus.NOT_OFFERED, CallStatus.ENTERPRISE, CallStatus.UNDECIDED, CallStatus.OFF}
)
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
    facts: Facts
    status: CallStatus
    page_size: int | None = None  #: the page size that a paged call accepted; None: not known
    records: int = 0
    total: int | None = None  #: in the full history, as the API reports it
    milliseconds: float | None = None
    missing: tuple[str, ...] = ()  #: required or expected fields that no record has
    absent: tuple[str, ...] = ()  #: optional fields with a column that no record has
    unknown: tuple[str, ...] = ()  #: undeclared fields
    reason: str | None = None
    is_passing: bool = False  #: the answer may be a temporary failure, so it decides nothing for later runs


def blank_report(resource: Resource, endpoint: Endpoint, status: CallStatus, reason: str | None = None) -> CallReport:
    """Return the report on a call without an answer."""
    return CallReport(resource.name, f"{endpoint.method} {endpoint.path}", resource.facts, status, reason=reason)


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
    """Return whether the object that holds a path was seen."""
    return path[: path.rfind(".") + 1] in prefixes
