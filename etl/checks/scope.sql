-- name: policies
WITH touched AS (
    SELECT id, prior_policy_id, policy_number FROM public.policies
    WHERE tenant = :tenant AND etl_batch_id = :batch_id
    UNION
    SELECT policy.id, policy.prior_policy_id, policy.policy_number
    FROM public.contacts AS contact JOIN public.policies AS policy ON policy.contact_id = contact.id
    WHERE contact.tenant = :tenant AND contact.etl_batch_id = :batch_id
    UNION
    SELECT policy.id, policy.prior_policy_id, policy.policy_number
    FROM public.terminations AS ended JOIN public.policies AS policy ON policy.id = ended.policy_id
    WHERE ended.tenant = :tenant AND ended.etl_batch_id = :batch_id
)
SELECT id FROM touched
UNION SELECT next.id FROM touched JOIN public.policies AS next ON next.prior_policy_id = touched.id
UNION SELECT same.id FROM touched JOIN public.policies AS same
    ON policy_number_key(same.policy_number) = policy_number_key(touched.policy_number)

-- name: renewals
SELECT id FROM public.renewals WHERE tenant = :tenant AND etl_batch_id = :batch_id
UNION
SELECT renewal.id FROM public.policies AS policy
JOIN public.renewals AS renewal ON policy.id IN (renewal.policy_id, renewal.prior_policy_id)
WHERE policy.tenant = :tenant AND policy.etl_batch_id = :batch_id

-- name: contacts
WITH touched AS (
    SELECT id, email, phone FROM public.contacts WHERE tenant = :tenant AND etl_batch_id = :batch_id
)
SELECT id FROM touched
UNION SELECT same.id FROM touched JOIN public.contacts AS same ON same.email = touched.email
UNION SELECT same.id FROM touched JOIN public.contacts AS same ON same.phone = touched.phone

-- name: billing_records
SELECT same.id FROM public.billing_records AS line
JOIN public.billing_records AS same ON same.contact_id = line.contact_id
WHERE line.tenant = :tenant AND line.etl_batch_id = :batch_id
