-- name: remove_parents
DELETE FROM etl.child_queue AS queued
USING unnest(CAST(:resources AS text[]), CAST(:parents AS text[])) AS gone (resource, parent_id)
WHERE queued.tenant = :tenant AND queued.resource = gone.resource
  AND queued.parent_id = gone.parent_id

-- name: note_outcomes
UPDATE etl.child_queue AS queued
SET outcome = said.outcome, has_answered = queued.has_answered OR said.outcome = 'answered'
FROM unnest(CAST(:parents AS text[]), CAST(:outcomes AS text[])) AS said (parent_id, outcome)
WHERE queued.tenant = :tenant AND queued.resource = :resource AND queued.parent_id = said.parent_id

-- name: postpone_failed
UPDATE etl.child_queue SET due_at = now() + :pause, failures = failures + 1
WHERE tenant = :tenant AND resource = :resource AND parent_id = ANY(:parents)

-- name: retry_postponed
UPDATE etl.child_queue SET due_at = now()
WHERE tenant = :tenant AND resource = :resource AND failures > 0

-- name: mark_uncovered
UPDATE etl.child_queue SET due_at = now(), covered_at = NULL, changed = true, failures = 0
WHERE tenant = :tenant AND resource = :resource AND covered_at IS NOT NULL

-- name: count_outstanding
-- How many calls are outstanding, by resource.
SELECT resource, count(*) AS calls FROM (
    SELECT resource FROM etl.child_queue WHERE tenant = :tenant AND changed
    UNION ALL
    SELECT resource FROM etl.child_queue
    WHERE tenant = :tenant AND NOT changed AND due_at <= now() + :pause
      AND (due_at <= now() OR failures > 0)
) AS due GROUP BY resource

-- name: coverage
-- How many parents of a resource there are, are covered and are outstanding.
SELECT count(*) AS parents, count(covered_at) AS covered,
       count(*) FILTER (WHERE due_at <= now() OR failures > 0) AS outstanding,
       min(due_at) FILTER (WHERE due_at <= now() OR failures > 0) AS oldest_due,
       count(*) FILTER (WHERE outcome = 'no_answer') AS no_answer
FROM etl.child_queue WHERE tenant = :tenant AND resource = :resource
