-- name: add_calls
INSERT INTO etl.account_calls AS known (account, hour, calls)
VALUES (:account, date_trunc('hour', now()), :calls)
ON CONFLICT (account, hour) DO UPDATE SET calls = known.calls + excluded.calls, updated_at = now()

-- name: count_calls_of_last_day
SELECT COALESCE(sum(calls), 0) FROM etl.account_calls
WHERE account = :account AND hour > now() - interval '25 hours'
