"""Views over whole rows: all versions with both clocks, and the rows that are live now."""

from etl.models.base import Model, StagedOnly
from etl.models.history import CLOCKS, SCHEMA, end_of
from etl.queries import Queries

SQL = Queries(__file__)

#: A version that was live by itself: neither deleted nor a placeholder.
LIVE = "deleted_at IS NULL AND NOT is_placeholder"

#: Is true for a row that hangs on a deleted policy, or on a policy of a deleted customer.
OF_DELETED_POLICY = """EXISTS (
    SELECT FROM public.policies AS policy LEFT JOIN public.contacts AS customer ON customer.id = policy.contact_id
    WHERE policy.id = {table}.policy_id AND (policy.deleted_at IS NOT NULL OR customer.deleted_at IS NOT NULL)
)"""
OF_DELETED_CUSTOMER = """EXISTS (
    SELECT FROM public.contacts AS customer
    WHERE customer.id = {table}.contact_id AND customer.deleted_at IS NOT NULL
)"""
#: The columns by which a row hangs on a policy or a customer.
HANGS_ON = {"policy_id": OF_DELETED_POLICY, "contact_id": OF_DELETED_CUSTOMER}


def live_condition(model: type[Model]) -> str:
    """Return the condition of a table's live rows: neither they nor the policy or customer they hang on is deleted."""
    table = model.__tablename__
    hidden = [f"NOT {condition.format(table=table)}" for name, condition in HANGS_ON.items() if has_column(model, name)]
    return " AND ".join((LIVE, *hidden))


def has_column(model: type[Model], name: str) -> bool:
    """Return whether a table has a column of this name."""
    return name in model.__table__.columns


def rows_of(model: type[Model]) -> str:
    """Return the production table of a model for a FROM clause; for records that are only staged, no rows."""
    return f"({SQL['no_rows'].text})" if model is StagedOnly else f"public.{model.__tablename__}"


def all_versions(model: type[Model]) -> str:
    """Return the query for every version of a table's rows; the current version has open ends."""
    table = model.__tablename__
    columns = ", ".join(column.name for column in model.__table__.columns)
    stored = ", ".join(f"stored.{column.name}" for column in model.__table__.columns)
    return f"""
SELECT {columns}, {LIVE} AS live, false AS stands, {", ".join(CLOCKS)} FROM {SCHEMA}.{table}
UNION ALL
SELECT {stored}, {LIVE}, true,
       coalesce(last.valid_to, source_created_at), NULL, coalesce(last.known_to, created_at), NULL
FROM public.{table} AS stored
LEFT JOIN LATERAL ({end_of(table, "stored.id")}) AS last ON true
"""


def living(model: type[Model], condition: str = "true") -> str:
    """Return the query for the live rows of a table that meet a condition."""
    return f"SELECT * FROM public.{model.__tablename__} WHERE {live_condition(model)} AND {condition}"
