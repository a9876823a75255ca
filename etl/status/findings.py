"""Findings for people: counts by rule, resource, office or agent, and an export with personal values masked."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from sqlalchemy import ColumnElement, Connection, Integer, Row, column, func, literal_column, select, table
from sqlalchemy.sql.selectable import FromClause

from etl.config.redaction import redact_text
from etl.models import PRODUCTION
from etl.models.base import field_in
from etl.models.bookkeeping import findings
from etl.models.states import FindingState
from etl.values import Severity

#: The columns of an export, in order. Of the record, they contain only the numbers by which the staff finds it.
EXPORT_COLUMNS = (
    "resource", "table_name", "source_id", "policy_number", "customer_number", "office", "agent", "field", "rule",
    "severity", "state", "message", "raw_value", "first_seen", "last_seen", "times_seen",
)  # fmt: skip
#: Maximum length of a masked value.
MAX_MASK_LENGTH = 40

#: The view of all findings with the office, agent, policy and customer number of their rows.
STAFF_VIEW = table(
    "findings_for_staff", column("id", Integer), column("tenant"), *map(column, EXPORT_COLUMNS), schema="etl"
)


class GroupBy(StrEnum):
    """The groups for counting findings."""

    RULE = "rule"
    RESOURCE = "resource"
    OFFICE = "office"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """The number of findings of one rule in one resource."""

    resource: str
    rule: str
    severity: str
    open: int
    all: int
    example: str


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """The number of findings of one resource, office or agent; its name is None if the row has none."""

    name: str | None
    refused: int
    dropped: int
    repaired: int
    noted: int
    open: int
    all: int


def findings_filter(
    tenant: str, resource: str | None, *, only_open: bool, source: FromClause = findings
) -> ColumnElement[bool]:
    """Return the condition that selects findings."""
    condition: ColumnElement[bool] = source.c.tenant == tenant
    if resource is not None:
        condition &= source.c.resource == resource
    return condition & (source.c.state == FindingState.OPEN) if only_open else condition


def count_by_rule(
    connection: Connection, tenant: str, resource: str | None = None, *, only_open: bool = False
) -> list[RuleCounts]:
    """Return the number of findings by resource and rule, the most frequent rules of a resource first."""
    of = findings.c
    query = (
        select(
            of.resource,
            of.rule,
            of.severity,
            func.count().filter(of.state == FindingState.OPEN).label("open"),
            func.count().label("all"),
            func.min(of.message).label("example"),
        )
        .where(findings_filter(tenant, resource, only_open=only_open))
        .group_by(of.resource, of.rule, of.severity)
        .order_by(of.resource, func.count().desc(), of.rule)
    )
    return [RuleCounts(*row) for row in connection.execute(query)]


def count_findings_by(
    connection: Connection, tenant: str, by: GroupBy, resource: str | None = None, *, only_open: bool = False
) -> list[FindingCounts]:
    """Return the number of findings by resource, office or agent: open by severity, open, all; the largest first."""
    of = STAFF_VIEW.c
    is_open = of.state == FindingState.OPEN
    name = of[by.value].label("name")
    severities = [func.count().filter(is_open & (of.severity == severity)).label(severity) for severity in Severity]
    query = (
        select(name, *severities, func.count().filter(is_open).label("open"), func.count().label("all"))
        .where(findings_filter(tenant, resource, only_open=only_open, source=STAFF_VIEW))
        .group_by(name)
        .order_by(literal_column('"open"').desc(), literal_column('"all"').desc(), name)
    )
    return [FindingCounts(*row) for row in connection.execute(query)]


def export_findings(
    connection: Connection, tenant: str, resource: str | None = None, *, only_open: bool = False
) -> Iterator[tuple[object, ...]]:
    """Yield each finding as a tuple of EXPORT_COLUMNS, with personal values masked."""
    of = STAFF_VIEW.c
    query = (
        select(STAFF_VIEW)
        .where(findings_filter(tenant, resource, only_open=only_open, source=STAFF_VIEW))
        .order_by(of.resource, of.rule, of.source_id, of.id)
        .execution_options(yield_per=1000)
    )
    for row in connection.execute(query):
        yield tuple(export_value(row) if name == "raw_value" else getattr(row, name) for name in EXPORT_COLUMNS)


def export_value(row: Row[tuple[object, ...]]) -> str | None:
    """Return the raw value of a finding for export: masked if personal, else redacted."""
    if row.raw_value is None:
        return None
    return mask(row.raw_value) if is_personal(row.table_name, row.field) else redact_text(row.raw_value)


@cache
def is_personal(table_name: str, column_name: str) -> bool:
    """Return whether a column holds personal data; a value without a known column counts as personal."""
    model = next((model for model in PRODUCTION if model.__tablename__ == table_name), None)
    has_column = model is not None and column_name in model.__table__.columns
    field = field_in(model.__table__.columns[column_name].info) if model is not None and has_column else None
    return field is None or field.personal


def mask(value: str) -> str:
    """Return a value with its letters and digits hidden: `••••@••••` for an email address."""
    hidden = "".join(
        "•" if character.isalnum() or not character.isprintable() else character
        for character in value[: MAX_MASK_LENGTH + 1]
    )
    return hidden if len(hidden) <= MAX_MASK_LENGTH else hidden[: MAX_MASK_LENGTH - 1] + "…"
