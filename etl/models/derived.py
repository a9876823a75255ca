"""Columns and links that are in no record: set-based statements that run after a load and write only differences.

Each binds `tenant` and `batch_id`, compares the rows that this batch wrote with their counterparts, and can be
repeated: a second run writes nothing.
"""

from dataclasses import dataclass

from sqlalchemy import TextClause, text


@dataclass(frozen=True, slots=True)
class Derived:
    """One statement: what it fills, and the tables whose changes make it necessary."""

    name: str
    reads: frozenset[str]
    sql: TextClause


RENEWAL_PREMIUMS = Derived(
    "renewal_premiums",
    frozenset({"renewals", "policies"}),
    text("""
        UPDATE public.renewals AS renewal
        SET prior_premium = prior.total_premium,
            premium_change = renewal.renewal_premium - prior.total_premium,
            updated_at = now()
        FROM public.policies AS prior
        WHERE renewal.tenant = :tenant AND prior.id = renewal.prior_policy_id
          AND (renewal.etl_batch_id = :batch_id OR prior.etl_batch_id = :batch_id)
          AND (renewal.prior_premium, renewal.premium_change)
              IS DISTINCT FROM (prior.total_premium, renewal.renewal_premium - prior.total_premium)
    """),
)

#: The second half of `wanted` is for policies that arrive after the billing rows that name them; where every row
#: is of this batch, as in a first load, it is not started. There the tenants are compared in a form that no index
#: supports: with `=` a planner without statistics takes the index on the tenant and tries all of its rows.
BILLING_RECORD_POLICIES = Derived(
    "billing_record_policies",
    frozenset({"billing_records", "policies"}),
    text("""
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
    """),
)

#: A document names policies by number, and numbers repeat: only the policies of the document's own contact count.
#: A policy's number or contact may change, so every document of a contact is checked again when one of its
#: policies changes. Contacts are one tenant's, so that the joins need no tenant: naming it would tempt a planner
#: without statistics, as after a first load, to walk the tenant's whole index for each document.
DOCUMENT_POLICIES = Derived(
    "document_policies",
    frozenset({"documents", "policies"}),
    text("""
        WITH touched AS (
            SELECT contact_id FROM public.documents WHERE tenant = :tenant AND etl_batch_id = :batch_id
            UNION
            SELECT contact_id FROM public.policies WHERE tenant = :tenant AND etl_batch_id = :batch_id
        ), wanted AS (
            SELECT document.id AS document_id, policy.id AS policy_id
            FROM touched
            JOIN public.documents AS document ON document.contact_id = touched.contact_id
            JOIN public.policies AS policy
              ON policy.contact_id = touched.contact_id AND policy.policy_number = ANY (document.policy_numbers)
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
    """),
)

DERIVED: tuple[Derived, ...] = (RENEWAL_PREMIUMS, BILLING_RECORD_POLICIES, DOCUMENT_POLICIES)
