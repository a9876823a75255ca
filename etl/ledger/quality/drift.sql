-- name: known_paths
SELECT path, types, example_codes, objects, presence, null_rate, state, change FROM etl.drift
WHERE tenant = :tenant AND resource = :resource

-- name: save_paths
-- One statement for all paths of a resource, sorted, so that two tasks at once cannot deadlock. A new change gets the
-- batch id and the time.
INSERT INTO etl.drift AS known
    (tenant, resource, path, types, example_codes, objects, presence, null_rate, state, change,
     batch_id, changed_at)
SELECT :tenant, :resource, path, types, example_codes, objects, presence, null_rate, state, change,
       CASE WHEN news THEN CAST(:batch_id AS uuid) END, CASE WHEN news THEN now() END
FROM jsonb_to_recordset(CAST(:seen AS jsonb)) AS seen (
    path text, types text[], example_codes text[], objects bigint, presence float, null_rate float,
    state text, change text, news boolean
)
ORDER BY path
ON CONFLICT (tenant, resource, path) DO UPDATE
SET types = excluded.types, example_codes = excluded.example_codes, objects = excluded.objects,
    presence = excluded.presence, null_rate = excluded.null_rate, state = excluded.state, change = excluded.change,
    batch_id = COALESCE(excluded.batch_id, known.batch_id),
    changed_at = COALESCE(excluded.changed_at, known.changed_at), last_seen = now()
