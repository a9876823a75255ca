-- Renewals whose prior term never arrived or is deleted.
SELECT renewal.tenant, renewal.id, renewal.source_id, policy.policy_number, contact.customer_number,
       concat('renews policy ', prior.source_id,
              CASE WHEN prior.is_placeholder THEN ', which never arrived' ELSE ', which is deleted' END) AS found
FROM public.renewals AS renewal
JOIN public.policies AS prior ON prior.id = renewal.prior_policy_id
LEFT JOIN public.policies AS policy ON policy.id = renewal.policy_id
LEFT JOIN public.contacts AS contact ON contact.id = renewal.contact_id
WHERE renewal.deleted_at IS NULL AND NOT renewal.is_placeholder
  AND (prior.is_placeholder OR prior.deleted_at IS NOT NULL)
