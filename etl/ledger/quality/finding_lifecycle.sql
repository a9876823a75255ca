-- name: resources_with_findings
-- The resources that have findings, and whether some are open or closed.
SELECT resource, bool_or(state = 'open') AS open, bool_or(state = 'closed') AS closed
FROM etl.findings WHERE tenant = :tenant AND state IN ('open', 'closed') GROUP BY resource

-- name: open_codes
SELECT id, resource, field, raw_value AS code FROM etl.findings
WHERE tenant = :tenant AND rule = :rule AND state = 'open' AND starts_with(source_id, :of_code)
ORDER BY id

-- name: update_codes
-- Sets how often each code is stored.
UPDATE etl.findings AS known
SET times_seen = greatest(counted.number, 1), last_seen = now(), batch_id = :batch_id,
    state = CASE counted.number WHEN 0 THEN 'fixed' ELSE 'open' END
FROM unnest(CAST(:ids AS bigint[]), CAST(:numbers AS bigint[])) AS counted (id, number)
WHERE known.id = counted.id AND (counted.number = 0 OR known.times_seen <> counted.number)

-- name: close_unusable
-- An item that could not be staged has no record. Its finding closes when its window or the same call was read again;
-- if the item is still invalid, that reading created a new finding.
UPDATE etl.findings AS known SET state = 'closed', last_seen = now(), batch_id = :batch_id
FROM etl.batch_resources AS part
WHERE part.batch_id = :batch_id AND part.status = 'done'
  AND known.tenant = :tenant AND known.resource = part.resource AND known.rule = :rule AND known.state = 'open'
  AND known.raw_id IS NULL AND known.batch_id <> :batch_id
  AND (part.resource <> ALL (CAST(:per_parent AS text[])) AND EXISTS (
           SELECT FROM etl.batch_resources AS earlier
           WHERE earlier.batch_id = known.batch_id AND earlier.resource = known.resource
             AND earlier.window_start >= part.window_start AND earlier.window_end <= part.window_end
       )
       OR EXISTS (
           SELECT FROM etl.requests AS first
           JOIN etl.requests AS again ON again.batch_id = :batch_id AND again.resource = first.resource
            AND again.path = first.path AND again.parameters = first.parameters
           WHERE first.id = CAST(substring(known.source_id FROM '^request ([0-9]+),') AS bigint)
       ))

-- name: purge_counts
DELETE FROM etl.finding_counts WHERE tenant = :tenant AND counted_at < now() - make_interval(days => :days)
