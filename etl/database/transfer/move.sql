-- name: tables
-- Our tables with their columns, without generated columns.
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind = 'r' AND n.nspname || '.' || c.relname = ANY(CAST(:ours AS text[]))
GROUP BY n.nspname, c.relname
ORDER BY n.nspname, c.relname

-- name: references
-- The pairs of tables of which the first refers to the second, and is checked at once.
SELECT tn.nspname, t.relname, rn.nspname, r.relname
FROM pg_constraint k
JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND NOT k.condeferrable

-- name: circular_keys
-- Foreign keys of two tables that reference each other: they are checked at the end.
SELECT tn.nspname, t.relname, k.conname
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE k.contype = 'f' AND NOT k.condeferrable AND k.conrelid <> k.confrelid AND EXISTS (
    SELECT FROM pg_constraint back
    WHERE back.contype = 'f' AND back.conrelid = k.confrelid AND back.confrelid = k.conrelid
)

-- name: sequences
-- The sequences of our tables that have given out a number, and the last one.
SELECT space.nspname, sequence.relname, stored.last_value
FROM pg_sequences AS stored
JOIN pg_namespace AS space ON space.nspname = stored.schemaname
JOIN pg_class AS sequence ON sequence.relnamespace = space.oid AND sequence.relname = stored.sequencename
JOIN pg_depend AS owned ON owned.objid = sequence.oid AND owned.deptype IN ('a', 'i')
JOIN pg_class AS owner ON owner.oid = owned.refobjid
JOIN pg_namespace AS owner_space ON owner_space.oid = owner.relnamespace
WHERE stored.last_value IS NOT NULL AND owner_space.nspname || '.' || owner.relname = ANY(CAST(:ours AS text[]))
