-- name: lock_tenant
-- The first key of the lock is arbitrary but must not change; two agencies with the same hash wait for each other. Many
-- workers may wait in line for longer than for a row: the limit is that of a statement, and is put back afterwards.
SELECT pg_catalog.set_config('lock_timeout', '0', true),
       pg_catalog.pg_advisory_xact_lock(1902207596, pg_catalog.hashtext(:tenant)),
       pg_catalog.set_config('lock_timeout', limits.before, true)
FROM (SELECT pg_catalog.current_setting('lock_timeout') AS before OFFSET 0) AS limits
