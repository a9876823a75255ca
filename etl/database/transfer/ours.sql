-- name: relations_of_others
-- The relations of others in `public`, which a backup leaves out.
SELECT format('%%I.%%I', 'public', relname) FROM pg_catalog.pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'f', 'p')
  AND NOT relname = ANY(%(ours)s) AND NOT (relkind = 'v' AND starts_with(relname, 'v_'))

-- name: privileges
-- The privileges of others on our relations and on single columns.
SELECT format('%%I.%%I', space.nspname, stored.relname), quote_ident(granted.column_name), granted.privilege_type,
       CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(granted.grantee)) END,
       granted.is_grantable
FROM pg_catalog.pg_class AS stored JOIN pg_catalog.pg_namespace AS space ON space.oid = stored.relnamespace
CROSS JOIN LATERAL (
    SELECT NULL AS column_name, whole.* FROM aclexplode(stored.relacl) AS whole
    UNION ALL
    SELECT part.attname, of_column.* FROM pg_catalog.pg_attribute AS part, aclexplode(part.attacl) AS of_column
    WHERE part.attrelid = stored.oid AND NOT part.attisdropped
) AS granted
WHERE granted.grantee <> stored.relowner AND stored.relkind IN ('r', 'v', 'S')
  AND (space.nspname = ANY(%(schemas)s)
       OR space.nspname = 'public' AND (stored.relname = ANY(%(ours)s) OR starts_with(stored.relname, 'v_')))
ORDER BY 1, 4, 3, 2

-- name: relations_and_columns
-- The relations that exist, and their columns.
SELECT format('%I.%I', space.nspname, stored.relname), quote_ident(part.attname)
FROM pg_catalog.pg_class AS stored JOIN pg_catalog.pg_namespace AS space ON space.oid = stored.relnamespace
LEFT JOIN pg_catalog.pg_attribute AS part ON part.attrelid = stored.oid AND part.attnum > 0
WHERE stored.relkind IN ('r', 'v', 'S')
