-- Terms that start before their prior term ends.
SELECT policy.tenant, policy.id, policy.source_id, policy.policy_number, contact.customer_number,
       concat('starts on ', to_char(policy.effective_date, 'YYYY-MM-DD'), ', ',
              prior.expiration_date - policy.effective_date, ' days before the prior term ends') AS found
FROM public.policies AS policy
JOIN public.policies AS prior ON prior.id = policy.prior_policy_id
LEFT JOIN public.contacts AS contact ON contact.id = policy.contact_id
WHERE policy.deleted_at IS NULL AND NOT policy.is_placeholder AND policy.status NOT IN ('C', 'D', 'P', 'V')
  AND prior.deleted_at IS NULL AND NOT prior.is_placeholder AND prior.status NOT IN ('C', 'D', 'P', 'V')
  AND prior.expiration_date > policy.effective_date
