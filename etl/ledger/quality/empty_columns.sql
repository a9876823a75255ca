-- name: noted_paths
-- Whether a resource was examined, and its empty columns.
SELECT path FROM etl.drift WHERE tenant = :tenant AND resource = :resource
  AND (path = :examined OR (starts_with(path, :column) AND state = :emptied))
