"""Where a row of production comes from: its roads, each column's raw value, what the rules did with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Text, cast, select
from sqlalchemy.dialects.postgresql import JSONB

from etl.config.settings import Settings
from etl.errors import UsageError
from etl.models import PRODUCTION
from etl.models.base import Model, field_in
from etl.models.bookkeeping import findings
from etl.resources import CATALOGUE
from etl.status.column_trace import ColumnTrace, trace_columns
from etl.status.lineage import Origin, Referrer, find_origin, find_referrers

TABLES = {model.__tablename__: model for model in PRODUCTION}


@dataclass(frozen=True, slots=True)
class SourceTrace:
    """One way by which a row's columns arrive: the record behind them, and the story of each column."""

    resource: str
    origin: Origin | None  #: None: no record has come by this road
    columns: list[ColumnTrace]


@dataclass(frozen=True, slots=True)
class RowFinding:
    """A finding about the row."""

    field: str
    rule: str
    severity: str
    state: str
    message: str


@dataclass(frozen=True)
class Explanation:
    """All that is known of where a row comes from."""

    table: str
    source_id: str
    row: Mapping[str, Any] | None  #: None: a record is staged, and it made no row
    sources: list[SourceTrace]
    computed: dict[str, Any]  #: columns that a statement fills after the load
    referrers: list[Referrer]  #: of a placeholder: the rows that speak of it
    findings: list[RowFinding]

    @property
    def is_placeholder(self) -> bool:
        """Whether only other records speak of it."""
        return self.row is not None and bool(self.row["is_placeholder"])


def explain(connection: Connection, settings: Settings, table: str, source_id: str) -> Explanation:
    """Return where a row of production comes from.

    Raises UsageError for a table that is none, and for a source id that is neither in production nor staged.
    """
    model, tenant = find_model(table), settings.etl_tenant
    row = load_row(connection, model, tenant, source_id)
    roads = []
    for resource in CATALOGUE:
        if resource.model is model:
            staged = find_origin(connection, resource, tenant, source_id)
            columns = trace_columns(resource, settings, staged.record, row) if staged else []
            roads.append(SourceTrace(resource.name, staged, columns))
    if row is None and not any(road.origin for road in roads):
        raise UsageError(
            f"There is no row {source_id!r} in {table}, and no staged record of it. A source id is the vendor's own "
            f"number, as in: SELECT source_id FROM {table}"
        )
    stub = row is not None and row["is_placeholder"]
    return Explanation(
        table,
        source_id,
        row,
        roads,
        {column.name: row[column.name] for column in model.__table__.columns if is_computed(column)} if row else {},
        find_referrers(connection, model, row["id"]) if row is not None and stub else [],
        list_row_findings(connection, tenant, table, source_id),
    )


def find_model(table: str) -> type[Model]:
    """Return the model of a production table; raise UsageError, with all names, for one that is none."""
    if table in TABLES:
        return TABLES[table]
    near = get_close_matches(table, TABLES, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"There is no production table {table!r}.{guess} Tables are: {', '.join(TABLES)}.")


def load_row(connection: Connection, model: type[Model], tenant: str, source_id: str) -> Mapping[str, Any] | None:
    """Return a row by column name, JSON as its text; None when there is none."""
    table = model.__table__
    columns = [cast(one, Text).label(one.name) if isinstance(one.type, JSONB) else one for one in table.columns]
    query = select(*columns).where(table.c.tenant == tenant, table.c.source_id == source_id)
    found = connection.execute(query).mappings().one_or_none()
    return dict(found) if found is not None else None


#: Columns that stand behind what the roads bring, and that every table has.
COMMON_COLUMNS = frozenset(name for name, value in vars(Model).items() if hasattr(value, "column"))


def is_computed(column: Any) -> bool:
    """Tell whether a column is filled by a statement after the load."""
    return field_in(column.info) is None and column.name not in COMMON_COLUMNS


def list_row_findings(connection: Connection, tenant: str, table: str, source_id: str) -> list[RowFinding]:
    """Return the findings about a row, open ones first."""
    of = findings.c
    query = (
        select(of.field, of.rule, of.severity, of.state, of.message)
        .where(of.tenant == tenant, of.table_name == table, of.source_id == source_id)
        .order_by(of.state != "open", of.field, of.rule)
    )
    return [RowFinding(*row) for row in connection.execute(query)]
