-- How current each resource is: its last complete window, how far that lies back, gaps before it, and the last error.
SELECT tenant,
       resource,
       marks.complete_from,
       marks.complete_to,
       now() - marks.complete_to AS lag,
       coalesce(marks.intervals, 1) - 1 + (marks.complete_from IS DISTINCT FROM '2000-01-01Z')::integer AS open_gaps,
       newest.status AS last_status,
       newest.error AS last_error,
       newest.started_at AS last_run
FROM (
    SELECT DISTINCT ON (batch.tenant, part.resource)
           batch.tenant, part.resource, part.status, part.error, batch.started_at
    FROM etl.batch_resources AS part
    JOIN etl.batches AS batch ON batch.id = part.batch_id
    WHERE batch.command <> 'replay'
    ORDER BY batch.tenant, part.resource, batch.started_at DESC
) AS newest
FULL JOIN (
    SELECT tenant, resource, min(complete_from) AS complete_from, max(complete_to) AS complete_to,
           count(*)::integer AS intervals
    FROM etl.watermarks
    GROUP BY tenant, resource
) AS marks USING (tenant, resource)
