-- name: left_out_findings
-- How many findings of each rule a batch counted and did not store.
SELECT resource, rule, CAST(sum(left_out) AS bigint) AS number FROM etl.finding_counts
WHERE batch_id = :batch_id GROUP BY resource, rule HAVING sum(left_out) > 0 ORDER BY resource, rule
