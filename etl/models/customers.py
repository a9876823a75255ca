"""Which contacts are customers and which are prospects. Carriers, managing agencies and staff are contacts as well."""


def is_one_of(*types: str) -> str:
    """Return the condition that a contact's type or its sub-type is one of these."""
    codes = ", ".join(f"'{code}'" for code in types)
    return f"(coalesce(contact_type IN ({codes}), false) OR coalesce(contact_sub_type IN ({codes}), false))"


#: Carriers, managing general agencies and employees.
BUSINESS_PARTNERS = is_one_of("R", "M", "E")
PROSPECTS = is_one_of("P")

#: The views of contacts, each with its condition.
CONTACT_VIEWS = {
    "v_customers": f"NOT {BUSINESS_PARTNERS} AND NOT {PROSPECTS}",
    "v_prospects": f"{PROSPECTS} AND NOT {BUSINESS_PARTNERS}",
}
