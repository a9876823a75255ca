"""The views by name, from the declarations, and functions that drop and create them."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from etl.checks import CHECKS, zip_prefixes
from etl.database.rights import create_schema
from etl.models import PRODUCTION, Contact, row_views
from etl.models.customers import CONTACT_VIEWS
from etl.privacy import masking
from etl.privacy.roles import ViewGrant, read_grants, restore_grants
from etl.reports import staff_findings, status_views

#: Name and query of each view, in order of creation.
VIEWS: dict[str, str] = {
    "etl.freshness": status_views.freshness_sql(),
    "etl.quality": status_views.quality_sql(),
    "etl.orphans": status_views.orphans_sql(),
    "etl.findings_for_staff": staff_findings.staff_findings_sql(),
    zip_prefixes.VIEW: zip_prefixes.view_sql(),
    **{check.view: check.sql for check in CHECKS},
    **{f"public.v_{model.__tablename__}": row_views.living(model) for model in PRODUCTION},
    **{f"public.{view}": row_views.living(Contact, condition) for view, condition in CONTACT_VIEWS.items()},
    **{f"public.v_{model.__tablename__}_history": row_views.all_versions(model) for model in PRODUCTION},
    **masking.build_views(),
}


def drop_views(connection: Connection) -> list[ViewGrant]:
    """Drop every view, so that the tables can change, and return the privileges granted on them.

    Drops all views of the schema of masked views, including those created by another version.
    """
    query = text("SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = :schema")
    masked = connection.execute(query, {"schema": masking.SCHEMA}).scalars().all()
    dropped_grants = read_grants(connection, VIEWS)
    for name in dict.fromkeys((*masked, *reversed(VIEWS))):
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    return dropped_grants


def create_views(connection: Connection, dropped_grants: Sequence[ViewGrant] = ()) -> None:
    """Create every view and restore the privileges granted on them before."""
    create_schema(connection, masking.SCHEMA)
    for name, query in VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")
    restore_grants(connection, dropped_grants, VIEWS)
