"""The resource names for parsing the DAGs. Rendered by `python -m etl.render`."""

LEVELS = (
    ("locations",),
    ("contacts",),
    ("policies",),
    ("billing_records",),
    (
        "departments",
        "carrier_list",
        "applications",
        "commissions",
        "drivers",
        "vehicles",
        "claims",
        "commission_rules",
        "endorsements",
    ),
    (
        "account_info",
        "policy_details",
        "adjustments",
        "quotes",
        "coverages",
        "equipment",
        "documents",
        "acord_forms",
        "employee_list",
        "cancellation_reasons",
        "carrier_fees",
        "notes",
        "policy_notes",
        "tasks",
        "contact_phones",
        "contact_emails",
        "contact_addresses",
        "files",
        "customer_details",
        "policy_lines",
        "premium",
    ),
)

DERIVED = (
    "agencies",
    "employees",
    "carriers",
    "fees",
    "renewals",
    "terminations",
)

RESOURCES = (*(name for level in LEVELS for name in level), *DERIVED)
