-- name: lock_row
-- The state of an account, whose row is locked; a new account gets a row. RETURNING is evaluated once the lock is held,
-- and so is the clock.
INSERT INTO etl.call_limits AS known (account) VALUES (:account)
ON CONFLICT (account) DO UPDATE SET account = known.account
RETURNING CAST(state AS text) AS state, extract(epoch FROM clock_timestamp())::float8 AS now

-- name: save_state
UPDATE etl.call_limits SET state = CAST(:state AS jsonb), updated_at = clock_timestamp() WHERE account = :account
