-- name: samples
SELECT resource, parent, parent_ids, counter_example, decided_at FROM etl.child_samples
WHERE tenant = :tenant ORDER BY resource

-- name: write_sample
-- Stores a sample; returns when its outcome was drawn.
INSERT INTO etl.child_samples AS known (tenant, resource, parent, parent_ids, counter_example, decided_at)
VALUES (:tenant, :resource, :parent, :parent_ids, :counter_example, CASE WHEN :is_decided THEN now() END)
ON CONFLICT (tenant, resource) DO UPDATE
SET parent_ids = excluded.parent_ids, counter_example = excluded.counter_example,
    decided_at = excluded.decided_at
RETURNING decided_at
