"""Explains where a production row comes from: its sources, and the raw value and result of each column."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Text, cast, select
from sqlalchemy.dialects.postgresql import JSONB

from etl.config.options import CleaningOptions
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
    """One source of a row: its staged record, and the trace of each column."""

    resource: str
    origin: Origin | None  #: None without a staged record from this source
    columns: list[ColumnTrace]


@dataclass(frozen=True, slots=True)
class RowFinding:
    """A finding about a row."""

    field: str
    rule: str
    severity: str
    state: str
    message: str


@dataclass(frozen=True)
class Explanation:
    """The origin of a row."""

    table: str
    source_id: str
    row: Mapping[str, Any] | None  #: None if a staged record created no row
    sources: list[SourceTrace]
    computed: dict[str, Any]  #: columns that are computed after the load
    referrers: list[Referrer]  #: the rows that refer to it, if it is a placeholder
    findings: list[RowFinding]

    @property
    def is_placeholder(self) -> bool:
        """Whether the row was created from a reference, and its own record has not arrived."""
        return self.row is not None and bool(self.row["is_placeholder"])


def explain(connection: Connection, options: CleaningOptions, table: str, source_id: str) -> Explanation:
    """Return the origin of a production row.

    Raises UsageError for an unknown table, and for a source id that is neither in production nor staged.
    """
    model, tenant = find_model(table), options.tenant
    row = load_row(connection, model, tenant, source_id)
    sources = []
    for resource in CATALOGUE:
        if resource.model is model:
            staged = find_origin(connection, resource, tenant, source_id)
            columns = trace_columns(resource, options, staged.record, row) if staged else []
            sources.append(SourceTrace(resource.name, staged, columns))
    if row is None and not any(source.origin for source in sources):
        raise UsageError(
            f"No row {source_id!r} in {table}, and no staged record of it. A source id is the QQCatalyst id of a "
            f"record; to list them: SELECT source_id FROM {table}"
        )
    is_placeholder = row is not None and row["is_placeholder"]
    return Explanation(
        table,
        source_id,
        row,
        sources,
        {column.name: row[column.name] for column in model.__table__.columns if is_computed(column)} if row else {},
        find_referrers(connection, model, row["id"]) if row is not None and is_placeholder else [],
        list_row_findings(connection, tenant, table, source_id),
    )


def find_model(table: str) -> type[Model]:
    """Return the model of a production table; raise UsageError, which lists all tables, for an unknown name."""
    if table in TABLES:
        return TABLES[table]
    near = get_close_matches(table, TABLES, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"Unknown production table {table!r}.{guess} The tables are: {', '.join(TABLES)}.")


def load_row(connection: Connection, model: type[Model], tenant: str, source_id: str) -> Mapping[str, Any] | None:
    """Return a row by column name, JSON as text; None if there is no row."""
    table = model.__table__
    columns = [
        cast(column, Text).label(column.name) if isinstance(column.type, JSONB) else column for column in table.columns
    ]
    query = select(*columns).where(table.c.tenant == tenant, table.c.source_id == source_id)
    row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row is not None else None


#: Columns that every table has in addition to its own.
COMMON_COLUMNS = frozenset(name for name, value in vars(Model).items() if hasattr(value, "column"))


def is_computed(column: Any) -> bool:
    """Return whether a column is computed after the load."""
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
