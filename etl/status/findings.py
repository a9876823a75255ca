"""Findings for people: by rule, office or agent, or one by one with personal values reduced to their shape."""

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

#: The columns of an export, in order. Of the record they tell what the staff finds it by, and nothing more.
EXPORT_COLUMNS = (
    "resource", "table_name", "source_id", "policy_number", "customer_number", "office", "agent", "field", "rule",
    "severity", "state", "message", "raw_value", "first_seen", "last_seen", "times_seen",
)  # fmt: skip
#: The longest shape that is shown.
MAX_MASK_LENGTH = 40

#: The view over all findings that knows office, agent, policy and customer number of their rows.
STAFF_VIEW = table("findings_for_staff", column("id", Integer), column("tenant"), *map(column, EXPORT_COLUMNS), schema="etl")


class GroupBy(StrEnum):
    """What findings are grouped by."""

    RULE = "rule"
    RESOURCE = "resource"
    OFFICE = "office"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """The findings of one rule in one resource."""

    resource: str
    rule: str
    severity: str
    open: int
    all: int
    example: str


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """The findings of one resource, office or agent; None where the rows name none, or there is no row."""

    name: str | None
    refused: int
    dropped: int
    repaired: int
    noted: int
    open: int
    all: int


def findings_filter(tenant: str, resource: str | None, *, only_open: bool, source: FromClause = findings) -> ColumnElement[bool]:
    """Return the condition for the findings that are asked for."""
    condition: ColumnElement[bool] = source.c.tenant == tenant
    if resource is not None:
        condition &= source.c.resource == resource
    return condition & (source.c.state == FindingState.OPEN) if only_open else condition


def count_by_rule(connection: Connection, tenant: str, resource: str | None = None, *, only_open: bool = False) -> list[RuleCounts]:
    """Return the findings by resource and rule with their numbers, the most frequent of a resource first."""
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
    """Return the findings by resource, office or agent: open ones by severity, open and all; the largest first."""
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
    """Yield the findings one by one in the order of EXPORTED, fit to leave the database."""
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
    """Return a finding's raw value as it may be shown outside the database."""
    if row.raw_value is None:
        return None
    return mask(row.raw_value) if is_personal(row.table_name, row.field) else redact_text(row.raw_value)


@cache
def is_personal(table_name: str, column_name: str) -> bool:
    """Tell whether a column holds personal data; a value that no column is known for counts as personal."""
    model = next((one for one in PRODUCTION if one.__tablename__ == table_name), None)
    known = model is not None and column_name in model.__table__.columns
    about = field_in(model.__table__.columns[column_name].info) if model is not None and known else None
    return about is None or about.personal


def mask(value: str) -> str:
    """Return what a value looks like without what it says: `••••@••••` for an e-mail address."""
    hidden = "".join("•" if sign.isalnum() or not sign.isprintable() else sign for sign in value[: MAX_MASK_LENGTH + 1])
    return hidden if len(hidden) <= MAX_MASK_LENGTH else hidden[: MAX_MASK_LENGTH - 1] + "…"
