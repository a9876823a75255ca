-- name: check_statuses
-- The open findings and the last full run of some checks.
SELECT check_names.name, coalesce(open.number, 0) AS open, run.ran_at, run.hits, run.milliseconds
FROM unnest(CAST(:names AS text[])) AS check_names (name)
LEFT JOIN etl.check_runs AS run ON run.tenant = :tenant AND run.check_name = check_names.name
LEFT JOIN (
    SELECT rule, count(*) AS number FROM etl.findings
    WHERE tenant = :tenant AND state = 'open' AND rule = ANY(:names) GROUP BY rule
) AS open ON open.rule = check_names.name
