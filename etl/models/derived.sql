-- name: renewal_premiums
UPDATE public.renewals AS renewal
SET prior_premium = prior.total_premium,
    premium_change = renewal.renewal_premium - prior.total_premium,
    updated_at = now()
FROM public.policies AS prior
WHERE renewal.tenant = :tenant AND prior.id = renewal.prior_policy_id
  AND (renewal.etl_batch_id = :batch_id OR prior.etl_batch_id = :batch_id)
  AND (renewal.prior_premium, renewal.premium_change)
      IS DISTINCT FROM (prior.total_premium, renewal.renewal_premium - prior.total_premium)

-- name: billing_record_policies
-- The second half of `wanted` is for policies that arrive after the billing rows that name them; where every row
-- is of this batch, as in a first load, it does not run. There the tenants are compared with an expression that no
-- index supports: with `=` a planner without statistics takes the index on the tenant and tries all of its rows.
WITH wanted AS (
    SELECT billing.id AS billing_record_id, policy.id AS policy_id
    FROM public.billing_records AS billing
    CROSS JOIN LATERAL unnest(billing.policy_ids) AS named (source_id)
    JOIN public.policies AS policy ON policy.tenant = billing.tenant AND policy.source_id = named.source_id
    WHERE billing.tenant = :tenant AND billing.etl_batch_id = :batch_id
    UNION
    SELECT billing.id, policy.id
    FROM public.policies AS policy
    JOIN public.billing_records AS billing
      ON billing.policy_ids @> ARRAY[policy.source_id] AND billing.tenant IS NOT DISTINCT FROM policy.tenant
    WHERE policy.tenant = :tenant AND policy.etl_batch_id = :batch_id
      AND billing.etl_batch_id IS DISTINCT FROM :batch_id
      AND EXISTS (
          SELECT FROM public.billing_records WHERE tenant = :tenant AND etl_batch_id IS DISTINCT FROM :batch_id
      )
), gone AS (
    DELETE FROM public.billing_record_policies AS link
    USING public.billing_records AS billing
    WHERE billing.id = link.billing_record_id
      AND billing.tenant = :tenant AND billing.etl_batch_id = :batch_id
      AND NOT EXISTS (
          SELECT FROM wanted
          WHERE wanted.billing_record_id = link.billing_record_id AND wanted.policy_id = link.policy_id
      )
)
INSERT INTO public.billing_record_policies (tenant, billing_record_id, policy_id)
SELECT :tenant, billing_record_id, policy_id FROM wanted
ORDER BY billing_record_id, policy_id
ON CONFLICT DO NOTHING

-- name: document_policies
-- A document names policies by number, and numbers repeat: only the policies of the document's own contact count. The
-- list of files names them by id.
-- A policy's number or contact may change, so every document of a contact is checked again when one of its
-- policies changes. Contacts are one tenant's, so that the joins need no tenant: naming it would tempt a planner
-- without statistics, as after a first load, to walk the tenant's whole index for each document.
WITH touched AS (
    SELECT contact_id FROM public.documents WHERE tenant = :tenant AND etl_batch_id = :batch_id
    UNION
    SELECT contact_id FROM public.policies WHERE tenant = :tenant AND etl_batch_id = :batch_id
), wanted AS (
    SELECT document.id AS document_id, policy.id AS policy_id
    FROM touched
    JOIN public.documents AS document ON document.contact_id = touched.contact_id
    JOIN public.policies AS policy
      ON policy.contact_id = touched.contact_id
     AND (policy.policy_number = ANY (document.policy_numbers)
          OR policy.source_id = ANY (document.related_policy_ids))
), stored AS (
    SELECT link.document_id, link.policy_id
    FROM touched
    JOIN public.documents AS document ON document.contact_id = touched.contact_id
    JOIN public.document_policies AS link ON link.document_id = document.id
    UNION
    SELECT link.document_id, link.policy_id
    FROM public.policies AS policy
    JOIN public.document_policies AS link ON link.policy_id = policy.id
    WHERE policy.tenant = :tenant AND policy.etl_batch_id = :batch_id
), gone AS (
    DELETE FROM public.document_policies AS link
    USING (SELECT * FROM stored EXCEPT SELECT * FROM wanted) AS stale
    WHERE link.document_id = stale.document_id AND link.policy_id = stale.policy_id
)
INSERT INTO public.document_policies (tenant, document_id, policy_id)
SELECT :tenant, document_id, policy_id FROM wanted
ORDER BY document_id, policy_id
ON CONFLICT DO NOTHING

-- name: policy_producers
-- Producers are ids in a list, and their order is kept. An employee who arrives after the policy is linked then.
WITH touched AS (
    SELECT policy.id, policy.producer_ids
    FROM public.policies AS policy
    WHERE policy.tenant = :tenant AND policy.etl_batch_id = :batch_id
    UNION
    SELECT policy.id, policy.producer_ids
    FROM public.employees AS employee
    JOIN public.policies AS policy
      ON policy.producer_ids @> ARRAY[employee.source_id] AND policy.tenant IS NOT DISTINCT FROM employee.tenant
    WHERE employee.tenant = :tenant AND employee.etl_batch_id = :batch_id
), wanted AS (
    SELECT touched.id AS policy_id, employee.id AS employee_id, min(producer.position)::integer AS position
    FROM touched
    CROSS JOIN LATERAL unnest(touched.producer_ids) WITH ORDINALITY AS producer (source_id, position)
    JOIN public.employees AS employee
      ON employee.tenant = :tenant AND employee.source_id = producer.source_id
    GROUP BY touched.id, employee.id
), gone AS (
    DELETE FROM public.policy_producers AS link
    USING touched
    WHERE link.policy_id = touched.id
      AND NOT EXISTS (
          SELECT FROM wanted
          WHERE wanted.policy_id = link.policy_id AND wanted.employee_id = link.employee_id
      )
)
INSERT INTO public.policy_producers AS link (tenant, policy_id, employee_id, position)
SELECT :tenant, policy_id, employee_id, position FROM wanted
ORDER BY policy_id, employee_id
ON CONFLICT (policy_id, employee_id) DO UPDATE SET position = excluded.position
WHERE link.position IS DISTINCT FROM excluded.position

-- name: current_terminations
-- Of several cancellations of one policy the last one counts: by date, then by the number of the adjustment.
WITH touched AS (
    SELECT DISTINCT policy_id
    FROM public.terminations
    WHERE tenant = :tenant AND etl_batch_id = :batch_id
), ranked AS (
    SELECT termination.id,
           termination.deleted_at IS NULL AND termination.id = first_value(termination.id) OVER (
               PARTITION BY termination.policy_id
               ORDER BY termination.deleted_at IS NULL DESC, termination.termination_date DESC NULLS LAST,
                        length(termination.source_id) DESC, termination.source_id COLLATE "C" DESC
           ) AS is_current
    FROM touched
    JOIN public.terminations AS termination ON termination.policy_id = touched.policy_id
    WHERE NOT termination.is_placeholder
)
UPDATE public.terminations AS termination
SET is_current = ranked.is_current, updated_at = now()
FROM ranked
WHERE termination.id = ranked.id AND termination.is_current IS DISTINCT FROM ranked.is_current

-- name: carrier_naic
-- The newest detail of a policy of the carrier that names a number.
WITH touched AS (
    SELECT policy.carrier_id
    FROM public.policy_details AS detail
    JOIN public.policies AS policy ON policy.id = detail.policy_id
    WHERE detail.tenant = :tenant AND detail.etl_batch_id = :batch_id AND detail.carrier_naic IS NOT NULL
    UNION
    SELECT policy.carrier_id
    FROM public.policies AS policy
    WHERE policy.tenant = :tenant AND policy.etl_batch_id = :batch_id
), newest AS (
    SELECT DISTINCT ON (policy.carrier_id) policy.carrier_id, detail.carrier_naic
    FROM touched
    JOIN public.policies AS policy ON policy.carrier_id = touched.carrier_id
    JOIN public.policy_details AS detail ON detail.policy_id = policy.id
    WHERE detail.carrier_naic IS NOT NULL AND detail.deleted_at IS NULL
    ORDER BY policy.carrier_id, detail.version_at DESC NULLS LAST, detail.source_id
)
UPDATE public.carriers AS carrier
SET naic = newest.carrier_naic, updated_at = now()
FROM newest
WHERE carrier.id = newest.carrier_id AND carrier.naic IS DISTINCT FROM newest.carrier_naic
