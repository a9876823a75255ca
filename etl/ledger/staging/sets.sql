-- name: write_sets
-- Locks the row of each set until the end of the transaction, so that of two concurrent readings the second sees the
-- first.
INSERT INTO etl.sets AS known (tenant, resource, set_key, version_at)
SELECT :tenant, :resource, set_key, version_at
FROM unnest(CAST(:keys AS text[]), CAST(:versions AS timestamptz[])) AS read (set_key, version_at)
ORDER BY set_key
ON CONFLICT (tenant, resource, set_key) DO UPDATE SET version_at = excluded.version_at
WHERE known.version_at < excluded.version_at

-- name: current_sets
-- The version in which each of some sets was read last.
SELECT set_key, version_at FROM etl.sets
WHERE tenant = :tenant AND resource = :resource AND set_key = ANY(:keys)
