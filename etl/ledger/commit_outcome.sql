-- name: write_evidence
-- A transaction that wrote nothing leaves no evidence either. Expired evidence is removed when a batch ends.
INSERT INTO etl.commits (id) SELECT :id WHERE pg_current_xact_id_if_assigned() IS NOT NULL
RETURNING CAST(pg_current_xact_id_if_assigned() AS text)

-- name: is_open
-- An open transaction holds a lock on its id. PostgreSQL releases the lock after the changes become visible, so a later
-- transaction that finds no lock sees the final result. A standby knows neither the lock nor the result.
SELECT pg_is_in_recovery() OR EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'transactionid' AND transactionid = CAST(CAST(:number AS xid8) AS xid)
)

-- name: remove_expired
-- Evidence is needed only during the retries, which end within minutes. Several runs may end at the same time.
DELETE FROM etl.commits WHERE id IN (
    SELECT id FROM etl.commits WHERE noted_at < now() - interval '1 day' FOR UPDATE SKIP LOCKED
)
