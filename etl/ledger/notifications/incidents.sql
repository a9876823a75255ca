-- name: open_incident
-- Opens an incident, or updates the words of an open one.
INSERT INTO etl.troubles AS known (tenant, kind, subject, words, batch_id)
VALUES (:tenant, :kind, :subject, :words, :batch_id)
ON CONFLICT (tenant, kind, subject) DO UPDATE
SET words = excluded.words, batch_id = excluded.batch_id, last_seen = now(),
    times_seen = CASE WHEN known.closed_at IS NULL THEN known.times_seen ELSE 0 END + 1,
    opened_at = CASE WHEN known.closed_at IS NULL THEN known.opened_at ELSE now() END,
    told_at = CASE WHEN known.closed_at IS NULL THEN known.told_at END,
    closed_at = NULL

-- name: close_incidents
-- The end of an incident is reported only if its start was reported.
UPDATE etl.troubles SET closed_at = now()
WHERE tenant = :tenant AND closed_at IS NULL AND kind = ANY(:kinds)
  AND (kind, subject) NOT IN (
      SELECT seen.kind, seen.subject FROM unnest(CAST(:seen AS text[]), CAST(:subjects AS text[]))
                                          AS seen (kind, subject)
  )
RETURNING kind, subject, words, batch_id, opened_at, times_seen, told_at

-- name: claim_unreported
-- Marks the incidents that were not reported as reported, and returns them.
UPDATE etl.troubles SET told_at = now() WHERE tenant = :tenant AND closed_at IS NULL AND told_at IS NULL
RETURNING kind, subject, words, batch_id, opened_at, times_seen, told_at
