-- name: claim_unsent
-- Claims emails that are due, and returns them.
UPDATE etl.outbox AS mail
SET claimed_until = now() + make_interval(secs => :claim), attempts = attempts + 1
WHERE id IN (
    SELECT id FROM etl.outbox
    WHERE tenant = :tenant AND sent_at IS NULL AND coalesce(claimed_until <= now(), true)
    ORDER BY number LIMIT :most
    FOR UPDATE SKIP LOCKED
)
RETURNING id, number, kind, subject, body, html, created_at, attempts, error
