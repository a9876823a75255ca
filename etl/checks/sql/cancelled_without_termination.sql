-- Canceled policies whose adjustments were read and contain no cancellation.
SELECT policy.tenant, policy.id, policy.source_id, policy.policy_number, contact.customer_number,
       'is marked canceled, but no adjustment has the date or the reason' AS found
FROM public.policies AS policy
JOIN etl.child_queue AS asked
  ON asked.tenant = policy.tenant AND asked.resource = 'adjustments' AND asked.parent_id = policy.source_id
 AND asked.covered_at IS NOT NULL AND NOT asked.changed
LEFT JOIN public.contacts AS contact ON contact.id = policy.contact_id
WHERE policy.deleted_at IS NULL AND NOT policy.is_placeholder AND policy.status = 'C'
  AND NOT EXISTS (
      SELECT FROM public.terminations AS termination
      WHERE termination.policy_id = policy.id AND termination.deleted_at IS NULL
  )
