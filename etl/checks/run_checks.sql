-- name: checks_done_today
-- Checks that ran on all rows today, by the database's clock in UTC.
SELECT check_name FROM etl.check_runs
WHERE tenant = :tenant AND CAST(ran_at AT TIME ZONE 'UTC' AS date) = CAST(now() AT TIME ZONE 'UTC' AS date)

-- name: note_run
INSERT INTO etl.check_runs (tenant, check_name, ran_at, hits, milliseconds)
VALUES (:tenant, :check, now(), :hits, :milliseconds)
ON CONFLICT (tenant, check_name) DO UPDATE
SET ran_at = excluded.ran_at, hits = excluded.hits, milliseconds = excluded.milliseconds
