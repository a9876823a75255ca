-- The first invoice of a customer for a policy, if the payments do not add up to the amounts shown as paid.
SELECT billing.tenant, billing.id, billing.source_id, billing.policy_number, contact.customer_number,
       concat('shows ', account.paid, ' as paid, but the payments for the policy add up to ', account.payments) AS found
FROM public.billing_records AS billing
CROSS JOIN LATERAL (
    SELECT sum(line.paid) FILTER (WHERE line.is_payment IS NOT TRUE AND line.is_credit IS NOT TRUE) AS paid,
           coalesce(sum(line.amount) FILTER (WHERE line.is_payment), 0) AS payments,
           min(line.source_id) FILTER (WHERE line.is_payment IS NOT TRUE AND line.is_credit IS NOT TRUE) AS first
    FROM public.billing_records AS line
    WHERE line.contact_id = billing.contact_id AND line.policy_ids = billing.policy_ids
      AND line.deleted_at IS NULL AND NOT line.is_placeholder AND line.is_voided IS NOT TRUE
) AS account
LEFT JOIN public.contacts AS contact ON contact.id = billing.contact_id
WHERE billing.deleted_at IS NULL AND NOT billing.is_placeholder AND billing.is_voided IS NOT TRUE
  AND billing.is_payment IS NOT TRUE AND billing.is_credit IS NOT TRUE AND cardinality(billing.policy_ids) > 0
  AND billing.source_id = account.first AND account.paid <> account.payments
