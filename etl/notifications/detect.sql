-- name: failed_resources
-- Resources whose newest run failed, and resources stopped by the deletion limit in their newest full read: a run that
-- reads only changes cannot resolve missing records.
SELECT * FROM (
    SELECT DISTINCT ON (part.resource) part.resource, part.status, part.error, part.trouble, batch.id
    FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
    WHERE batch.tenant = :tenant AND batch.command <> ALL(CAST(:not_reading AS text[]))
      AND part.status IN ('done', 'failed', 'not_offered')
    ORDER BY part.resource, batch.started_at DESC
) AS newest
WHERE status = 'failed'
UNION
SELECT * FROM (
    SELECT DISTINCT ON (part.resource) part.resource, part.status, part.error, part.trouble, batch.id
    FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
    WHERE batch.tenant = :tenant AND batch.options ->> 'full' = 'true' AND batch.options ->> 'limit' IS NULL
      AND (part.status = 'done' OR part.trouble = 'brake_pulled')
    ORDER BY part.resource, batch.started_at DESC
) AS swept
WHERE trouble = 'brake_pulled'
ORDER BY resource
