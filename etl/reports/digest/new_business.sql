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
