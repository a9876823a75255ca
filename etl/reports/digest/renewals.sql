-- Policies in force that expire in 30, 60 or 90 days and have no bound renewal; each is listed once per period. QQCatalyst
-- makes renewals by itself: one that is not bound is no renewal yet, and is named.
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
    SELECT prior_policy_id AS policy_id, bool_or(is_confirmed) IS TRUE AS is_bound
    FROM public.renewals WHERE prior_policy_id = policy.id AND deleted_at IS NULL GROUP BY prior_policy_id
) AS renewal ON true
WHERE policy.tenant = :tenant AND policy.deleted_at IS NULL AND NOT policy.is_placeholder
  AND policy.status NOT IN ('C', 'D', 'P', 'V')
  AND renewal.is_bound IS NOT TRUE
ORDER BY horizon.days, policy.expiration_date, policy.policy_number, policy.source_id
