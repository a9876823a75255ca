"""The views by name, each from the declarations, and their making anew."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from etl.checks import CHECKS, zip_prefixes
from etl.models import PRODUCTION, Contact, row_views
from etl.models.customers import CONTACT_VIEWS
from etl.privacy import masking
from etl.privacy.roles import ViewGrant, read_grants, restore_grants
from etl.reports import staff_findings, status_views

#: Name and query of each view, in an order in which they can be made.
VIEWS: dict[str, str] = {
    "etl.freshness": status_views.freshness_sql(),
    "etl.quality": status_views.quality_sql(),
    "etl.orphans": status_views.orphans_sql(),
    "etl.findings_for_staff": staff_findings.staff_findings_sql(),
    zip_prefixes.VIEW: zip_prefixes.view_sql(),
    **{one.view: one.sql for one in CHECKS},
    **{f"public.v_{one.__tablename__}": row_views.living(one) for one in PRODUCTION},
    **{f"public.{view}": row_views.living(Contact, condition) for view, condition in CONTACT_VIEWS.items()},
    **{f"public.v_{one.__tablename__}_history": row_views.all_versions(one) for one in PRODUCTION},
    **masking.build_views(),
}


def drop_views(connection: Connection) -> list[ViewGrant]:
    """Drop every view, so that the tables below can change, and return the rights that people had on them.

    The schema of masked views is all ours: views that another version made there go too.
    """
    query = text("SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = :schema")
    masked = connection.execute(query, {"schema": masking.SCHEMA}).scalars().all()
    given = read_grants(connection, VIEWS)
    for name in dict.fromkeys((*masked, *reversed(VIEWS))):
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    return given


def create_views(connection: Connection, given: Sequence[ViewGrant] = ()) -> None:
    """Make every view over the tables as they are now, and give back the rights that were `given`."""
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {masking.SCHEMA}"))
    for name, query in VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")
    restore_grants(connection, given, VIEWS)
