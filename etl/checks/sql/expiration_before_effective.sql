-- Policies whose term ends before it begins.
SELECT policy.tenant, policy.id, policy.source_id, policy.policy_number, contact.customer_number,
       concat('expires on ', to_char(policy.expiration_date, 'YYYY-MM-DD'),
              ', before it takes effect on ', to_char(policy.effective_date, 'YYYY-MM-DD')) AS found
FROM public.policies AS policy
LEFT JOIN public.contacts AS contact ON contact.id = policy.contact_id
WHERE policy.deleted_at IS NULL AND NOT policy.is_placeholder
  AND policy.expiration_date < policy.effective_date
