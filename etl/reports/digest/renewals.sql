-- Active policies that expire in 30, 60 or 90 days and have no renewal yet; each is listed once per period.
SELECT horizon.days, policy.policy_number,
       concat_ws(', ', 'expires ' || to_char(policy.expiration_date, 'YYYY-MM-DD'), policy.line_of_business) AS about
FROM (VALUES (30), (60), (90)) AS horizon (days)
JOIN public.policies AS policy
  ON policy.expiration_date > CAST(:last_day AS date) + horizon.days
 AND policy.expiration_date <= CAST(:today AS date) + horizon.days
WHERE policy.tenant = :tenant AND policy.deleted_at IS NULL AND policy.status = 'A'
  AND NOT EXISTS (
      SELECT FROM public.renewals AS renewal WHERE renewal.prior_policy_id = policy.id AND renewal.deleted_at IS NULL
  )
ORDER BY horizon.days, policy.expiration_date, policy.policy_number, policy.source_id
