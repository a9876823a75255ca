-- Issued policies with a placeholder instead of a policy number.
SELECT policy.tenant, policy.id, policy.source_id, policy.policy_number, contact.customer_number,
       'has a placeholder instead of a policy number' AS found
FROM public.policies AS policy
LEFT JOIN public.contacts AS contact ON contact.id = policy.contact_id
WHERE policy.deleted_at IS NULL AND NOT policy.is_placeholder AND policy.status NOT IN ('D', 'P', 'V')
  AND (regexp_replace(upper(policy.policy_number), '[^A-Z0-9]', '', 'g') IN (
           '', 'TBA', 'TBD', 'TBI', 'PENDING', 'BINDER', 'BOUND', 'NEW', 'NEWPOLICY', 'NONE', 'NA', 'NOTISSUED', 'QUOTE',
           'TEMP', 'TEST', 'TOCOME', 'UNKNOWN', 'X', 'XX', 'XXX', 'XXXX'
       )
       OR policy.policy_number ~ '^([0-9])\1+$'
       OR starts_with('1234567890', policy.policy_number) AND length(policy.policy_number) > 3)
