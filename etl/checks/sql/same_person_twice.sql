-- Customers with the same name and the same email address or phone number as an older customer.
SELECT contact.tenant, contact.id, contact.source_id, CAST(NULL AS text) AS policy_number, contact.customer_number,
       concat('has the same name and ', other.what, ' as contact ', other.source_id,
              CASE WHEN other.customer_number IS NOT NULL THEN ', customer ' || other.customer_number END) AS found
FROM public.contacts AS contact
CROSS JOIN LATERAL (
    SELECT same.source_id, same.customer_number,
           CASE WHEN same.email = contact.email THEN 'email address' ELSE 'phone number' END AS what
    FROM public.contacts AS same
    WHERE same.tenant = contact.tenant AND lower(same.display_name) = lower(contact.display_name)
      AND (same.email = contact.email OR same.phone = contact.phone)
      AND same.deleted_at IS NULL AND NOT same.is_placeholder
      AND (length(same.source_id), same.source_id) < (length(contact.source_id), contact.source_id)
    ORDER BY length(same.source_id), same.source_id LIMIT 1
) AS other
WHERE contact.deleted_at IS NULL AND NOT contact.is_placeholder
