-- Renewals that have started and are not bound.
SELECT renewal.tenant, renewal.id, renewal.source_id, policy.policy_number, contact.customer_number,
       concat('started on ', to_char(renewal.effective_date, 'YYYY-MM-DD'), ' but has no binder date') AS found
FROM public.renewals AS renewal
JOIN public.policies AS policy ON policy.id = renewal.policy_id
LEFT JOIN public.contacts AS contact ON contact.id = renewal.contact_id
WHERE renewal.deleted_at IS NULL AND NOT renewal.is_placeholder AND renewal.is_confirmed IS NOT TRUE
  AND renewal.effective_date < current_date
  AND policy.deleted_at IS NULL AND policy.status IN ('A', 'P')
