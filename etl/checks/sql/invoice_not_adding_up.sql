-- Invoices of which what is due and what is paid do not make the amount.
SELECT billing.tenant, billing.id, billing.source_id, billing.policy_number, contact.customer_number,
       concat('amounts to ', billing.amount, '; due ', billing.due, ' and paid ', billing.paid, ' make ',
              billing.due + billing.paid) AS found
FROM public.billing_records AS billing
LEFT JOIN public.contacts AS contact ON contact.id = billing.contact_id
WHERE billing.deleted_at IS NULL AND NOT billing.is_placeholder AND billing.is_voided IS NOT TRUE
  AND billing.is_payment IS NOT TRUE AND billing.is_credit IS NOT TRUE
  AND billing.due + billing.paid <> billing.amount
