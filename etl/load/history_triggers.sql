-- name: trigger_functions
-- The functions of our history triggers, of any version.
SELECT format('%I.%I()', space.nspname, made.proname)
FROM pg_proc AS made JOIN pg_namespace AS space ON space.oid = made.pronamespace
WHERE space.nspname = :schema
