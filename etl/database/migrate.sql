-- name: active_leases
-- The leases that have not expired.
-- The column `process` does not exist before migration 0016.
SELECT resource, holder, to_jsonb(lease) ->> 'process' AS process
FROM etl.leases AS lease WHERE expires_at > now() ORDER BY resource
