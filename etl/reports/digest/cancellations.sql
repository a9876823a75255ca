-- Cancellations entered since the last digest, without those effective more than 30 days ago (from a first sync).
SELECT policy.policy_number,
       concat_ws(', ', 'as of ' || to_char(termination.termination_date, 'YYYY-MM-DD'), termination.reason) AS about
FROM public.terminations AS termination
JOIN public.policies AS policy ON policy.id = termination.policy_id
WHERE termination.tenant = :tenant AND termination.deleted_at IS NULL AND termination.is_current AND policy.status = 'C'
  AND coalesce(termination.source_created_at, termination.created_at) >= :since
  AND coalesce(termination.source_created_at, termination.created_at) < :until
  AND termination.termination_date > CAST(:today AS date) - 30
ORDER BY policy.policy_number, termination.source_id
