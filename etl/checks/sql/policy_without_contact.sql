-- Policies whose customer never arrived, and active policies whose customer is deleted.
SELECT policy.tenant, policy.id, policy.source_id, policy.policy_number, contact.customer_number,
       concat('belongs to customer ', contact.source_id,
              CASE WHEN contact.is_placeholder THEN ', who never arrived' ELSE ', who is deleted' END) AS found
FROM public.policies AS policy
JOIN public.contacts AS contact ON contact.id = policy.contact_id
WHERE policy.deleted_at IS NULL AND NOT policy.is_placeholder
  AND (contact.is_placeholder OR contact.deleted_at IS NOT NULL AND policy.status = 'A')
