-- name: sampled_parents
-- The parents in samples that are not decided.
SELECT DISTINCT unnest(sample.parent_ids) FROM etl.child_samples AS sample
WHERE sample.tenant = :tenant AND sample.decided_at IS NULL AND sample.parent = :parent

-- name: delete_excluded
DELETE FROM etl.child_queue
WHERE tenant = :tenant AND resource = :resource AND parent_id = ANY(CAST(:excluded AS text[]))

-- name: last_refresh
-- How many of some resources were ever refreshed, and since when the queue of all of them is up to date.
SELECT count(*) AS resources, min(refreshed_at) AS refreshed_at, min(full_on) AS full_on
FROM etl.queue_refreshes WHERE tenant = :tenant AND resource = ANY(:resources)

-- name: delete_other_refreshes
-- Removes what was noted of some resources under another name.
DELETE FROM etl.queue_refreshes
WHERE tenant = :tenant AND split_part(resource, '+', 1) = ANY(:names) AND resource <> ALL(:resources)

-- name: write_last_refresh
INSERT INTO etl.queue_refreshes (tenant, resource, refreshed_at, full_on)
SELECT :tenant, resource, :now, :today FROM unnest(CAST(:resources AS text[])) AS resource
ON CONFLICT (tenant, resource) DO UPDATE
SET refreshed_at = excluded.refreshed_at, full_on = excluded.full_on
