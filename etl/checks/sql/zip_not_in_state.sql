-- Addresses whose ZIP code belongs to another state.
SELECT contact.tenant, contact.id, contact.source_id, CAST(NULL AS text) AS policy_number, contact.customer_number,
       concat('has a ZIP code that starts with ', left(contact.zip, 3), ', which belongs to ',
              array_to_string(prefix.states, ' or '), ', not to ', contact.state) AS found
FROM public.contacts AS contact
JOIN etl.zip_prefixes AS prefix ON left(contact.zip, 3) = prefix.prefix
WHERE contact.deleted_at IS NULL AND NOT contact.is_placeholder
  AND contact.state <> ALL (prefix.states)
