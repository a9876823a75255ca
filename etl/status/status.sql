-- name: placeholders
-- The number of placeholders by table, and how old they are.
SELECT table_name, count(*) AS number, min(since) AS since FROM etl.orphans WHERE tenant = :tenant
GROUP BY table_name ORDER BY table_name

-- name: failed_at
-- The time of each resource's last failed run.
SELECT part.resource, max(batch.started_at) AS at
FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
WHERE batch.tenant = :tenant AND batch.command <> ALL(CAST(:not_reading AS text[])) AND part.status = 'failed'
GROUP BY part.resource
