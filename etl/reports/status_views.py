"""The views that say how things stand: freshness and quality of each resource, and the rows nobody has told of yet."""

from collections.abc import Iterator

from etl.catalogue import Resource
from etl.models import PRODUCTION
from etl.models.base import PRIMARY, Model
from etl.models.row_views import LIVE
from etl.models.states import FindingState, ResourceState
from etl.references import find_inbound_references
from etl.resources import CATALOGUE
from etl.values import Severity
from etl.window import FIRST_INSTANT


def freshness_sql() -> str:
    """Return the query behind `etl.freshness`: of each resource how far it is complete, its lag, gaps and last error.

    What is asked for per parent is as old as its parent's feed, or as the oldest call that is outstanding.
    """
    parents = ", ".join(f"('{one.name}', {parent_sql(one)})" for one in CATALOGUE)
    return f"""
WITH catalogue (resource, asked_per) AS (VALUES {parents}),
newest AS (
    SELECT DISTINCT ON (batch.tenant, part.resource) batch.tenant, part.resource, part.status, part.error
    FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
    WHERE batch.command <> 'replay' AND part.status <> '{ResourceState.PENDING}'
    ORDER BY batch.tenant, part.resource, batch.started_at DESC
), marks AS (
    SELECT tenant, resource, max(complete_to) FILTER (WHERE complete_from <= '{FIRST_INSTANT}') AS complete_to,
           count(*) FILTER (WHERE before < complete_from) AS open_gaps
    FROM (
        SELECT tenant, resource, complete_from, complete_to,
               lag(complete_to, 1, '{FIRST_INSTANT}') OVER in_order AS before
        FROM etl.watermarks WINDOW in_order AS (PARTITION BY tenant, resource ORDER BY complete_from)
    ) AS intervals
    GROUP BY tenant, resource
), due AS (
    SELECT tenant, resource, min(due_at) AS since
    FROM etl.child_queue WHERE due_at <= now() OR failures > 0 GROUP BY tenant, resource
)
SELECT known.tenant, known.resource, marks.complete_to,
       CASE WHEN catalogue.asked_per IS NULL AND marks.complete_to IS NOT NULL
            THEN GREATEST(now() - marks.complete_to, interval '0')
            WHEN newest.resource IS NOT NULL AND of_parent.complete_to IS NOT NULL
            THEN GREATEST(now() - of_parent.complete_to, now() - due.since, interval '0')
       END AS lag,
       coalesce(marks.open_gaps, 0) AS open_gaps,
       CASE newest.status WHEN '{ResourceState.FAILED}' THEN newest.error END AS last_error
FROM (SELECT tenant, resource FROM newest UNION SELECT tenant, resource FROM marks) AS known
JOIN catalogue ON catalogue.resource = known.resource
LEFT JOIN newest ON newest.tenant = known.tenant AND newest.resource = known.resource
LEFT JOIN marks ON marks.tenant = known.tenant AND marks.resource = known.resource
LEFT JOIN due ON due.tenant = known.tenant AND due.resource = known.resource
LEFT JOIN marks AS of_parent ON of_parent.tenant = known.tenant AND of_parent.resource = catalogue.asked_per
"""


def parent_sql(resource: Resource) -> str:
    """Return for SQL the name of the resource whose records another one is asked for, one call each."""
    return "CAST(NULL AS text)" if resource.parent is None else f"'{resource.parent.resource}'"


def quality_sql() -> str:
    """Return the query behind `etl.quality`: the live rows of each resource, and its open findings by severity."""
    counts = "\n    UNION ALL ".join(
        f"SELECT '{one.name}' AS resource, tenant, count(*) FILTER (WHERE {LIVE}) AS rows"
        f" FROM public.{one.model.__tablename__} GROUP BY tenant"
        for one in CATALOGUE
        if one.data_source == PRIMARY
    )
    numbers = ", ".join(f"count(*) FILTER (WHERE severity = '{one}') AS {one}" for one in Severity)
    return f"""
SELECT tenant, resource, counted.rows, {", ".join(f"coalesce(open.{one}, 0) AS open_{one}" for one in Severity)}
FROM (
    {counts}
) AS counted
FULL JOIN (
    SELECT tenant, resource, {numbers}
    FROM etl.findings WHERE state = '{FindingState.OPEN}' GROUP BY tenant, resource
) AS open USING (tenant, resource)
"""


def orphans_sql() -> str:
    """Return the query behind `etl.orphans`: every placeholder, since when it waits, and who refers to it."""
    return "\nUNION ALL\n".join(table_orphans_sql(model) for model in PRODUCTION)


def table_orphans_sql(model: type[Model]) -> str:
    """Return the placeholders of one table; those of forgotten people wait for nothing."""
    table = model.__tablename__
    label = f"orphan.{model.label}" if model.label else "CAST(NULL AS text)"
    found = "\n        UNION ALL ".join(reference_counts_sql(model)) or "SELECT CAST(NULL AS text), 0 WHERE false"
    return f"""
SELECT orphan.tenant, '{table}' AS table_name, orphan.source_id, {label} AS label, orphan.created_at AS since,
       now() - orphan.created_at AS age, coalesce(pointing.number, 0) AS referred_to, pointing.referred_by
FROM public.{table} AS orphan
CROSS JOIN LATERAL (
    SELECT CAST(sum(number) AS bigint) AS number, array_agg(name ORDER BY name) FILTER (WHERE number > 0) AS referred_by
    FROM (
        {found}
    ) AS reference (name, number)
) AS pointing
WHERE orphan.is_placeholder AND orphan.deleted_at IS NULL"""


def reference_counts_sql(model: type[Model]) -> Iterator[str]:
    """Yield a query for each column that refers to a table: its name, and how many live rows refer to the orphan."""
    for one in sorted(find_inbound_references(model), key=lambda way: PRODUCTION.index(way.model)):
        name = one.model.__tablename__
        yield (
            f"SELECT '{name}.{one.column}', count(*) FROM public.{name} AS pointing"
            f" WHERE {one.build_condition('orphan')} AND pointing.deleted_at IS NULL"
        )
