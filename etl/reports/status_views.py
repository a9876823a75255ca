"""The views on the status of the data: freshness and quality of each resource, and all placeholders."""

from collections.abc import Iterator

from etl.catalogue.resource import Resource
from etl.models import PRODUCTION
from etl.models.base import PRIMARY, Model
from etl.models.row_views import LIVE
from etl.models.states import NOT_READING, FindingState, ResourceState
from etl.references import find_inbound_references
from etl.resources import CATALOGUE
from etl.values import Severity
from etl.window import FIRST_INSTANT


def freshness_sql() -> str:
    """Return the query of `etl.freshness`: the watermark, lag, gaps and last error of each resource.

    The lag of a resource read per parent is that of its parent, or the age of the oldest call that is due.
    """
    parents = ", ".join(f"('{resource.name}', {parent_sql(resource)})" for resource in CATALOGUE)
    return f"""
WITH catalogue (resource, asked_per) AS (VALUES {parents}),
newest AS (
    SELECT DISTINCT ON (batch.tenant, part.resource) batch.tenant, part.resource, part.status, part.error
    FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
    WHERE batch.command NOT IN {NOT_READING} AND part.status <> '{ResourceState.PENDING}'
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
    """Return the name of a resource's parent as an SQL literal, NULL without a parent."""
    return "CAST(NULL AS text)" if resource.parent is None else f"'{resource.parent.resource}'"


def quality_sql() -> str:
    """Return the query of `etl.quality`: the live rows of each resource, and its open findings by severity."""
    counts = "\n    UNION ALL ".join(
        f"SELECT '{resource.name}' AS resource, tenant, count(*) FILTER (WHERE {LIVE}) AS rows"
        f" FROM public.{resource.model.__tablename__} GROUP BY tenant"
        for resource in CATALOGUE
        if resource.data_source == PRIMARY and resource.has_table
    )
    numbers = ", ".join(f"count(*) FILTER (WHERE severity = '{severity}') AS {severity}" for severity in Severity)
    open_numbers = ", ".join(f"coalesce(open.{severity}, 0) AS open_{severity}" for severity in Severity)
    return f"""
SELECT tenant, resource, counted.rows, {open_numbers}
FROM (
    {counts}
) AS counted
FULL JOIN (
    SELECT tenant, resource, {numbers}
    FROM etl.findings WHERE state = '{FindingState.OPEN}' GROUP BY tenant, resource
) AS open USING (tenant, resource)
"""


def orphans_sql() -> str:
    """Return the query of `etl.orphans`: every placeholder, its age, and the rows that refer to it."""
    return "\nUNION ALL\n".join(table_orphans_sql(model) for model in PRODUCTION)


def table_orphans_sql(model: type[Model]) -> str:
    """Return the query for the placeholders of one table, without those of erased people."""
    table = model.__tablename__
    label = f"orphan.{model.label}" if model.label else "CAST(NULL AS text)"
    references = "\n        UNION ALL ".join(reference_counts_sql(model)) or "SELECT CAST(NULL AS text), 0 WHERE false"
    return f"""
SELECT orphan.tenant, '{table}' AS table_name, orphan.source_id, {label} AS label, orphan.created_at AS since,
       now() - orphan.created_at AS age, coalesce(pointing.number, 0) AS referred_to, pointing.referred_by
FROM public.{table} AS orphan
CROSS JOIN LATERAL (
    SELECT CAST(sum(number) AS bigint) AS number, array_agg(name ORDER BY name) FILTER (WHERE number > 0) AS referred_by
    FROM (
        {references}
    ) AS reference (name, number)
) AS pointing
WHERE orphan.is_placeholder AND orphan.deleted_at IS NULL"""


def reference_counts_sql(model: type[Model]) -> Iterator[str]:
    """Yield a query for each column that refers to a table: its name, and the live rows that refer to a placeholder."""
    for reference in sorted(find_inbound_references(model), key=lambda reference: PRODUCTION.index(reference.model)):
        name = reference.model.__tablename__
        yield (
            f"SELECT '{name}.{reference.column}', count(*) FROM public.{name} AS pointing"
            f" WHERE {reference.build_condition('orphan')} AND pointing.deleted_at IS NULL"
        )
