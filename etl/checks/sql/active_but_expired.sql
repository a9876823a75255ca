-- Policies that are marked active, but whose term is over.
SELECT policy.tenant, policy.id, policy.source_id, policy.policy_number, contact.customer_number,
       concat('is marked active but expired on ', to_char(policy.expiration_date, 'YYYY-MM-DD')) AS found
FROM public.policies AS policy
LEFT JOIN public.contacts AS contact ON contact.id = policy.contact_id
WHERE policy.deleted_at IS NULL AND NOT policy.is_placeholder
  AND policy.status = 'A' AND policy.expiration_date < current_date
