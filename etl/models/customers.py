"""Which contacts are customers and which are prospects. Carriers, managing agencies and staff are contacts as well."""

from etl.models.core import CARRIER, EMPLOYEE, MANAGING_AGENCY, PROSPECT


def is_one_of(*types: str) -> str:
    """Return the condition that a contact's type or its sub-type is one of these."""
    codes = ", ".join(f"'{code}'" for code in types)
    return f"(coalesce(contact_type IN ({codes}), false) OR coalesce(contact_sub_type IN ({codes}), false))"


#: Carriers, managing general agencies and employees.
BUSINESS_PARTNERS = is_one_of(CARRIER, MANAGING_AGENCY, EMPLOYEE)
PROSPECTS = is_one_of(PROSPECT)

#: The views of contacts, each with its condition.
CONTACT_VIEWS = {
    "v_customers": f"NOT {BUSINESS_PARTNERS} AND NOT {PROSPECTS}",
    "v_prospects": f"{PROSPECTS} AND NOT {BUSINESS_PARTNERS}",
}
