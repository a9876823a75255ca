-- name: count_so_far
-- How many findings of some rules a batch has counted.
SELECT rule, CAST(sum(found) AS bigint) AS found FROM etl.finding_counts
WHERE batch_id = :batch_id AND resource = :resource AND rule = ANY(:rules) GROUP BY rule

-- name: insert_counts
INSERT INTO etl.finding_counts (batch_id, tenant, resource, rule, found, left_out)
VALUES (:batch_id, :tenant, :resource, :rule, :found, :left_out)
