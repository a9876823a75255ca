-- name: grants_on_views
-- The privileges on views, except those of their owners.
SELECT named.view, right_.privilege_type, right_.is_grantable,
       CASE right_.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(right_.grantee)) END AS grantee
FROM unnest(CAST(:views AS text[])) AS named (view)
JOIN pg_class AS stored ON stored.oid = to_regclass(named.view)
CROSS JOIN LATERAL aclexplode(stored.relacl) AS right_
WHERE right_.grantee <> stored.relowner
ORDER BY named.view, grantee, right_.privilege_type
