-- name: backfill
-- The slices of each resource in its newest batch, if that batch is not finished.
WITH newest AS (
    SELECT DISTINCT ON (part.resource) part.resource, part.batch_id, part.status
    FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
    WHERE batch.tenant = :tenant AND batch.command <> ALL(CAST(:not_reading AS text[]))
    ORDER BY part.resource, batch.started_at DESC
)
SELECT resource, count(*) FILTER (WHERE slice.status = 'done') AS done, count(*) AS planned
FROM newest JOIN etl.slices AS slice USING (batch_id, resource)
WHERE newest.status IN ('running', 'failed') AND slice.first_day IS NOT NULL GROUP BY resource
