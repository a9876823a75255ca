-- Policies with the same number, in any spelling, and the same carrier that belong to two customers.
SELECT policy.tenant, policy.id, policy.source_id, policy.policy_number, contact.customer_number,
       concat('has the same number as policy ', other.source_id, ', which belongs to another customer') AS found
FROM public.policies AS policy
CROSS JOIN LATERAL (
    SELECT same.source_id FROM public.policies AS same
    WHERE same.tenant = policy.tenant AND policy_number_key(same.policy_number) = policy_number_key(policy.policy_number)
      AND same.contact_id <> policy.contact_id AND same.carrier_id IS NOT DISTINCT FROM policy.carrier_id
      AND same.deleted_at IS NULL AND NOT same.is_placeholder
    ORDER BY length(same.source_id), same.source_id LIMIT 1
) AS other
LEFT JOIN public.contacts AS contact ON contact.id = policy.contact_id
WHERE policy.deleted_at IS NULL AND NOT policy.is_placeholder AND length(regexp_replace(policy.policy_number, '[^0-9]', '', 'g')) > 3
  AND NOT starts_with('1234567890', policy_number_key(policy.policy_number))
  AND policy_number_key(policy.policy_number) !~ '^([0-9])\1*$'
