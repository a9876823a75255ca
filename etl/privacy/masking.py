"""The masked views: every production table for readers who may not see personal data, from the declarations."""

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
from etl.models.row_views import LIVE
from etl.values import Email, Phone

SCHEMA = "masked"
#: Stands in the place of what is hidden.
MASK = "***"

_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


def build_views() -> dict[str, str]:
    """Return the masked views by name, with their queries: names and columns as in `public`, in a schema apart."""
    tables = {f"{SCHEMA}.{model.__tablename__}": build_table_query(model) for model in PRODUCTION}
    links = {f"{SCHEMA}.{link.name}": f"SELECT * FROM public.{link.name}" for link in LINKS}
    live = {f"{SCHEMA}.v_{model.__tablename__}": build_live_query(model) for model in PRODUCTION}
    contacts = {
        f"{SCHEMA}.{view}": f"{build_live_query(Contact)} AND {condition}" for view, condition in CONTACT_VIEWS.items()
    }
    versions = {f"{SCHEMA}.v_{model.__tablename__}_history": build_history_query(model) for model in PRODUCTION}
    return tables | links | live | contacts | versions


def build_table_query(model: type[Model]) -> str:
    """Return the query that shows a table without personal data."""
    return f"SELECT {', '.join(iterate_expressions(model))} FROM public.{model.__tablename__}"


def build_live_query(model: type[Model]) -> str:
    """Return the query that shows a table's live rows without personal data."""
    return f"{build_table_query(model)} WHERE {LIVE}"


def build_history_query(model: type[Model]) -> str:
    """Return the query that shows every version of a table's rows without personal data."""
    columns = (*iterate_expressions(model), "live", "stands", *CLOCKS)
    return f"SELECT {', '.join(columns)} FROM public.v_{model.__tablename__}_history"


def iterate_expressions(model: type[Model]) -> Iterator[str]:
    """Yield what each column shows."""
    for column in model.__table__.columns:
        about = field_in(column.info)
        if about is not None and about.personal:
            yield f"{build_mask(column)} AS {column.name}"
        elif model is Employee and column.name == "source_id":
            yield f"{hide_name(column.name)} AS {column.name}"
        else:
            yield column.name


def build_mask(column: KeyedColumnElement[Any]) -> str:
    """Return what stands for a personal value: an e-mail's domain, a phone's last two digits, else nothing."""
    about = field_in(column.info)
    name = column.name
    if about is not None and isinstance(about.kind, Email):
        return f"'{MASK}@' || split_part({name}, '@', 2)"
    if about is not None and isinstance(about.kind, Phone):
        return f"'{MASK}' || right(split_part({name}, ';', 1), 2)"
    return f"CAST(NULL AS {column.type.compile(dialect=_dialect)})"


def hide_name(column: str) -> str:
    """Return the source id of an employee, without the name of which it is made where only a name is known."""
    made = name_id("")
    return f"CASE WHEN starts_with({column}, '{made}') THEN '{made}{MASK}' ELSE {column} END"
