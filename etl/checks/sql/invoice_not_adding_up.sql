-- Invoices whose due and paid amounts do not add up to the total.
SELECT billing.tenant, billing.id, billing.source_id, billing.policy_number, contact.customer_number,
       concat('has a total of ', billing.amount, ', but due ', billing.due, ' and paid ', billing.paid, ' add up to ',
              billing.due + billing.paid) AS found
FROM public.billing_records AS billing
LEFT JOIN public.contacts AS contact ON contact.id = billing.contact_id
WHERE billing.deleted_at IS NULL AND NOT billing.is_placeholder AND billing.is_voided IS NOT TRUE
  AND billing.is_payment IS NOT TRUE AND billing.is_credit IS NOT TRUE
  AND billing.due + billing.paid <> billing.amount
