-- name: user_and_database
-- The names of the user and of the database, and what the user may do in it.
SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
       has_database_privilege(current_database(), 'CREATE') AS may_create,
       has_database_privilege(current_database(), 'TEMPORARY') AS may_use_temporary_tables

-- name: schema_rights
-- The schemas that exist, with what we may do in them.
SELECT nspname AS name, quote_ident(nspname) AS quoted, has_schema_privilege(oid, 'USAGE') AS may_use,
       has_schema_privilege(oid, 'CREATE') AS may_create
FROM pg_catalog.pg_namespace WHERE nspname = ANY(CAST(:schemas AS text[])) ORDER BY nspname

-- name: lacking_in_public
-- Our tables in `public` that we do not own and may not change; others may have tables there too.
SELECT format('%I.%I', space.nspname, stored.relname)
FROM pg_catalog.pg_class AS stored JOIN pg_catalog.pg_namespace AS space ON space.oid = stored.relnamespace
WHERE space.nspname = 'public' AND stored.relkind = 'r' AND stored.relname = ANY(CAST(:ours AS text[]))
  AND EXISTS (
      SELECT FROM unnest(CAST(:rights AS text[])) AS needed (right_)
      WHERE NOT has_table_privilege(stored.oid, right_)
  )
ORDER BY stored.relname

-- name: lacking_in_schemas
-- The tables and sequences of our own schemas that we do not own and may not change.
SELECT DISTINCT quote_ident(space.nspname) AS schema,
       CASE stored.relkind WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END AS kind
FROM pg_catalog.pg_class AS stored JOIN pg_catalog.pg_namespace AS space ON space.oid = stored.relnamespace
WHERE space.nspname = ANY(CAST(:schemas AS text[])) AND has_schema_privilege(space.oid, 'USAGE')
  AND (stored.relkind = 'r' AND EXISTS (
           SELECT FROM unnest(CAST(:rights AS text[])) AS needed (right_)
           WHERE NOT has_table_privilege(stored.oid, right_)
       )
       OR stored.relkind = 'S' AND NOT has_sequence_privilege(stored.oid, 'USAGE'))
ORDER BY schema, kind
