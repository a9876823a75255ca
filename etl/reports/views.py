"""The views by name, each from a file of its own or from the declarations, and their making anew."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, text

from etl.checks import CHECKS, prefixes
from etl.models import PRODUCTION
from etl.models.base import MAIN
from etl.reports import history, masking, staff
from etl.reports.roles import Grant, grant_again, grants
from etl.resources import CATALOGUE

HERE = Path(__file__).parent


def quality() -> str:
    """Return the query behind `etl.quality`: rows and open findings of each resource."""
    counts = "\n    UNION ALL ".join(
        f"SELECT '{one.name}' AS resource, tenant, count(*) FILTER (WHERE deleted_at IS NULL) AS live_rows,"
        f" count(*) AS rows, count(*) FILTER (WHERE is_placeholder) AS placeholders"
        f" FROM public.{one.model.__tablename__} GROUP BY tenant"
        for one in CATALOGUE
        if one.road == MAIN
    )
    severities = ", ".join(
        f"count(*) FILTER (WHERE severity = '{name}') AS {name}" for name in ("refused", "dropped", "repaired", "noted")
    )
    return f"""
SELECT tenant, resource, table_rows.rows, table_rows.live_rows, table_rows.placeholders,
       coalesce(open.refused, 0) AS open_refused, coalesce(open.dropped, 0) AS open_dropped,
       coalesce(open.repaired, 0) AS open_repaired, coalesce(open.noted, 0) AS open_noted
FROM (
    {counts}
) AS table_rows
FULL JOIN (
    SELECT tenant, resource, {severities}
    FROM etl.findings WHERE state = 'open' GROUP BY tenant, resource
) AS open USING (tenant, resource)
"""


#: Name and query of each view, in an order in which they can be made.
VIEWS: dict[str, str] = {
    "etl.freshness": (HERE / "freshness.sql").read_text(),
    "etl.quality": quality(),
    "etl.findings_for_staff": staff.query(),
    prefixes.VIEW: prefixes.query(),
    **{one.view: one.sql for one in CHECKS},
    **{f"public.v_{one.__tablename__}": history.living(one) for one in PRODUCTION},
    **{f"public.v_{one.__tablename__}_history": history.all_versions(one) for one in PRODUCTION},
    **masking.views(),
}


def drop(connection: Connection) -> list[Grant]:
    """Drop every view, so that the tables below can change, and return the rights that people had on them.

    The schema of masked views is all ours: views that another version made there go too.
    """
    query = text("SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = :schema")
    masked = connection.execute(query, {"schema": masking.SCHEMA}).scalars().all()
    given = grants(connection, VIEWS)
    for name in dict.fromkeys((*masked, *reversed(VIEWS))):
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    return given


def create(connection: Connection, given: Sequence[Grant] = ()) -> None:
    """Make every view over the tables as they are now, and give back the rights that were `given`."""
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {masking.SCHEMA}"))
    for name, query in VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")
    grant_again(connection, given, VIEWS)
