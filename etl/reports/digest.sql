-- name: new_business
-- Live policies entered in QQCatalyst since the last digest that renew no other policy.
SELECT policy.policy_number, policy.line_of_business AS about
FROM public.policies AS policy
WHERE policy.tenant = :tenant AND policy.deleted_at IS NULL AND NOT policy.is_placeholder
  AND policy.status IN ('A', 'P')
  AND policy.source_created_at >= :since AND policy.source_created_at < :until
  AND CASE
      WHEN policy.prior_policy_id IS NULL
      THEN NOT EXISTS (
          SELECT FROM public.policy_details AS detail
          WHERE detail.policy_id = policy.id AND detail.business_type IN ('R', 'W') AND detail.deleted_at IS NULL
      )
      ELSE EXISTS (
          SELECT FROM public.policy_details AS detail
          WHERE detail.policy_id = policy.id AND detail.business_type = 'N' AND detail.deleted_at IS NULL
      )
  END
ORDER BY policy.policy_number, policy.source_id

-- name: cancellations
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

-- name: renewals
-- Policies in force that expire in 30, 60 or 90 days and have no bound renewal; each is listed once per period. QQCatalyst
-- makes renewals by itself: one that is not bound is no renewal yet, and is named. A deleted or void one does not count.
SELECT horizon.days, policy.policy_number,
       concat_ws(
           ', ', 'expires ' || to_char(policy.expiration_date, 'YYYY-MM-DD'), policy.line_of_business,
           CASE WHEN renewal.policy_id IS NOT NULL THEN 'renewal not bound' END
       ) AS about
FROM (VALUES (30), (60), (90)) AS horizon (days)
JOIN public.policies AS policy
  ON policy.expiration_date > CAST(:last_day AS date) + horizon.days
 AND policy.expiration_date <= CAST(:today AS date) + horizon.days
LEFT JOIN LATERAL (
    SELECT renewal.prior_policy_id AS policy_id, bool_or(renewal.is_confirmed) IS TRUE AS is_bound
    FROM public.renewals AS renewal
    JOIN public.policies AS term ON term.id = renewal.policy_id
    WHERE renewal.prior_policy_id = policy.id AND renewal.deleted_at IS NULL AND term.deleted_at IS NULL
      AND coalesce(term.status, '') NOT IN ('D', 'V')
    GROUP BY renewal.prior_policy_id
) AS renewal ON true
WHERE policy.tenant = :tenant AND policy.deleted_at IS NULL AND NOT policy.is_placeholder
  AND policy.status NOT IN ('C', 'D', 'P', 'V')
  AND renewal.is_bound IS NOT TRUE
ORDER BY horizon.days, policy.expiration_date, policy.policy_number, policy.source_id

-- name: to_fix
-- Findings that an agent has to fix in QQCatalyst, and how many are new since the last digest.
SELECT coalesce(agent, 'no agent') AS agent, count(*) AS open,
       count(*) FILTER (WHERE first_seen >= :since) AS new
FROM etl.findings_for_staff
WHERE tenant = :tenant AND state = 'open' AND severity IN ('refused', 'dropped')
GROUP BY 1
ORDER BY count(*) FILTER (WHERE first_seen >= :since) DESC, count(*) DESC, 1

-- name: health
-- The largest lag of any resource, and the number of open incidents.
SELECT (SELECT max(lag) FROM etl.freshness WHERE tenant = :tenant) AS lag,
       (SELECT count(*) FROM etl.troubles WHERE tenant = :tenant AND closed_at IS NULL) AS troubles
