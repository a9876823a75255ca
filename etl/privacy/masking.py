"""The masked views: every production table without personal data, built from the declarations."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import KeyedColumnElement

from etl.models import PRODUCTION, Contact
from etl.models.base import Model, field_in
from etl.models.core import Employee, name_id
from etl.models.customers import CONTACT_VIEWS
from etl.models.history import CLOCKS
from etl.models.links import LINKS
from etl.models.row_views import live_condition
from etl.values import Email, Phone

SCHEMA = "masked"
#: Replaces a hidden value.
MASK = "***"

_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


def build_views() -> dict[str, str]:
    """Build the queries of the masked views, by name. Names and columns are those of the schema `public`."""
    tables = {f"{SCHEMA}.{model.__tablename__}": build_table_query(model) for model in PRODUCTION}
    links = {f"{SCHEMA}.{link.name}": f"SELECT * FROM public.{link.name}" for link in LINKS}
    live = {f"{SCHEMA}.v_{model.__tablename__}": build_live_query(model) for model in PRODUCTION}
    contacts = {
        f"{SCHEMA}.{view}": f"{build_live_query(Contact)} AND {condition}" for view, condition in CONTACT_VIEWS.items()
    }
    versions = {f"{SCHEMA}.v_{model.__tablename__}_history": build_history_query(model) for model in PRODUCTION}
    return tables | links | live | contacts | versions


def build_table_query(model: type[Model]) -> str:
    """Build the query for a table without personal data."""
    return f"SELECT {', '.join(iterate_expressions(model))} FROM public.{model.__tablename__}"


def build_live_query(model: type[Model]) -> str:
    """Build the query for a table's live rows without personal data."""
    return f"{build_table_query(model)} WHERE {live_condition(model)}"


def build_history_query(model: type[Model]) -> str:
    """Build the query for all versions of a table's rows without personal data."""
    columns = (*iterate_expressions(model), "live", "stands", *CLOCKS)
    return f"SELECT {', '.join(columns)} FROM public.v_{model.__tablename__}_history"


def iterate_expressions(model: type[Model]) -> Iterator[str]:
    """Yield the SQL expression of each column."""
    for column in model.__table__.columns:
        field = field_in(column.info)
        if field is not None and field.personal:
            yield f"{build_mask(column)} AS {column.name}"
        elif model is Employee and column.name == "source_id":
            yield f"{hide_name(column.name)} AS {column.name}"
        else:
            yield column.name


def build_mask(column: KeyedColumnElement[Any]) -> str:
    """Build the expression for a personal value: the domain of an email, the last two digits of a phone, else NULL."""
    field = field_in(column.info)
    name = column.name
    if field is not None and isinstance(field.kind, Email):
        return f"'{MASK}@' || split_part({name}, '@', 2)"
    if field is not None and isinstance(field.kind, Phone):
        return f"'{MASK}' || right(split_part({name}, ';', 1), 2)"
    return f"CAST(NULL AS {column.type.compile(dialect=_dialect)})"


def hide_name(column: str) -> str:
    """Build the expression for an employee's source id, which contains the name when only the name is known."""
    name_prefix = name_id("")
    return f"CASE WHEN starts_with({column}, '{name_prefix}') THEN '{name_prefix}{MASK}' ELSE {column} END"
