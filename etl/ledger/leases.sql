-- name: acquire
-- Takes leases that are free, expired or the own; returns their tokens.
INSERT INTO etl.leases AS held (tenant, resource, holder, token, expires_at, process)
SELECT :tenant, wanted.resource, :holder, 1, now() + make_interval(secs => :life), :process
FROM unnest(CAST(:resources AS text[])) AS wanted (resource)
ORDER BY wanted.resource
ON CONFLICT (tenant, resource) DO UPDATE
SET holder = excluded.holder, expires_at = excluded.expires_at, process = excluded.process,
    token = CASE WHEN held.holder = excluded.holder THEN held.token ELSE held.token + 1 END
WHERE held.expires_at < now() OR held.holder = excluded.holder
RETURNING held.resource, held.token

-- name: predecessors
-- Holders whose lease has expired.
SELECT DISTINCT holder FROM etl.leases
WHERE tenant = :tenant AND resource = ANY(:resources) AND holder <> :holder AND expires_at < now()

-- name: processes
-- The processes of holders whose lease has not expired.
SELECT DISTINCT holder, process FROM etl.leases
WHERE tenant = :tenant AND resource = ANY(:resources) AND holder <> :holder AND expires_at >= now()
  AND process IS NOT NULL

-- name: expire
-- Ends the leases of dead holders; a holder that seems dead and is not loses its lease like a stalled one.
UPDATE etl.leases SET expires_at = now() - interval '1 second'
WHERE tenant = :tenant AND holder = ANY(:holders) AND expires_at >= now()

-- name: end_sessions
-- A process that hangs in the middle of a COPY keeps its locks forever: no server timeout ends it.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = ANY(:names) AND datname = current_database() AND usename = current_user

-- name: holders
-- Who holds some leases, and for how many seconds.
SELECT resource, holder, process, expires_at, ceil(extract(epoch FROM expires_at - now())) AS seconds
FROM etl.leases
WHERE tenant = :tenant AND resource = ANY(:resources) AND expires_at >= now() ORDER BY resource

-- name: held
-- The tokens of the leases that a holder has.
SELECT resource, token FROM etl.leases
WHERE tenant = :tenant AND holder = :holder AND resource = ANY(:resources)

-- name: seize
-- Fences off the previous holder, even one that is still running. The caller must know that this is intended.
INSERT INTO etl.leases AS held (tenant, resource, holder, token, expires_at)
SELECT :tenant, wanted.resource, :holder, 1, now() + make_interval(secs => :life)
FROM unnest(CAST(:resources AS text[])) AS wanted (resource)
ORDER BY wanted.resource
ON CONFLICT (tenant, resource) DO UPDATE
SET holder = excluded.holder, token = held.token + 1, expires_at = excluded.expires_at
RETURNING held.resource, held.token

-- name: count_held
-- FOR SHARE lets the workers of one run commit concurrently and makes a successor wait for them.
SELECT count(*) FROM (
    SELECT FROM etl.leases AS held
    JOIN unnest(CAST(:resources AS text[]), CAST(:tokens AS bigint[])) AS mine (resource, token)
        ON mine.resource = held.resource AND mine.token = held.token
    WHERE held.tenant = :tenant AND held.holder = :holder
    FOR SHARE OF held
) AS still_mine

-- name: renew
UPDATE etl.leases SET expires_at = now() + make_interval(secs => :life)
WHERE tenant = :tenant AND holder = :holder
